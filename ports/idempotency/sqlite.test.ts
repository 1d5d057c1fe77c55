import { expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeIdempotency } from './contract.ts';
import { SqliteIdempotency } from './sqlite.ts';

describeIdempotency('sqlite', () => new SqliteIdempotency(new SqliteFile({ path: ':memory:' })));

it('keeps records and position over a restart, and no claim', async () => {
  const file = new SqliteFile({ path: ':memory:' });
  const first = new SqliteIdempotency(file);
  const key = (name: string) => ({ tenantId: 't', agentId: 'a', key: name });
  const record = { proposalDigest: 'd', receiptId: 'l-3', actionId: 'act_1', expiresAtMs: 9_000 };
  await first.claim(key('done'), 'd', 1);
  await first.complete(key('done'), record, { logId: 'l', index: 3 });
  await first.advance({ logId: 'l', index: 4 });
  await first.claim(key('open'), 'd', 1);
  const second = new SqliteIdempotency(file);
  expect(await second.position('l')).toBe(4);
  expect(await second.claim(key('done'), 'd', 1)).toEqual({ kind: 'done', record });
  expect((await second.claim(key('open'), 'd', 1)).kind).toBe('fresh');
});
