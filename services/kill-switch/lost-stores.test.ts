import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { GetStatusResponseSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { AWAY_MS, LostStores } from './lost-stores.ts';

const context = () => ({}) as never;

test('restored is what every log held when the loss was seen, not what it holds since', async () => {
  const sizes = { a: 3n, b: 0n };
  const reached: Record<string, number> = {};
  const said: string[] = [];
  const lost = new LostStores({
    signers: (['a', 'b'] as const).map((logId) => ({
      getStatus: async () => create(GetStatusResponseSchema, { origin: `x/${logId}`, size: sizes[logId] }),
    })),
    followed: async (logId) => reached[logId] ?? 0,
    context,
    failed: (error) => said.push((error as Error).message),
    now: () => 0,
  });
  expect(await lost.restored()).toBe(false);
  expect(said).toEqual(['the list was lost and waits for log a: read to 0 of 3']);
  sizes.a = 9n;
  reached.a = 3;
  expect(await lost.restored()).toBe(true);
  // Lost once more: what the logs hold now.
  expect(await lost.restored()).toBe(false);
});

test('a signer that is away is waited for, not for long', async () => {
  let nowMs = 0;
  const lost = new LostStores({
    signers: [{ getStatus: () => Promise.reject(new Error('away')) }],
    followed: async () => 0,
    context,
    failed: () => undefined,
    now: () => nowMs,
  });
  expect(await lost.restored()).toBe(false);
  nowMs = AWAY_MS;
  expect(await lost.restored()).toBe(true);
});
