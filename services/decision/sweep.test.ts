// What nobody closes and what has ended goes as fast as it comes, by one sweep at a time.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { makeWorld, minted, shell } from './decision.fixture.ts';

const MANY = 600;

async function abandoned(overrides: Parameters<typeof makeWorld>[0] = {}) {
  const world = await makeWorld({ ...overrides, settings: { maxInFlight: MANY, ...overrides.settings } });
  const proposal = shell('ls');
  const execute = () => world.maker.execute(create(pb.ExecuteRequestSchema, { proposal }), minted);
  await Promise.all(Array.from({ length: MANY }, execute));
  world.clock.ms += 3_600_001;
  await world.lease(1);
  return world;
}

test('one sweep closes all that is overdue, each once, whoever else sweeps', async () => {
  const world = await abandoned();
  await Promise.all([world.maker.sweep(), world.maker.sweep()]);
  expect(await world.stores.actions.overdue(world.clock.ms, 1)).toEqual([]);
  const outcomes = (await world.ledger.scan(0, 10_000)).length - 2 * MANY;
  expect(outcomes).toBe(MANY);
  expect(world.failures).toEqual([]);
});

test('with no signer it gives up where nothing could be closed, and goes on when there is one', async () => {
  const down = { is: false, asked: 0 };
  const world = await abandoned({
    signer: (real) => ({
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
      async seal(request, call) {
        down.asked += 1;
        if (down.is) throw new BeaconError('unavailable', 'no signer can seal now');
        return real.seal(request, call);
      },
    }),
  });
  down.is = true;
  down.asked = 0;
  await world.maker.sweep();
  expect(down.asked).toBeLessThanOrEqual(256);
  down.is = false;
  await world.maker.sweep();
  expect(await world.stores.actions.overdue(world.clock.ms, 1)).toEqual([]);
});

test('what cannot be closed keeps nothing behind it open: a region without a signer, a tenant without a region', async () => {
  const stuck = new Set<string>();
  const asked: string[] = [];
  const world = await abandoned({
    signer: (real) => ({
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
      async seal(request, call) {
        const actionId = request.drafts[0]?.actionId ?? '';
        asked.push(actionId);
        if (stuck.has(actionId)) throw new BeaconError('unavailable', 'no signer lies in the region of this tenant');
        return real.seal(request, call);
      },
    }),
  });
  const overdue = async () => await world.stores.actions.overdue(world.clock.ms, MANY);
  const blocked = (await overdue()).slice(0, 400);
  for (const { actionId } of blocked) stuck.add(actionId);
  for (let n = 0; n < 4; n += 1) await world.maker.sweep();
  expect((await overdue()).map(({ actionId }) => actionId)).toEqual(blocked.map(({ actionId }) => actionId));
  // They are tried again, a page at a time.
  asked.length = 0;
  await world.maker.sweep();
  expect(asked.length).toBeLessThanOrEqual(256);
  stuck.clear();
  for (let n = 0; n < 4; n += 1) await world.maker.sweep();
  expect(await overdue()).toEqual([]);
});

test('one sweep forgets every idempotency key past its retention', async () => {
  const idempotency = new MemoryIdempotency();
  const world = await makeWorld({ stores: { idempotency } });
  for (let n = 0; n < MANY; n += 1) {
    const record = { proposalDigest: 'd', receiptId: 'r', actionId: 'a', expiresAtMs: 1 };
    await idempotency.complete({ tenantId: 't', agentId: 'a', key: `k${n}` }, record, { logId: 'l', index: n });
  }
  await world.maker.sweep();
  expect(await idempotency.sweep(world.clock.ms, MANY)).toBe(0);
});
