import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { LogFenceSchema } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { reflectedUpTo, settledWithin } from './reflected.ts';

const fence = (logId: string, index: number) =>
  create(LogFenceSchema, {
    origin: `beacon.local/receipt-signer/${logId}`,
    ended: { case: 'fenceIndex', value: BigInt(index) },
  });

test('reflected are logs whose last leaf before the fence has been followed, each of them', async () => {
  const actions = new MemoryActionStore();
  const fences = [fence('a', 3), fence('b', 0)];
  expect(await reflectedUpTo(fences, actions, 0)).toBe(false);
  await actions.advance({ logId: 'a', index: 2 });
  expect(await reflectedUpTo(fences, actions, 0)).toBe(false);
  await actions.advance({ logId: 'a', index: 3 });
  expect(await reflectedUpTo(fences, actions, 0)).toBe(true);
});

test('it is waited for, not for long', async () => {
  const actions = new MemoryActionStore();
  const reflected = reflectedUpTo([fence('a', 1)], actions, 10_000);
  await actions.advance({ logId: 'a', index: 1 });
  expect(await reflected).toBe(true);
  expect(await reflectedUpTo([fence('a', 2)], actions, 20)).toBe(false);
});

test('of a log that could not be fenced nothing is known', async () => {
  const ended = { case: 'leaseEnd', value: timestampFromMs(0) } as const;
  const lost = create(LogFenceSchema, { origin: 'beacon.local/receipt-signer/a', ended });
  expect(await reflectedUpTo([lost], new MemoryActionStore(), 10_000)).toBe(false);
});

test('what is under way in one process is waited for, not for ever', async () => {
  expect(await settledWithin(Promise.resolve(), 10_000)).toBe(true);
  expect(await settledWithin(new Promise(() => {}), 10)).toBe(false);
  await expect(settledWithin(Promise.reject(new Error('x')), 10_000)).rejects.toThrow('x');
});
