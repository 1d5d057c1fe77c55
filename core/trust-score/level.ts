// The trust ladder: who authenticated how, and what the score adds to or takes from it.

import type { TrustLevel } from '../envelope.ts';
import type { Provenance } from '../principal.ts';

/** Below so many valid receipts a score says nothing yet: everyone starts at the floor. */
export const PROVEN_RECEIPTS = 20;
/**
 * Below this a proven agent is lowered. Twenty receipts of clean work stand above it, even of an agent that reports no
 * outcome; one severe attempt among them, or a denial in every three, falls below.
 */
export const LOW_SCORE = 450;
export const HIGH_SCORE = 740;

/**
 * Asserted callers stand at L1 at most, whatever their score. A minted identity stands at L2; a proven low score lowers
 * it to L1, a proven high one raises it to L3 where the runtime is attested. L0 is no score's doing: an agent that may
 * not even work inside its workspace could never recover.
 */
export function trustLevel(who: {
  readonly provenance: Provenance;
  readonly score: number;
  readonly validReceipts: number;
}): TrustLevel {
  if (who.provenance !== 'authenticated' && who.provenance !== 'attested') return 'L1';
  if (who.validReceipts < PROVEN_RECEIPTS) return 'L2';
  if (who.score < LOW_SCORE) return 'L1';
  return who.provenance === 'attested' && who.score >= HIGH_SCORE ? 'L3' : 'L2';
}
