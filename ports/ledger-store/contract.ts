// What every ledger store must do, as a suite each implementation runs.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { grow, NaiveTree, sha, TEST_LOG, testCheckpoint, testRecord, testRecords } from './contract-records.ts';
import type { LedgerStore } from './port.ts';

export function failsWith(code: string): unknown {
  return expect.objectContaining({ name: 'BeaconError', code });
}

function same(found: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  expect(found.map((hash) => Buffer.from(hash).toString('hex'))).toEqual(
    expected.map((hash) => Buffer.from(hash).toString('hex')),
  );
}

// A disk shared with other work may sync slowly; none of these tests is about time.
vi.setConfig({ testTimeout: 60_000 });

/** `open` makes an empty log named TEST_LOG; the suite closes it. */
export function ledgerStoreContract(name: string, open: () => Promise<LedgerStore>): void {
  describe(`ledger store: ${name}`, () => {
    const opened: LedgerStore[] = [];
    const fresh = async (): Promise<LedgerStore> => {
      const store = await open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    appending(fresh);
    proving(fresh);
    publishing(fresh);
    erasing(fresh);
  });
}

function appending(fresh: () => Promise<LedgerStore>): void {
  test('an empty log', async () => {
    const store = await fresh();
    expect([store.logId, store.origin, store.size()]).toEqual([TEST_LOG.logId, TEST_LOG.origin, 0]);
    expect(await store.read(0)).toBeUndefined();
    expect(await store.scan(0, 10)).toEqual([]);
    expect(await store.tile(0, 0, 1)).toBeUndefined();
    expect(await store.entries(0, 1)).toBeUndefined();
    expect(store.checkpoint()).toBeUndefined();
    same([await store.root()], [sha()]);
    expect(store.writable()).toBe(true);
  });

  test('what is appended comes back exactly, once it is durable and not before', async () => {
    const store = await fresh();
    const appended = store.append(testRecords(0, 300));
    expect(store.size()).toBe(0);
    await expect(store.append(testRecords(300, 1))).rejects.toThrow(failsWith('failed_precondition') as Error);
    await appended;
    expect(store.size()).toBe(300);
    for (const index of [0, 3, 254, 255, 256, 299]) {
      const { evidence, leaf, tenantId } = testRecord(index);
      const record = await store.read(index);
      expect(record).toMatchObject({ index, tenantId });
      same([record?.leaf ?? sha()], [leaf]);
      expect(record?.evidence === undefined).toBe(evidence === undefined);
      if (evidence) same([record?.evidence ?? sha()], [evidence]);
    }
    expect(await store.read(300)).toBeUndefined();
    expect((await store.scan(250, 10)).map(({ index }) => index)).toEqual([...Array(10).keys()].map((i) => 250 + i));
    expect(await store.scan(295, 100)).toHaveLength(5);
    expect(await store.scan(0, 0)).toEqual([]);
  });

  test("neither a caller's later changes nor its changes to an answer reach the log", async () => {
    const store = await fresh();
    const leaf = Buffer.from('mine');
    const evidence = Buffer.from('mine too');
    const appended = store.append([{ leaf, evidence, tenantId: 't' }]);
    leaf.fill(0);
    evidence.fill(0);
    await appended;
    const record = await store.read(0);
    record?.leaf.fill(1);
    record?.evidence?.fill(1);
    const again = await store.read(0);
    same([again?.leaf ?? sha(), again?.evidence ?? sha()], [Buffer.from('mine'), Buffer.from('mine too')]);
    same([await store.root()], [new NaiveTree([Buffer.from('mine')]).root()]);
  });

  test('limits, refused before anything is written', async () => {
    const store = await fresh();
    const ok = testRecord(0);
    for (const records of [
      [],
      Array.from({ length: 4097 }, () => ok),
      [{ ...ok, leaf: new Uint8Array() }],
      [ok, { ...ok, leaf: new Uint8Array(65_536) }],
      [{ ...ok, evidence: new Uint8Array(1_048_577) }],
      [{ ...ok, tenantId: 'é'.repeat(128) }],
    ]) {
      await expect(store.append(records)).rejects.toThrow(failsWith('invalid_argument') as Error);
    }
    expect([store.size(), store.writable()]).toEqual([0, true]);
    await store.append([{ leaf: new Uint8Array(65_535), evidence: new Uint8Array(1_048_576), tenantId: '' }]);
    await store.append(Array.from({ length: 4096 }, () => ok));
    expect(await store.read(0)).toMatchObject({ leaf: { length: 65_535 }, evidence: { length: 1_048_576 } });
    await store.append([{ leaf: Buffer.of(1), evidence: new Uint8Array(), tenantId: 'empty' }]);
    expect((await store.read(4097))?.evidence).toHaveLength(0);
  });

  test('closed', async () => {
    const store = await fresh();
    await store.append([testRecord(0)]);
    await store.close();
    expect(store.writable()).toBe(false);
    await expect(store.append([testRecord(1)])).rejects.toThrow(failsWith('unavailable') as Error);
  });
}

function proving(fresh: () => Promise<LedgerStore>): void {
  test('every root, inclusion and consistency proof at small sizes', async () => {
    const store = await fresh();
    const tree = new NaiveTree(testRecords(0, 70).map((record) => record.leaf));
    await grow(store, 70, 7);
    for (const to of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 70]) {
      same([await store.root(to)], [tree.root(0, to)]);
      for (let index = 0; index < to; index++) {
        same(await store.inclusionProof(index, to), tree.inclusion(index, to));
        same(await store.consistencyProof(index + 1, to), tree.consistency(index + 1, to));
      }
      expect(await store.consistencyProof(0, to)).toEqual([]);
    }
  });

  test.each([255, 256, 257, 511, 512, 513])('tile edges: %i leaves', async (size) => {
    const store = await fresh();
    const leaves = testRecords(0, size).map((record) => record.leaf);
    await grow(store, size);
    await sampleProofs(store, new NaiveTree(leaves), size);
    for (let index = 0; index * 256 < size; index++) {
      const width = Math.min(256, size - index * 256);
      const own = leaves.slice(index * 256, index * 256 + width);
      const tile = Buffer.concat(own.map((leaf) => sha(Buffer.of(0), leaf)));
      const entries = Buffer.concat(own.map((leaf) => Buffer.concat([Buffer.of(leaf.length >> 8, leaf.length), leaf])));
      same([(await store.tile(0, index, width)) ?? sha()], [tile]);
      same([(await store.entries(index, width)) ?? sha()], [entries]);
      same([(await store.tile(0, index, 1)) ?? sha()], [tile.subarray(0, 32)]);
      expect(await store.tile(0, index, 0)).toBeUndefined();
      expect(await store.tile(0, index, width + 1)).toBeUndefined();
      expect(await store.entries(index, width + 1)).toBeUndefined();
    }
    const full = Math.floor(size / 256);
    expect((await store.tile(1, 0, full))?.length).toBe(full === 0 ? undefined : full * 32);
    expect(await store.tile(1, 0, full + 1)).toBeUndefined();
  });

  test('two levels of tiles: 65,535 to 65,537 leaves', async () => {
    const store = await fresh();
    const tree = new NaiveTree(testRecords(0, 65_537).map((record) => record.leaf));
    await grow(store, 65_535, 4096);
    for (const size of [65_535, 65_536, 65_537]) {
      await grow(store, size);
      await sampleProofs(store, tree, size);
      expect((await store.tile(1, 0, Math.floor(size / 256)))?.length).toBe(Math.floor(size / 256) * 32);
      expect((await store.tile(2, 0, 1))?.length).toBe(size < 65_536 ? undefined : 32);
    }
  });

  test('trees and leaves that do not exist', async () => {
    const store = await fresh();
    await grow(store, 5);
    const refused = failsWith('invalid_argument') as Error;
    await expect(store.root(6)).rejects.toThrow(refused);
    await expect(store.root(-1)).rejects.toThrow(refused);
    await expect(store.inclusionProof(5, 5)).rejects.toThrow(refused);
    await expect(store.inclusionProof(0, 6)).rejects.toThrow(refused);
    await expect(store.inclusionProof(0.5, 5)).rejects.toThrow(refused);
    await expect(store.consistencyProof(4, 3)).rejects.toThrow(refused);
  });
}

