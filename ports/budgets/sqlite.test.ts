import { expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeBudgets } from './contract.ts';
import { SqliteBudgets } from './sqlite.ts';

describeBudgets('sqlite', () => new SqliteBudgets(new SqliteFile({ path: ':memory:' })));

const bucket = { name: 'agent:t/a', capacity: 10, refillPerSecond: 1 };

it('remembers over a restart what was taken, but for the last second', async () => {
  const file = new SqliteFile({ path: ':memory:' });
  const first = new SqliteBudgets(file);
  await first.take([bucket], 6, 10_000);
  await first.take([bucket], 4, 10_100);
  const second = new SqliteBudgets(file);
  expect((await second.take([bucket], 5, 10_200)).allowed).toBe(false);
  expect((await second.take([bucket], 4, 10_200)).allowed).toBe(true);
});

const turn = { name: 'turn:t/a/o', capacity: 3, refillPerSecond: 0, windowMs: 60_000 };

it('remembers over a restart what a turn has used up', async () => {
  const file = new SqliteFile({ path: ':memory:' });
  const first = new SqliteBudgets(file);
  await first.take([turn], 2, 10_000);
  await first.take([turn], 1, 11_000);
  const second = new SqliteBudgets(file);
  expect(await second.take([turn], 1, 11_100)).toMatchObject({ allowed: false, retryAfterMs: 58_900 });
  expect((await second.take([turn], 1, 70_000)).allowed).toBe(true);
});

it('remembers over a restart a turn used up in a moment, once swept', async () => {
  const file = new SqliteFile({ path: ':memory:' });
  const first = new SqliteBudgets(file);
  for (let n = 0; n < 3; n += 1) await first.take([turn], 1, 10_000 + n);
  await first.sweep(10_010, 100);
  expect((await new SqliteBudgets(file).take([turn], 1, 10_020)).allowed).toBe(false);
});

it('forgets buckets that are full again', async () => {
  const budgets = new SqliteBudgets(new SqliteFile({ path: ':memory:' }));
  await budgets.take([bucket], 6, 10_000);
  await budgets.take([turn], 1, 10_000);
  expect(await budgets.sweep(15_999, 100)).toBe(0);
  expect(await budgets.sweep(16_000, 100)).toBe(1);
  expect(await budgets.sweep(69_999, 100)).toBe(0);
  expect(await budgets.sweep(70_000, 100)).toBe(1);
});
