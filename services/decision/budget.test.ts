// A loop that runs away is stopped within its turn, and told by which limit and until when.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Decision } from '../../gen/beacon/v1/common_pb.js';
import { ExecuteRequestSchema, ExplainRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { makeWorld, minted, type Overrides, START_MS, shell, type World } from './decision.fixture.ts';

const HOUR_MS = 3_600_000;
const limited = (settings: Overrides['settings']) => makeWorld({ settings: settings as object });
const turn = (actions: number) => ({ turn: { actions, windowMs: HOUR_MS } });
const session = (actions: number) => ({ session: { actions, windowMs: HOUR_MS } });

async function ask({ maker }: World, names: Readonly<Record<string, unknown>>, command = 'ls') {
  const request = create(ExecuteRequestSchema, { proposal: shell(command, names) });
  const { answer } = await maker.execute(request, minted);
  return { allowed: answer?.decision === Decision.ALLOW, reason: answer?.reasons[0] };
}

test('a turn ends after so many decisions, whatever they were, and another turn goes on', async () => {
  const world = await limited(turn(3));
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
  expect((await ask(world, { opportunityId: 'o1' }, 'rm -rf /')).allowed).toBe(false);
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
  for (let n = 0; n < 3; n += 1) {
    expect(await ask(world, { opportunityId: 'o1' })).toEqual({
      allowed: false,
      reason: expect.objectContaining({
        rule: 'beacon.budget.turn',
        code: 'turn_limit',
        message:
          'The limit of 3 decisions in 3600 s in one turn (opportunity_id) is reached; it lifts at 2026-01-01T01:00:00Z. ' +
          'End this turn and tell the person what is left to do, or have an operator raise BEACON_TURN_ACTIONS.',
      }),
    });
  }
  expect((await ask(world, { opportunityId: 'o2' })).allowed).toBe(true);
  expect((await ask(world, {})).allowed).toBe(true);
});

test('it lifts when it says it does, and not before', async () => {
  const world = await limited(turn(1));
  await ask(world, { opportunityId: 'o1' });
  world.clock.ms = START_MS + HOUR_MS - 1;
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(false);
  world.clock.ms = START_MS + HOUR_MS;
  await world.lease(1);
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
});

test('a session holds all its turns together', async () => {
  const world = await limited({ ...turn(2), ...session(3) });
  const names = (opportunityId: string) => ({ opportunityId, sessionId: 's1' });
  for (const opportunity of ['o1', 'o1', 'o2']) expect((await ask(world, names(opportunity))).allowed).toBe(true);
  expect((await ask(world, names('o3'))).reason).toMatchObject({
    rule: 'beacon.budget.session',
    code: 'session_limit',
  });
  expect((await ask(world, { opportunityId: 'o3', sessionId: 's2' })).allowed).toBe(true);
});

test('what is refused takes nothing from another limit', async () => {
  const world = await limited({ ...turn(1), ...session(2) });
  const names = (opportunityId: string) => ({ opportunityId, sessionId: 's1' });
  await ask(world, names('o1'));
  for (let n = 0; n < 5; n += 1) expect((await ask(world, names('o1'))).reason?.code).toBe('turn_limit');
  expect((await ask(world, names('o2'))).allowed).toBe(true);
});

test('what cannot be read and what is a repeat take nothing', async () => {
  const world = await limited(turn(2));
  const unreadable = [{ kind: { case: 'patch' as const, value: { patch: '', cwd: '' } } }];
  for (let n = 0; n < 3; n += 1) {
    await expect(ask(world, { opportunityId: 'o1', actions: unreadable })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  }
  expect((await ask(world, { opportunityId: 'o1', idempotencyKey: 'k' })).allowed).toBe(true);
  for (let n = 0; n < 3; n += 1) await ask(world, { opportunityId: 'o1', idempotencyKey: 'k' });
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(false);
});

test('what an agent is told counts for nothing', async () => {
  const world = await limited(turn(1));
  const output = [{ kind: { case: 'output' as const, value: { text: 'all is well', tool: 'Bash' } } }];
  for (let n = 0; n < 3; n += 1) {
    expect((await ask(world, { opportunityId: 'o1', actions: output })).allowed).toBe(true);
  }
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(false);
});

test('explaining takes nothing, and no limit is no limit', async () => {
  const world = await limited(turn(1));
  const proposal = shell('ls', { opportunityId: 'o1' });
  for (let n = 0; n < 5; n += 1) await world.maker.explain(create(ExplainRequestSchema, { proposal }), minted);
  expect((await ask(world, { opportunityId: 'o1' })).allowed).toBe(true);
  const open = await limited({ ...turn(0), ...session(0) });
  for (let n = 0; n < 20; n += 1)
    expect((await ask(open, { opportunityId: 'o1', sessionId: 's1' })).allowed).toBe(true);
});

test('a keeper of budgets that does not answer denies, and does not claim that one is spent', async () => {
  const budgets = { give: async () => undefined, take: () => Promise.reject(new Error('away')), sweep: async () => 0 };
  const world = await makeWorld({ stores: { budgets }, settings: turn(1) });
  const { allowed, reason } = await ask(world, { opportunityId: 'o1' });
  expect(allowed).toBe(false);
  expect(reason).toMatchObject({ code: 'budget_exhausted', message: expect.stringContaining('does not answer') });
});

test('one agent cannot use up the turn of another of the same name elsewhere', async () => {
  const world = await limited(turn(1));
  await ask(world, { opportunityId: 'o1' });
  const request = create(ExecuteRequestSchema, {
    proposal: shell('ls', { opportunityId: 'o1', tenantId: 'u', agentId: 'a' }),
  });
  const other = { ...minted, principal: { ...minted.principal, tenantId: 'u' } };
  expect((await world.maker.execute(request, other)).answer?.decision).toBe(Decision.ALLOW);
});
