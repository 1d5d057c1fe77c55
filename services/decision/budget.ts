// What an agent may ask for: a rate, and a number of decisions in one turn (an opportunity) and in one session, so that a
// loop that runs away ends. All are taken in one call, or none is.

import type { SpentBudget } from '../../core/envelope.ts';
import type { Bucket } from '../../ports/budgets/port.ts';
import type { Asker } from './admit.ts';
import type { DecisionDeps, DecisionSettings } from './deps.ts';

export type BudgetAnswer = { readonly allowed: boolean; readonly spent?: SpentBudget };
type Limited = Pick<Asker, 'tenantId' | 'agentId' | 'sessionId' | 'opportunityId' | 'isTold'>;

const MINUTE_MS = 60_000;
const SECOND_MS = 1_000;

export async function takeBudget(
  who: Limited,
  { settings, stores }: DecisionDeps,
  nowMs: number,
): Promise<BudgetAnswer> {
  const buckets = bucketsOf(who, settings);
  if (buckets.length === 0) return { allowed: true };
  const { allowed, exhausted, retryAfterMs } = await stores.budgets.take(buckets, 1, nowMs);
  const bucket = buckets.find(({ name }) => name === exhausted);
  if (allowed || bucket === undefined) return { allowed };
  return { allowed, spent: spentOf(bucket, nowMs + retryAfterMs) };
}

/** Of what was taken: nothing was decided for it. */
export async function giveBudget(
  who: Limited,
  { settings, stores }: Pick<DecisionDeps, 'settings' | 'stores'>,
  nowMs: number,
): Promise<void> {
  const buckets = bucketsOf(who, settings);
  if (buckets.length > 0) await stores.budgets.give(buckets, 1, nowMs);
}

function bucketsOf(
  { tenantId, agentId, sessionId, opportunityId, isTold }: Limited,
  settings: DecisionSettings,
): Bucket[] {
  const { agentRate, turn, session } = settings;
  const whose = `${tenantId}/${agentId}`;
  const buckets: Bucket[] = [];
  if (agentRate > 0) buckets.push({ name: `agent:${whose}`, capacity: agentRate, refillPerSecond: agentRate / 60 });
  // What an agent is told is nothing it does.
  if (isTold) return buckets;
  for (const [kind, name, { actions, windowMs }] of [
    ['turn', opportunityId, turn],
    ['session', sessionId, session],
  ] as const) {
    if (name !== '' && actions > 0)
      buckets.push({ name: `${kind}:${whose}/${name}`, capacity: actions, refillPerSecond: 0, windowMs });
  }
  return buckets;
}

/** The next whole second after it lifts: nobody who waits for it comes too early. */
function spentOf({ name, capacity, windowMs = MINUTE_MS }: Bucket, liftsAtMs: number): SpentBudget {
  const lifts = new Date(Math.ceil(liftsAtMs / SECOND_MS) * SECOND_MS);
  return {
    of: name.slice(0, name.indexOf(':')) as SpentBudget['of'],
    limit: capacity,
    window_seconds: Math.ceil(windowMs / SECOND_MS),
    lifts_at: lifts.toISOString().replace('.000Z', 'Z'),
  };
}
