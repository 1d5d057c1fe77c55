// Who may follow an action: the agent it was decided for, and people. To everyone else it does not exist.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { ActionRecord, ActionState, OutcomeStatus } from '../../ports/action-store/port.ts';
import { routeToProto } from './answer.ts';
import type { DecisionDeps } from './deps.ts';

const ACTION_ID = /^act_[0-9a-f]{32}$/;
/** How far behind its answer a decision may be recorded: by a projector, at worst. */
const BEHIND_MS = 1_000;
const FIRST_PAUSE_MS = 5;

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
  deps: Pick<DecisionDeps, 'stores' | 'env'>,
  actionId: string,
  call: CallContext,
): Promise<ActionRecord> {
  if (!ACTION_ID.test(actionId)) throw invalidArgument('action_id', 'is not an action id');
  const action = await recorded(actionId, () => deps.stores.actions.getAction(actionId), deps, call);
  if (!action || !mayFollow(action, call)) throw new BeaconError('not_found', 'no such action', { field: 'action_id' });
  return action;
}

/**
 * What is recorded of the action or permit of this id. An answer may be faster than its record: what is missing is looked for
 * again, while its id, which begins with the time, is so new that it may be on its way.
 */
export async function recorded<T>(
  id: string,
  read: () => Promise<T | undefined>,
  { env }: Pick<DecisionDeps, 'env'>,
  call: CallContext,
): Promise<T | undefined> {
  const madeMs = Number.parseInt(id.slice(4, 16), 16);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const found = await read();
    const nowMs = env.now();
    const mayCome = Math.abs(nowMs - madeMs) < BEHIND_MS && pauseMs < BEHIND_MS && nowMs + pauseMs < call.deadlineMs;
    if (found !== undefined || !mayCome) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
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
