// What every event bus must do.

import { describe, expect, it, vi } from 'vitest';
import type { BusEvent, EventBus } from './port.ts';

export function describeEventBus(name: string, make: () => Promise<EventBus> | EventBus): void {
  const seen = (list: unknown[], n: number) => vi.waitFor(() => expect(list).toHaveLength(n));

  describe(`event bus: ${name}`, () => {
    it('tells each listener of a name, in order, after the publisher went on', async () => {
      const bus = await make();
      const first: BusEvent[] = [];
      const second: BusEvent[] = [];
      bus.subscribe('a', (event) => first.push(event));
      bus.subscribe('a', (event) => second.push(event));
      bus.publish({ name: 'a', data: { n: 1 } });
      bus.publish({ name: 'b', data: { n: 2 } });
      bus.publish({ name: 'a', data: { n: 3 } });
      expect(first).toHaveLength(0);
      await seen(second, 2);
      expect(first.map((event) => event.data.n)).toEqual([1, 3]);
      await bus.close();
    });

    it('keeps a listener that throws, and the others', async () => {
      const bus = await make();
      const thrown: BusEvent[] = [];
      const calm: BusEvent[] = [];
      bus.subscribe('a', (event) => {
        thrown.push(event);
        throw new Error('listener fault');
      });
      bus.subscribe('a', (event) => calm.push(event));
      expect(() => bus.publish({ name: 'a', data: {} })).not.toThrow();
      bus.publish({ name: 'a', data: {} });
      await seen(calm, 2);
      expect(thrown).toHaveLength(2);
      await bus.close();
    });

    it('ends one subscription without touching another of the same function', async () => {
      const bus = await make();
      const events: BusEvent[] = [];
      const listener = (event: BusEvent) => events.push(event);
      const end = bus.subscribe('a', listener);
      bus.subscribe('a', listener);
      end();
      end();
      bus.publish({ name: 'a', data: {} });
      await seen(events, 1);
      await bus.close();
    });

    it('publishes to nobody after close, without throwing', async () => {
      const bus = await make();
      const events: BusEvent[] = [];
      bus.subscribe('a', (event) => events.push(event));
      await bus.close();
      expect(() => bus.publish({ name: 'a', data: {} })).not.toThrow();
      await new Promise((resolve) => setImmediate(resolve));
      expect(events).toHaveLength(0);
    });
  });
}