async function sampleProofs(store: LedgerStore, tree: NaiveTree, size: number): Promise<void> {
  same([await store.root()], [tree.root(0, size)]);
  for (const index of new Set([0, 1, 254, 255, 256, 257, size >> 1, size - 2, size - 1])) {
    if (index >= size) continue;
    same(await store.inclusionProof(index, size), tree.inclusion(index, size));
    same(await store.consistencyProof(index + 1, size), tree.consistency(index + 1, size));
  }
}

function publishing(fresh: () => Promise<LedgerStore>): void {
  test('a checkpoint is published, replaced, never shrunk', async () => {
    const store = await fresh();
    await grow(store, 10);
    const first = await testCheckpoint(store, 4);
    await store.publish(first);
    expect(store.checkpoint()).toEqual({ note: first.note, size: 4 });
    await store.publish(await testCheckpoint(store, 10));
    await expect(store.publish(first)).rejects.toThrow(failsWith('failed_precondition') as Error);
    expect(store.checkpoint()?.size).toBe(10);
    expect(store.writable()).toBe(true);
  });

  test('a checkpoint that is not of this log as it is', async () => {
    const store = await fresh();
    await grow(store, 10);
    const invalid = failsWith('invalid_argument') as Error;
    const root = await store.root(9);
    await expect(store.publish(await testCheckpoint(store, 9, { size: 11, root }))).rejects.toThrow(invalid);
    await expect(store.publish(await testCheckpoint(store, 9, { origin: 'beacon.local/other' }))).rejects.toThrow(
      invalid,
    );
    await expect(store.publish({ ...(await testCheckpoint(store, 9)), size: 10 })).rejects.toThrow(invalid);
    await expect(store.publish({ ...(await testCheckpoint(store, 9)), root: sha() })).rejects.toThrow(invalid);
    await expect(store.publish({ note: Buffer.from('no note'), size: 9, root })).rejects.toThrow(invalid);
    const other = await testCheckpoint(store, 10, { root });
    await expect(store.publish(other)).rejects.toThrow(failsWith('failed_precondition') as Error);
    expect(store.checkpoint()).toBeUndefined();
  });
}

