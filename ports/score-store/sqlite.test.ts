import { expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeScoreStore, describeSharedScoreStore, scoreRow } from './contract.ts';
import { SqliteScoreStore } from './sqlite.ts';

describeScoreStore('sqlite', () => new SqliteScoreStore(new SqliteFile({ path: ':memory:' })));
describeSharedScoreStore('sqlite', async () => {
  const store = new SqliteScoreStore(new SqliteFile({ path: ':memory:' }));
  return { store, other: store };
});

it('writes neither rows nor position when one row cannot be written', async () => {
  const store = new SqliteScoreStore(new SqliteFile({ path: ':memory:' }));
  await store.fold([scoreRow()], { logId: 'l', index: 5 });
  const broken = scoreRow({ agentId: 'b', tally: undefined as unknown as string });
  await expect(store.fold([scoreRow({ score: 700 }), broken], { logId: 'l', index: 9 })).rejects.toThrow();
  expect(await store.position('l')).toBe(5);
  expect((await store.read({ tenantId: 't', agentId: 'a' }))?.score).toBe(512);
});
