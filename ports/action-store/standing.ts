// How far a record has come, where two logs tell of it: their positions do not compare, and whoever follows one of them
// tells again what everybody knows. A record never goes back to where it was.

import type { ActionRecord, ActionState, ApprovalRecord, ApprovalStatus } from './port.ts';

/** More receipts than one action ever has. */
export const STEP = 1_000_000;

const STATES: Readonly<Record<ActionState, number>> = {
  guarded: 0,
  awaiting_approval: 0,
  open: 1,
  closed: 2,
  // A decision that was voided takes its action with it, whatever became of it.
  refused: 3,
};
const STATUSES: Readonly<Record<ApprovalStatus, number>> = {
  pending: 0,
  approved: 1,
  denied: 1,
  expired: 1,
  used: 2,
};

/** First the state, then how much is known of it. */
export function actionStanding({ state, receiptIds }: ActionRecord): number {
  return STATES[state] * STEP + receiptIds.length;
}

export function approvalStanding({ status }: ApprovalRecord): number {
  return STATUSES[status];
}
