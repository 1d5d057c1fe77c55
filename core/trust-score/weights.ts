// What each thing an agent does weighs, and how it fades. Changing any figure here is a new version of the function.
// Integers only: two platforms that disagree in the last bit of a float would disagree about a score.

import type { Effect } from '../action/types.ts';

export const SCORE_VERSION = 'beacon.score.v1';
export const FLOOR = 300;
export const CEILING = 850;
/** Days that count; the day of the score is age 0. */
export const HORIZON_DAYS = 180;

const ONE = 65_536;
/** Loses half in 45 days: 2^(-1/45) in 1/65536. */
const KEPT_PER_DAY = 64_534;

/** Weight of a day by its age, in 1/65536, for ages 0 to HORIZON_DAYS - 1. */
export const DAY_WEIGHTS: readonly number[] = dayWeights();

function dayWeights(): readonly number[] {
  const weights = [ONE];
  while (weights.length < HORIZON_DAYS) {
    const product = (weights.at(-1) as number) * KEPT_PER_DAY;
    weights.push((product - (product % ONE)) / ONE);
  }
  return weights;
}

/** Of one good thing: the first FULL_PER_DAY of a day count whole, the next TAIL_PER_DAY one unit, the rest nothing. */
export const FULL_PER_DAY = 10;
export const TAIL_PER_DAY = 10;
/** More of one bad thing than this in a day weighs no more. */
export const BAD_PER_DAY = 1_000;

/** Units. Four are one clean, allowed action. */
export const UNITS = {
  allowed: 4,
  warned: 2,
  denied: 6,
  deniedSevere: 120,
  succeeded: 4,
  partial: 1,
  failed: 1,
  lostConfirmation: 6,
  voided: 1,
  confirmed: 4,
  refuted: 6,
  approved: 4,
  approvalDenied: 8,
  exposed: 4,
  exposedDenied: 6,
  leakDenied: 60,
  reported: 4,
} as const;

/**
 * points = (gain · good - loss · bad) / (good + bad + doubt), between -loss and gain. `doubt` (units) is how little
 * evidence is believed: at as many good units as that, half of the gain is reached.
 */
export const SHAPES = {
  policy_conduct: { gain: 230, loss: 300, doubt: 8 },
  outcome_reliability: { gain: 100, loss: 120, doubt: 16 },
  assumption_accuracy: { gain: 40, loss: 40, doubt: 16 },
  approval_conduct: { gain: 40, loss: 60, doubt: 16 },
  externality_exposure: { gain: 40, loss: 150, doubt: 16 },
  evidence_completeness: { gain: 50, loss: 60, doubt: 16 },
} as const;

/**
 * Units that light actions (they only look) count for in all, however many there are: enough that an agent that only
 * reads is not taken for a bad one (LOW_SCORE), and no more; its own word that a reading succeeded is worth next to nothing.
 */
export const LIGHT_UNITS = { policy_conduct: 16, outcome_reliability: 2, evidence_completeness: 2 } as const;

/** One point for each two active days, at most this. */
export const TENURE_GAIN = 30;
export const VOLUME_GAIN = 20;
export const VOLUME_PER_DAY = 20;
export const VOLUME_DOUBT = 400;

/** What only looks: it costs nothing to do it all day. */
export const LIGHT_EFFECTS: ReadonlySet<Effect> = new Set([
  'none',
  'read',
  'fetch',
  'prompt',
  'output',
] satisfies Effect[]);

/** Attempts that weigh most when denied. */
export const SEVERE_EFFECTS: ReadonlySet<Effect> = new Set([
  'disk_destroy',
  'flood',
  'remote_shell',
  'security_disable',
  'self_governance',
  'infra_destroy',
  'database_destroy',
  'download_execute',
] satisfies Effect[]);

/** Denials that say nothing about the agent: a stop, a spent budget, a fault of Beacon's own. */
export const NEUTRAL_RULES = ['beacon.builtin', 'beacon.revocation', 'beacon.budget', 'beacon.input'] as const;

/** Exact quotient of two safe integers, towards zero. */
export function quotient(dividend: number, divisor: number): number {
  const exact = (dividend - (dividend % divisor)) / divisor;
  return exact === 0 ? 0 : exact;
}
