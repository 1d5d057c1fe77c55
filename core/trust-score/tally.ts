// What a score is computed from: counts for each day, so that any order and any batching of the same receipts give the
// same tally. Values in, values out; a tally is plain JSON.

import { BeaconError } from '../errors.ts';

export const COUNTERS = [
  'valid',
  'allowed',
  'warned',
  'denied',
  'deniedSevere',
  'exposed',
  'exposedDenied',
  'leakDenied',
  'opened',
  'succeeded',
  'failed',
  'partial',
  'unexecuted',
  'lostConfirmation',
  'voided',
  'confirmed',
  'refuted',
  'approved',
  'approvalDenied',
  'light',
  'unobserved',
] as const;
export type Counter = (typeof COUNTERS)[number];
export type Counts = { readonly [counter in Counter]?: number };

/**
 * The newest days with a receipt that are kept apart, in each of a tally's buckets; older ones only add to totals. They are
 * counted, not measured from the newest one: a day that has not come, sealed by a clock that was ahead, takes one place.
 */
export const KEPT_DAYS = 270;

/** Voided receipts that are remembered: a receipt is voided soon after it was sealed, or never. */
export const MAX_VOIDS = 1_000;

/** Asserted receipts never move what a minted identity stands at, so the two are counted apart. */
export type Standing = 'minted' | 'asserted';

export const UNQUALIFIED_REASONS = ['unsigned', 'malformed', 'bad_signature', 'unknown_key', 'not_in_ledger'] as const;
export type UnqualifiedReason = (typeof UNQUALIFIED_REASONS)[number];

/** One receipt as the score sees it. `day` is days since 1970-01-01, UTC. */
export type ReceiptView = { readonly standing: Standing; readonly day: number; readonly counts: Counts };

/** Day → counts in the order of COUNTERS, trailing zeros left out. */
type Days = { readonly [day: string]: readonly number[] };
type Bucket = { readonly days: Days; readonly old: number };
type Reasons = { readonly [reason: string]: number };

export type Tally = {
  readonly v: 1;
  /** Newest day seen; -1 for none. */
  readonly last: number;
  /** Newest day of which only totals are kept; -1 for none. */
  readonly summedTo: number;
  readonly minted: Bucket;
  readonly asserted: Bucket;
  readonly unqualified: { readonly days: { readonly [day: string]: Reasons }; readonly old: Reasons };
  /** Receipt ids that a void leaf undid, the last MAX_VOIDS in the order they came: a second void of one changes nothing. */
  readonly voids: readonly string[];
};

const EMPTY: Tally = {
  v: 1,
  last: -1,
  summedTo: -1,
  minted: { days: {}, old: 0 },
  asserted: { days: {}, old: 0 },
  unqualified: { days: {}, old: {} },
  voids: [],
};

export function emptyTally(): Tally {
  return EMPTY;
}

export function addReceipt(tally: Tally, receipt: ReceiptView): Tally {
  return applied(tally, receipt, 1);
}

/** Counts a receipt that did not qualify, on the day of the leaf that says so. */
export function addUnqualified(tally: Tally, reason: UnqualifiedReason, day: number): Tally {
  const { days, old } = tally.unqualified;
  const reasons = days[day] ?? {};
  const grown: { readonly [day: string]: Reasons } = {
    ...days,
    [day]: { ...reasons, [reason]: (reasons[reason] ?? 0) + 1 },
  };
  const kept = { ...tally, last: Math.max(tally.last, day), unqualified: { days: grown, old } };
  const summed = oldestBeyondKept(grown);
  if (summed === undefined) return kept;
  const totals: Record<string, number> = { ...old };
  for (const [why, n] of Object.entries(grown[summed] ?? {})) totals[why] = (totals[why] ?? 0) + n;
  const unqualified = { days: without(grown, summed), old: totals };
  return { ...kept, summedTo: Math.max(tally.summedTo, summed), unqualified };
}

/**
 * Takes back what a voided receipt added, once, and counts the void on its own day. When MAX_VOIDS are remembered, a
 * receipt older than all of its log among them may have been forgotten: it is taken for one that was voided already.
 */
export function voidReceipt(tally: Tally, receiptId: string, receipt: ReceiptView, day: number): Tally {
  const { voids } = tally;
  if (voids.includes(receiptId)) return tally;
  if (voids.length >= MAX_VOIDS && forgotten(voids, receiptId)) return tally;
  const undone = applied(tally, receipt, -1);
  const counted = applied(undone, { standing: receipt.standing, day, counts: { voided: 1 } }, 1);
  return { ...counted, voids: [...voids, receiptId].slice(-MAX_VOIDS) };
}

/** Older than every one of its own log that is remembered; an id is LOG-PLACE. */
function forgotten(voids: readonly string[], receiptId: string): boolean {
  const [log, place] = splitId(receiptId);
  const own = voids.map(splitId).filter(([other]) => other === log);
  return own.length > 0 && own.every(([, other]) => place < other);
}

function splitId(id: string): readonly [string, number] {
  const at = id.lastIndexOf('-');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

export function writeTally(tally: Tally): string {
  return JSON.stringify(tally);
}

/** Throws `internal` for a tally of another version: the store must then be rebuilt from the ledger. */
export function readTally(text: string): Tally {
  const tally = JSON.parse(text) as Omit<Tally, 'summedTo'> & Partial<Tally>;
  if (tally.v !== 1) throw new BeaconError('internal', 'a tally of another version; rebuild the scores');
  return { ...tally, summedTo: tally.summedTo ?? summedBefore(tally) };
}

/** Of a tally from when the days kept were the newest one and the 270 before it. */
function summedBefore({ last, minted, asserted, unqualified }: Omit<Tally, 'summedTo'>): number {
  const summed = minted.old > 0 || asserted.old > 0 || Object.keys(unqualified.old).length > 0;
  return summed ? last - KEPT_DAYS - 1 : -1;
}

export function count(row: readonly number[] | undefined, counter: Counter): number {
  return row?.[COUNTERS.indexOf(counter)] ?? 0;
}

function applied(tally: Tally, receipt: ReceiptView, sign: 1 | -1): Tally {
  const { standing, day, counts } = receipt;
  const bucket = tally[standing];
  const known = bucket.days[day];
  const row = COUNTERS.map((counter, at) => (known?.[at] ?? 0) + sign * (counts[counter] ?? 0));
  while (row.length > 0 && row.at(-1) === 0) row.pop();
  // A day that a void leaves with nothing keeps its place: which days have one must not depend on the order.
  const days: Days = { ...bucket.days, [day]: row };
  const kept = { ...tally, last: Math.max(tally.last, day), [standing]: { ...bucket, days } };
  const summed = known === undefined ? oldestBeyondKept(days) : undefined;
  if (summed === undefined) return kept;
  const old = bucket.old + count(days[summed], 'valid');
  const summedTo = Math.max(tally.summedTo, summed);
  return { ...kept, summedTo, [standing]: { days: without(days, summed), old } };
}

/** The day that has to make room; undefined while there is some. */
function oldestBeyondKept(days: { readonly [day: string]: unknown }): number | undefined {
  const all = Object.keys(days);
  return all.length > KEPT_DAYS ? all.reduce((oldest, day) => Math.min(oldest, Number(day)), Infinity) : undefined;
}

function without<T>(days: { readonly [day: string]: T }, gone: number): { [day: string]: T } {
  return Object.fromEntries(Object.entries(days).filter(([day]) => Number(day) !== gone));
}
