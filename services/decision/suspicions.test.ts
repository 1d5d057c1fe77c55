import { expect, test } from 'vitest';
import { MemorySuspicions } from '../../ports/suspicions/memory.ts';
import { Suspicions } from './suspicions.ts';

function replica(store: MemorySuspicions, clock: { ms: number }) {
  const adopted: unknown[] = [];
  const faults: string[] = [];
  const suspicions = new Suspicions({
    store,
    now: () => clock.ms,
    adopt: (id, about) => adopted.push([id, about]) > 0,
    failed: (event) => faults.push(event),
  });
  return { suspicions, adopted, faults };
}

test('what a replica that is gone suspected is taken up by one other, and by nobody while it lives', async () => {
  const store = new MemorySuspicions();
  const clock = { ms: 0 };
  const [gone, first, second] = [replica(store, clock), replica(store, clock), replica(store, clock)];
  gone.suspicions.keep('a', { kind: 'x' });
  await gone.suspicions.save();
  for (clock.ms = 1_000; clock.ms <= 30_000; clock.ms += 1_000) {
    // Before the one that lives: it must have been held on to in time.
    await first.suspicions.tick();
    await gone.suspicions.tick();
  }
  expect(first.adopted).toEqual([]);
  for (; clock.ms <= 60_000; clock.ms += 1_000) {
    await first.suspicions.tick();
    await second.suspicions.tick();
  }
  expect(first.adopted).toEqual([['a', { kind: 'x' }]]);
  expect(second.adopted).toEqual([]);
});

test('what has come to an end is taken up by nobody', async () => {
  const store = new MemorySuspicions();
  const clock = { ms: 0 };
  const [gone, other] = [replica(store, clock), replica(store, clock)];
  gone.suspicions.keep('a', {});
  await gone.suspicions.save();
  gone.suspicions.drop('a');
  await gone.suspicions.tick();
  clock.ms = 100_000;
  await other.suspicions.tick();
  expect(other.adopted).toEqual([]);
});

test('what could not be saved is saved when the store is back', async () => {
  const store = new MemorySuspicions();
  const clock = { ms: 0 };
  const [one, other] = [replica(store, clock), replica(store, clock)];
  const keep = store.keep.bind(store);
  store.keep = () => Promise.reject(new Error('away'));
  one.suspicions.keep('a', {});
  await expect(one.suspicions.save()).rejects.toThrow('away');
  store.keep = keep;
  await one.suspicions.tick();
  clock.ms = 100_000;
  await other.suspicions.tick();
  expect(other.adopted).toEqual([['a', {}]]);
});
