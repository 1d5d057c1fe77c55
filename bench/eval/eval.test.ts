// Keeps the evaluation honest: the set is whole, frozen and hard enough, the figures are computed rightly, every ablation
// costs something, and severe actions are stopped no more rarely than before.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runtimeFamily } from '../../core/enforceability.ts';
import { runs } from '../../core/route.ts';
import { ablations, BASELINES, unparsed } from './ablations.ts';
import { decideAll, openPolicy } from './decide.ts';
import { confusion, figuresOf, type Judged, macroF1, wilson } from './figures.ts';
import { faultOf, isBenign, isHeld, KINDS, type Labelled, readSet, SET, thawed } from './labelled.ts';
import { readRatchet } from './page.ts';
import { bars, matrix } from './plot.ts';
import { MAX_WIDTH, printed } from './report.ts';

const FEWEST = 600;
const FEWEST_OF_A_KIND = 40;
const FEWEST_OF_A_FAMILY = 60;
const LEAST_LOOKALIKES = 0.4;
const SAMPLE_EVERY = 3;

const items = readSet();
const policy = await openPolicy();
const answers = decideAll(items, policy);

test('every item is as the schema says', () => {
  expect(items.map((item) => [item.id, faultOf(item)]).filter(([, fault]) => fault !== '')).toEqual([]);
  expect(faultOf({ ...items[0], expected: 'MAYBE' })).toMatch(/expected/);
  expect(faultOf({ ...items[0], note: 'more' })).not.toBe('');
});

test('the set is the one that was frozen', () => {
  expect(thawed()).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), 'beacon-eval-'));
  try {
    cpSync(SET, folder, { recursive: true });
    const file = join(folder, 'shell.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"expected":"DENY"', '"expected":"WARN"'));
    writeFileSync(join(folder, 'more.jsonl'), '');
    rmSync(join(folder, 'http.jsonl'));
    expect(thawed(folder).sort()).toEqual(['http.jsonl', 'more.jsonl', 'shell.jsonl']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the set is large, mixed, and full of look-alikes', () => {
  expect(items.length).toBeGreaterThanOrEqual(FEWEST);
  for (const kind of KINDS) {
    expect(items.filter((item) => item.kind === kind).length, kind).toBeGreaterThanOrEqual(FEWEST_OF_A_KIND);
  }
  for (const family of ['tool_hook', 'framework_sdk', 'gateway', 'managed_platform']) {
    expect(items.filter((item) => item.family === family).length, family).toBeGreaterThanOrEqual(FEWEST_OF_A_FAMILY);
  }
  const lookalikes = items.filter((item) => item.lookalike);
  expect(lookalikes.length / items.length).toBeGreaterThanOrEqual(LEAST_LOOKALIKES);
  expect(lookalikes.filter((item) => !isBenign(item))).toEqual([]);
  const held = items.filter(isHeld).length / items.length;
  expect(held).toBeGreaterThan(0.15);
  expect(held).toBeLessThan(0.25);
});

test('no item stands twice, none contradicts itself', () => {
  expect(new Set(items.map((item) => item.id)).size).toBe(items.length);
  const proposals = items.map(({ body: { action, context }, standing }) => JSON.stringify([action, context, standing]));
  expect(new Set(proposals).size).toBe(items.length);
  for (const item of items) {
    expect(item.id.startsWith(`${item.kind}-`), item.id).toBe(true);
    expect(item.body.action.kind, item.id).toBe(item.kind);
    expect(runtimeFamily(item.body.surface), item.id).toBe(item.family);
    if (item.severe) expect([item.expected, ...(item.accept ?? [])].filter(runs), item.id).toEqual([]);
  }
});

test('the gateway reads every body', () => {
  expect(answers.filter(({ refused }) => refused !== '').map(({ item, refused }) => [item.id, refused])).toEqual([]);
});

test('severe actions are stopped no more rarely than the ratchet says', () => {
  expect(figuresOf(answers).severeRecall.value).toBeGreaterThanOrEqual(readRatchet().severe_recall);
});

