// What counts as stored is what the stream itself says that it stored.

import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Nats, openNats } from '../../runtime/nats.ts';
import { describeWithNats, NatsServer } from '../../test/nats-server.ts';
import { type Outgoing, StreamPublisher } from './jetstream-publisher.ts';

const IN_TIME_MS = 3_000;
/** After it a process that was told to stand still does. */
const SIGNAL_MS = 100;

describeWithNats('publishing to a stream', () => {
  const server = new NatsServer();
  let nats: Nats;
  let connection: NatsConnection;
  let publisher: StreamPublisher;
  beforeAll(async () => {
    await server.start();
    nats = openNats({ servers: [server.address], name: 'test' });
    expect(await nats.connected(5_000)).toBe(true);
    connection = nats.connection() as NatsConnection;
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'ONE', subjects: ['one.*'], max_msgs: 5, discard: 'new' });
    await manager.streams.add({ name: 'TWO', subjects: ['two.*'] });
    publisher = new StreamPublisher(connection, 'ONE');
  });
  afterAll(async () => {
    await nats?.close();
    await server.remove();
  });
  const paused = () => {
    server.pause();
    return new Promise((resolve) => setTimeout(resolve, SIGNAL_MS));
  };
  const message = (id: string, subject = 'one.a'): Outgoing => ({
    subject,
    id,
    headers: [['Own', 'ü']],
    data: new Uint8Array(Buffer.from(id)),
  });

  it('stores in order, once, with the headers first that came with it', async () => {
    await Promise.all([
      publisher.publish([message('0'), message('1')], IN_TIME_MS),
      publisher.publish([message('1'), message('2')], IN_TIME_MS),
    ]);
    const { streams } = await jetstreamManager(connection);
    const stored = await Promise.all([1, 2, 3].map((seq) => streams.getMessage('ONE', { seq })));
    expect(stored.map((found) => found?.string())).toEqual(['0', '1', '2']);
    expect([...(stored[1]?.header ?? [])]).toEqual([
      ['Own', ['ü']],
      ['Nats-Msg-Id', ['1']],
      ['Nats-Expected-Stream', ['ONE']],
    ]);
  });

  it.each([
    ['refuses one of them', [message('3'), message('4'), message('5')]],
    ['is another one', [message('6', 'two.a')]],
    ['is nowhere', [message('7', 'none.a')]],
  ])('fails when the stream %s', async (_, batch) => {
    await expect(publisher.publish(batch, IN_TIME_MS)).rejects.toThrow(/refused|nobody/);
  });

  it('fails when there is no word in time, and hears no late one for what comes next', async () => {
    await paused();
    await expect(publisher.publish([message('0'), message('1')], 200)).rejects.toThrow('2 were not acknowledged');
    const next = publisher.publish([message('8')], IN_TIME_MS);
    server.resume();
    await expect(next).rejects.toThrow('refused');
  });

  it('fails at once when the connection is closed', async () => {
    await paused();
    const startedMs = performance.now();
    const fails = expect(publisher.publish([message('0')], IN_TIME_MS)).rejects.toThrow('closed');
    await Promise.all([connection.close(), fails]);
    expect(performance.now() - startedMs).toBeLessThan(IN_TIME_MS);
    server.resume();
  });
});
