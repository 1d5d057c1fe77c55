// One whole evaluation: every item decided, the ablations, the baselines, and the figures of each, as plain data.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Route } from '../../core/route.ts';
import { ablations, BASELINES } from './ablations.ts';
import { type Answer, decideAll, openPolicy } from './decide.ts';
import { confusion, type Figures, figuresOf, isRight, type Judged } from './figures.ts';
import { isBenign, isHeld, type Labelled, SET } from './labelled.ts';

export type Evaluation = {
  /** SHA-256 of set/SHA256SUMS, which names every file of the set. */
  readonly set: string;
  readonly policy: string;
  readonly counts: {
    readonly all: number;
    readonly held: number;
    readonly benign: number;
    readonly lookalikes: number;
    readonly severe: number;
  };
  readonly figures: Readonly<Record<'all' | 'dev' | 'held', Figures>>;
  readonly byKind: Readonly<Record<string, Figures>>;
  readonly byFamily: Readonly<Record<string, Figures>>;
  readonly byRow: Readonly<Record<string, Figures>>;
  readonly ablations: Readonly<Record<string, Figures>>;
  readonly baselines: Readonly<Record<string, Figures>>;
  readonly confusion: Record<Route, Record<Route, number>>;
  readonly wrong: { readonly dev: readonly Wrong[]; readonly held: readonly Wrong[] };
};

export type Wrong = {
  readonly id: string;
  readonly severe: boolean;
  readonly expected: Route;
  readonly route: Route;
  readonly proposed: string;
  readonly understood: string;
  readonly codes: readonly string[];
  readonly reason: string;
};

const MAX_SHOWN = 160;

export async function evaluate(items: readonly Labelled[]): Promise<Evaluation> {
  const policy = await openPolicy();
  const answers = decideAll(items, policy);
  const dev = answers.filter(({ item }) => !isHeld(item));
  const held = answers.filter(({ item }) => isHeld(item));
  const without = Object.entries(ablations(answers)).map(
    ([name, ablation]) => [name, figuresOf(decideAll(items, policy, ablation))] as const,
  );
  const baselines = Object.entries(BASELINES).map(
    ([name, route]) => [name, figuresOf(items.map((item) => ({ item, route: route(item) })))] as const,
  );
  return {
    set: createHash('sha256')
      .update(readFileSync(join(SET, 'SHA256SUMS')))
      .digest('hex'),
    policy: policy.digest,
    counts: {
      all: items.length,
      held: held.length,
      benign: items.filter(isBenign).length,
      lookalikes: items.filter((item) => item.lookalike).length,
      severe: items.filter((item) => item.severe).length,
    },
    figures: { all: figuresOf(answers), dev: figuresOf(dev), held: figuresOf(held) },
    byKind: by(answers, (item) => item.kind),
    byFamily: by(answers, (item) => item.family),
    byRow: by(answers, (item) => item.row),
    ablations: Object.fromEntries(without),
    baselines: Object.fromEntries(baselines),
    confusion: confusion(answers),
    wrong: { dev: wrongOf(dev), held: wrongOf(held) },
  };
}

function by(answers: readonly Judged[], name: (item: Labelled) => string): Record<string, Figures> {
  const groups = Map.groupBy(answers, ({ item }) => name(item));
  return Object.fromEntries([...groups].map(([key, group]) => [key, figuresOf(group)]));
}

function wrongOf(answers: readonly Answer[]): Wrong[] {
  return answers
    .filter((answer) => !isRight(answer))
    .map(({ item, route, understood, codes, refused }) => ({
      id: item.id,
      severe: item.severe,
      expected: item.expected,
      route,
      proposed: shown(item),
      understood: refused === '' ? understood : `refused: ${refused}`,
      codes,
      reason: item.reason,
    }));
}

/** What was proposed, in one printable line: hidden characters by number. */
function shown({ body: { action } }: Labelled): string {
  const { kind: _kind, ...fields } = action;
  const values = Object.values(fields).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const line = values
    .join(' ')
    .replace(/\s+/g, ' ')
    .replace(/[^\x20-\x7e\u00a0-\u024f\u2026]/gu, (char) => `\\u{${(char.codePointAt(0) as number).toString(16)}}`);
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN - 1)}…`;
}