test('every part that is taken away costs something', { timeout: 120_000 }, () => {
  const some = (_: unknown, index: number) => index % SAMPLE_EVERY === 0;
  const whole = figuresOf(answers.filter(some));
  for (const [name, ablation] of Object.entries(ablations(answers))) {
    const without = figuresOf(decideAll(items.filter(some), policy, ablation));
    expect(without.exact.value, name).toBeLessThan(whole.exact.value);
  }
});

test('words without a parser are words', () => {
  expect(unparsed(`grep "rm -rf" . | it's`)).toBe(`'grep' '"rm' '-rf"' '.' '|' 'it'\\''s'`);
});

const one = (expected: Labelled['expected'], route: Judged['route'], more: Partial<Labelled> = {}): Judged => ({
  item: { ...(items[0] as Labelled), severe: false, expected, ...more },
  route,
});

test('figures, by hand', () => {
  const judged = [
    one('ALLOW', 'ALLOW'),
    one('ALLOW', 'APPROVAL'),
    one('WARN', 'DENY'),
    one('DENY', 'WARN', { severe: true }),
    one('DENY', 'APPROVAL', { severe: true }),
    one('APPROVAL', 'SIMULATE', { severe: true, accept: ['SIMULATE'] }),
  ];
  const figures = figuresOf(judged);
  expect(figures.exact.value).toBeCloseTo(2 / 6);
  expect(figures.severeRecall.value).toBeCloseTo(2 / 3);
  expect(figures.falsePositives.value).toBeCloseTo(2 / 3);
  expect(figures.needless.value).toBeCloseTo(1 / 3);
  expect(figures.interruptions.value).toBeCloseTo(2 / 6);
  expect(figures.milder.value).toBeCloseTo(2 / 6);
  expect(confusion(judged).SIMULATE.SIMULATE).toBe(1);
  // ALLOW 2/3, WARN 0, SIMULATE 1, DENY 0; nothing is labelled APPROVAL once SIMULATE was accepted.
  expect(macroF1(judged)).toBeCloseTo((2 / 3 + 0 + 1 + 0) / 4);
  expect(figures.macroF1.low).toBeLessThanOrEqual(figures.macroF1.value);
  expect(figures.macroF1.high).toBeGreaterThanOrEqual(figures.macroF1.value);
});

test("Wilson's interval, by the book", () => {
  expect(wilson(8, 10).low).toBeCloseTo(0.4902, 3);
  expect(wilson(8, 10).high).toBeCloseTo(0.9433, 3);
  expect(wilson(0, 20)).toMatchObject({ value: 0, low: 0 });
  expect(wilson(0, 0)).toMatchObject({ low: 0, high: 1, of: 0 });
});

test('tables fit a terminal of 100 columns, in which every figure can be read', () => {
  const figures = figuresOf(answers);
  const rows = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, figures]));
  const text = printed(
    {
      ...{ set: 'a'.repeat(64), policy: 'b'.repeat(64), confusion: confusion(answers), wrong: { dev: [], held: [] } },
      counts: { all: 968, held: 186, benign: 457, lookalikes: 448, severe: 312 },
      figures: { all: figures, dev: figures, held: figures },
      ...{ byKind: rows(KINDS), byFamily: rows(items.map(({ family }) => family)) },
      ...{ byRow: rows(items.map(({ row }) => row)), baselines: rows(Object.keys(BASELINES)) },
      ablations: rows(Object.keys(ablations(answers))),
    },
    false,
  );
  expect(text.split('\n').filter((line) => line.length > MAX_WIDTH)).toEqual([]);
  expect(MAX_WIDTH).toBe(100);
  // What does not fit is cut with a mark; the names of routes in the matrix end none.
  expect(text).not.toContain('…');
  for (const { value, low, high } of [figures.exact, figures.macroF1, figures.severeRecall, figures.milder]) {
    expect(text).toContain(` ${value.toFixed(3)}`);
    expect(text).toContain(` ${low.toFixed(2)}-${high.toFixed(2)}`);
  }
});

test('plots are whole and safe text', () => {
  const drawn = bars('<b> & c', ['x'], [{ name: 'a<b', figures: [wilson(1, 2)] }]);
  expect(drawn).toContain('a&lt;b');
  expect(drawn).not.toContain('<b>');
  expect(matrix('m', confusion(answers)).match(/<rect /g)).toHaveLength(1 + 25);
});
