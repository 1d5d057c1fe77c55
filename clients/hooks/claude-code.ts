// Claude Code (measured with 2.1.329).

import type { ToolEvent } from './event.ts';
import { allowText, refusalJson, type Vendor } from './vendor.ts';

export const claudeCode: Vendor = {
  surface: 'claude-code',
  allow: allowText,
  refuse: refusalJson,
  quiet: new Set(['Write', 'Edit', 'MultiEdit', 'NotebookEdit', 'TodoWrite', 'ExitPlanMode']),
  withhold,
};

/**
 * A block or exit status 2 only adds its reason: the output would be read. A replacement counts only in the tool's own
 * shape, else it is passed over without a word; so for shapes nobody measured the run is ended before the model reads.
 */
function withhold(event: ToolEvent, reason: string): string {
  const replaced = replacement(event, reason);
  if (replaced === undefined) return JSON.stringify({ continue: false, stopReason: reason });
  return JSON.stringify({ hookSpecificOutput: { hookEventName: 'PostToolUse', ...replaced } });
}

function replacement({ toolName, toolResponse }: ToolEvent, reason: string): object | undefined {
  if (toolName.startsWith('mcp__')) return { updatedMCPToolOutput: reason };
  if (typeof toolResponse !== 'object' || toolResponse === null || Array.isArray(toolResponse)) return undefined;
  const { stdout, stderr, isImage, file } = toolResponse as Record<string, unknown>;
  if (toolName === 'Bash' && typeof stdout === 'string' && typeof stderr === 'string' && isImage !== true) {
    return { updatedToolOutput: { ...toolResponse, stdout: reason, stderr: '' } };
  }
  const isText = (toolResponse as Record<string, unknown>).type === 'text' && typeof file === 'object' && file !== null;
  if (toolName !== 'Read' || !isText) return undefined;
  return { updatedToolOutput: { ...toolResponse, file: { ...file, content: reason, numLines: 1, totalLines: 1 } } };
}
