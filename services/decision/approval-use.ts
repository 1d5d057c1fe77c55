// An approval runs one action. Of several requests that would run on it at once, one takes it; the others are decided as
// without it, once it is known to be used.

import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import type { DecisionDeps } from './deps.ts';

type UseDeps = Pick<DecisionDeps, 'stores' | 'env'>;

/** How long another request's use of it is waited for: until it is recorded, or given back. */
const IN_USE_MS = 1_000;
const FIRST_PAUSE_MS = 5;

/**
 * True when it is this request's, until `giveApprovalBack`; false when another has used it, when it has ended, and when the
 * stores do not say. `conflict` when that stays open.
 */
export async function takeApproval(actionId: string, deps: UseDeps, call: CallContext): Promise<boolean> {
  const { env } = deps;
  const untilMs = Math.min(env.now() + IN_USE_MS, call.deadlineMs);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const found = await tryToTake(actionId, deps);
    if (found !== 'in_use') return found === 'taken';
    if (pauseMs > IN_USE_MS || env.now() + pauseMs >= untilMs) {
      throw new BeaconError('conflict', 'this approval is being used by another request', { retryAfterMs: 100 });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Never rejects: a claim ends by itself, and what was sealed must be answered or voided meanwhile. */
export async function giveApprovalBack(actionId: string, { stores, env }: UseDeps): Promise<void> {
  await stores.actions.releaseApproval(actionId).catch((error) => env.failed('decision.claim', error));
}

/** Looked at behind the claim: it may have been used, or have ended, since it was asked for among the facts. */
async function tryToTake(actionId: string, deps: UseDeps): Promise<'taken' | 'in_use' | 'ended'> {
  const { stores, env } = deps;
  let isClaimed = false;
  try {
    isClaimed = await stores.actions.claimApproval(actionId);
    const approval = await stores.actions.getApproval(actionId);
    if (approval?.status === 'approved' && approval.notAfterMs > env.now()) return isClaimed ? 'taken' : 'in_use';
  } catch (error) {
    env.failed('decision.approval', error);
  }
  if (isClaimed) await giveApprovalBack(actionId, deps);
  return 'ended';
}
