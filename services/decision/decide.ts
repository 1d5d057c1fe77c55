// The life of one decision: admit, gather, judge, seal. What is answered was sealed before; an ALLOW that came too late
// is voided and not answered.

import { BeaconError } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import type { CallContext } from '../../core/principal.ts';
import { runs } from '../../core/route.ts';
import type { DecisionAnswer, Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { type Admitted, type Asker, admitAction, admitAsker, type IdempotencyClaimKey } from './admit.ts';
import { toAnswer } from './answer.ts';
import { giveApprovalBack, takeApproval } from './approval-use.ts';
import type { DecisionDeps } from './deps.ts';
import { type AskedFacts, askFacts, type EpochMemory, type Gathered, gather } from './gather.ts';
import { type Judged, judge } from './judge.ts';
import type { Recorder } from './recorder.ts';
import { laterDraft } from './records.ts';
import { type SealedDecision, seal, type ToSeal } from './seal.ts';
import { StageClock } from './stage-clock.ts';

export type DecideDeps = { readonly deps: DecisionDeps; readonly epochs: EpochMemory; readonly recorder: Recorder };

/** What is asked: `claimed` tells whether this call may decide under its idempotency key, and is awaited with the facts. */
export type Asked = {
  readonly proposal: Proposal;
  readonly open: boolean;
  readonly idempotency?: { readonly key: IdempotencyClaimKey; readonly claimed: Promise<boolean> } | undefined;
};

/** Undefined when the key is another call's; then nothing was sealed. Neither completes nor abandons a claim when it throws. */
export async function decide(
  asked: Asked,
  call: CallContext,
  decideDeps: DecideDeps,
): Promise<DecisionAnswer | undefined> {
  const { deps, recorder } = decideDeps;
  const clock = new StageClock(call.traced);
  try {
    return await decideBeats(asked, call, decideDeps, clock);
  } finally {
    recorder.later(() => clock.tell(deps.env.meter));
  }
}

async function decideBeats(
  { proposal, open, idempotency }: Asked,
  call: CallContext,
  { deps, epochs, recorder }: DecideDeps,
  clock: StageClock,
): Promise<DecisionAnswer | undefined> {
  const { env, stores } = deps;
  const asker = admitAsker(proposal, call, deps);
  const policy = deps.policy.snapshot();
  // Asked for in one turn, so that claim and facts are one round trip; the proposal is read while they are under way.
  const asked = askFacts(asker, policy.digest, deps);
  const placed = takePlace(asker, deps);
  // Waited for with the facts; what ends the call before leaves nobody to hear of it.
  placed.catch(() => undefined);
  await stores.left?.();
  const admitted = await orUnused(asked, () => admitAction(asker, proposal, call, deps));
  clock.lap('admit');
  const facts = gather(asked, admitted, deps, epochs);
  const [gathered, claimed] = await orUnused(asked, () => Promise.all([facts, idempotency?.claimed ?? true, placed]));
  clock.lap('gather');
  if (!claimed) {
    await asked.unused();
    return undefined;
  }
  const ruled = await orUnused(asked, () => rule(admitted, gathered, policy, { deps, recorder, call }));
  const { judged, using } = ruled;
  clock.lap('judge');
  const giveBack = () => (using === undefined ? undefined : giveApprovalBack(using, deps));
  const what: ToSeal = { admitted, gathered: ruled.gathered, judged, policy, idempotency: idempotency?.key, open };
  let sealed: SealedDecision;
  try {
    const sealing = seal(what, call, deps);
    recorder.pause();
    sealed = await sealing;
  } catch (error) {
    await giveBack();
    throw error;
  }
  clock.lap('seal');
  if (!runs(sealed.verdict.route)) await giveBack();
  if (runs(sealed.verdict.route) && env.now() >= lastAnswerMs(sealed, call)) {
    await giveBack();
    await refuseLate(what, sealed, call, recorder);
  }
  await recordOrVoid(what, sealed, call, recorder);
  clock.lap('record');
  const seconds = clock.total();
  // The answer leaves first: nobody waits for what is counted and told.
  recorder.later(() => tell(what, sealed, call, deps, seconds));
  return answerOf(what, sealed, call);
}

type Ruled = { readonly gathered: Gathered; readonly judged: Judged; readonly using: string | undefined };

/** The verdict; `using`: the action whose approval it rests on, taken for this decision alone. */
async function rule(
  admitted: Admitted,
  gathered: Gathered,
  policy: PolicySnapshot,
  { deps, recorder, call }: Pick<DecideDeps, 'deps' | 'recorder'> & { readonly call: CallContext },
): Promise<Ruled> {
  const { env } = deps;
  const on = (known: Gathered) => judge(admitted, known, policy, { salt: env.randomHex(16), nowMs: env.now() });
  const judged = on(gathered);
  const { approval } = gathered.facts;
  if (approval === null || !runs(judged.verdict.route)) return { gathered, judged, using: undefined };
  // What was decided before may be its use, and only put off.
  recorder.catchUp();
  if (await takeApproval(approval.action_id, deps, call)) return { gathered, judged, using: approval.action_id };
  const without = { ...gathered, facts: { ...gathered.facts, approval: null } };
  return { gathered: without, judged: on(without), using: undefined };
}

/**
 * What is sealed under a name is scored under it for good. So that made-up names do not fill the stores, there is a place for
 * so many of them; without one nothing is sealed. A store that does not say leaves no decision.
 */
async function takePlace({ provenance, tenantId, agentId }: Asker, { stores, settings }: DecisionDeps): Promise<void> {
  if (provenance !== 'asserted' || (await stores.scores.hold({ tenantId, agentId }, settings.assertedNames))) return;
  throw new BeaconError(
    'permission_denied',
    'agent_id: no more names can be used without a token here; send one, or propose under a name that is known',
    { field: 'agent_id' },
  );
}

/** What cannot be decided is charged to nobody. */
async function orUnused<T>(asked: AskedFacts, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await asked.unused();
    throw error;
  }
}

