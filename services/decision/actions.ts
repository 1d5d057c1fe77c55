// Checkpoints two, three and five: opening an action, keeping what was believed, closing it once.

import { create } from '@bufbuild/protobuf';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import type { CallContext } from '../../core/principal.ts';
import { rfc3339 } from '../../core/rfc3339.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { ActionRecord, OutcomeStatus } from '../../ports/action-store/port.ts';
import type { DecisionDeps } from './deps.ts';
import { actionToProto, findAction, mayFollow, OUTCOME, recorded } from './follow.ts';
import type { EpochMemory } from './gather.ts';
import { type Claim, once } from './once.ts';
import type { Recorder } from './recorder.ts';
import { actionDraft, laterDraft } from './records.ts';
import { stopOf } from './stop.ts';

export const MAX_STATEMENT_CHARS = 2_000;
export const MAX_OBSERVED_DIGESTS = 64;
export const MAX_DETAILS_BYTES = 65_536;
/** Receipts of one action; beyond it no further assumption is taken. */
export const MAX_RECEIPTS_PER_ACTION = 256;
const ASSUMPTION_STATUS = ['unverified', 'confirmed', 'refuted'];
const PERMIT_ID = /^pmt_[0-9a-f]{32}$/;

export type ActionDeps = { readonly deps: DecisionDeps; readonly recorder: Recorder; readonly epochs: EpochMemory };

/** Redeems a permit once; a repeat gives the same action, unless it has been stopped since. */
export async function openAction(
  { permitId }: pb.OpenActionRequest,
  call: CallContext,
  { deps, recorder, epochs }: ActionDeps,
): Promise<pb.OpenActionResponse> {
  if (!PERMIT_ID.test(permitId)) throw invalidArgument('permit', 'is not a permit id');
  const { actions } = deps.stores;
  const action = await recorded(permitId, () => actions.findByPermit(permitId), deps, call);
  if (!action || !mayFollow(action, call)) throw new BeaconError('not_found', 'no such permit', { field: 'permit' });
  const { actionId } = action;
  const stop = await stopOf(action, deps, epochs);
  if (stop) throw new BeaconError('failed_precondition', stop.message, { field: 'permit' });
  if (action.state === 'open') return create(pb.OpenActionResponseSchema, { action: actionToProto(action) });
  const claim: Claim = {
    take: () => actions.claimPermit(permitId),
    giveBack: () => actions.releasePermit(permitId),
    taken() {
      throw new BeaconError('conflict', 'this permit is being redeemed by another request', { retryAfterMs: 100 });
    },
  };
  await once(claim, deps, async () => {
    if ((await actions.getAction(actionId))?.state !== 'guarded') return;
    const nowMs = deps.env.now();
    const times = { nowMs, deadlineMs: nowMs + deps.settings.actionDeadlineMs };
    const decisionReceiptId = action.receiptIds[0];
    const [view] = await recorder.seal([actionDraft(action, times, decisionReceiptId)], call);
    if (deps.env.now() > call.deadlineMs) return await abandonLate(action, call, recorder);
    tell(EVENTS.actionOpened, action, { receipt_id: view?.receiptId ?? '' }, deps);
  });
  const opened = await findAction(deps, actionId, call);
  // Another request has opened it, and then it was closed or taken back.
  const stopped = opened.state === 'open' ? undefined : await stopOf(opened, deps, epochs);
  if (stopped) throw new BeaconError('failed_precondition', stopped.message, { field: 'permit' });
  return create(pb.OpenActionResponseSchema, { action: actionToProto(opened) });
}

/** The action was opened for a caller that has stopped waiting: it is closed, not answered. */
async function abandonLate(action: ActionRecord, call: CallContext, recorder: Recorder): Promise<never> {
  const predicate = { status: 'not_executed', closed_at: rfc3339(call.deadlineMs) };
  await recorder.seal([laterDraft('outcome', action, predicate)], call);
  throw new BeaconError('deadline_exceeded', 'the action was opened after the caller’s deadline and has been closed');
}

