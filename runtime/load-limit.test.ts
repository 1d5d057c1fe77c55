// A server of one lane on a clock of its own: calls queue, so that whoever lets everybody in sees latency grow without end.

import { expect, test } from 'vitest';
import { LEAST_LEARNT_LIMIT, LEAST_LIMIT, LoadLimit, type LoadLimitOptions, REST_LIMIT } from './load-limit.ts';

/** Serves one call after the other, `serviceMs` each, on a simulated clock of whole milliseconds. */
function simulate(options: Partial<LoadLimitOptions> = {}) {
  let nowMs = 0;
  let freeMs = 0;
  const due = new Map<number, (() => void)[]>();
  const server = { serviceMs: 1 };
  const limit = new LoadLimit({ most: 1_024, targetMs: 0, now: () => nowMs, ...options });
  const sleepUntil = (atMs: number) =>
    new Promise<void>((resolve) => {
      due.set(atMs, [...(due.get(atMs) ?? []), resolve]);
    });
  const serve = () => {
    freeMs = Math.max(freeMs, nowMs) + server.serviceMs;
    return sleepUntil(server.serviceMs === 0 ? nowMs + 1 : freeMs);
  };
  /** Lets time pass, each event at its moment. */
  const advance = async (untilMs: number) => {
    for (; nowMs < untilMs; nowMs += 1) {
      for (const wake of due.get(nowMs) ?? []) wake();
      due.delete(nowMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** A caller that asks again as soon as it is answered, and 10 ms after a refusal. */
  const caller = (key: string, stopMs: number) => {
    const seen = { tookMs: [] as number[], refused: 0 };
    const loop = async () => {
      while (nowMs < stopMs) {
        const before = nowMs;
        try {
          await limit.run(key, serve);
          seen.tookMs.push(nowMs - before);
        } catch {
          seen.refused += 1;
          await sleepUntil(nowMs + 10);
        }
      }
    };
    void loop();
    return seen;
  };
  return { limit, server, caller, advance, now: () => nowMs };
}

const p99 = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? 0;

test('under ten times the load, what is let in is answered in about the time that is aimed at', async () => {
  const { caller, advance, limit } = simulate({ targetMs: 20 });
  await advance(500);
  const many = Array.from({ length: 400 }, () => caller('t', 6_500));
  await advance(1_500);
  // The burst it began with is let in whole.
  for (const { tookMs } of many) tookMs.splice(0);
  await advance(7_000);
  const settled = many.flatMap(({ tookMs }) => tookMs);
  expect(p99(settled)).toBeLessThanOrEqual(2 * limit.targetMs);
  expect(many.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(1_000);
  // Nor does it let the server idle.
  expect(settled.length).toBeGreaterThan(4_500);
  expect(limit.limit).toBeLessThan(REST_LIMIT / 2);
});

test('without a target of its own it learns one from idle calls, and lets many wait', async () => {
  const { caller, advance, limit, server } = simulate();
  server.serviceMs = 10;
  caller('t', 1_000);
  await advance(1_000);
  expect(limit.targetMs).toBe(40);
  for (let i = 0; i < 400; i += 1) caller('t', 9_000);
  await advance(9_000);
  expect(limit.limit).toBe(LEAST_LEARNT_LIMIT);
  expect(limit.targetMs).toBe(40);
});

test('a burst after a quiet time is let in whole', async () => {
  const { caller, advance, limit } = simulate();
  const many = Array.from({ length: REST_LIMIT }, () => caller('t', 1));
  await advance(2_000);
  expect(many.map(({ refused }) => refused)).toEqual(many.map(() => 0));
  expect(() => limit.requireRoom()).not.toThrow();
});

test('when the load has gone, the limit comes back', async () => {
  const { caller, advance, limit } = simulate({ targetMs: 20 });
  for (let i = 0; i < 200; i += 1) caller('t', 2_000);
  await advance(2_100);
  const low = limit.limit;
  caller('t', 9_000);
  await advance(9_000);
  expect(low).toBeLessThan(REST_LIMIT * 0.8);
  expect(limit.limit).toBeGreaterThan(REST_LIMIT * 0.9);
});

test('a fast server is let to take more than it started with, up to the most', async () => {
  const { server, caller, advance, limit } = simulate({ most: 100 });
  server.serviceMs = 0;
  for (let i = 0; i < 400; i += 1) caller('t', 4_000);
  await advance(4_000);
  expect(limit.limit).toBe(100);
});

test('one noisy key leaves room for a quiet one', async () => {
  const { caller, advance } = simulate();
  const quiet = caller('quiet', 5_000);
  for (let i = 0; i < 200; i += 1) caller('noisy', 5_000);
  await advance(5_100);
  expect(quiet.tookMs.length).toBeGreaterThan(100);
  expect(quiet.refused).toBeLessThan(quiet.tookMs.length * 0.02);
});

test('a call that fails gives its place back, and a refused one never starts', async () => {
  const limit = new LoadLimit({ most: 1, targetMs: 10, now: () => 0 });
  for (let i = 0; i < 10; i += 1) {
    await expect(limit.run('t', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  }
  let started = 0;
  const held = limit.run('t', () => new Promise<void>((resolve) => setTimeout(resolve, 20)));
  await expect(limit.run('t', async () => started++)).rejects.toMatchObject({
    code: 'resource_exhausted',
    retryAfterMs: expect.any(Number),
  });
  await held;
  expect(started).toBe(0);
  expect(LEAST_LIMIT).toBeGreaterThan(1);
});
