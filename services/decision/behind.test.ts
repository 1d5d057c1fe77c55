// What was decided is recorded behind the answer where a projector follows the log: whoever goes on at once must find it.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EVENTS } from '../../core/events.ts';
import { readReceipt } from '../../core/receipt.ts';
import { Route } from '../../gen/beacon/v1/common_pb.js';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { ActionState, ApprovalStatus, OutcomeStatus } from '../../gen/beacon/v1/decision_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { makeWorld, minted, operator, shell } from './decision.fixture.ts';
import type { Signer } from './deps.ts';
import { DecisionMaker } from './service.ts';

const BEHIND_MS = 60;

/** A decision service without a ledger of its own, whose writes arrive late; ids begin with the time, as in life. */
async function remote(store?: MemoryActionStore, beforeSeal = async () => {}) {
  class SlowWrites extends MemoryActionStore {
    override async putAction(...args: Parameters<MemoryActionStore['putAction']>) {
      await new Promise((resolve) => setTimeout(resolve, BEHIND_MS));
      await super.putAction(...args);
    }
    override async putApproval(...args: Parameters<MemoryActionStore['putApproval']>) {
      await new Promise((resolve) => setTimeout(resolve, BEHIND_MS));
      await super.putApproval(...args);
    }
  }
  const world = await makeWorld({ stores: { actions: store ?? new SlowWrites() } });
  world.clock.ms = Date.now();
  await world.lease(1);
  const { env } = world.deps;
  const newId = () => world.clock.ms.toString(16).padStart(12, '0') + env.randomHex(10);
  const signer: Signer = {
    seal: (...asked) => beforeSeal().then(() => world.signer.seal(asked[0])),
    getReceipt: (request) => world.signer.getReceipt(request),
    getStatus: () => world.signer.getStatus(),
  };
  const replica = () => new DecisionMaker({ ...world.deps, signer, env: { ...env, newId } }, undefined, () => minted);
  return { maker: replica(), world, replica };
}

test('an action that was opened with its decision can be closed at once', async () => {
  const { maker } = await remote();
  const { answer } = await maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell('ls') }), minted);
  const { actionId = '' } = answer ?? {};
  expect((await maker.getAction(create(pb.GetActionRequestSchema, { actionId }), minted)).action?.state).toBe(
    ActionState.OPEN,
  );
  const outcome = { actionId, status: OutcomeStatus.SUCCEEDED };
  const closed = await maker.updateOutcome(create(pb.UpdateOutcomeRequestSchema, outcome), minted);
  expect(closed.action?.state).toBe(ActionState.CLOSED);
});

test('a permit can be redeemed at once, and an approval waited for', async () => {
  const { maker } = await remote();
  const guarded = await maker.guard(create(pb.GuardRequestSchema, { proposal: shell('ls') }), minted);
  const permitId = guarded.answer?.permit?.id ?? '';
  expect((await maker.openAction(create(pb.OpenActionRequestSchema, { permitId }), minted)).action?.state).toBe(
    ActionState.OPEN,
  );
  const asked = await maker.guard(create(pb.GuardRequestSchema, { proposal: shell('git push origin main') }), minted);
  const { actionId = '' } = asked.answer ?? {};
  const waited = await maker.waitForApproval(create(pb.WaitForApprovalRequestSchema, { actionId }), minted);
  expect(waited.approval?.status).toBe(ApprovalStatus.PENDING);
});

test('what was put off is done when the service has stopped, also of a decision that was under way', async () => {
  const { maker, world } = await remote(new MemoryActionStore(), async () => {
    await new Promise((resolve) => setTimeout(resolve, BEHIND_MS));
  });
  const told: unknown[] = [];
  world.deps.env.bus.subscribe(EVENTS.decisionMade, ({ data }) => told.push(data.action_id));
  const execute = () => maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell('ls') }), minted);
  const first = (await execute()).answer?.actionId ?? '';
  const underWay = execute();
  await new Promise((resolve) => setTimeout(resolve, BEHIND_MS / 3));
  await maker.stop();
  const recorded = [first, (await underWay).answer?.actionId ?? ''];
  for (const id of recorded) expect((await world.stores.actions.getAction(id))?.state).toBe('open');
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(recorded);
});