function erasing(fresh: () => Promise<LedgerStore>): void {
  test("one tenant's evidence below an index, never a leaf", async () => {
    const store = await fresh();
    await grow(store, 600);
    const root = await store.root();
    const doomed = (index: number): boolean => index < 550 && index % 3 === 1 && index % 4 !== 3;
    const count = [...Array(600).keys()].filter(doomed).length;
    expect(await store.eraseEvidence('tenant-1', 550)).toBe(count);
    expect(await store.eraseEvidence('tenant-1', 550)).toBe(0);
    for (const record of await store.scan(0, 600)) {
      expect(record.evidence === undefined).toBe(doomed(record.index) || record.index % 4 === 3);
      expect(record.tenantId).toBe(`tenant-${record.index % 3}`);
    }
    same([await store.root()], [root]);
    await grow(store, 1000);
    expect((await store.scan(0, 1000)).map((record) => record.index)).toEqual([...Array(1000).keys()]);
  });

  test('erasing while appending', async () => {
    const store = await fresh();
    await grow(store, 600);
    const erased = store.eraseEvidence('tenant-0', 600);
    await grow(store, 1200, 50);
    expect(await erased).toBe(150);
    const records = await store.scan(0, 1200);
    expect(records.filter(({ tenantId, evidence }) => tenantId === 'tenant-0' && evidence !== undefined)).toHaveLength(
      150,
    );
    same([await store.root()], [new NaiveTree(testRecords(0, 1200).map((record) => record.leaf)).root()]);
  });
}
