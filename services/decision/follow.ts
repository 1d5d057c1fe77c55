// Who may follow an action: the agent it was decided for, and people. To everyone else it does not exist.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { ActionRecord, ActionState, ActionStore, OutcomeStatus } from '../../ports/action-store/port.ts';
import { routeToProto } from './answer.ts';

const ACTION_ID = /^act_[0-9a-f]{32}$/;

export const STATE: Readonly<Record<ActionState, pb.ActionState>> = {
  guarded: pb.ActionState.GUARDED,
  awaiting_approval: pb.ActionState.AWAITING_APPROVAL,
  open: pb.ActionState.OPEN,
  closed: pb.ActionState.CLOSED,
  refused: pb.ActionState.REFUSED,
};
export const OUTCOME: Readonly<Record<OutcomeStatus | '', pb.OutcomeStatus>> = {
  '': pb.OutcomeStatus.UNSPECIFIED,
  succeeded: pb.OutcomeStatus.SUCCEEDED,
  failed: pb.OutcomeStatus.FAILED,
  partial: pb.OutcomeStatus.PARTIAL,
  aborted: pb.OutcomeStatus.ABORTED,
  not_executed: pb.OutcomeStatus.NOT_EXECUTED,
  lost_confirmation: pb.OutcomeStatus.LOST_CONFIRMATION,
};

export function mayFollow(action: ActionRecord, { principal }: CallContext): boolean {
  if (principal.role !== 'agent') return true;
  if (principal.agentId === undefined) return action.provenance === 'asserted';
  return principal.tenantId === action.tenantId && principal.agentId === action.agentId;
}

/** Throws `invalid_argument` for what is no action id and `not_found` for what this caller may not see. */
export async function findAction(
  store: Pick<ActionStore, 'getAction'>,
  actionId: string,
  call: CallContext,
): Promise<ActionRecord> {
  if (!ACTION_ID.test(actionId)) throw invalidArgument('action_id', 'is not an action id');
  const action = await store.getAction(actionId);
  if (!action || !mayFollow(action, call)) throw new BeaconError('not_found', 'no such action', { field: 'action_id' });
  return action;
}

export function actionToProto(action: ActionRecord): pb.Action {
  const at = (ms: number) => (ms > 0 ? timestampFromMs(ms) : undefined);
  const openedAt = at(action.openedAtMs);
  const deadline = at(action.deadlineMs);
  const closedAt = at(action.closedAtMs);
  return create(pb.ActionSchema, {
    actionId: action.actionId,
    tenantId: action.tenantId,
    agentId: action.agentId,
    sessionId: action.sessionId,
    fingerprint: action.fingerprint,
    route: routeToProto(action.route),
    state: STATE[action.state],
    outcome: OUTCOME[action.outcome],
    receiptIds: [...action.receiptIds],
    ...(openedAt ? { openedAt } : {}),
    ...(deadline ? { deadline } : {}),
    ...(closedAt ? { closedAt } : {}),
  });
}
