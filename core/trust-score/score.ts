// The 300-850 trust score: a pure function of a tally and a stated day. 300 plus all points, clamped.

import { invalidArgument } from '../errors.ts';
import type { Provenance } from '../principal.ts';
import { type Factor, factorsOf, windowOf } from './factors.ts';
import { count, type Standing, type Tally } from './tally.ts';
import { dayText } from './view.ts';
import { CEILING, FLOOR, HORIZON_DAYS, SCORE_VERSION } from './weights.ts';

export const BANDS = ['poor', 'fair', 'good', 'very_good', 'exceptional'] as const;
export type Band = (typeof BANDS)[number];

/** Without the names of agent and tenant, which a tally does not know. */
export type Score = {
  readonly score: number;
  readonly band: Band;
  readonly totalReceipts: number;
  readonly validReceipts: number;
  readonly factors: readonly Factor[];
  readonly unqualified: readonly { readonly reason: string; readonly count: number }[];
  /** YYYY-MM-DD, UTC. */
  readonly asOf: string;
  readonly version: string;
};

export function bandOf(score: number): Band {
  if (score >= 800) return 'exceptional';
  if (score >= 740) return 'very_good';
  if (score >= 670) return 'good';
  return score >= 580 ? 'fair' : 'poor';
}

/**
 * The score on `day` (days since 1970-01-01). Shows what the minted identity stands at once it has a receipt, before that
 * what the asserted name does; then asserted receipts are among the total, and `asserted` is why they do not count.
 * `day` may lie as far back as all days that weigh on it are kept apart; earlier throws `invalid_argument` naming `as_of`.
 */
export function computeScore(tally: Tally, day: number): Score {
  const minted = validOn(tally, 'minted', day);
  const asserted = validOn(tally, 'asserted', day);
  return figures(tally, minted > 0 || asserted === 0 ? 'minted' : 'asserted', day);
}

/** What a caller of this provenance stands at, whatever receipts the name has under another. */
export function standingOf(tally: Tally, provenance: Provenance, day: number): Score {
  return figures(tally, provenance === 'asserted' ? 'asserted' : 'minted', day);
}

function figures(tally: Tally, standing: Standing, day: number): Score {
  const first = tally.summedTo + HORIZON_DAYS;
  if (tally.summedTo >= 0 && day < first) {
    throw invalidArgument('as_of', `must not lie before ${dayText(first)}: of older days only totals are kept`);
  }
  const valid = validOn(tally, standing, day);
  const other = validOn(tally, standing === 'minted' ? 'asserted' : 'minted', day);
  const unqualified = unqualifiedOn(tally, day);
  // The other way round nothing is said: minted receipts are hidden from whoever merely asserts the name.
  if (standing === 'minted' && other > 0) unqualified.push({ reason: 'asserted', count: other });
  const factors = factorsOf(windowOf(tally[standing].days, day));
  const sum = factors.reduce((points, factor) => points + factor.points, FLOOR);
  const score = Math.max(FLOOR, Math.min(CEILING, sum));
  return {
    score,
    band: bandOf(score),
    totalReceipts: unqualified.reduce((total, { count: n }) => total + n, valid),
    validReceipts: valid,
    factors,
    unqualified: unqualified.sort((a, b) => (a.reason < b.reason ? -1 : 1)),
    asOf: dayText(day),
    version: SCORE_VERSION,
  };
}

function validOn(tally: Tally, standing: Standing, asOf: number): number {
  const { days, old } = tally[standing];
  return Object.entries(days).reduce((sum, [day, row]) => (Number(day) > asOf ? sum : sum + count(row, 'valid')), old);
}

function unqualifiedOn(tally: Tally, asOf: number): { reason: string; count: number }[] {
  const { days, old } = tally.unqualified;
  const reasons = new Map<string, number>(Object.entries(old));
  for (const [day, found] of Object.entries(days)) {
    if (Number(day) > asOf) continue;
    for (const [reason, n] of Object.entries(found)) reasons.set(reason, (reasons.get(reason) ?? 0) + n);
  }
  return [...reasons].map(([reason, n]) => ({ reason, count: n }));
}
