// The figures' own arithmetic, and that load really keeps so many calls under way.

import { expect, test } from 'vitest';
import { load, median, percentile } from './load.ts';

test('percentiles by nearest rank', () => {
  const sorted = Float64Array.from({ length: 100 }, (_, i) => i + 1);
  expect([0.5, 0.95, 0.99, 1].map((q) => percentile(sorted, q))).toEqual([50, 95, 99, 100]);
  expect(percentile(Float64Array.of(7), 0.5)).toBe(7);
  expect(median([3, 1, 2])).toBe(2);
});

test('never more and, while there is work, never fewer calls under way than asked', async () => {
  let underWay = 0;
  const seen = new Set<number>();
  const call = async () => {
    underWay++;
    await new Promise((resolve) => setTimeout(resolve, 1));
    seen.add(underWay);
    underWay--;
  };
  const { latenciesMs } = await load(call, 4, { seconds: 5, calls: 40 });
  expect(latenciesMs).toHaveLength(40);
  expect(Math.max(...seen)).toBe(4);
});

test('a failing call ends the run', async () => {
  await expect(load(() => Promise.reject(new Error('refused')), 2, { seconds: 1 })).rejects.toThrow('refused');
});
