// The five checkpoints: open once, close once, approve once, for exactly one action; and after a crash the same again.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ClientProvenance, Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { callAs, makeWorld, minted, operator, shell, type World } from './decision.fixture.ts';
import { Recorder } from './recorder.ts';

const guard = async (world: World, command: string, call = minted) =>
  (await world.maker.guard(create(pb.GuardRequestSchema, { proposal: shell(command) }), call))
    .answer as pb.DecisionAnswer;
const execute = async (world: World, command: string, change = {}, call = minted) =>
  (await world.maker.execute(create(pb.ExecuteRequestSchema, { proposal: shell(command, change) }), call))
    .answer as pb.DecisionAnswer;
const open = (world: World, permitId: string, call = minted) =>
  world.maker.openAction(create(pb.OpenActionRequestSchema, { permitId }), call);
const close = (world: World, actionId: string, status = pb.OutcomeStatus.SUCCEEDED, call = minted) =>
  world.maker.updateOutcome(create(pb.UpdateOutcomeRequestSchema, { actionId, status }), call);
const approve = (world: World, actionId: string, yes = true, call = operator) =>
  world.maker.resolveApproval(create(pb.ResolveApprovalRequestSchema, { actionId, approve: yes }), call);

const ASKS = 'rm -rf src';

test('a permit opens once; a repeat gives the same action; concurrent redemptions leave one action receipt', async () => {
  const world = await makeWorld();
  const { permit, actionId } = await guard(world, 'ls');
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => open(world, permit?.id as string)));
  const opened = results.filter((result) => result.status === 'fulfilled');
  expect(opened.length).toBeGreaterThan(0);
  expect((await open(world, permit?.id as string)).action?.actionId).toBe(actionId);
  expect((await world.kinds()).filter((kind) => kind === 'action').length).toBe(1);
});

