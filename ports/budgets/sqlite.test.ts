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

it('forgets buckets that are full again', async () => {
  const budgets = new SqliteBudgets(new SqliteFile({ path: ':memory:' }));
  await budgets.take([bucket], 6, 10_000);
  expect(await budgets.sweep(15_000)).toBe(0);
  expect(await budgets.sweep(16_001)).toBe(1);
});
