import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { MemoryReceiptStream } from '../../ports/receipt-stream/memory.ts';
import type { StreamedReceipt } from '../../ports/receipt-stream/port.ts';
import { MemoryScoreStore } from '../../ports/score-store/memory.ts';
import { StreamFollower } from './follow-stream.ts';
import { LOG, NOW, newSigner, TestLog } from './log.fixture.ts';

const a = { tenantId: 't', agentId: 'a' };

describe('following the stream', () => {
  let log: TestLog;
  let store: MemoryScoreStore;
  let stream: MemoryReceiptStream;
  let faults: unknown[];
  const followers: StreamFollower[] = [];

  const make = (over: object = {}) => {
    const onFault = (fault: unknown) => void faults.push(fault);
    const shared = { store, stream, bus: new MemoryEventBus(), now: () => NOW, onFault };
    const follower = new StreamFollower({ ...shared, source: log, keys: log.keys, ...over });
    followers.push(follower);
    return follower;
  };
  const message = (index: number, envelope = log.leaves[index] as Uint8Array): StreamedReceipt => {
    return { receiptId: `${LOG}-${index}`, logId: LOG, index, tenantId: 't', envelope };
  };
  const publish = (...indexes: number[]) => stream.publish(indexes.map((index) => message(index)));
  const folded = (count: number) =>
    vi.waitFor(async () => expect(await store.position(LOG)).toBe(count), { timeout: 5_000, interval: 5 });
  const counted = async (valid: number, total = valid) =>
    expect(await store.read(a)).toMatchObject({ validReceipts: valid, totalReceipts: total });
  beforeEach(() => {
    log = new TestLog();
    store = new MemoryScoreStore();
    stream = new MemoryReceiptStream();
    faults = [];
    for (let n = 0; n < 100; n++) log.work();
  });
  afterEach(async () => {
    for (const follower of followers.splice(0)) await follower.stop();
  });

  it('folds what is delivered, without asking the log', async () => {
    const scan = vi.spyOn(log, 'scan');
    make().start();
    await publish(...Array(300).keys());
    await folded(300);
    await counted(300);
    expect(scan).not.toHaveBeenCalled();
  });

  it('counts each leaf once, delivered twice, backwards, and again after all', async () => {
    const order = [...Array(300).keys()].reverse();
    const taken: Promise<void>[] = [];
    const consume = (_durable: string, _logId: string, handle: (receipt: StreamedReceipt) => Promise<void>) => {
      for (const index of [...order, ...order]) taken.push(handle(message(index)));
      setTimeout(() => taken.push(handle(message(3)), handle(message(3))), 100);
      return { stop: async () => {} };
    };
    make({ stream: { consume } }).start();
    await folded(300);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await Promise.all(taken);
    expect(taken).toHaveLength(602);
    await counted(300);
  });

  it('acknowledges nothing that is not folded', async () => {
    const fold = vi.spyOn(store, 'foldFrom').mockRejectedValue(new Error('store away'));
    const acknowledged: number[] = [];
    const consume = (_durable: string, _logId: string, handle: (receipt: StreamedReceipt) => Promise<void>) => {
      for (const index of [0, 1])
        handle(message(index))
          .then(() => acknowledged.push(index))
          .catch(() => {});
      return { stop: async () => {} };
    };
    const follower = make({ stream: { consume } });
    follower.start();
    await vi.waitFor(() => expect(faults.length).toBeGreaterThan(0));
    expect(acknowledged).toEqual([]);
    fold.mockRestore();
    await vi.waitFor(() => expect(acknowledged).toEqual([0, 1]), 5_000);
  });

  it('asks the log for what the stream does not bring', async () => {
    const follower = make();
    follower.start();
    await publish(0, 1, 2, 10, 11, 299);
    await folded(300);
    await counted(300);
    expect(follower.counts.askedFor).toBeGreaterThan(280);
  });

  it('takes from the log what the stream brings spoiled, and counts nothing that the log does not have', async () => {
    const who = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated' };
    make().start();
    await stream.publish([
      message(0, Buffer.from('junk')),
      message(1, log.sign('outcome', { ...who, status: 'failed' }, 1, newSigner())),
      message(2, log.leaves[1]),
      message(3),
      message(77_000, Buffer.from('junk')),
    ]);
    await folded(300);
    await counted(300);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await store.position(LOG)).toBe(300);
    expect(faults).toEqual([]);
  });

  it('gives back what lies beyond the end of the log, so that it fills no buffer', async () => {
    const taken: Promise<string>[] = [];
    const consume = (_durable: string, _logId: string, handle: (receipt: StreamedReceipt) => Promise<void>) => {
      const given = handle(message(77_000, log.leaves[0]));
      taken.push(given.then(() => 'acknowledged').catch((thrown: { code?: string }) => `${thrown.code}`));
      return { stop: async () => {} };
    };
    make({ stream: { consume } }).start();
    expect(await taken[0]).toBe('failed_precondition');
    await counted(300);
  });

  it('counts a leaf of the log that does not qualify as the ledger follower does', async () => {
    log.leaves.push(log.sign('action', { tenant_id: 't', agent_id: 'a' }, 300, newSigner()));
    make().start();
    await publish(...Array(301).keys());
    await folded(301);
    await counted(300, 301);
  });

  it('learns a new key when the signer has one', async () => {
    const known = [newSigner().publicKey];
    const keys = { all: () => known, refresh: async () => void known.push(log.signer.publicKey) };
    make({ keys }).start();
    await publish(0, 1, 2);
    await vi.waitFor(() => counted(300));
  });

  it('goes on where another stopped, and folds anew from the log what a flushed store forgot', async () => {
    const first = make();
    first.start();
    await publish(...Array(150).keys());
    await folded(150);
    await first.stop();
    const second = make();
    second.start();
    await publish(...Array.from({ length: 150 }, (_, n) => 150 + n));
    await folded(300);
    await counted(300);
    await second.stop();
    store = new MemoryScoreStore();
    const third = make();
    third.start();
    expect(await third.upToDate(5_000)).toBe(true);
    await counted(300);
  });

  it('shares rows with the follower of another log, and a log with another replica, and counts each leaf once', async () => {
    const other = new TestLog();
    Object.assign(other, { logId: 'bbbbbbbbbbbb', leaves: log.leaves, signer: log.signer, keys: log.keys });
    // Leaves that name another log qualify for nothing there, but touch the same rows.
    const slow = new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
          return value.apply(target, args);
        };
      },
    });
    const everything = {
      consume: (_durable: string, _logId: string, handle: (receipt: StreamedReceipt) => Promise<void>) => {
        for (const index of log.leaves.keys()) void handle(message(index)).catch(() => {});
        return { stop: async () => {} };
      },
    };
    const all = [log, log, other].map((source) => make({ source, store: slow, stream: everything }));
    for (const follower of all) follower.start();
    await folded(300);
    await vi.waitFor(async () => expect(await store.position('bbbbbbbbbbbb')).toBe(300), 5_000);
    await counted(300, 600);
    expect(all.reduce((sum, { counts }) => sum + counts.overtaken, 0)).toBeGreaterThan(0);
  });

  it('says within the time given that it is behind, or that the log cannot be asked', async () => {
    const source = { logId: LOG, size: () => 300, scan: async () => Promise.reject(new Error('away')) };
    const follower = make({ source });
    follower.start();
    expect(await follower.upToDate(30)).toBe(false);
    const gone = make({ source: { ...source, size: () => Promise.reject(new Error('away')) } });
    gone.start();
    expect(await gone.upToDate(30)).toBe(false);
  });
});
