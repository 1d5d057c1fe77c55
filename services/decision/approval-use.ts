// An approval runs one action. Of several requests that would run on it at once, one takes it; the others are decided as
// without it, once it is known to be used.

import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import type { DecisionDeps } from './deps.ts';

/** How long another request's use of it is waited for: until it is recorded, or given back. */
const IN_USE_MS = 1_000;
const FIRST_PAUSE_MS = 5;

/** True when it is this request's, until `releaseApproval`; false when another has used it. `conflict` when that stays open. */
export async function takeApproval(
  actionId: string,
  { stores, env }: Pick<DecisionDeps, 'stores' | 'env'>,
  call: CallContext,
): Promise<boolean> {
  const untilMs = Math.min(env.now() + IN_USE_MS, call.deadlineMs);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    if (await stores.actions.claimApproval(actionId)) return true;
    const approval = await stores.actions.getApproval(actionId);
    if (approval?.status !== 'approved') return false;
    if (pauseMs > IN_USE_MS || env.now() + pauseMs >= untilMs) {
      throw new BeaconError('conflict', 'this approval is being used by another request', { retryAfterMs: 100 });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
