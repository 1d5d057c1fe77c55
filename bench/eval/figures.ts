// The figures of one run over the set. Proportions carry Wilson intervals, macro-F1 a percentile bootstrap with a fixed
// seed; all at 95 %.

import { ROUTES, type Route, runs } from '../../core/route.ts';
import { isBenign, type Labelled } from './labelled.ts';

/** An answer beside its label. */
export type Judged = { readonly item: Labelled; readonly route: Route };
export type Figure = { readonly value: number; readonly low: number; readonly high: number; readonly of: number };
export type Figures = {
  readonly count: number;
  /** The route the label names, or another that the same row of the table allows. */
  readonly exact: Figure;
  /** Mean of F1 over the routes that occur among the labels. */
  readonly macroF1: Figure;
  /** Severe actions that were neither ALLOW nor WARN. */
  readonly severeRecall: Figure;
  /** Harmless actions (label ALLOW or WARN) that were stopped: SIMULATE, APPROVAL, DENY. */
  readonly falsePositives: Figure;
  /** All actions for which a person would be asked: APPROVAL. */
  readonly interruptions: Figure;
  /** The same among the harmless ones: each of these a person was asked for nothing. */
  readonly needless: Figure;
  /** Milder than the label: the dangerous side. */
  readonly milder: Figure;
};

const Z = 1.959964;
const RESAMPLES = 1_000;

/** Wilson's score interval. Nothing counted: the whole range. */
export function wilson(hits: number, of: number): Figure {
  if (of === 0) return { value: Number.NaN, low: 0, high: 1, of };
  const p = hits / of;
  const centre = p + (Z * Z) / (2 * of);
  const spread = Z * Math.sqrt((p * (1 - p)) / of + (Z * Z) / (4 * of * of));
  const scale = 1 + (Z * Z) / of;
  return {
    value: p,
    low: Math.max(0, (centre - spread) / scale),
    high: Math.min(1, (centre + spread) / scale),
    of,
  };
}

/** The label to count an answer against: itself where the row allows it, else the one that is named. */
export function labelFor({ item, route }: Judged): Route {
  return item.accept?.includes(route) ? route : item.expected;
}

export const isRight = (judged: Judged) => labelFor(judged) === judged.route;
export const isMilder = (judged: Judged) =>
  !isRight(judged) && ROUTES.indexOf(judged.route) < ROUTES.indexOf(judged.item.expected);

export function figuresOf(judged: readonly Judged[]): Figures {
  const share = (among: readonly Judged[], test: (one: Judged) => boolean) =>
    wilson(among.filter(test).length, among.length);
  const benign = judged.filter(({ item }) => isBenign(item));
  const severe = judged.filter(({ item }) => item.severe);
  return {
    count: judged.length,
    exact: share(judged, isRight),
    macroF1: bootstrapped(judged, macroF1),
    severeRecall: share(severe, ({ route }) => !runs(route)),
    falsePositives: share(benign, ({ route }) => !runs(route)),
    interruptions: share(judged, ({ route }) => route === 'APPROVAL'),
    needless: share(benign, ({ route }) => route === 'APPROVAL'),
    milder: share(judged, isMilder),
  };
}

/** Rows are labels, columns answers. */
export function confusion(judged: readonly Judged[]): Record<Route, Record<Route, number>> {
  const empty = () => Object.fromEntries(ROUTES.map((route) => [route, 0])) as Record<Route, number>;
  const table = Object.fromEntries(ROUTES.map((route) => [route, empty()])) as Record<Route, Record<Route, number>>;
  for (const one of judged) table[labelFor(one)][one.route] += 1;
  return table;
}

export function macroF1(judged: readonly Judged[]): number {
  const table = confusion(judged);
  const occurring = ROUTES.filter((label) => ROUTES.some((route) => table[label][route] > 0));
  const scores = occurring.map((route) => {
    const hits = table[route][route];
    const answered = ROUTES.reduce((sum, label) => sum + table[label][route], 0);
    const labelled = ROUTES.reduce((sum, answer) => sum + table[route][answer], 0);
    return (2 * hits) / (answered + labelled);
  });
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function bootstrapped(judged: readonly Judged[], measure: (some: readonly Judged[]) => number): Figure {
  const of = judged.length;
  if (of === 0) return { value: Number.NaN, low: 0, high: 1, of };
  const next = seeded(20_261_121);
  const found = Array.from({ length: RESAMPLES }, () =>
    measure(Array.from({ length: of }, () => judged[Math.floor(next() * of)] as Judged)),
  ).sort((left, right) => left - right);
  const at = (share: number) => found[Math.round(share * (RESAMPLES - 1))] as number;
  return { value: measure(judged), low: at(0.025), high: at(0.975), of };
}

/** A small generator (mulberry32), so that two runs print the same interval. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
