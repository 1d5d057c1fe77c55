// The pack's tables against core's lists and against themselves: no value without a row, no name that leads nowhere.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EFFECTS } from '../core/action/types.ts';
import { OBLIGATION_KINDS, ROUTES } from '../core/route.ts';
import { LOW_SCORE, PROVEN_RECEIPTS } from '../core/trust-score/level.ts';
import { BUNDLE, readJson } from './case-input.ts';

type Row = { code: string; ladder: string; does: string; instead: string; milder?: Record<string, string> };
type Effect = {
  by: keyof typeof KEYS;
  changes: boolean;
  leaves: boolean;
  stricter?: Record<string, string>;
  cases: Record<string, Row>;
};
const KEYS = {
  one: ['otherwise'],
  scope: ['workspace', 'temporary', 'home', 'system', 'machine', 'remote', 'none', 'unknown'],
  reach: ['local', 'own', 'public', 'foreign', 'unknown'],
  branch: ['named', 'protected', 'unknown'],
};
const data = JSON.parse(readFileSync(join(BUNDLE, 'data.json'), 'utf8')).beacon as {
  words: { routes: string[]; ranks: Record<string, number>; scope: object; externality: Record<string, object> };
  ladders: Record<string, Record<string, string>>;
  trust: { low_score: number; proven_receipts: number };
  effects: Record<string, Effect>;
  flags: Record<string, { route: string }>;
  findings: Record<string, Record<string, Record<string, string>>>;
};
const source = (path: string) => readFileSync(join(import.meta.dirname, '..', 'core', path), 'utf8');

/** The values of a union type as core's source lists them. */
function union(text: string, name: string): string[] {
  const body = new RegExp(`${name}(?: =|:)([^;]*);`).exec(text)?.[1] ?? '';
  return [...body.matchAll(/'([a-z_0-9A-Z]+)'/g)].map((match) => match[1] as string).sort();
}

test('effects and routes are those of core', () => {
  expect(Object.keys(data.effects).sort()).toEqual([...EFFECTS].sort());
  expect(data.words.routes).toEqual([...ROUTES]);
  expect(data.words.ranks).toEqual(Object.fromEntries(ROUTES.map((route, rank) => [route, rank])));
});

test('closed lists are those of core', () => {
  const externality = source('externality.ts');
  const { words } = data;
  const named = {
    destination_type: 'DestinationType',
    destination_visibility: 'Visibility',
    destination_ownership: 'Ownership',
  };
  for (const [field, type] of Object.entries(named)) {
    expect(Object.keys(words.externality[field] ?? {}).sort()).toEqual(union(externality, type));
  }
  expect(Object.keys(words.externality.reversibility ?? {}).sort()).toEqual(union(externality, 'type Reversibility'));
  expect(Object.keys(words.externality.sensitive_payload ?? {}).sort()).toEqual(union(externality, 'SensitivePayload'));
  expect(Object.keys(words.externality.enforceability ?? {}).sort()).toEqual(union(externality, 'Enforceability'));
  for (const field of ['tenant_provenance', 'account_provenance']) {
    expect(Object.keys(words.externality[field] ?? {}).sort()).toEqual(union(externality, field));
  }
  expect(Object.keys(words.scope).sort()).toEqual(union(source('action/types.ts'), 'Scope'));
});

describe.each(Object.entries(data.effects))('effect %s', (_name, effect) => {
  test('leads somewhere in every case', () => {
    expect(Object.keys(KEYS)).toContain(effect.by);
    expect(typeof effect.changes).toBe('boolean');
    expect(typeof effect.leaves).toBe('boolean');
    expect(effect.cases.otherwise).toBeDefined();
    const reached = new Set([...KEYS[effect.by], 'otherwise', 'dry_run', ...Object.values(effect.stricter ?? {})]);
    for (const row of Object.values(effect.cases)) {
      expect(data.ladders).toHaveProperty(row.ladder);
      expect(row.code).toMatch(/^[a-z_]+$/);
      expect(row.instead === '' || row.instead.endsWith('.')).toBe(true);
      // A route that stops says what would be accepted instead.
      if (Object.values(data.ladders[row.ladder] ?? {}).some((route) => route === 'APPROVAL'))
        expect(row.instead).not.toBe('');
      for (const name of Object.values(row.milder ?? {})) reached.add(name);
    }
    for (const name of reached)
      if (name !== 'dry_run' && !KEYS[effect.by].includes(name)) expect(effect.cases).toHaveProperty(name);
    for (const name of Object.keys(effect.cases)) expect([...reached]).toContain(name);
  });
});

test('a low score is what core calls one', () => {
  expect(data.trust).toMatchObject({ low_score: LOW_SCORE, proven_receipts: PROVEN_RECEIPTS });
});

test('ladders never get milder with less trust or nobody there', () => {
  const rank = (route: string | undefined) => data.words.ranks[route ?? ''] as number;
  for (const ladder of Object.values(data.ladders)) {
    expect(Object.keys(ladder)).toEqual(expect.arrayContaining(['L0', 'L1', 'L2', 'L3', 'unattended']));
    for (const route of Object.values(ladder)) expect(ROUTES).toContain(route);
    expect(rank(ladder.L0)).toBeGreaterThanOrEqual(rank(ladder.L1));
    expect(rank(ladder.L1)).toBeGreaterThanOrEqual(rank(ladder.L2));
    expect(rank(ladder.L2)).toBeGreaterThanOrEqual(rank(ladder.L3));
  }
});

test('flags and findings name routes, for every class, place and confidence', () => {
  for (const row of Object.values(data.flags)) expect(ROUTES).toContain(row.route);
  for (const kind of ['secret', 'pii', 'injection']) {
    for (const place of ['leaving', 'local', 'prompt', 'output']) {
      for (const confidence of ['low', 'medium', 'high']) {
        expect(ROUTES).toContain(data.findings[kind]?.[place]?.[confidence]);
      }
    }
  }
});

test('obligations of the cases are known kinds', () => {
  const kinds = ['first-form', 'files', 'machine', 'payload'].flatMap((file) =>
    (readJson(`${file}.json`) as { expect: { obligations?: string[] } }[]).flatMap(
      (one) => one.expect.obligations ?? [],
    ),
  );
  for (const kind of kinds) expect(OBLIGATION_KINDS).toContain(kind);
});
