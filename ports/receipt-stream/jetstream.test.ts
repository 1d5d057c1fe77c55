import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type Nats, openNats } from '../../runtime/nats.ts';
import { describeWithNats, NatsServer } from '../../test/nats-server.ts';
import { describeReceiptStream, LOGS, numbers, streamed } from './contract.ts';
import { JetStreamReceiptStream, STREAM, SUBJECT_PREFIX } from './jetstream.ts';

const LIMITS = { maxBytes: 64 * 2 ** 20, maxAgeMs: 3_600_000 };

describeWithNats('receipt stream on JetStream', () => {
  const server = new NatsServer();
  const opened: Nats[] = [];
  const open = async (over: Partial<typeof LIMITS> = {}) => {
    const nats = openNats({ servers: [server.address], name: 'test' });
    opened.push(nats);
    expect(await nats.connected(5_000)).toBe(true);
    const connection = nats.connection() as NatsConnection;
    const stream = new JetStreamReceiptStream({ nats, ...LIMITS, ...over });
    return { nats, stream, manager: await jetstreamManager(connection) };
  };
  beforeAll(() => server.start());
  afterEach(async () => {
    for (const nats of opened.splice(0)) await nats.close();
  });
  afterAll(() => server.remove());

  const fresh = async () => {
    const { manager } = await open();
    await manager.streams.delete(STREAM).catch(() => undefined);
  };

  describeReceiptStream('jetstream', async () => {
    await fresh();
    return { one: (await open()).stream, two: (await open()).stream };
  });

  it('is made as promised: in files, refusing the new when full, bounded by bytes and age', async () => {
    await fresh();
    const { stream, manager } = await open();
    await stream.reach(LOGS[0]);
    expect((await manager.streams.info(STREAM)).config).toMatchObject({
      storage: 'file',
      discard: 'new',
      max_bytes: LIMITS.maxBytes,
      max_age: LIMITS.maxAgeMs * 1e6,
      duplicate_window: 120e9,
    });
  });

  it('refuses the new when it is full, and keeps the old', async () => {
    await fresh();
    const { stream, manager } = await open({ maxBytes: 20_000 });
    await expect(stream.publish(numbers(0, 500).map((n) => streamed(n)))).rejects.toMatchObject({
      code: 'unavailable',
    });
    const { state } = await manager.streams.info(STREAM);
    expect(state.first_seq).toBe(1);
    expect(state.messages).toBeGreaterThan(50);
    expect(state.messages).toBeLessThan(500);
  });

  it('refuses a stream that would drop the old, and keeps the limits an operator gave it', async () => {
    await fresh();
    const { stream, manager } = await open();
    const config = { name: STREAM, subjects: [`${SUBJECT_PREFIX}*`], max_bytes: 1_000_000 };
    await manager.streams.add({ ...config, discard: 'old' });
    await expect(stream.publish([streamed(0)])).rejects.toMatchObject({ code: 'failed_precondition' });
    await manager.streams.delete(STREAM);
    await manager.streams.add({ ...config, discard: 'new' });
    await stream.publish([streamed(0)]);
    expect((await manager.streams.info(STREAM)).config.max_bytes).toBe(1_000_000);
  });

  it('gets rid of what is no receipt', async () => {
    await fresh();
    const { stream, nats } = await open();
    await stream.reach(LOGS[0]);
    nats.connection()?.publish(SUBJECT_PREFIX + LOGS[0], 'noise');
    await stream.publish([streamed(0)]);
    const got: number[] = [];
    const consumption = stream.consume('d', LOGS[0], async ({ index }) => void got.push(index));
    await vi.waitFor(() => expect(got).toEqual([0]), 5_000);
    await consumption.stop();
  });

  it('goes on after kill -9 of the server, with what was acknowledged and what was not', async () => {
    await fresh();
    const { stream, nats } = await open();
    const got: number[] = [];
    const consumption = stream.consume('d', LOGS[0], async ({ index }) => void got.push(index));
    await stream.publish(numbers(0, 50).map((n) => streamed(n)));
    await vi.waitFor(() => expect(got).toHaveLength(50), 5_000);
    await server.kill();
    await expect(stream.publish([streamed(50)])).rejects.toMatchObject({ code: 'unavailable' });
    await server.start();
    await nats.connected(10_000);
    await stream.publish([streamed(49), streamed(50)]);
    await vi.waitFor(() => expect(got).toContain(50), 15_000);
    await consumption.stop();
    expect(new Set(got).size).toBe(51);
  });

  it('hands over once what is still being handled, however often it comes, and then acknowledges it', async () => {
    await fresh();
    const { stream, manager } = await open();
    const end: (() => void)[] = [];
    const consumption = stream.consume('d', LOGS[0], () => new Promise((resolve) => end.push(resolve)));
    await stream.publish(numbers(0, 50).map((n) => streamed(n)));
    await vi.waitFor(() => expect(end).toHaveLength(50), 5_000);
    // What is acknowledged within 30 s otherwise: a store that is away for an hour, in three seconds.
    const name = `d-${LOGS[0]}`;
    await manager.consumers.update(STREAM, name, { ack_wait: 200e6 });
    const waits = async () => await manager.consumers.info(STREAM, name);
    await vi.waitFor(async () => expect((await waits()).num_redelivered).toBe(50), 5_000);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(end).toHaveLength(50);
    for (const one of end) one();
    await vi.waitFor(async () => expect((await waits()).num_ack_pending).toBe(0), 5_000);
    await consumption.stop();
  });

  it('makes stream and consumer anew when both are gone, under another identity', async () => {
    await fresh();
    const { stream, manager } = await open();
    const got: number[] = [];
    const consumption = stream.consume('d', LOGS[0], async ({ index }) => void got.push(index));
    await stream.publish([streamed(0)]);
    await vi.waitFor(() => expect(got).toEqual([0]), 5_000);
    const { identity } = await stream.reach(LOGS[0]);
    await manager.streams.delete(STREAM);
    await expect(stream.publish([streamed(1)])).rejects.toMatchObject({ code: 'unavailable' });
    await stream.publish([streamed(1)]);
    expect((await stream.reach(LOGS[0])).identity).not.toBe(identity);
    await vi.waitFor(() => expect(got).toEqual([0, 1]), 15_000);
    await consumption.stop();
  });

  it('lets another replica take over from one that went silent', { timeout: 40_000 }, async () => {
    await fresh();
    const [one, two] = [await open(), await open()];
    const left: number[] = [];
    const right: number[] = [];
    one.stream.consume('d', LOGS[0], async ({ index }) => void left.push(index));
    await one.stream.publish([streamed(0)]);
    await vi.waitFor(() => expect(left).toEqual([0]), 5_000);
    const second = two.stream.consume('d', LOGS[0], async ({ index }) => void right.push(index));
    // Gone without a word, as a killed process is.
    await one.nats.connection()?.close();
    await two.stream.publish([streamed(1)]);
    await vi.waitFor(() => expect(right).toEqual([1]), 15_000);
    await second.stop();
    await one.stream.close();
  });
});