test('an expired permit opens nothing', async () => {
  const world = await makeWorld();
  const { permit } = await guard(world, 'ls');
  world.clock.ms += 31_000;
  await expect(open(world, permit?.id as string)).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('an action closes once; the second close says how it was closed first', async () => {
  const world = await makeWorld();
  const { actionId } = await execute(world, 'ls');
  await close(world, actionId);
  await expect(close(world, actionId, pb.OutcomeStatus.FAILED)).rejects.toThrow(/succeeded/);
  const results = await Promise.allSettled([close(world, actionId), close(world, actionId)]);
  expect(results.every((result) => result.status === 'rejected')).toBe(true);
  expect((await world.kinds()).filter((kind) => kind === 'outcome').length).toBe(1);
});

test('what nobody closes is closed as lost_confirmation', async () => {
  const world = await makeWorld();
  const { actionId } = await execute(world, 'ls');
  world.clock.ms += 3_600_001;
  await world.lease(1);
  await world.maker.sweep();
  const { action } = await world.maker.getAction(create(pb.GetActionRequestSchema, { actionId }), minted);
  expect(action).toMatchObject({ state: pb.ActionState.CLOSED, outcome: pb.OutcomeStatus.LOST_CONFIRMATION });
});

test('another agent, and a caller without a token, cannot see or close an agent’s action', async () => {
  const world = await makeWorld();
  const { actionId } = await execute(world, 'ls');
  const other = callAs({ provenance: 'authenticated', subject: 'token:2', tenantId: 't', agentId: 'b' });
  for (const call of [other, callAs()]) {
    await expect(close(world, actionId, undefined, call)).rejects.toMatchObject({ code: 'not_found' });
  }
});

test('an approval lifts exactly one proposal of exactly that action', async () => {
  const world = await makeWorld();
  const asked = await guard(world, ASKS);
  expect(asked).toMatchObject({ route: Route.APPROVAL, decision: Decision.DENY });
  await approve(world, asked.actionId);
  // Approve, then mutate: another target has another fingerprint.
  expect((await execute(world, 'rm -rf lib')).route).toBe(Route.APPROVAL);
  const used = await execute(world, ASKS);
  expect(used.decision).toBe(Decision.ALLOW);
  expect((await world.kinds()).filter((kind) => kind === 'approval').length).toBe(2);
  expect((await execute(world, ASKS)).route).toBe(Route.APPROVAL);
});

test('an approval used by many at once is used by one', async () => {
  const world = await makeWorld();
  await approve(world, (await guard(world, ASKS)).actionId);
  const answers = await Promise.all(Array.from({ length: 20 }, () => execute(world, ASKS)));
  const allowed = answers.filter(({ decision }) => decision === Decision.ALLOW);
  expect(allowed.length).toBe(1);
  expect(answers.filter(({ route }) => route === Route.APPROVAL).length).toBe(19);
});

test('an approval taken for what is not sealed is there for who waits; while nobody knows, it is a conflict', async () => {
  const world = await makeWorld();
  const { actionId } = await guard(world, ASKS);
  await approve(world, actionId);
  const { actions } = world.stores;
  expect(await actions.claimApproval(actionId)).toBe(true);
  setTimeout(() => void actions.releaseApproval(actionId), 20);
  expect((await execute(world, ASKS)).decision).toBe(Decision.ALLOW);

  const another = await guard(world, ASKS);
  await approve(world, another.actionId);
  expect(await actions.claimApproval(another.actionId)).toBe(true);
  await expect(execute(world, ASKS)).rejects.toMatchObject({ code: 'conflict' });
});

test('an approval expires, a denied one lifts nothing, and an agent cannot give one', async () => {
  const world = await makeWorld();
  const first = await guard(world, ASKS);
  await approve(world, first.actionId, false);
  expect((await execute(world, ASKS)).route).toBe(Route.APPROVAL);
  await expect(approve(world, first.actionId, true, minted)).rejects.toMatchObject({ code: 'permission_denied' });
  await expect(approve(world, first.actionId)).rejects.toMatchObject({ code: 'conflict' });
  const second = await guard(world, ASKS);
  await approve(world, second.actionId);
  world.clock.ms += 900_001;
  await world.lease(1);
  expect((await execute(world, ASKS)).route).toBe(Route.APPROVAL);
});

test('no approval lifts a DENY', async () => {
  const world = await makeWorld();
  const denied = await guard(world, 'rm -rf /');
  expect(denied.route).toBe(Route.DENY);
  await expect(approve(world, denied.actionId)).rejects.toMatchObject({ code: 'not_found' });
});

test('stores rebuilt from the ledger alone answer as the lived ones do', async () => {
  const world = await makeWorld();
  const keyed = await execute(world, 'ls', { idempotencyKey: 'k' });
  const asked = await guard(world, ASKS);
  await approve(world, asked.actionId);
  const guarded = await guard(world, 'pwd');
  await execute(world, ASKS);
  await close(world, keyed.actionId);
  const lived = world.stores.actions;
  const actions = new MemoryActionStore();
  const idempotency = new MemoryIdempotency();
  const rebuilt = { ...world.deps, stores: { ...world.stores, actions, idempotency } };
  expect(await new Recorder(rebuilt, world.ledger).replay(() => {})).toBe(world.ledger.size());
  for (const { actionId } of [keyed, asked, guarded]) {
    expect(await actions.getAction(actionId)).toEqual(await lived.getAction(actionId));
  }
  expect(await actions.getApproval(asked.actionId)).toEqual(await lived.getApproval(asked.actionId));
  const claim = await idempotency.claim(
    { tenantId: 't', agentId: 'a', key: world.deps.privacy.keys.digest('t', 'idempotency authenticated k') },
    'another',
    world.clock.ms,
  );
  expect(claim).toMatchObject({ kind: 'done', record: { receiptId: keyed.receiptId } });
});

test('a replay of what is already there changes nothing', async () => {
  const world = await makeWorld();
  const { actionId } = await execute(world, 'ls');
  await close(world, actionId);
  const before = await world.stores.actions.getAction(actionId);
  const recorder = new Recorder(world.deps, world.ledger);
  await recorder.replay(() => {});
  expect(await world.stores.actions.getAction(actionId)).toEqual(before);
});

test('a key used to guard is not answered by what was guarded when it is used to execute', async () => {
  const world = await makeWorld();
  const proposal = shell('ls', { idempotencyKey: 'k' });
  await world.maker.guard(create(pb.GuardRequestSchema, { proposal }), minted);
  await expect(execute(world, 'ls', { idempotencyKey: 'k' })).rejects.toMatchObject({
    code: 'conflict',
    field: 'idempotency_key',
  });
});

test('a caller without a token is not answered with what was decided for one who has it, nor the other way round', async () => {
  const world = await makeWorld();
  const first = await execute(world, 'ls', { idempotencyKey: 'k' });
  const asserted = await execute(world, 'ls', { idempotencyKey: 'k' }, callAs());
  expect(asserted.receiptId).not.toBe(first.receiptId);
  expect(asserted).toMatchObject({ clientProvenance: ClientProvenance.ASSERTED, repeatedAnswer: false });
});

test('a copy that waited for the first one beyond its own deadline is not answered with its ALLOW', async () => {
  let late: World | undefined;
  const world = await makeWorld({
    signer: (real) => ({
      ...real,
      getReceipt: (request, call) => real.getReceipt(request, call),
      seal: async (request, call) => {
        if (late) late.clock.ms += 100;
        return real.seal(request, call);
      },
    }),
  });
  late = world;
  const [first, copy] = await Promise.allSettled([
    execute(world, 'ls', { idempotencyKey: 'k' }),
    execute(world, 'ls', { idempotencyKey: 'k' }, { ...minted, deadlineMs: world.clock.ms + 50 }),
  ]);
  expect(first.status).toBe('fulfilled');
  expect(copy).toMatchObject({ status: 'rejected', reason: { code: 'deadline_exceeded' } });
});

test('when its permit has ended, an executed ALLOW is not answered again', async () => {
  const world = await makeWorld();
  const first = await execute(world, 'ls', { idempotencyKey: 'k' });
  world.clock.ms += 30_000;
  const again = await execute(world, 'ls', { idempotencyKey: 'k' });
  expect(again).toMatchObject({ decision: Decision.DENY, receiptId: first.receiptId });
  expect(again.reasons[0]?.code).toBe('permit_expired');
  expect(again.permit).toBeUndefined();
});
