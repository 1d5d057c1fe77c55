// A decision replica's suspicions, wired: what its signers may hold unanswered, and what a lost replica's callers never
// heard, both kept in Redis beyond its life and taken up from there when another's has ended.

import { BeaconError } from '../core/errors.ts';
import type { KeptOrphan } from './decision/orphans.ts';
import type { SignerPool } from './decision/signer-pool.ts';
import { Suspicions } from './decision/suspicions.ts';
import { Unanswered } from './decision/unanswered.ts';
import { ownCall, type Run, type SharedStores } from './separate-parts.ts';

const CALL_TIMEOUT_MS = 5_000;

type Kept = (KeptOrphan & { readonly log: string }) | { readonly kind: 'unanswered'; readonly action: string };

export type SuspicionParts = {
  readonly stores: Pick<SharedStores, 'actions' | 'suspicions'>;
  /** When this process began. */
  readonly startedMs: number;
  readonly pool: () => SignerPool;
  readonly voided: (reason: string) => void;
};

export function keepSuspicions(run: Run, { stores, startedMs, pool, voided }: SuspicionParts) {
  const failed = (event: string, error: unknown) => run.failed(event)(error);
  const suspicions = new Suspicions({
    store: stores.suspicions,
    now: Date.now,
    failed,
    adopt(id, about) {
      const kept = about as Kept;
      if (kept.kind === 'sealed' || kept.kind === 'owed') return pool().adopt(id, kept.log, kept);
      if (kept.kind !== 'unanswered') throw new BeaconError('internal', 'a suspicion of an unknown kind');
      unanswered.adopt(kept.action);
      return true;
    },
  });
  const unanswered = new Unanswered(
    {
      actions: stores.actions,
      signer: {
        seal: (request, call) => pool().seal(request, call),
        getReceipt: (request, call) => pool().getReceipt(request, call),
        sizes: () => pool().sizes(),
      },
      suspicions,
      now: Date.now,
      context: ownCall('decision', CALL_TIMEOUT_MS),
      told: { voided, failed },
    },
    startedMs,
  );
  run.closers.push(() => {
    suspicions.stop();
    unanswered.stop();
  });
  return { suspicions, unanswered };
}
