import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeTokenStore, tokenRecord } from './contract.ts';
import { SqliteTokenStore } from './sqlite.ts';

describeTokenStore('sqlite', () => new SqliteTokenStore(new SqliteFile({ path: ':memory:', synced: true })));

it('keeps a token that was put though the process never closed the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokens-'));
  const path = join(folder, 'tokens.db');
  await new SqliteTokenStore(new SqliteFile({ path, synced: true })).put(tokenRecord());
  const second = new SqliteTokenStore(new SqliteFile({ path, synced: true }));
  expect(await second.findByDigest(tokenRecord().tokenDigest)).toEqual(tokenRecord());
  expect(await second.isMinted('t', 'a')).toBe(true);
  rmSync(folder, { recursive: true });
});
