// What goes wrong never becomes an ALLOW: it is a DENY with its receipt, or no decision at all.

import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import { readReceipt } from '../../core/receipt.ts';
import { Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import type { DecisionAnswer } from '../../gen/beacon/v1/decision_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryRevocationList } from '../../ports/revocation-list/memory.ts';
import type { RevocationList } from '../../ports/revocation-list/port.ts';
import { callAs, makeWorld, type Overrides, START_MS, shell } from './decision.fixture.ts';

const policyThat = (evaluate: () => unknown): Overrides => ({
  policy: {
    snapshot: () => ({ digest: '0'.repeat(64), revision: 'test', expiresAtMs: Number.POSITIVE_INFINITY, evaluate }),
    activate: () => Promise.reject(new Error('not here')),
  },
});

async function ask(overrides: Overrides = {}): Promise<DecisionAnswer> {
  const { maker } = await makeWorld(overrides);
  const { answer } = await maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') }, callAs());
  return answer as DecisionAnswer;
}

const codes = (answer: DecisionAnswer) => answer.reasons.map(({ code }) => code);

test('the same world without a fault allows', async () => {
  expect((await ask()).decision).toBe(Decision.ALLOW);
});

test.each([
  ['undefined', () => undefined],
  ['null', () => null],
  ['false', () => false],
  ['zero', () => 0],
  ['an empty string', () => ''],
  ['true', () => true],
  ['ALLOW as a string', () => 'ALLOW'],
  ['an empty object', () => ({})],
  ['an empty list', () => []],
  ['an unknown route', () => ({ route: 'PERMIT', reasons: [], obligations: [] })],
  ['a route in lower case', () => ({ route: 'allow', reasons: [], obligations: [] })],
  ['no reasons', () => ({ route: 'ALLOW', obligations: [] })],
  ['an obligation nobody knows', () => ({ route: 'ALLOW', reasons: [], obligations: [{ kind: 'sing' }] })],
])('a policy that gives %s denies, with a receipt', async (_, evaluate) => {
  const answer = await ask(policyThat(evaluate));
  expect(answer.decision).toBe(Decision.DENY);
  expect(answer.route).toBe(Route.DENY);
  expect(readReceipt(answer.receipt).predicate.decision).toBe('DENY');
});

test('a policy that throws, even a bare string, denies', async () => {
  const throwing = () => {
    throw 'opa_abort';
  };
  expect(codes(await ask(policyThat(throwing)))).toContain('policy_error');
});

test('a revocation list that throws or never answers denies', async () => {
  class Broken extends MemoryRevocationList {
    override consult(): Promise<never> {
      return Promise.reject(new Error('connection lost'));
    }
  }
  class Silent extends MemoryRevocationList {
    override consult(): Promise<never> {
      return new Promise(() => {});
    }
  }
  for (const List of [Broken, Silent]) {
    const answer = await ask({ stores: { revocations: new List() } });
    expect(answer.decision).toBe(Decision.DENY);
    expect(codes(answer)).toContain('revocation_unknown');
  }
});

test('a list without an epoch, or with one lower than seen, denies until it is rebuilt', async () => {
  const world = await makeWorld();
  const propose = async () =>
    (await world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') }, callAs())).answer;
  const list = world.stores.revocations;
  await list.rebuild([], 5);
  expect((await propose())?.decision).toBe(Decision.ALLOW);
  // A restored snapshot: the same list, an epoch from yesterday.
  const yesterday = new MemoryRevocationList();
  await yesterday.rebuild([], 4);
  (world.stores as { revocations: RevocationList }).revocations = yesterday;
  expect((await propose())?.decision).toBe(Decision.DENY);
  (world.stores as { revocations: RevocationList }).revocations = new MemoryRevocationList();
  expect((await propose())?.decision).toBe(Decision.DENY);
  await yesterday.rebuild([], 5);
  (world.stores as { revocations: RevocationList }).revocations = yesterday;
  expect((await propose())?.decision).toBe(Decision.ALLOW);
});

test('a list set back does not let a repeated answer or a permit pass either', async () => {
  const world = await makeWorld();
  const repeated = shell('ls', { idempotencyKey: 'k' });
  const execute = async () =>
    (await world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: repeated }, callAs())).answer;
  const list = world.stores.revocations;
  await list.rebuild([], 5);
  expect((await execute())?.decision).toBe(Decision.ALLOW);
  const guarded = await world.maker.guard({ $typeName: 'beacon.v1.GuardRequest', proposal: shell('ls') }, callAs());
  const permitId = guarded.answer?.permit?.id ?? '';
  const yesterday = new MemoryRevocationList();
  await yesterday.rebuild([], 4);
  (world.stores as { revocations: RevocationList }).revocations = yesterday;
  expect((await execute())?.decision).toBe(Decision.DENY);
  await expect(
    world.maker.openAction({ $typeName: 'beacon.v1.OpenActionRequest', permitId }, callAs()),
  ).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('a fence that the list does not know of yet denies, with a receipt', async () => {
  const world = await makeWorld();
  world.clock.ms += 1;
  await world.lease(2, ['agent:t/a']);
  const { answer } = await world.maker.execute(
    { $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') },
    callAs(),
  );
  expect(answer?.decision).toBe(Decision.DENY);
  expect(codes(answer as DecisionAnswer)[0]).toBe('revoked');
  expect(await world.kinds()).toEqual(['decision']);
});

test('without a valid lease nothing is allowed', async () => {
  const world = await makeWorld();
  world.clock.ms += 61_000;
  const { answer } = await world.maker.execute(
    { $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') },
    callAs(),
  );
  expect(codes(answer as DecisionAnswer)[0]).toBe('no_lease');
});

test('no signer, no decision: unavailable, nothing recorded, and the idempotency key is free again', async () => {
  let broken = true;
  const world = await makeWorld({
    signer: (real) => ({
      seal: (request, call) =>
        broken
          ? Promise.reject(new BeaconError('unavailable', 'the ledger cannot be written'))
          : real.seal(request, call),
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
    }),
  });
  const propose = () =>
    world.maker.execute(
      { $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls', { idempotencyKey: 'k' }) },
      callAs(),
    );
  await expect(propose()).rejects.toMatchObject({ code: 'unavailable' });
  expect(world.ledger.size()).toBe(0);
  broken = false;
  expect((await propose()).answer?.decision).toBe(Decision.ALLOW);
});

test('an ALLOW sealed after the caller’s deadline is voided and not answered; a late DENY is', async () => {
  const world = await makeWorld({
    signer: (real) => ({
      seal: async (request, call) => {
        const sealed = await real.seal(request, call);
        world.clock.ms += 2_000;
        return sealed;
      },
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
    }),
  });
  const late = callAs({}, START_MS + 1_000);
  const propose = (command: string) =>
    world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell(command) }, late);
  await expect(propose('ls')).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(await world.kinds()).toEqual(['decision', 'action', 'void', 'void']);
  expect((await propose('rm -rf /')).answer?.decision).toBe(Decision.DENY);
});

test('an ALLOW held up between signer and answer beyond its lease is voided and not answered', async () => {
  const world = await makeWorld({
    settings: { permitTtlMs: 3_600_000 },
    signer: (real) => ({
      seal: async (request, call) => {
        const sealed = await real.seal(request, call);
        // A lease of the fixture holds for a minute; what counts is its use, which ends the clock bound before.
        world.clock.ms += 59_900;
        return sealed;
      },
      getReceipt: real.getReceipt.bind(real),
      getStatus: real.getStatus.bind(real),
    }),
  });
  const asked = world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') }, callAs());
  await expect(asked).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(await world.kinds()).toEqual(['decision', 'action', 'void', 'void']);
});

test('beyond the limit of decisions under way, a request is shed', async () => {
  const world = await makeWorld({ settings: { maxInFlight: 1 } });
  const propose = () => world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') }, callAs());
  const results = await Promise.allSettled([propose(), propose()]);
  expect(results[0]?.status).toBe('fulfilled');
  expect(results[1]).toMatchObject({ status: 'rejected', reason: { code: 'resource_exhausted' } });
});

test('an exhausted budget denies', async () => {
  const world = await makeWorld({ settings: { agentRate: 1 } });
  const propose = async () =>
    (await world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell('ls') }, callAs())).answer;
  expect((await propose())?.decision).toBe(Decision.ALLOW);
  expect((await propose())?.decision).toBe(Decision.DENY);
});

test.each([
  ['tool:echo', 'echo hi; ls', undefined],
  ['tool:Deploy', '', { case: 'tool' as const, value: { name: 'Deploy' } }],
  ['tool:Read', '', { case: 'tool' as const, value: { name: 'Read', argumentsJson: '{"file_path":"a"}' } }],
  ['tool:mcp__srv__list', '', { case: 'mcp' as const, value: { server: 'srv', tool: 'list' } }],
])('%s stops the tool beside others and by the name it is called by', async (scope, command, kind) => {
  const world = await makeWorld();
  await world.stores.revocations.apply({ scope, operation: 'revoke', revocationId: 'rev_1', epoch: 2 });
  const proposal = kind ? shell('', { actions: [{ kind }] }) : shell(command);
  const { answer } = await world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, callAs());
  expect(answer?.reasons.map(({ code }) => code)).toContain('revoked');
});

