import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeActionStore } from './contract.ts';
import { actionRecord } from './records.fixture.ts';
import { SqliteActionStore } from './sqlite.ts';

describeActionStore('sqlite', () => new SqliteActionStore(new SqliteFile({ path: ':memory:' })));

it('after kill -9 holds every row up to its position, and at most the one write beyond it', {
  timeout: 20_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'actions-'));
  const path = join(folder, 'state.db');
  let reached = 0;
  for (let round = 0; round < 3; round++) {
    await writeUntilKilled(path, reached, 120 + round * 35);
    const file = new SqliteFile({ path });
    const store = new SqliteActionStore(file);
    const next = await store.position('l');
    expect(next).toBeGreaterThan(reached);
    for (let index = 0; index < next; index++) expect(await store.getAction(`act_${index}`)).toBeDefined();
    expect(await store.getAction(`act_${next + 1}`)).toBeUndefined();
    reached = next;
    file.close();
  }
  rmSync(folder, { recursive: true });
});

/** A child that puts action `n` and advances to `n + 1`, each in its own turn, until it is killed. */
async function writeUntilKilled(path: string, from: number, afterMs: number): Promise<void> {
  const child = fork(new URL('./writer.fixture.ts', import.meta.url), [path, String(from)]);
  await new Promise((resolve) => child.once('message', resolve));
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
}

it('keeps every field of a record over a restart', async () => {
  const file = new SqliteFile({ path: ':memory:' });
  await new SqliteActionStore(file).putAction(actionRecord(), { logId: 'l', index: 0 });
  expect(await new SqliteActionStore(file).getAction('act_1')).toEqual(actionRecord());
});
