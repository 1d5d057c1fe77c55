// What an agent client writes to a hook's stdin, read strictly: what cannot be read is refused, never passed over.

import { invalidArgument } from '../../core/errors.ts';
import { parseStrictJson } from '../../core/strict-json.ts';

/** A larger event is refused unread; Beacon would not take it either. */
export const MAX_EVENT_BYTES = 1_048_576;

/** What Beacon takes as a name; a turn called otherwise counts with its session alone. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;

export type ToolEvent = {
  readonly event: 'PreToolUse' | 'PermissionRequest' | 'PostToolUse';
  readonly toolName: string;
  readonly toolInput: Readonly<Record<string, unknown>>;
  /** What the tool gave back, as the client has it; undefined before it has run. */
  readonly toolResponse: unknown;
  readonly sessionId: string;
  /** The turn it belongs to, where the client names one (Codex does). */
  readonly turnId: string | undefined;
  /** Where the call would run, as the client tells it. */
  readonly cwd: string | undefined;
  /** False when the client says that nobody is asked; undefined when it does not say. */
  readonly attended: false | undefined;
};

/**
 * The proposal or the tool's answer in an event, or undefined when it has neither (a session starts, a tool has failed).
 * Throws `invalid_argument` or `payload_too_large`; also on an event of a name we do not know that carries a tool call.
 */
export function readToolEvent(bytes: Uint8Array): ToolEvent | undefined {
  const value = parseStrictJson(bytes, { maxBytes: MAX_EVENT_BYTES });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidArgument('event', 'is not a JSON object');
  }
  const fields = value as Record<string, unknown>;
  const { hook_event_name: event, tool_name: toolName, tool_input: toolInput } = fields;
  if (typeof event !== 'string' || event === '') throw invalidArgument('hook_event_name', 'is missing');
  const proposes = event === 'PreToolUse' || event === 'PermissionRequest' || event === 'PostToolUse';
  if (!proposes && (event.startsWith('Post') || (toolName === undefined && toolInput === undefined))) return undefined;
  if (!proposes) throw invalidArgument('hook_event_name', 'is an event with a tool call that this hook does not know');
  if (typeof toolName !== 'string' || toolName === '') throw invalidArgument('tool_name', 'is missing');
  if (typeof toolInput !== 'object' || toolInput === null || Array.isArray(toolInput)) {
    throw invalidArgument('tool_input', 'is not an object');
  }
  return {
    event,
    toolName,
    toolInput: toolInput as Record<string, unknown>,
    toolResponse: event === 'PostToolUse' ? fields.tool_response : undefined,
    sessionId: requireText(fields, 'session_id'),
    turnId: typeof fields.turn_id === 'string' && NAME.test(fields.turn_id) ? fields.turn_id : undefined,
    cwd: fields.cwd === undefined ? undefined : requireText(fields, 'cwd'),
    attended: fields.permission_mode === 'bypassPermissions' ? false : undefined,
  };
}

function requireText(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw invalidArgument(name, 'is missing');
  return value;
}
