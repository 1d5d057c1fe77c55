// A disk that fails while the store runs: full, broken, slow to admit it. Nothing that failed is ever acknowledged, and
// after the first failure nothing more is written until somebody opens the folder again and looks.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { failsWith } from './contract.ts';
import { NaiveTree, TEST_LOG, testCheckpoint, testRecords } from './contract-records.ts';
import { openFileLedger } from './file.ts';
import { type FileDoor, type FileSystemDoor, realFileSystem } from './file-door.ts';
import type { LedgerRecord, LedgerStore } from './port.ts';

vi.setConfig({ testTimeout: 60_000 });

const base = mkdtempSync(join(tmpdir(), 'ledger-faults-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
let made = 0;

type Fault = (call: string, path: string) => 'fail' | 'short' | undefined;

/** The real disk, except where `fault.now` says otherwise. */
function faulty(fault: { now: Fault | undefined }): FileSystemDoor {
  const judge = (call: string, path: string): 'short' | undefined => {
    const verdict = fault.now?.(call, path);
    if (verdict !== 'fail') return verdict;
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' });
  };
  const judged = async <T>(call: string, path: string, work: () => Promise<T>): Promise<T> => {
    judge(call, path);
    return work();
  };
  const wrap = (file: FileDoor, path: string): FileDoor => {
    const part = (bytes: Uint8Array): Uint8Array =>
      judge('write', path) === 'short' ? bytes.subarray(0, Math.ceil(bytes.length / 3)) : bytes;
    return {
      write: async (bytes, at) => file.write(part(bytes), at),
      writeNow: (bytes, at) => file.writeNow(part(bytes), at),
      datasync: () => judged('datasync', path, () => file.datasync()),
      datasyncNow() {
        judge('datasync', path);
        file.datasyncNow();
      },
      sync: () => judged('sync', path, () => file.sync()),
      close: () => file.close(),
    };
  };
  return {
    ...realFileSystem,
    create: (path) => judged('create', path, async () => wrap(await realFileSystem.create(path), path)),
    edit: async (path) => wrap(await realFileSystem.edit(path), path),
    rename: (from, to) => judged('rename', to, () => realFileSystem.rename(from, to)),
    syncDirectory: (path) => judged('syncDirectory', path, () => realFileSystem.syncDirectory(path)),
  };
}

async function openFaulty(fault: { now: Fault | undefined }): Promise<{ store: LedgerStore; folder: string }> {
  const folder = join(base, String(made++));
  const options = { folder, newLog: TEST_LOG, segmentBytes: 2_097_152, fileSystem: faulty(fault) };
  return { store: await openFileLedger(options), folder };
}

function big(index: number): LedgerRecord {
  return { leaf: Buffer.from(`{"leaf":${index}}`), tenantId: 't', evidence: Buffer.alloc(20_000, index) };
}

async function reopened(folder: string, least: number, most: number): Promise<void> {
  const store = await openFileLedger({ folder, newLog: TEST_LOG, segmentBytes: 2_097_152 });
  expect(store.size()).toBeGreaterThanOrEqual(least);
  expect(store.size()).toBeLessThanOrEqual(most);
  const size = store.size();
  const leaves = (await store.scan(0, size)).map((record) => record.leaf);
  expect(Buffer.from(await store.root()).equals(new NaiveTree(leaves).root())).toBe(true);
  await store.append(testRecords(size, 1));
  await store.close();
}

describe('an append that fails', () => {
  const onWal =
    (call: string): Fault =>
    (made, path) =>
      made === call && path.endsWith('.wal') ? 'fail' : undefined;

  test.each(['write', 'datasync'])('%s of the WAL', async (call) => {
    const fault: { now: Fault | undefined } = { now: undefined };
    const { store, folder } = await openFaulty(fault);
    await store.append(testRecords(0, 10));
    fault.now = onWal(call);
    await expect(store.append(testRecords(10, 5))).rejects.toThrow(failsWith('unavailable') as Error);
    fault.now = undefined;
    expect([store.size(), store.writable()]).toEqual([10, false]);
    await expect(store.append(testRecords(10, 5))).rejects.toThrow(failsWith('unavailable') as Error);
    await expect(store.publish(await testCheckpoint(store, 10))).rejects.toThrow(failsWith('unavailable') as Error);
    await expect(store.eraseEvidence('tenant-0', 10)).rejects.toThrow(failsWith('unavailable') as Error);
    expect(await store.read(10)).toBeUndefined();
    expect(await store.read(9)).toMatchObject({ index: 9 });
    await store.close();
    // What was written and not synced may be found or not; what was acknowledged must be.
    await reopened(folder, 10, 15);
  });

  test('a write that takes only part of the bytes is carried on', async () => {
    const fault: { now: Fault | undefined } = { now: () => 'short' };
    const { store, folder } = await openFaulty(fault);
    for (let start = 0; start < 600; start += 50) await store.append(testRecords(start, 50));
    await store.append(Array.from({ length: 20 }, (_, index) => big(index)));
    await store.close();
    await reopened(folder, 620, 620);
  });
});

describe('a disk that fills up', () => {
  test.each([
    [
      'writing bundles',
      (call: string, path: string) => (call === 'create' && path.includes('entries') ? 'fail' : undefined),
    ],
    [
      'making the next segment',
      (call: string, path: string) => (call === 'write' && path.includes('draft') ? 'fail' : undefined),
    ],
    [
      'syncing tiles',
      (call: string, path: string) => (call === 'sync' && path.includes('/tile/') ? 'fail' : undefined),
    ],
    [
      'syncing a folder',
      (call: string, path: string) => (call === 'syncDirectory' && path.includes('/tile') ? 'fail' : undefined),
    ],
  ] as [string, Fault][])('while %s', async (_, now) => {
    const fault: { now: Fault | undefined } = { now: undefined };
    const { store, folder } = await openFaulty(fault);
    await store.append([big(0)]);
    fault.now = now;
    let acknowledged = 1;
    const failed = await (async () => {
      for (; acknowledged < 3000; acknowledged += 16) {
        await store.append(Array.from({ length: 16 }, (_, offset) => big(acknowledged + offset)));
      }
    })().catch((error) => error);
    expect(failed).toEqual(failsWith('unavailable'));
    expect([store.writable(), store.size()]).toEqual([false, acknowledged]);
    // Everything acknowledged is still served, from wherever it is.
    expect(await store.scan(0, acknowledged)).toHaveLength(acknowledged);
    await store.close();
    await reopened(folder, acknowledged, acknowledged + 16);
  });

  test.each(['create', 'write', 'sync', 'rename', 'syncDirectory'])(
    'a checkpoint whose %s fails is not shown',
    async (call) => {
      const fault: { now: Fault | undefined } = { now: undefined };
      const { store, folder } = await openFaulty(fault);
      await store.append(testRecords(0, 10));
      await store.publish(await testCheckpoint(store, 4));
      const next = await testCheckpoint(store, 9);
      fault.now = (made) => (made === call ? 'fail' : undefined);
      await expect(store.publish(next)).rejects.toThrow(failsWith('unavailable') as Error);
      fault.now = undefined;
      expect([store.checkpoint()?.size, store.writable()]).toEqual([4, false]);
      await store.close();
      await reopened(folder, 10, 10);
    },
  );

  test('no room even to begin', async () => {
    const folder = join(base, 'full');
    const fileSystem = faulty({ now: (call) => (call === 'write' ? 'fail' : undefined) });
    const opening = openFileLedger({ folder, newLog: TEST_LOG, fileSystem });
    await expect(opening).rejects.toThrow(failsWith('unavailable') as Error);
    await reopened(folder, 0, 0);
  });
});
