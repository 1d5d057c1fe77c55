// A checkpoint covers a leaf soon enough by itself, sooner for whoever waits, and never more often than the disk should bear.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noteKey, signNote } from '../../core/ledger/note.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { CHECKPOINT_DELAY_MS, CheckpointPublisher, LEAST_BETWEEN_MS } from './checkpoints.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

function world() {
  const store = createMemoryLedger({ logId: 'a'.repeat(12), origin: `beacon.local/receipt-signer/${'a'.repeat(12)}` });
  const logKey = memorySigningKeys().current();
  const key = noteKey(store.origin, logKey.publicKey.bytes);
  let published = 0;
  const faults: unknown[] = [];
  const publisher = new CheckpointPublisher({
    store,
    signNote: (body) => {
      published += 1;
      return signNote(body, [{ key, sign: (message) => logKey.sign(message) }]);
    },
    failed: (fault) => faults.push(fault),
  });
  const grow = async () => {
    await store.append([{ leaf: new Uint8Array([store.size() % 256]), tenantId: 't' }]);
    publisher.grown();
  };
  return { store, publisher, grow, published: () => published, faults };
}

test('while nobody waits one checkpoint serves all that was sealed meanwhile', async () => {
  const { store, grow, published } = world();
  for (let n = 0; n < 8; n++) {
    await grow();
    await vi.advanceTimersByTimeAsync(CHECKPOINT_DELAY_MS / 8 - 1);
  }
  expect(published()).toBe(0);
  await vi.advanceTimersByTimeAsync(8);
  expect([published(), store.checkpoint()?.size]).toEqual([1, 8]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(published()).toBe(1);
});

test('whoever waits has one at once, or as soon as the last is old enough', async () => {
  const { publisher, grow, published } = world();
  await grow();
  const first = publisher.covers(1, 5_000);
  await vi.advanceTimersByTimeAsync(1);
  expect([await first, published()]).toEqual([true, 1]);
  await grow();
  const second = publisher.covers(2, 5_000);
  await vi.advanceTimersByTimeAsync(LEAST_BETWEEN_MS - 10);
  expect(published()).toBe(1);
  await vi.advanceTimersByTimeAsync(10);
  expect([await second, published()]).toEqual([true, 2]);
});

test('what is waited for before it is sealed is covered as soon', async () => {
  const { publisher, grow } = world();
  const early = publisher.covers(1, 5_000);
  await vi.advanceTimersByTimeAsync(1_000);
  await grow();
  await vi.advanceTimersByTimeAsync(1);
  expect(await early).toBe(true);
});

test('many that wait make it no more often', async () => {
  const { publisher, grow, published } = world();
  const waited: Promise<boolean>[] = [];
  for (let n = 0; n < 100; n++) {
    await grow();
    waited.push(publisher.covers(n + 1, 5_000));
    await vi.advanceTimersByTimeAsync(10);
  }
  await vi.advanceTimersByTimeAsync(LEAST_BETWEEN_MS);
  expect((await Promise.all(waited)).every(Boolean)).toBe(true);
  expect(published()).toBeLessThanOrEqual(1_000 / LEAST_BETWEEN_MS + 2);
});

test('who waits too short a time is told so', async () => {
  const { publisher, grow } = world();
  await grow();
  expect(await publisher.covers(1, 0)).toBe(false);
  const never = publisher.covers(7, 100);
  await vi.advanceTimersByTimeAsync(100);
  expect(await never).toBe(false);
});