test('a tool among more revoked ones than a survey names stops all the same, and no other tool does', async () => {
  const world = await makeWorld();
  const many = Array.from({ length: 100 }, (_, n) => ({ scope: `tool:t${n}`, revocationId: `rev_${n}`, epoch: n + 2 }));
  await world.stores.revocations.rebuild([...many, { scope: 'tool:echo', revocationId: 'rev_e', epoch: 102 }], 102);
  const reasons = async (command: string) => {
    const request = { $typeName: 'beacon.v1.ExecuteRequest' as const, proposal: shell(command) };
    return (await world.maker.execute(request, callAs())).answer?.reasons.map(({ code }) => code);
  };
  expect(await reasons('echo hi; ls')).toContain('revoked');
  expect(await reasons('ls')).not.toContain('revoked');
});

test.each([
  ['{"command":"rm -rf /","command":"ls"}', 'action.arguments'],
  ['{"command":"ls","x":"\\ud800"}', 'action.arguments'],
  ['{"command":"ls","x":9007199254740993}', 'action.arguments'],
])('JSON inside a message is as strict as a body: %s', async (argumentsJson, field) => {
  const { maker, kinds } = await makeWorld();
  const proposal = shell('', { actions: [{ kind: { case: 'tool', value: { name: 'Bash', argumentsJson } } }] });
  const answer = maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, callAs());
  await expect(answer).rejects.toMatchObject({ code: 'invalid_argument', field });
  expect(await kinds()).toEqual([]);
});

