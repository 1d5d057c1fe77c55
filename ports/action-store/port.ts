// Open actions, permits and approvals: derived state, rebuilt from ledger and evidence when lost.
// Every write carries the position of the receipt it follows from; a write at or below a row's own position is a
// repeat and changes nothing, so replaying the tail after a crash is harmless. What comes from another log than the row's
// last write counts only when the record has come further by it (standing.ts).

import type { Route } from '../../core/route.ts';

/** A place in a log. */
export type Position = { readonly logId: string; readonly index: number };

export type OutcomeStatus = 'succeeded' | 'failed' | 'partial' | 'aborted' | 'not_executed' | 'lost_confirmation';
export type ActionState = 'guarded' | 'awaiting_approval' | 'open' | 'closed' | 'refused';

export type ActionRecord = {
  readonly actionId: string;
  readonly tenantId: string;
  readonly agentId: string;
  readonly sessionId: string;
  readonly fingerprint: string;
  readonly route: Route;
  readonly state: ActionState;
  readonly surface: string;
  readonly provenance: 'asserted' | 'authenticated' | 'attested';
  readonly permitId: string;
  readonly permitNotAfterMs: number;
  readonly term: number;
  /** Every scope the decision fell under; a later revocation of one lists this action. */
  readonly scopes: readonly string[];
  readonly receiptIds: readonly string[];
  readonly decidedAtMs: number;
  readonly openedAtMs: number;
  /** When Beacon closes it as lost_confirmation; 0 while not open. */
  readonly deadlineMs: number;
  readonly closedAtMs: number;
  readonly outcome: OutcomeStatus | '';
};

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'used';

export type ApprovalRecord = {
  readonly actionId: string;
  readonly tenantId: string;
  readonly agentId: string;
  readonly fingerprint: string;
  readonly status: ApprovalStatus;
  readonly requestedAtMs: number;
  readonly notAfterMs: number;
  readonly approver: string;
  readonly reason: string;
  readonly receiptId: string;
  readonly summary: string;
};

/** Most approvals one agent may hold unused; of more, those that end first are forgotten. */
export const MAX_APPROVED = 256;

/** `more`: there may be others, all of them open unless `live` holds only guarded ones. */
export type LiveActions = { readonly live: readonly ActionRecord[]; readonly more: boolean };

export type ActionStore = {
  /** The position up to which this store reflects a log: the next index to replay. 0 when nothing. */
  position(logId: string): Promise<number>;
  /** Moves the position forward, persisted together with the writes before it. */
  advance(position: Position): Promise<void>;
  /**
   * The same for a store that may lose what it was told: only while it reflects the log up to `from` (a position it was
   * told, 0 too). False when it does not, and what was written on the way may be gone.
   */
  advanceFrom(from: number, position: Position): Promise<boolean>;
  /** For each action, the index in this log its row follows from: a write at or below it would change nothing. -1 without
   * such a row, and where another log told it last. */
  recorded(logId: string, actionIds: readonly string[]): Promise<readonly number[]>;

  putAction(action: ActionRecord, at: Position): Promise<void>;
  getAction(actionId: string): Promise<ActionRecord | undefined>;
  findByPermit(permitId: string): Promise<ActionRecord | undefined>;
  /**
   * Claims a permit for opening: true for exactly one caller until `releasePermit`. Not persisted by itself: the
   * action receipt that follows is.
   */
  claimPermit(permitId: string): Promise<boolean>;
  releasePermit(permitId: string): Promise<void>;
  /** Claims the closing of an action in the same way. */
  claimClose(actionId: string): Promise<boolean>;
  releaseClose(actionId: string): Promise<void>;
  /** Open actions whose deadline is before `nowMs`, oldest first: at most `limit` behind the first `passed`. */
  overdue(nowMs: number, limit: number, passed?: number): Promise<readonly ActionRecord[]>;
  /**
   * Actions that fall under `scope`: first all that are guarded with a permit ending after `nowMs`, then those in state
   * open; at most `limit`. A store elsewhere looks for open ones no longer than it says.
   */
  liveInScope(scope: string, nowMs: number, limit: number): Promise<LiveActions>;

  putApproval(approval: ApprovalRecord, at: Position): Promise<void>;
  getApproval(actionId: string): Promise<ApprovalRecord | undefined>;
  /** What is approved for this agent, unused and unexpired, whatever its fingerprint: the latest to end, at most 256. */
  approvedFor(tenantId: string, agentId: string, nowMs: number): Promise<readonly ApprovalRecord[]>;
  /** Claims an approval for its single use: true for exactly one caller until `releaseApproval`. */
  claimApproval(actionId: string): Promise<boolean>;
  releaseApproval(actionId: string): Promise<void>;
  /** Pending ones, oldest first, of one tenant or (empty) of all; at most `limit`. */
  pendingApprovals(tenantId: string, nowMs: number, limit: number): Promise<readonly ApprovalRecord[]>;
};
