import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type Nats, openNats } from '../../runtime/nats.ts';
import { describeWithNats, NatsServer } from '../../test/nats-server.ts';
import { describeEventBus } from './contract.ts';
import { MAX_UNREAD, MAX_WAITING, NatsEventBus } from './nats.ts';
import type { BusEvent } from './port.ts';

describeWithNats('event bus over NATS', () => {
  const server = new NatsServer();
  const opened: Nats[] = [];
  let senders = 0;
  const open = async (up = true) => {
    const nats = openNats({ servers: [server.address], name: 'test' });
    opened.push(nats);
    if (up) expect(await nats.connected(5_000)).toBe(true);
    return { nats, bus: new NatsEventBus({ nats, sender: `s${senders++}` }) };
  };
  beforeAll(() => server.start());
  afterEach(async () => {
    for (const nats of opened.splice(0)) await nats.close();
  });
  afterAll(() => server.remove());

  describeEventBus('nats, one process', async () => (await open()).bus);
  describeEventBus('nats, publisher and listener in two processes', async () => {
    const [from, to] = [await open(), await open()];
    return {
      publish: (event) =>
        void to.nats
          .connection()
          ?.flush()
          .then(() => from.bus.publish(event)),
      subscribe: (name, listener) => to.bus.subscribe(name, listener),
      close: async () => {
        await from.bus.close();
        await to.bus.close();
      },
    };
  });

  it('tells a listener once, here and there, with the trace', async () => {
    const [one, two] = [await open(), await open()];
    const [here, there]: [BusEvent[], BusEvent[]] = [[], []];
    one.bus.subscribe('decision.made', (event) => here.push(event));
    two.bus.subscribe('decision.made', (event) => there.push(event));
    const traces: string[] = [];
    two.nats.connection()?.subscribe('beacon.event.>', {
      callback: (_error, message) => void traces.push(message.headers?.get('traceparent') ?? ''),
    });
    await two.nats.connection()?.flush();
    const data = { receipt_id: 'r-1', trace_id: 'ab'.repeat(16) };
    one.bus.publish({ name: 'decision.made', data });
    await vi.waitFor(() => expect(traces).toHaveLength(1));
    expect(there).toEqual([{ name: 'decision.made', data }]);
    expect(here).toEqual(there);
    expect(traces[0]).toMatch(/^00-(ab){16}-[0-9a-f]{16}-00$/);
    const span = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), flags: 1, state: '' };
    one.bus.publish({ name: 'decision.made', data, span });
    await vi.waitFor(() => expect(traces).toHaveLength(2));
    expect(traces[1]).toBe(`00-${span.traceId}-${span.spanId}-01`);
  });

  it('tells of a tenant under its region’s subject alone, and of one without a region nobody outside', async () => {
    const { nats } = await open();
    const regional = async () => {
      const regionOf = (tenantId: string) => (tenantId === 'acme' ? 'eu' : undefined);
      return new NatsEventBus({ nats: (await open()).nats, sender: `s${senders++}`, regionOf });
    };
    const [one, two] = [await regional(), await regional()];
    const there: BusEvent[] = [];
    two.subscribe('decision.made', (event) => there.push(event));
    const subjects: string[] = [];
    nats.connection()?.subscribe('beacon.>', { callback: (_error, { subject }) => void subjects.push(subject) });
    await nats.connection()?.flush();
    const made = { name: 'decision.made' };
    one.publish({ ...made, data: { tenant_id: 'acme' } });
    one.publish({ ...made, data: { tenant_id: 'acme' }, region: 'us' });
    one.publish({ ...made, data: { tenant_id: 'nobody' } });
    one.publish({ ...made, data: { log_id: 'about no tenant' } });
    await vi.waitFor(() => expect(subjects).toHaveLength(3));
    expect(subjects).toEqual([
      'beacon.region.eu.event.decision.made',
      'beacon.region.us.event.decision.made',
      'beacon.event.decision.made',
    ]);
    await vi.waitFor(() => expect(there).toHaveLength(3));
    expect(one.dropped).toBe(1);
  });

  it('takes nothing that is no event from whoever may publish', async () => {
    const { nats, bus } = await open();
    const events: BusEvent[] = [];
    bus.subscribe('a', (event) => events.push(event));
    for (const text of ['[1]', 'null', '{', '"x"', '{"n":1}']) nats.connection()?.publish('beacon.event.a', text);
    await vi.waitFor(() => expect(events).toEqual([{ name: 'a', data: { n: 1 } }]));
  });

  it('never throws, drops the oldest and counts while NATS is away, and goes on when it is back', async () => {
    const [one, two] = [await open(), await open()];
    const there: unknown[] = [];
    two.bus.subscribe('a', (event) => there.push(event.data.n));
    await two.nats.connection()?.flush();
    await server.kill();
    await vi.waitFor(() => expect(one.nats.connection()).toBeUndefined(), 5_000);
    for (let n = 0; n < MAX_WAITING + 10; n++) one.bus.publish({ name: 'a', data: { n } });
    expect(one.bus.dropped).toBe(10);
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(() => one.bus.publish({ name: 'a', data: cyclic })).not.toThrow();
    await server.start();
    expect(await one.nats.connected(10_000)).toBe(true);
    expect(await two.nats.connected(10_000)).toBe(true);
    one.bus.publish({ name: 'a', data: { n: -1 } });
    await vi.waitFor(() => expect(there.at(-1)).toBe(-1), 5_000);
    expect(one.bus.dropped).toBeGreaterThanOrEqual(12);
  });

  it('bounds what it hands to a server that does not read', async () => {
    const { nats, bus } = await open();
    const publish = vi.spyOn(nats.connection() as NonNullable<ReturnType<Nats['connection']>>, 'publish');
    server.pause();
    for (let n = 0; n < 3 * MAX_WAITING; n++) bus.publish({ name: 'a', data: { n } });
    expect(publish.mock.calls.length).toBeLessThanOrEqual(MAX_UNREAD);
    expect(bus.dropped).toBeGreaterThan(0);
    server.resume();
    await vi.waitFor(() => expect(publish.mock.calls.length).toBeGreaterThan(MAX_UNREAD), 5_000);
  });

  it('finds a server that comes later, and closes while there is none', async () => {
    await server.stop();
    const { nats, bus } = await open(false);
    bus.publish({ name: 'a', data: {} });
    expect(await nats.connected(50)).toBe(false);
    await server.start();
    expect(await nats.connected(10_000)).toBe(true);
    await server.stop();
    await nats.close();
    const never = openNats({ servers: [server.address], name: 'test' });
    await never.close();
    await server.start();
  });
});