/**
 * Until when an ALLOW may be answered. Its permit ends within the lease it was signed under: what was held up between
 * signer and here (a paused process, a slow wire) must not come out when a barrier has counted on that end.
 */
function lastAnswerMs({ views }: SealedDecision, call: CallContext): number {
  const permit = views[0]?.predicate.permit as { not_after: string } | undefined;
  return Math.min(call.deadlineMs + 1, permit === undefined ? 0 : Date.parse(permit.not_after));
}

/** Nobody waits for this ALLOW any more, so nobody may run on it. */
async function refuseLate(what: ToSeal, sealed: SealedDecision, call: CallContext, recorder: Recorder): Promise<never> {
  const action = { ...what.admitted, actionId: sealed.actionId };
  const voids = sealed.views.map((view) =>
    laterDraft('void', action, { voids: view.receiptId, reason: 'deadline_exceeded' }),
  );
  await recorder.seal(voids, call);
  recorder.voided('deadline_exceeded');
  throw new BeaconError('deadline_exceeded', 'the decision was sealed after the caller’s deadline and is void');
}

/** An ALLOW whose action cannot be followed is no answer; a DENY needs nothing but its receipt. */
async function recordOrVoid(
  what: ToSeal,
  sealed: SealedDecision,
  call: CallContext,
  recorder: Recorder,
): Promise<void> {
  try {
    await recorder.recordDecided(sealed.views);
  } catch (error) {
    recorder.missed(error);
    if (!runs(sealed.verdict.route)) return;
    const action = { ...what.admitted, actionId: sealed.actionId };
    const voids = sealed.views.map((view) =>
      laterDraft('void', action, { voids: view.receiptId, reason: 'not_recorded' }),
    );
    await recorder.sealOnly(voids, call);
    recorder.voided('not_recorded');
    throw new BeaconError('unavailable', 'what was allowed could not be recorded, so it is void', { cause: error });
  }
}

function answerOf(what: ToSeal, sealed: SealedDecision, call: CallContext): DecisionAnswer {
  const { admitted, gathered } = what;
  const [decision, ...others] = sealed.views;
  const permit = decision?.predicate.permit as { id: string; not_after: string } | undefined;
  const approval = decision?.predicate.approval as { not_after: string } | undefined;
  return toAnswer({
    ...sealed.verdict,
    receiptId: decision?.receiptId ?? '',
    actionId: sealed.actionId,
    fingerprint: admitted.fingerprint,
    permit: permit ? { id: permit.id, notAfterMs: Date.parse(permit.not_after), term: sealed.term } : undefined,
    score: gathered.facts.score,
    level: gathered.facts.level,
    provenance: admitted.provenance,
    enforceability: admitted.externality.enforceability,
    durability: sealed.durability,
    receipt: sealed.envelope,
    requestDigest: call.requestDigest,
    epoch: gathered.facts.revocation_epoch ?? 0,
    actionReceiptId: others.find((view) => view.kind === 'action')?.receiptId ?? '',
    approvalNotAfterMs: approval ? Date.parse(approval.not_after) : 0,
    traceId: call.traceId,
    policyRevision: what.policy.revision,
    repeated: false,
  });
}

function tell(what: ToSeal, sealed: SealedDecision, call: CallContext, { env }: DecisionDeps, seconds: number): void {
  const { admitted } = what;
  const { route, reasons } = sealed.verdict;
  env.meter.decided({
    route,
    reasonClass: reasons[0]?.rule.split('.').slice(0, 2).join('.') ?? 'none',
    surface: admitted.surface,
    provenance: admitted.provenance,
    seconds,
    receiptId: sealed.views[0]?.receiptId ?? '',
    traceId: call.traceId,
  });
  env.bus.publish({
    name: EVENTS.decisionMade,
    ...(call.span ? { span: call.span } : {}),
    ...(call.region ? { region: call.region } : {}),
    data: {
      tenant_id: admitted.tenantId,
      agent_id: admitted.agentId,
      action_id: sealed.actionId,
      receipt_id: sealed.views[0]?.receiptId ?? '',
      decision: runs(route) ? 'ALLOW' : 'DENY',
      route,
      surface: admitted.surface,
      trace_id: call.traceId,
    },
  });
}
