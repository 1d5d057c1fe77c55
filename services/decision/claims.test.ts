// What may happen once is looked at again behind its claim: what was read before it may have happened since.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import { Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { FenceRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { makeWorld, minted, operator, shell, type World } from './decision.fixture.ts';

/** A replica whose first claim is held up until the other one has claimed, recorded and given back. */
class HeldUp extends MemoryActionStore {
  #first = true;
  #go = () => {};
  readonly #gone = new Promise<void>((resolve) => {
    this.#go = resolve;
  });

  override claimPermit(id: string) {
    return this.#hold(() => super.claimPermit(id));
  }
  override claimClose(id: string) {
    return this.#hold(() => super.claimClose(id));
  }
  override claimApproval(id: string) {
    return this.#hold(() => super.claimApproval(id));
  }
  go(): void {
    this.#go();
  }
  async #hold(claim: () => Promise<boolean>): Promise<boolean> {
    const isFirst = this.#first;
    this.#first = false;
    if (isFirst) await this.#gone;
    return claim();
  }
}

const ASKS = 'rm -rf src';
const proposal = (command: string) => ({ proposal: shell(command) });
const guard = async (world: World, command: string) =>
  (await world.maker.guard(create(pb.GuardRequestSchema, proposal(command)), minted)).answer as pb.DecisionAnswer;
const open = (world: World, permitId: string) =>
  world.maker.openAction(create(pb.OpenActionRequestSchema, { permitId }), minted);

/** Both ask while it has not happened; the second to ask is through before the first has its claim. */
async function crossed<T>(actions: HeldUp, work: (turn: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  const late = work(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [early] = await Promise.allSettled([work(1)]);
  actions.go();
  const [first] = await Promise.allSettled([late]);
  return [first as PromiseSettledResult<T>, early as PromiseSettledResult<T>];
}

const countOf = async (world: World, kind: string) => (await world.kinds()).filter((one) => one === kind).length;

test('a permit that was redeemed while its claim was on its way is not redeemed again', async () => {
  const actions = new HeldUp();
  const world = await makeWorld({ stores: { actions } });
  const { permit } = await guard(world, 'ls');
  const answers = await crossed(actions, () => open(world, permit?.id ?? ''));
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
  expect(await countOf(world, 'action')).toBe(1);
});

test('an action that was closed while the claim was on its way is not closed again', async () => {
  const actions = new HeldUp();
  const world = await makeWorld({ stores: { actions } });
  const { answer } = await world.maker.execute(create(pb.ExecuteRequestSchema, proposal('ls')), minted);
  const how = [pb.OutcomeStatus.FAILED, pb.OutcomeStatus.SUCCEEDED] as const;
  const answers = await crossed(actions, (turn) =>
    world.maker.updateOutcome(
      create(pb.UpdateOutcomeRequestSchema, {
        actionId: answer?.actionId ?? '',
        status: how[turn] as pb.OutcomeStatus,
      }),
      minted,
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(answers[0]).toMatchObject({ reason: { code: 'conflict', message: expect.stringMatching(/succeeded/) } });
  expect(await countOf(world, 'outcome')).toBe(1);
});

test('an approval that was denied while the claim was on its way is not given', async () => {
  const actions = new HeldUp();
  const world = await makeWorld({ stores: { actions } });
  const { actionId } = await guard(world, ASKS);
  const answers = await crossed(actions, (turn) =>
    world.maker.resolveApproval(create(pb.ResolveApprovalRequestSchema, { actionId, approve: turn === 0 }), operator),
  );
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(await countOf(world, 'approval')).toBe(1);
  expect((await actions.getApproval(actionId))?.status).toBe('denied');
});

const approve = (world: World, actionId: string) =>
  world.maker.resolveApproval(create(pb.ResolveApprovalRequestSchema, { actionId, approve: true }), operator);
const lost = async () => {
  throw new BeaconError('unavailable', 'Redis gave no answer');
};

test('a claim that cannot be given back takes nothing from the answer that was sealed', async () => {
  const actions = new MemoryActionStore();
  const world = await makeWorld({ stores: { actions } });
  const { actionId } = await guard(world, ASKS);
  await approve(world, actionId);
  actions.releaseApproval = lost;
  // The kill switch is faster than the decision, or the answer is: a DENY in place of the ALLOW, with its receipt.
  await world.signer.fence(
    create(FenceRequestSchema, { revocationId: 'rev_1', scope: 'agent:a', operation: 'revoke', epoch: 2n }),
  );
  const decided = await guard(world, ASKS);
  expect(decided).toMatchObject({ decision: Decision.DENY, receiptId: expect.stringMatching(/./) });
  expect(world.failures).toContain('decision.claim');
});

test('an ALLOW that came too late is void, though its approval cannot be given back', async () => {
  const actions = new MemoryActionStore();
  const world: World = await makeWorld({
    stores: { actions },
    signer: (real) => ({
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
      async seal(request, call) {
        const sealed = await real.seal(request, call);
        if (request.drafts.some(({ allow }) => allow)) world.clock.ms += 10_000;
        return sealed;
      },
    }),
  });
  await approve(world, (await guard(world, ASKS)).actionId);
  actions.releaseApproval = lost;
  const late = { ...minted, deadlineMs: world.clock.ms + 1_000 };
  const deciding = world.maker.guard(create(pb.GuardRequestSchema, proposal(ASKS)), late);
  await expect(deciding).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect((await world.kinds()).slice(-4)).toEqual(['decision', 'approval', 'void', 'void']);
});

test('an approval that cannot be taken is none: what is decided then has its receipt', async () => {
  const actions = new MemoryActionStore();
  const world = await makeWorld({ stores: { actions } });
  await approve(world, (await guard(world, ASKS)).actionId);
  actions.claimApproval = lost;
  expect(await guard(world, ASKS)).toMatchObject({ route: Route.APPROVAL, receiptId: expect.stringMatching(/./) });
});

test('an approval that has ended, or was used, before it could be taken lifts nothing', async () => {
  const actions = new HeldUp();
  const world = await makeWorld({ stores: { actions } });
  actions.go();
  const { actionId } = await guard(world, ASKS);
  await approve(world, actionId);
  const claim = actions.claimApproval.bind(actions);
  actions.claimApproval = async (id) => {
    const { notAfterMs = 0 } = (await actions.getApproval(id)) ?? {};
    world.clock.ms = notAfterMs;
    await world.lease(1);
    return claim(id);
  };
  expect(await guard(world, ASKS)).toMatchObject({ route: Route.APPROVAL });
});

test('what was sealed and not recorded is not done again by who cannot see it', async () => {
  const actions = new MemoryActionStore();
  const world = await makeWorld({ stores: { actions } });
  const { answer } = await world.maker.execute(create(pb.ExecuteRequestSchema, proposal('ls')), minted);
  const close = () =>
    world.maker.updateOutcome(
      create(pb.UpdateOutcomeRequestSchema, { actionId: answer?.actionId ?? '', status: pb.OutcomeStatus.SUCCEEDED }),
      minted,
    );
  const { putAction } = actions;
  actions.putAction = lost;
  await expect(close()).rejects.toMatchObject({ code: 'unavailable' });
  actions.putAction = putAction;
  await expect(close()).rejects.toMatchObject({ code: 'conflict' });
  expect(await countOf(world, 'outcome')).toBe(1);
});