test('a context that says two things is refused', async () => {
  const { maker } = await makeWorld();
  const proposal = shell('ls', { contextJson: '{"attended":true,"attended":false}' });
  const answer = maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, callAs());
  await expect(answer).rejects.toMatchObject({ code: 'invalid_argument', field: 'context' });
});

test('a command nested deeper than our stack is opaque, not an error', async () => {
  const { maker } = await makeWorld();
  const proposal = shell(`echo $((${'1+'.repeat(30_000)}1))`);
  const { answer } = await maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, callAs());
  expect(answer).toMatchObject({ decision: Decision.DENY });
  expect(codes(answer as DecisionAnswer)).toContain('run_opaque');
});

test('a store that cannot follow: a DENY is answered all the same, an ALLOW is voided and is no decision', async () => {
  class Broken extends MemoryActionStore {
    override putAction(): Promise<never> {
      return Promise.reject(new Error('connection lost'));
    }
  }
  const world = await makeWorld({ stores: { actions: new Broken() } });
  const propose = (command: string) =>
    world.maker.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal: shell(command) }, callAs());
  expect((await propose('rm -rf /')).answer?.decision).toBe(Decision.DENY);
  await expect(propose('ls')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await world.kinds()).toEqual(['decision', 'decision', 'action', 'void', 'void']);
});

test('whatever the policy says, a list that cannot be read or that revokes denies', async () => {
  class Broken extends MemoryRevocationList {
    override consult(): Promise<never> {
      return Promise.reject(new Error('connection lost'));
    }
  }
  class Revoking extends MemoryRevocationList {
    override async consult() {
      return { epoch: 1, revoked: ['global'] };
    }
  }
  const lax = policyThat(() => ({ route: 'ALLOW', reasons: [], obligations: [] }));
  expect((await ask(lax)).decision).toBe(Decision.ALLOW);
  for (const List of [Broken, Revoking]) {
    expect((await ask({ ...lax, stores: { revocations: new List() } })).decision).toBe(Decision.DENY);
  }
});
