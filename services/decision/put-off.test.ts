// What nobody waits for is done in the pauses, and before anything that builds on it.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Route } from '../../gen/beacon/v1/common_pb.js';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { Behind } from './behind.ts';
import { makeWorld, minted, operator, shell } from './decision.fixture.ts';
import { DecisionMaker } from './service.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('work put off is done by itself, all at once, in order', async () => {
  const done: number[] = [];
  const behind = new Behind(() => {});
  for (const n of [1, 2, 3]) behind.later(() => done.push(n));
  await turn();
  expect(done).toEqual([]);
  await expect.poll(() => done).toEqual([1, 2, 3]);
});

test('no more than a bounded number of pieces waits', async () => {
  const done: number[] = [];
  const behind = new Behind(() => {});
  for (let n = 0; n < 64; n += 1) behind.later(() => done.push(n));
  await turn();
  expect(done.length).toBe(64);
});

test('it is done as soon as there is a pause', async () => {
  const done: number[] = [];
  const behind = new Behind(() => {});
  behind.later(() => done.push(1));
  behind.pause();
  expect(done).toEqual([]);
  await turn();
  expect(done).toEqual([1]);
});

/** A decision service without a ledger of its own, whose action store tells what it was asked in which order. */
async function remote() {
  const asked: string[] = [];
  class Told extends MemoryActionStore {
    override async putAction(...args: Parameters<MemoryActionStore['putAction']>) {
      asked.push('put');
      await super.putAction(...args);
    }
    override async getAction(actionId: string) {
      asked.push('get');
      return super.getAction(actionId);
    }
  }
  const world = await makeWorld({ stores: { actions: new Told() } });
  await world.lease(1);
  const maker = new DecisionMaker(world.deps, undefined, () => minted);
  const { answer } = await maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell('ls') }), minted);
  return { asked, maker, actionId: answer?.actionId ?? '' };
}

test('who follows an action at once finds its record written before', async () => {
  const { asked, maker, actionId } = await remote();
  expect(asked).toEqual([]);
  await maker.getAction(create(pb.GetActionRequestSchema, { actionId }), minted);
  expect(asked).toEqual(['put', 'get']);
});

test('nothing put off is lost when the service stops', async () => {
  const { asked, maker } = await remote();
  await maker.stop();
  expect(asked).toEqual(['put']);
});

test('an approval that is answered faster than it was recorded is waited for', async () => {
  class Late extends MemoryActionStore {
    override async putApproval(...args: Parameters<MemoryActionStore['putApproval']>) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      await super.putApproval(...args);
    }
  }
  const world = await makeWorld({ stores: { actions: new Late() } });
  await world.lease(1);
  const maker = new DecisionMaker(world.deps, undefined, () => minted);
  const actionId = `act_${world.deps.env.now().toString(16).padStart(12, '0')}${'a'.repeat(20)}`;
  const proposal = shell('rm -rf src', { actionId });
  const { answer } = await maker.guard(create(pb.GuardRequestSchema, { proposal }), minted);
  expect(answer).toMatchObject({ actionId, route: Route.APPROVAL });
  const request = create(pb.ResolveApprovalRequestSchema, { actionId, approve: true });
  expect(await maker.resolveApproval(request, operator)).toMatchObject({
    approval: { status: pb.ApprovalStatus.APPROVED },
  });
  await maker.stop();
});
