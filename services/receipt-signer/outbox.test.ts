import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import type { LedgerStore } from '../../ports/ledger-store/port.ts';
import { MemoryOutboxCursor } from '../../ports/outbox-cursor/memory.ts';
import { MemoryReceiptStream } from '../../ports/receipt-stream/memory.ts';
import { LOG, TestLog } from '../scoring/log.fixture.ts';
import { COMPARE_INTERVAL_MS, OUTBOX_BATCH, Outbox } from './outbox.ts';

const TRACE = 'ab'.repeat(16);

describe('handing the log over', () => {
  let signed: TestLog;
  let store: LedgerStore;
  let stream: MemoryReceiptStream;
  let cursor: MemoryOutboxCursor;
  let faults: unknown[];
  let outbox: Outbox;

  const make = () => new Outbox({ store, stream, cursor, failed: (fault) => faults.push(fault) });
  const seal = async (count: number) => {
    const from = signed.leaves.length;
    for (let n = 0; n < count; n++) signed.append('outcome', { tenant_id: 't', agent_id: 'a', trace_id: TRACE });
    await store.append(signed.leaves.slice(from).map((leaf) => ({ leaf, tenantId: 't' })));
    outbox.grown();
  };
  const empty = () => vi.waitFor(() => expect(outbox.lag()).toBe(0), 5_000);
  beforeEach(() => {
    signed = new TestLog();
    store = createMemoryLedger({ logId: LOG, origin: `beacon.local/receipt-signer/${LOG}` });
    stream = new MemoryReceiptStream();
    cursor = new MemoryOutboxCursor();
    faults = [];
    outbox = make();
  });
  afterEach(() => outbox.stop());

  it('hands over each leaf once, in order, with id, place, tenant and trace', async () => {
    await seal(OUTBOX_BATCH + 10);
    await outbox.start();
    await seal(3);
    await empty();
    expect(stream.stored.map(({ index }) => index)).toEqual([...Array(OUTBOX_BATCH + 13).keys()]);
    expect(stream.stored[7]).toEqual({
      receiptId: `${LOG}-7`,
      logId: LOG,
      index: 7,
      tenantId: 't',
      envelope: expect.anything(),
      traceparent: expect.stringMatching(/^00-(ab){16}-[0-9a-f]{16}-00$/),
    });
    expect(faults).toEqual([]);
  });

  it('hands over the bytes of the ledger', async () => {
    await outbox.start();
    await seal(1);
    await empty();
    expect(Buffer.compare(stream.stored[0]?.envelope as Uint8Array, signed.leaves[0] as Uint8Array)).toBe(0);
  });

  it('waits for a stream that is away, says how much waits, and loses nothing', async () => {
    stream.up = false;
    await outbox.start();
    await seal(5);
    await vi.waitFor(() => expect(faults.length).toBeGreaterThan(2), 5_000);
    expect(outbox.lag()).toBe(5);
    stream.up = true;
    await empty();
    expect(stream.stored).toHaveLength(5);
  });

  it('does not move past a batch that failed after it was stored', async () => {
    await outbox.start();
    const publish = stream.publish.bind(stream);
    vi.spyOn(stream, 'publish').mockImplementationOnce(async (batch) => {
      await publish(batch);
      throw new Error('the answer was lost');
    });
    await seal(5);
    await empty();
    expect(stream.publish).toHaveBeenCalledTimes(2);
    expect(stream.stored).toHaveLength(5);
  });

  it('does not move past a batch that failed and was not stored', async () => {
    await outbox.start();
    vi.spyOn(stream, 'publish').mockRejectedValueOnce(new Error('lost'));
    await seal(5);
    await empty();
    expect(stream.stored).toHaveLength(5);
  });

  it('goes on where the saved cursor stands', async () => {
    await outbox.start();
    await seal(5);
    await empty();
    await outbox.stop();
    expect(await cursor.load()).toMatchObject({ index: 5, stream: 'life-1' });
    outbox = make();
    const publish = vi.spyOn(stream, 'publish');
    await outbox.start();
    await seal(2);
    await empty();
    expect(publish.mock.calls.flatMap(([batch]) => batch.map(({ index }) => index))).toEqual([5, 6]);
  });

  it('never saves more than was acknowledged', async () => {
    await outbox.start();
    vi.spyOn(stream, 'publish').mockRejectedValue(new Error('lost'));
    await seal(5);
    await vi.waitFor(() => expect(faults.length).toBeGreaterThan(0));
    await outbox.stop();
    expect((await cursor.load())?.index ?? 0).toBe(0);
  });

  it('fills a stream that was made anew, noticed at start, after a failure or when quiet', async () => {
    await outbox.start();
    await seal(5);
    await empty();
    await outbox.stop();
    stream.wipe();
    outbox = make();
    await outbox.start();
    await vi.waitFor(() => expect(stream.stored).toHaveLength(5));
    stream.wipe();
    vi.spyOn(stream, 'publish').mockRejectedValueOnce(new Error('no such stream'));
    await seal(1);
    await vi.waitFor(() => expect(stream.stored).toHaveLength(6));
    await outbox.stop();
    vi.useFakeTimers({ toFake: ['setInterval'] });
    outbox = make();
    await outbox.start();
    await empty();
    stream.wipe();
    vi.advanceTimersByTime(COMPARE_INTERVAL_MS);
    vi.useRealTimers();
    await vi.waitFor(() => expect(stream.stored).toHaveLength(6));
  });

  it('saves which stream it filled again, though it stands where it stood', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    await outbox.start();
    await seal(5);
    await vi.waitFor(async () => expect((await cursor.load())?.index).toBe(5), 2_000);
    stream.wipe();
    vi.advanceTimersByTime(COMPARE_INTERVAL_MS);
    vi.useRealTimers();
    await vi.waitFor(() => expect(stream.stored).toHaveLength(5));
    await outbox.stop();
    expect(await cursor.load()).toMatchObject({ index: 5, stream: (await stream.reach(store.logId)).identity });
  });

  it('hands over again what the stream acknowledged and then lost', async () => {
    await outbox.start();
    await seal(20);
    await empty();
    stream.forgetLast(7);
    vi.spyOn(stream, 'publish').mockRejectedValueOnce(new Error('connection lost'));
    await seal(1);
    await vi.waitFor(() => expect(stream.stored.map(({ index }) => index)).toEqual([...Array(21).keys()]));
  });

  it('hands everything over again when told to', async () => {
    await outbox.start();
    await seal(5);
    await empty();
    const publish = vi.spyOn(stream, 'publish');
    await outbox.rewind();
    await empty();
    expect(publish.mock.calls.flatMap(([batch]) => batch)).toHaveLength(5);
    expect(stream.stored).toHaveLength(5);
  });

  it('hands nothing over in another region than where the log was begun', async () => {
    const inRegion = (region: string) => new Outbox({ store, stream, cursor, region, failed: () => {} });
    outbox = inRegion('eu');
    await outbox.start();
    await outbox.stop();
    await seal(3);
    for (const region of ['us', '']) {
      await expect(inRegion(region).start()).rejects.toMatchObject({ code: 'failed_precondition' });
    }
    expect(stream.stored).toEqual([]);
    outbox = inRegion('eu');
    await outbox.start();
    await vi.waitFor(() => expect(stream.stored).toHaveLength(3));
  });

  it('goes on with a cursor from before its region was kept', async () => {
    await cursor.save({ index: 0, stream: 'life-1' });
    outbox = new Outbox({ store, stream, cursor, region: 'eu', failed: () => {} });
    await outbox.start();
    expect(await cursor.load()).toMatchObject({ index: 0, stream: 'life-1', region: 'eu' });
  });

  it('refuses to start beside a log that is shorter than what was handed over', async () => {
    await cursor.save({ index: 3, stream: 'life-1' });
    await expect(outbox.start()).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});
