// What differs between agent clients: the names, and how each wants to be told. What a client writes back to its own
// stdout must be exactly one of these texts: a client that cannot read its hook's answer runs the tool.

import type { ToolEvent } from './event.ts';

export type Vendor = {
  /** Beacon's name for where proposals come from; also the agent's name when nobody gave one. */
  readonly surface: string;
  /** Whole stdout for an action that may run. */
  allow(event: ToolEvent['event'], warning: string | undefined): string;
  /** Whole stdout for one that must not. `reason` is not blank. */
  refuse(event: ToolEvent['event'], reason: string): string;
  /** Tools of whose answer the model is told only that they worked; what they give the hook is not looked at. */
  readonly quiet: ReadonlySet<string>;
  /** Whole stdout that puts `reason` in the place of what the tool gave back, or ends the run where that cannot be done. */
  withhold(event: ToolEvent, reason: string): string;
};

/** Whole stdout that tells the model something beside what the tool gave back; '' for nothing to tell. */
export function noteText(note: string | undefined): string {
  if (note === undefined) return '';
  return JSON.stringify({ hookSpecificOutput: { hookEventName: 'PostToolUse', additionalContext: note } });
}

/**
 * PreToolUse: silence leaves the client's own permission flow as it is, so Beacon can only take away. PermissionRequest:
 * here the client waits for somebody's yes, so an ALLOW says it; registered for both, nothing runs without Beacon.
 */
export function allowText(event: ToolEvent['event'], warning: string | undefined): string {
  const told = warning === undefined ? {} : { systemMessage: warning };
  if (event === 'PermissionRequest') {
    const verdict = { hookEventName: event, decision: { behavior: 'allow' } };
    return JSON.stringify({ ...told, hookSpecificOutput: verdict });
  }
  return warning === undefined ? '' : JSON.stringify(told);
}

/** Not one key more: Codex takes a refusal with an unknown key for none. */
export function refusalJson(event: ToolEvent['event'], reason: string): string {
  if (event === 'PermissionRequest') {
    const decision = { behavior: 'deny', message: reason };
    return JSON.stringify({ hookSpecificOutput: { hookEventName: event, decision } });
  }
  return JSON.stringify({
    hookSpecificOutput: { hookEventName: event, permissionDecision: 'deny', permissionDecisionReason: reason },
  });
}