export async function recordAssumption(
  request: pb.RecordAssumptionRequest,
  call: CallContext,
  { deps, recorder }: ActionDeps,
): Promise<pb.RecordAssumptionResponse> {
  const { statement, observedDigests } = request;
  const status = request.status === '' ? 'unverified' : request.status;
  if (statement === '') throw invalidArgument('statement', 'must not be empty');
  if (statement.length > MAX_STATEMENT_CHARS) {
    throw invalidArgument('statement', `must be at most ${MAX_STATEMENT_CHARS} characters`);
  }
  if (!ASSUMPTION_STATUS.includes(status)) throw invalidArgument('status', `must be ${ASSUMPTION_STATUS.join(', ')}`);
  if (
    observedDigests.length > MAX_OBSERVED_DIGESTS ||
    !observedDigests.every((digest) => /^[0-9a-f]{64}$/.test(digest))
  ) {
    throw invalidArgument(
      'observed_digests',
      `must be at most ${MAX_OBSERVED_DIGESTS} SHA-256 digests of 64 hex digits`,
    );
  }
  const action = await findAction(deps, request.actionId, call);
  if (action.state === 'closed') throw new BeaconError('conflict', 'the action is closed', { field: 'action_id' });
  if (action.receiptIds.length >= MAX_RECEIPTS_PER_ACTION) {
    throw new BeaconError('resource_exhausted', `an action has at most ${MAX_RECEIPTS_PER_ACTION} receipts`);
  }
  const evidence = evidenceOf({ statement: redact(statement, deps) }, deps);
  const predicate = {
    statement_digest: deps.privacy.keys.digest(action.tenantId, statement),
    observed_digests: observedDigests,
    status,
  };
  const [view] = await recorder.seal([laterDraft('assumption', action, predicate, evidence)], call);
  return create(pb.RecordAssumptionResponseSchema, { receiptId: view?.receiptId ?? '' });
}

/** Closes an action once. A second close is a `conflict` that says how it was closed first. */
export async function updateOutcome(
  request: pb.UpdateOutcomeRequest,
  call: CallContext,
  context: ActionDeps,
): Promise<pb.UpdateOutcomeResponse> {
  const { deps } = context;
  const status = (Object.keys(OUTCOME) as (OutcomeStatus | '')[]).find((name) => OUTCOME[name] === request.status);
  if (!status || status === 'lost_confirmation') {
    throw invalidArgument('status', 'must be succeeded, failed, partial, aborted or not_executed');
  }
  if (Buffer.byteLength(request.detailsJson) > MAX_DETAILS_BYTES) {
    throw invalidArgument('details', `must be at most ${MAX_DETAILS_BYTES} bytes`);
  }
  const action = await findAction(deps, request.actionId, call);
  const receiptId = await close(action, status, request.detailsJson, call, context);
  const closed = await findAction(deps, request.actionId, call);
  return create(pb.UpdateOutcomeResponseSchema, { action: actionToProto(closed), receiptId });
}

/** Shared by callers and by the sweep that closes overdue actions. Resolves to the outcome receipt's id. */
export async function close(
  action: ActionRecord,
  status: OutcomeStatus,
  detailsJson: string,
  call: CallContext,
  { deps, recorder }: ActionDeps,
): Promise<string> {
  const { actions } = deps.stores;
  const { actionId } = action;
  const requireOpen = async () => {
    const fresh = await actions.getAction(actionId);
    if (fresh?.state === 'closed') {
      throw new BeaconError('conflict', `the action was already closed as ${fresh.outcome}`, { field: 'status' });
    }
    if (fresh?.state !== 'open') {
      throw new BeaconError('failed_precondition', 'the action was never opened', { field: 'action_id' });
    }
  };
  const claim: Claim = {
    take: () => actions.claimClose(actionId),
    giveBack: () => actions.releaseClose(actionId),
    async taken() {
      await requireOpen();
      throw new BeaconError('conflict', 'the action is being closed by another request', { field: 'status' });
    },
  };
  return once(claim, deps, async () => {
    await requireOpen();
    const evidence = detailsJson === '' ? undefined : evidenceOf({ details: redact(detailsJson, deps) }, deps);
    const predicate = {
      status,
      closed_at: rfc3339(deps.env.now()),
      ...(detailsJson === '' ? {} : { details_digest: deps.privacy.keys.digest(action.tenantId, detailsJson) }),
    };
    const [view] = await recorder.seal([laterDraft('outcome', action, predicate, evidence)], call);
    tell(EVENTS.actionClosed, action, { receipt_id: view?.receiptId ?? '', status }, deps);
    return view?.receiptId ?? '';
  });
}

/** Undefined in zero-retention mode. The salt keeps a guessable text from being confirmed by its digest. */
function evidenceOf(
  content: Readonly<Record<string, string>>,
  { env, settings }: DecisionDeps,
): Uint8Array | undefined {
  if (settings.zeroRetention) return undefined;
  return Buffer.from(JSON.stringify({ salt: env.randomHex(16), ...content }));
}

/** Nothing a detector finds is kept in clear. */
export function redact(text: string, { privacy }: Pick<DecisionDeps, 'privacy'>): string {
  const found = privacy.detectors
    .flatMap((detector) => detector.detect(text))
    .sort((a, b) => a.start - b.start || b.end - a.end);
  let clean = '';
  let at = 0;
  for (const { start, end, kind } of found) {
    if (end <= at) continue;
    if (start >= at) clean += `${text.slice(at, start)}[${kind}]`;
    at = end;
  }
  return clean + text.slice(at);
}

function tell(
  name: string,
  action: ActionRecord,
  more: Readonly<Record<string, unknown>>,
  { env }: DecisionDeps,
): void {
  const { tenantId, agentId, actionId } = action;
  env.bus.publish({ name, data: { tenant_id: tenantId, agent_id: agentId, action_id: actionId, ...more } });
}
