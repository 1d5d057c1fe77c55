import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DecideRequestSchema, DecisionService, ExecuteRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService, RevokeRequestSchema } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import { GetStatusRequestSchema, ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import {
  EmitScoreRequestSchema,
  GetScoreRequestSchema,
  ScoringService,
} from '../../gen/beacon/v1/scoring_service_pb.js';
import { dial } from '../../runtime/rpc-dial.ts';
import { startGateway } from './gateway.fixture.ts';

type Caller = { token?: string; headers?: Record<string, string> };
let gateway: Awaited<ReturnType<typeof startGateway>>;
const closers: (() => void)[] = [];
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  for (const close of closers) close();
  await gateway.close();
});
beforeEach(() => {
  gateway.asked.length = 0;
});

const metadata = ({ token, headers }: Caller) => ({
  ...headers,
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
});
function service<S extends Parameters<typeof dial>[0]>(desc: S) {
  const dialed = dial<S, Caller>(desc, gateway.grpc, { metadata, deadlineMs: () => Date.now() + 5000 });
  closers.push(() => dialed.close());
  return dialed.service;
}
const proposal = {
  tenantId: 't',
  agentId: 'a',
  actions: [{ kind: { case: 'prompt' as const, value: { text: 'x' } } }],
};
const execute = create(ExecuteRequestSchema, { proposal });

test('the same table of roles holds on gRPC', async () => {
  const decision = service(DecisionService);
  expect((await decision.execute(execute, {})).answer?.score).toBe(300);
  expect(gateway.asked[0]?.context).toMatchObject({ principal: { provenance: 'asserted' } });
  expect(gateway.asked[0]?.context.requestDigest).toMatch(/^[0-9a-f]{64}$/);
  const { token } = await gateway.access.mint({ role: 'agent', tenantId: 't', agentId: 'b' });
  gateway.asked.length = 0;
  await expect(decision.execute(execute, { token })).rejects.toMatchObject({
    code: 'permission_denied',
    field: 'agent_id',
  });
  await expect(decision.execute(execute, { token: 'bad' })).rejects.toMatchObject({ code: 'unauthenticated' });
  const proxied = { headers: { 'x-forwarded-for': '1.2.3.4' } };
  await expect(decision.execute(execute, proxied)).rejects.toMatchObject({ code: 'unauthenticated' });
  const approve = { $typeName: 'beacon.v1.ResolveApprovalRequest', actionId: 'x', approve: true, reason: '' } as const;
  await expect(decision.resolveApproval(approve, { token })).rejects.toMatchObject({ code: 'permission_denied' });
  expect(gateway.asked).toEqual([]);
});

test('nobody but Beacon names an action', async () => {
  const actionId = `act_${'0'.repeat(32)}`;
  const named = create(ExecuteRequestSchema, { proposal: { ...proposal, actionId } });
  await expect(service(DecisionService).execute(named, {})).rejects.toMatchObject({
    code: 'invalid_argument',
    field: 'action_id',
  });
  expect(gateway.asked).toEqual([]);
});

test('signer and kill-switch are not on this listener, and scores are only read', async () => {
  const token = gateway.adminToken;
  await expect(service(KillSwitchService).revoke(create(RevokeRequestSchema), { token })).rejects.toThrow(
    /not implement/,
  );
  const status = service(ReceiptSignerService).getStatus(create(GetStatusRequestSchema), { token });
  await expect(status).rejects.toThrow(/not implement/);
  const scoring = service(ScoringService);
  const get = create(GetScoreRequestSchema, { tenantId: 't', agentId: 'a' });
  expect((await scoring.getScore(get, { token })).score?.score).toBe(300);
  await expect(scoring.getScore(get, {})).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(scoring.emitScore(create(EmitScoreRequestSchema), { token })).rejects.toThrow(/not implement/);
});

test('the stream answers every decision by its sequence; one that fails leaves the others', async () => {
  const sessions = ['', 'denied', 'down', 'broken', ''];
  async function* requests() {
    for (const [index, sessionId] of sessions.entries()) {
      const open = index % 2 === 1;
      yield create(DecideRequestSchema, { sequence: BigInt(index), proposal: { ...proposal, sessionId }, open });
    }
    yield create(DecideRequestSchema, { sequence: 5n, proposal: { ...proposal, tenantId: '' } });
    yield create(DecideRequestSchema, { sequence: 6n });
  }
  const answers = new Map<number, unknown>();
  for await (const { sequence, result } of service(DecisionService).decide(requests(), {})) {
    answers.set(Number(sequence), result.case === 'failure' ? result.value.code : result.value?.decision);
  }
  expect([...answers].sort()).toEqual([
    [0, 1],
    [1, 2],
    [2, 'unavailable'],
    [3, 'internal'],
    [4, 1],
    [5, 1],
    [6, 'invalid_argument'],
  ]);
  const digests = gateway.asked.map(({ context }) => context.requestDigest);
  expect(new Set(digests).size).toBe(digests.length);
  expect(gateway.asked.map(({ method }) => method)).toContain('guard');
  expect(gateway.logged.join()).toContain('hunter2');
});

test('a stream binds each proposal to the token, not only the first', async () => {
  const { token } = await gateway.access.mint({ role: 'agent', tenantId: 't', agentId: 'c' });
  async function* requests() {
    yield create(DecideRequestSchema, { sequence: 0n, proposal: { ...proposal, agentId: 'c' } });
    yield create(DecideRequestSchema, { sequence: 1n, proposal });
  }
  const cases = new Map<bigint, string>();
  for await (const { sequence, result } of service(DecisionService).decide(requests(), { token })) {
    cases.set(sequence, result.case === 'failure' ? result.value.code : 'answer');
  }
  expect([...cases].sort()).toEqual([
    [0n, 'answer'],
    [1n, 'permission_denied'],
  ]);
});

test('thousands of decisions pass through one stream', async () => {
  const count = 5000;
  async function* requests() {
    for (let at = 0; at < count; at++) yield create(DecideRequestSchema, { sequence: BigInt(at), proposal });
  }
  const seen = new Set<bigint>();
  for await (const { sequence } of service(DecisionService).decide(requests(), {})) seen.add(sequence);
  expect(seen.size).toBe(count);
});

test('a stream lets nothing more through when its token has ended', async () => {
  const { token } = await gateway.access.mint({ role: 'agent', tenantId: 't', agentId: 'd', expiresInMs: 1_000 });
  const mine = { ...proposal, agentId: 'd' };
  let answered = () => {};
  const first = new Promise<void>((resolve) => {
    answered = resolve;
  });
  async function* requests() {
    yield create(DecideRequestSchema, { sequence: 0n, proposal: mine });
    await first;
    gateway.clock.nowMs += 1_000;
    yield create(DecideRequestSchema, { sequence: 1n, proposal: mine });
  }
  const cases: string[] = [];
  for await (const { result } of service(DecisionService).decide(requests(), { token })) {
    cases.push(result.case === 'failure' ? result.value.code : 'answer');
    answered();
  }
  expect(cases).toEqual(['answer', 'unauthenticated']);
});
