import { expect, it } from 'vitest';
import { describeEventBus } from './contract.ts';
import { MemoryEventBus } from './memory.ts';

describeEventBus('memory', () => new MemoryEventBus());

it('drops the oldest when listeners do not keep up, and counts', async () => {
  const bus = new MemoryEventBus();
  const seen: unknown[] = [];
  bus.subscribe('a', (event) => seen.push(event.data.n));
  for (let n = 0; n < 65_540; n++) bus.publish({ name: 'a', data: { n } });
  await bus.close();
  expect(bus.dropped).toBe(4);
  expect(seen).toHaveLength(65_536);
  expect(seen[0]).toBe(4);
});

it('reports a listener fault to its owner', async () => {
  const faults: unknown[] = [];
  const bus = new MemoryEventBus((fault) => faults.push(fault));
  bus.subscribe('a', () => {
    throw new Error('x');
  });
  bus.publish({ name: 'a', data: {} });
  await bus.close();
  expect(faults).toHaveLength(1);
});
