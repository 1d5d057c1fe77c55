import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeRevocationList } from './contract.ts';
import { SqliteRevocationList } from './sqlite.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function freshPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'revocations-'));
  folders.push(folder);
  return join(folder, 'revocations.db');
}

function flushFile(path: string): void {
  const other = new DatabaseSync(path);
  other.exec('DELETE FROM revocation; DELETE FROM revocation_epoch');
  other.close();
}

describeRevocationList('sqlite', () => {
  const path = freshPath();
  const list = new SqliteRevocationList(new SqliteFile({ path, synced: true }));
  return { list, flush: () => flushFile(path) };
});

const revoke = { scope: 'agent:t/a', revocationId: 'rev_1', epoch: 3, operation: 'revoke' } as const;

it('holds after a restart, and is on disk before apply resolves', async () => {
  const path = freshPath();
  const first = new SqliteRevocationList(new SqliteFile({ path, synced: true }));
  await first.rebuild([], 2);
  await first.apply(revoke);
  // The first is never closed, as after kill -9.
  const second = new SqliteRevocationList(new SqliteFile({ path, synced: true }));
  expect(await second.consult(['agent:t/a'])).toEqual({ epoch: 3, revoked: ['agent:t/a'] });
  await second.apply({ ...revoke, epoch: 3, operation: 'reinstate' });
  expect((await second.consult(['agent:t/a'])).revoked).toEqual(['agent:t/a']);
});

it('has no epoch after a restart on a flushed file', async () => {
  const path = freshPath();
  const file = new SqliteFile({ path, synced: true });
  const first = new SqliteRevocationList(file);
  await first.rebuild([], 2);
  await first.apply(revoke);
  file.close();
  flushFile(path);
  const second = new SqliteRevocationList(new SqliteFile({ path, synced: true }));
  expect((await second.consult(['agent:t/a'])).epoch).toBeUndefined();
});

it('changes nothing in memory when the change could not be written', async () => {
  const file = new SqliteFile({ path: freshPath(), synced: true });
  const failing = {
    db: file.db,
    fails: false,
    write<T>(work: () => T): T {
      if (this.fails) throw new Error('disk');
      return file.write(work);
    },
  };
  const list = new SqliteRevocationList(failing);
  await list.rebuild([], 2);
  await list.apply(revoke);
  failing.fails = true;
  await expect(list.apply({ ...revoke, epoch: 4, operation: 'reinstate' })).rejects.toThrow('disk');
  expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 3, revoked: ['agent:t/a'] });
  failing.fails = false;
  await list.apply({ ...revoke, epoch: 4, operation: 'reinstate' });
  expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 4, revoked: [] });
});