test('what fails of what was put off hurts neither the rest nor who asks for it', async () => {
  const { maker, world } = await remote(new MemoryActionStore());
  const { meter } = world.deps.env;
  Object.assign(meter, {
    decided: () => {
      throw new Error('a label was refused');
    },
  });
  const execute = () => maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell('ls') }), minted);
  const [one, two] = await Promise.all([execute(), execute()]);
  for (const { answer } of [one, two]) {
    const asked = create(pb.GetActionRequestSchema, { actionId: answer?.actionId ?? '' });
    expect((await maker.getAction(asked, minted)).action?.state).toBe(ActionState.OPEN);
  }
  expect(world.failures).toEqual(['decision.record', 'decision.record']);
});

test('an approval that was just used lifts nothing for who asks again at once, here or at another replica', async () => {
  const { maker, world, replica } = await remote(new MemoryActionStore());
  const guard = async (at: DecisionMaker) =>
    (await at.guard(create(pb.GuardRequestSchema, { proposal: shell('git push origin main') }), minted)).answer;
  const asked = await guard(maker);
  const approval = { actionId: asked?.actionId ?? '', approve: true };
  await maker.resolveApproval(create(pb.ResolveApprovalRequestSchema, approval), operator);
  const other = replica();
  const answers = [await guard(maker), await guard(maker), await guard(other)];
  expect(answers.map((answer) => answer?.permit !== undefined)).toEqual([true, false, false]);
  expect(answers.slice(1).map((answer) => answer?.route)).toEqual([Route.APPROVAL, Route.APPROVAL]);
  const decisions = (await world.ledger.scan(0, 100)).map(({ leaf }) => readReceipt(leaf));
  expect(decisions.filter(({ permit }) => permit !== undefined)).toHaveLength(1);
});

test('copies of a request right after its answer get that answer, here and at another replica', async () => {
  const { maker, world, replica } = await remote(new MemoryActionStore());
  const proposal = shell('ls', { idempotencyKey: 'k' });
  const execute = (at: DecisionMaker) => at.execute(create(pb.ExecuteRequestSchema, { proposal }), minted);
  const other = replica();
  const first = (await execute(maker)).answer;
  const copies = await Promise.all([execute(maker), execute(other), execute(other)]);
  for (const { answer } of copies) {
    expect(answer).toMatchObject({ receiptId: first?.receiptId, repeatedAnswer: true });
  }
  expect((await world.kinds()).filter((kind) => kind === 'decision')).toHaveLength(1);
});

test('what is not there is not waited for: neither an older id nor a new one for long', async () => {
  const { maker, world } = await remote();
  const started = performance.now();
  const get = (ms: number) =>
    maker.getAction(
      create(pb.GetActionRequestSchema, { actionId: `act_${ms.toString(16).padStart(12, '0')}${'0'.repeat(20)}` }),
      minted,
    );
  await expect(get(world.clock.ms - 60_000)).rejects.toMatchObject({ code: 'not_found' });
  expect(performance.now() - started).toBeLessThan(200);
  await expect(get(world.clock.ms)).rejects.toMatchObject({ code: 'not_found' });
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('what may be about to be voided is not answered again under its key', async () => {
  const world = await makeWorld();
  const asked: string[] = [];
  let suspect = true;
  const suspected = async ({ receiptId }: { readonly receiptId: string }) => {
    asked.push(receiptId);
    return suspect;
  };
  const maker = new DecisionMaker({ ...world.deps, suspected }, world.ledger, () => minted);
  const execute = () =>
    maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell('ls', { idempotencyKey: 'k' }) }), minted);
  const first = (await execute()).answer;
  await expect(execute()).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual([first?.receiptId]);
  suspect = false;
  expect((await execute()).answer).toMatchObject({ receiptId: first?.receiptId, repeatedAnswer: true });
});
