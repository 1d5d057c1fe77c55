import { expect, test } from 'vitest';
import type { Route } from '../../core/route.ts';
import type { PolicyEngine, PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { RecentInputs, rehearse, remembering } from './policy-rehearsal.ts';

const verdict = (route: Route, code = 'x') => ({
  route,
  reasons: [{ rule: 'beacon.decide.x', code, message: 'M.' }],
  obligations: [],
});
const input = (text: string) => new Uint8Array(Buffer.from(text));
/** Decides by the input's text; a function's fault is the policy's. */
function policy(rules: Record<string, unknown>): PolicySnapshot {
  const evaluate = (bytes: Uint8Array) => {
    const result = rules[Buffer.from(bytes).toString()];
    if (result instanceof Error) throw result;
    return result;
  };
  return { digest: '0'.repeat(64), revision: 'r', expiresAtMs: Number.POSITIVE_INFINITY, evaluate };
}
const one = (text: string, route: string, codes: string[] = []) => ({
  name: text,
  input: input(text),
  expect: { route, codes },
});

test('counts what would be decided otherwise, and how', async () => {
  const before = policy({ a: verdict('ALLOW'), b: verdict('DENY'), c: verdict('WARN'), d: verdict('ALLOW') });
  const next = policy({ a: verdict('DENY'), b: verdict('ALLOW'), c: verdict('WARN'), d: verdict('DENY') });
  const cases = [one('a', 'DENY'), one('b', 'ALLOW', ['x'])];
  const found = await rehearse(next, before, { cases, canaries: ['a', 'b', 'c', 'd'].map(input) });
  const routes = { 'ALLOW>DENY': 2, 'DENY>ALLOW': 1 };
  expect(found).toEqual({ cases: 2, canary: { inputs: 4, milder: 1, stricter: 2, routes } });
});

test('a case that fails refuses, and says which', async () => {
  const next = policy({ a: verdict('ALLOW'), odd: { route: 'ALLOWED' }, thrown: new Error('no') });
  const run = (...cases: ReturnType<typeof one>[]) => rehearse(next, policy({}), { cases, canaries: [] });
  expect((await run(one('a', 'ALLOW'))).cases).toBe(1);
  for (const [bad, words] of [
    [one('a', 'DENY'), 'a (ALLOW instead of DENY)'],
    [one('a', 'ALLOW', ['y']), 'a (no reason y)'],
    [one('none', 'DENY'), 'none (the policy gave no verdict)'],
    [one('odd', 'DENY'), 'no verdict'],
    [one('thrown', 'DENY'), 'no verdict'],
  ] as const) {
    await expect(run(one('a', 'ALLOW'), bad), words).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'failed_case',
      message: expect.stringContaining(words),
    });
  }
});

test('no verdict where there was one refuses; where there was none, it does not', async () => {
  const before = policy({ a: verdict('ALLOW'), bad: new Error('no') });
  const run = (next: PolicySnapshot, text: string) => rehearse(next, before, { cases: [], canaries: [input(text)] });
  for (const fault of [undefined, null, 0, {}, { route: 'ALLOW' }, new Error('no')]) {
    await expect(run(policy({ a: fault }), 'a')).rejects.toMatchObject({ reason: 'failed_canary' });
  }
  // An agent could otherwise keep every new policy out with an input none can judge.
  expect((await run(policy({}), 'bad')).canary).toMatchObject({ inputs: 1, milder: 0, stricter: 0 });
  expect((await run(policy({ bad: verdict('WARN') }), 'bad')).canary.routes).toEqual({ 'DENY>WARN': 1 });
});

test('remembers copies, few and small ones, and a burst does not fill it', () => {
  const recent = new RecentInputs();
  recent.add(input('first'));
  recent.add(new Uint8Array(16_385));
  for (let i = 1; i < 256; i += 1) recent.add(input(`early ${i}`));
  for (let i = 0; i < 320; i += 1) recent.add(input('burst'));
  const kept = recent.all().map((bytes) => Buffer.from(bytes).toString());
  expect(kept).toHaveLength(256);
  expect(kept.filter((text) => text === 'burst')).toHaveLength(20);
  expect(kept).toContain('early 255');
  const other = new RecentInputs();
  const reused = input('first');
  other.add(reused);
  reused.fill(0);
  expect(Buffer.from(other.all()[0] ?? []).toString()).toBe('first');
});

test('what is evaluated is remembered, over a swap too, and evaluated as before', async () => {
  let active = policy({ a: 1 });
  const engine: PolicyEngine = {
    snapshot: () => active,
    activate: async () => active,
  };
  const recent = new RecentInputs();
  const watched = remembering(engine, recent);
  const first = watched.snapshot();
  expect(watched.snapshot()).toBe(first);
  expect(first).toMatchObject({ digest: active.digest, revision: 'r', expiresAtMs: active.expiresAtMs });
  expect(first.evaluate(input('a'))).toBe(1);
  active = policy({ a: 2 });
  expect(watched.snapshot().evaluate(input('a'))).toBe(2);
  expect(first.evaluate(input('a'))).toBe(1);
  expect(recent.all()).toHaveLength(3);
});
