// kill -9 while appending, several times over on one folder: every acknowledged record is found, the log only grows, the
// lock is free again. What the page cache forgives is left to file-power-loss.test.ts.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NaiveTree, TEST_LOG, testRecord, testRecords } from './contract-records.ts';
import { openFileLedger } from './file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledger-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const CHILD = new URL('./file-kill-child.ts', import.meta.url).pathname;

/** Runs the child until it has acknowledged `batches` and kills it in the middle of the next; answers its last words. */
function runAndKill(batches: number): Promise<{ size: number; published: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHILD, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.split('\n').length > batches) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => {
      const last = (word: string): number =>
        Number([...said.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0);
      if (said === '') reject(new Error('the child said nothing'));
      else resolve({ size: last('size'), published: last('published') });
    });
  });
}

test('killed again and again', { timeout: 60_000 }, async () => {
  let least = 0;
  for (const batches of [1, 12, 40, 90, 25, 7]) {
    const { size, published } = await runAndKill(batches);
    const store = await openFileLedger({ folder, newLog: TEST_LOG, segmentBytes: 2_097_152 });
    expect(store.size()).toBeGreaterThanOrEqual(Math.max(size, least));
    expect(store.checkpoint()?.size ?? 0).toBeGreaterThanOrEqual(published);
    least = store.size();
    const records = await store.scan(0, least);
    for (const [index, record] of records.entries()) expect(Buffer.from(record.leaf)).toEqual(testRecord(index).leaf);
    const tree = new NaiveTree(testRecords(0, least).map((record) => record.leaf));
    expect(Buffer.from(await store.root()).equals(tree.root())).toBe(true);
    await store.close();
  }
  expect(least).toBeGreaterThan(1000);
});
