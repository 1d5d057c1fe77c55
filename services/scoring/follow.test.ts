import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVENTS } from '../../core/events.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { MemoryScoreStore } from '../../ports/score-store/memory.ts';
import { ScoreFollower } from './follow.ts';
import { LOG, NOW, newSigner, TestLog } from './log.fixture.ts';

const DAY_MS = 86_400_000;
const a = { tenantId: 't', agentId: 'a' };

describe('following the log', () => {
  let log: TestLog;
  let store: MemoryScoreStore;
  let bus: MemoryEventBus;
  let follower: ScoreFollower;
  let faults: unknown[];
  let nowMs: number;

  const make = () =>
    new ScoreFollower({
      store,
      source: log,
      keys: log.keys,
      bus,
      now: () => nowMs,
      onFault: (fault) => faults.push(fault),
    });
  beforeEach(() => {
    log = new TestLog();
    store = new MemoryScoreStore();
    bus = new MemoryEventBus();
    faults = [];
    nowMs = NOW;
    follower = make();
  });
  afterEach(() => follower.stop());
  const settled = async () => expect(await follower.caughtUp(log.size(), 2_000)).toBe(true);

  it('folds what is there, then what is told, and keeps the position', async () => {
    for (let n = 0; n < 100; n++) log.work();
    await follower.start();
    await settled();
    expect(await store.position(LOG)).toBe(300);
    expect(await store.read(a)).toMatchObject({ validReceipts: 300, totalReceipts: 300, assertedScore: 300 });
    log.work();
    bus.publish({ name: EVENTS.receiptAppended, data: { log_id: LOG, size: 303 } });
    await vi.waitFor(async () => expect(await store.position(LOG)).toBe(303));
  });

  it('recomputed from nothing gives the same rows, in whatever pieces it was folded', async () => {
    await follower.start();
    for (let n = 0; n < 30; n++) {
      log.work({ agent_id: `a${n % 3}` });
      if (n % 4 === 0) log.deny({ agent_id: `a${n % 3}` });
      log.nowMs += 5 * 3_600_000;
      await settled();
    }
    await follower.stop();
    const rows = await store.list('', '', 10);
    store = new MemoryScoreStore();
    follower = make();
    await follower.start();
    await settled();
    expect(await store.list('', '', 10)).toEqual(rows);
    expect(rows).toHaveLength(3);
  });

  it('counts only what verifies under the published keys and stands where it says', async () => {
    log.work();
    const who = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated' };
    log.leaves.push(log.sign('action', who, log.size(), newSigner()));
    log.leaves.push(log.sign('action', who, 77));
    log.leaves.push(Buffer.from('not a receipt'));
    const spoiled = Buffer.from(log.sign('action', who));
    spoiled[spoiled.length - 20] = spoiled[spoiled.length - 20] === 0x41 ? 0x42 : 0x41;
    log.leaves.push(spoiled);
    await follower.start();
    await settled();
    expect(await store.read(a)).toMatchObject({ validReceipts: 3, totalReceipts: 6 });
    expect(faults).toEqual([]);
  });

  it('takes back a voided receipt', async () => {
    log.work();
    await follower.start();
    await settled();
    const before = await store.read(a);
    const orphan = log.deny();
    await settled();
    expect((await store.read(a))?.score).toBeLessThan(before?.score ?? 0);
    log.append('void', { voids: orphan, reason: 'orphan', tenant_id: 't', agent_id: 'a' });
    log.append('void', { voids: orphan, reason: 'again', tenant_id: 't', agent_id: 'a' });
    log.append('void', { voids: `${LOG}-999999`, reason: 'none', tenant_id: 't', agent_id: 'a' });
    await settled();
    expect(await store.read(a)).toMatchObject({ validReceipts: 3, totalReceipts: 3 });
    expect((await store.read(a))?.score).toBeGreaterThanOrEqual((before?.score ?? 0) - 15);
  });

  it('tells when a score has changed', async () => {
    const told: unknown[] = [];
    bus.subscribe(EVENTS.trustChanged, (event) => told.push(event.data));
    log.work();
    await follower.start();
    await settled();
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(told[0]).toMatchObject({ tenant_id: 't', agent_id: 'a', band: 'poor', valid_receipts: 3 });
  });

  it('refreshes agents at rest on a new day', async () => {
    for (let n = 0; n < 30; n++) log.work();
    await follower.start();
    await settled();
    const before = (await store.read(a))?.score ?? 0;
    nowMs += 100 * DAY_MS;
    bus.publish({ name: EVENTS.receiptAppended, data: {} });
    await vi.waitFor(async () => expect((await store.read(a))?.score).toBeLessThan(before));
  });

  it('goes on after a fault, losing and repeating nothing', async () => {
    await follower.start();
    log.work();
    const fold = vi.spyOn(store, 'fold').mockRejectedValueOnce(new Error('disk'));
    expect(await follower.caughtUp(3, 300)).toBe(false);
    expect(faults).toHaveLength(1);
    expect(await follower.caughtUp(3, 3_000)).toBe(true);
    expect(fold).toHaveBeenCalledTimes(2);
    expect((await store.read(a))?.validReceipts).toBe(3);
  });

  it('refuses to start on a store that knows more than the log', async () => {
    await store.fold([], { logId: LOG, index: 5 });
    await expect(follower.start()).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('leaves the event loop responsive while far behind', async () => {
    for (let n = 0; n < 700; n++) log.work();
    let longest = 0;
    let last = performance.now();
    const ticker = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await follower.start();
    await follower.caughtUp(log.size(), 10_000);
    clearInterval(ticker);
    expect(longest).toBeLessThan(250);
  });

  it('answers false in the stated time when it cannot catch up', async () => {
    await follower.start();
    expect(await follower.caughtUp(99, 30)).toBe(false);
    await follower.stop();
    expect(await follower.caughtUp(99, 10_000)).toBe(false);
  });
});
