// The seven factors: points gained or lost, how many receipts stand behind each, and one sentence.

import { COUNTERS, type Counter, count } from './tally.ts';
import {
  BAD_PER_DAY,
  DAY_WEIGHTS,
  FULL_PER_DAY,
  HORIZON_DAYS,
  LIGHT_UNITS,
  quotient,
  SHAPES,
  TAIL_PER_DAY,
  TENURE_GAIN,
  UNITS,
  VOLUME_DOUBT,
  VOLUME_GAIN,
  VOLUME_PER_DAY,
} from './weights.ts';

export type Factor = {
  readonly name: keyof typeof SHAPES | 'tenure_and_volume';
  readonly points: number;
  readonly explanation: string;
  readonly receipts: number;
};

type Row = readonly number[];
/** The days that count, each with the weight of its age. */
export type Window = readonly { readonly weight: number; readonly row: Row }[];

/** `days` as in a tally; a day after the score's own, or beyond the horizon, does not count. */
export function windowOf(days: { readonly [day: string]: Row }, asOf: number): Window {
  return Object.entries(days).flatMap(([day, row]) => {
    const weight = DAY_WEIGHTS[asOf - Number(day)];
    return weight === undefined ? [] : [{ weight, row }];
  });
}

export function factorsOf(window: Window): readonly Factor[] {
  const sum = (counter: Counter) => window.reduce((total, { row }) => total + count(row, counter), 0);
  const n = Object.fromEntries(COUNTERS.map((counter) => [counter, sum(counter)])) as Record<Counter, number>;
  const factor = (name: keyof typeof SHAPES, receipts: number, explanation: string): Factor => ({
    name,
    points: pointsOf(name, window),
    explanation: receipts === 0 ? `Nothing in ${HORIZON_DAYS} days speaks for or against it.` : explanation,
    receipts,
  });
  const denied = n.denied + n.deniedSevere;
  const closed = n.succeeded + n.failed + n.partial + n.unexecuted;
  const exposedDenied = n.exposedDenied + n.leakDenied;
  return [
    factor(
      'policy_conduct',
      n.allowed + n.warned + n.light + denied,
      `Allowed: ${n.allowed}; allowed with a warning: ${n.warned}; only looked: ${n.light}; denied: ${denied}, of these ` +
        `severe: ${n.deniedSevere}.`,
    ),
    factor(
      'outcome_reliability',
      closed + n.lostConfirmation + n.voided,
      `Succeeded: ${n.succeeded}; failed or partial: ${n.failed + n.partial}; ended without a confirmation: ` +
        `${n.lostConfirmation}; voided: ${n.voided}.`,
    ),
    factor(
      'assumption_accuracy',
      n.confirmed + n.unobserved + n.refuted,
      `Assumptions confirmed by what was observed: ${n.confirmed}; by the agent's word alone, which counts nothing: ` +
        `${n.unobserved}; refuted: ${n.refuted}.`,
    ),
    factor(
      'approval_conduct',
      n.approved + n.approvalDenied,
      `Requests a person approved: ${n.approved}; denied: ${n.approvalDenied}.`,
    ),
    factor(
      'externality_exposure',
      n.exposed + exposedDenied,
      `Reached outside and allowed: ${n.exposed}; denied: ${exposedDenied}, of these with secrets or regulated data: ` +
        `${n.leakDenied}.`,
    ),
    factor(
      'evidence_completeness',
      closed + n.lostConfirmation,
      `Actions closed by a report: ${closed}; never reported on: ${n.lostConfirmation}.`,
    ),
    tenure(window, n.valid),
  ];
}

function pointsOf(name: keyof typeof SHAPES, window: Window): number {
  const { gain, loss, doubt } = SHAPES[name];
  const one = DAY_WEIGHTS[0] as number;
  let good = 0;
  let light = 0;
  let bad = 0;
  for (const { weight, row } of window) {
    const units = unitsOf(name, row);
    good += units.good * weight;
    light += (units.light ?? 0) * weight;
    bad += units.bad * weight;
  }
  if (name in LIGHT_UNITS) good += Math.min(light, LIGHT_UNITS[name as keyof typeof LIGHT_UNITS] * one);
  return quotient(gain * good - loss * bad, good + bad + doubt * one);
}

type Units = { readonly good: number; readonly bad: number; readonly light?: number };

function unitsOf(name: keyof typeof SHAPES, row: Row): Units {
  const of = (counter: Counter) => count(row, counter);
  const bad = (counter: keyof typeof UNITS & Counter) => Math.min(of(counter), BAD_PER_DAY) * UNITS[counter];
  // An outcome does not say what it is the outcome of: no more of a day's count whole than did something that day.
  const acted = of('allowed') + of('warned') + of('approved');
  const split = (n: number, units: number) => ({
    good: diminishing(Math.min(n, acted), units),
    light: diminishing(Math.max(0, n - acted), units),
  });
  switch (name) {
    case 'policy_conduct':
      return {
        good: conduct(of('allowed'), of('warned')),
        light: diminishing(of('light'), UNITS.allowed),
        bad: bad('denied') + bad('deniedSevere'),
      };
    case 'outcome_reliability':
      return {
        ...split(of('succeeded'), UNITS.succeeded),
        bad: bad('failed') + bad('partial') + bad('lostConfirmation') + bad('voided'),
      };
    case 'assumption_accuracy':
      return { good: diminishing(of('confirmed'), UNITS.confirmed), bad: bad('refuted') };
    case 'approval_conduct':
      return { good: diminishing(of('approved'), UNITS.approved), bad: bad('approvalDenied') };
    case 'externality_exposure':
      return { good: diminishing(of('exposed'), UNITS.exposed), bad: bad('exposedDenied') + bad('leakDenied') };
    case 'evidence_completeness': {
      const reported = of('succeeded') + of('failed') + of('partial') + of('unexecuted');
      return { ...split(reported, UNITS.reported), bad: bad('lostConfirmation') };
    }
  }
}

/** Allowed ones take the day's full places first; warned ones are worth less there and the same in the tail. */
function conduct(allowed: number, warned: number): number {
  const full = Math.min(allowed, FULL_PER_DAY);
  const warnedFull = Math.min(warned, FULL_PER_DAY - full);
  const tail = Math.min(allowed + warned - full - warnedFull, TAIL_PER_DAY);
  return full * UNITS.allowed + warnedFull * UNITS.warned + tail;
}

function diminishing(n: number, units: number): number {
  const full = Math.min(n, FULL_PER_DAY);
  return full * units + Math.min(n - full, TAIL_PER_DAY);
}

function tenure(window: Window, receipts: number): Factor {
  const active = window.filter(({ row }) => count(row, 'valid') > 0);
  const volume = active.reduce((sum, { weight, row }) => {
    return sum + Math.min(count(row, 'valid'), VOLUME_PER_DAY) * weight;
  }, 0);
  const full = volume + VOLUME_DOUBT * (DAY_WEIGHTS[0] as number);
  return {
    name: 'tenure_and_volume',
    points: Math.min(TENURE_GAIN, quotient(active.length, 2)) + quotient(VOLUME_GAIN * volume, full),
    explanation: `Receipts in the last ${HORIZON_DAYS} days: ${receipts}, on days: ${active.length}.`,
    receipts,
  };
}
