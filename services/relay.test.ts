// The relay over real gRPC: who asks is believed from the message alone, every call has its own end, and a server that is
// about to end loses nobody.

import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import type { CallContext, Principal } from '../core/principal.ts';
import {
  CallerSchema,
  DecisionAnswerSchema,
  DecisionRelayService,
  ExecuteResponseSchema,
  GuardResponseSchema,
  type Proposal,
  ProposalSchema,
  RelayRequestSchema,
} from '../gen/beacon/v1/decision_service_pb.js';
import { host } from '../runtime/rpc.ts';
import { dial } from '../runtime/rpc-dial.ts';
import { createRpcServer, drainRpc, listenRpc } from '../runtime/rpc-server.ts';
import { dialRelay, serveRelay } from './relay.ts';

const agent: Principal = {
  ...{ role: 'agent', provenance: 'authenticated', subject: 'token:1' },
  ...{ tenantId: 't', agentId: 'a', expiresAtMs: 4_000_000_000_000 },
} as Principal;
const own: CallContext = {
  principal: { role: 'auditor', provenance: 'authenticated', subject: 'service:gateway' },
  ...{ deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' },
};
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const callOf = (principal: Principal, timeoutMs = 5_000): CallContext => ({
  ...{ principal, deadlineMs: Date.now() + timeoutMs, requestDigest: 'd'.repeat(64), traceId: TRACE },
});
const proposalOf = (sessionId: string): Proposal =>
  create(ProposalSchema, { tenantId: 't', agentId: 'a', sessionId, idempotencyKey: '' });

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Seen = { readonly open: boolean; readonly call: CallContext };

async function start(decide: (proposal: Proposal | undefined, seen: Seen) => Promise<string>, maxPending = 1_000) {
  const answered = async (proposal: Proposal | undefined, open: boolean, call: CallContext) =>
    create(DecisionAnswerSchema, { actionId: await decide(proposal, { open, call }) });
  const faults: unknown[] = [];
  const served = serveRelay(
    {
      guard: async ({ proposal }, call) =>
        create(GuardResponseSchema, { answer: await answered(proposal, false, call) }),
      execute: async ({ proposal }, call) =>
        create(ExecuteResponseSchema, { answer: await answered(proposal, true, call) }),
    },
    { now: Date.now, newTraceId: () => 'f'.repeat(32), onInternal: (fault) => faults.push(fault) },
  );
  const server = createRpcServer();
  host(server, DecisionRelayService, served.service, { authenticate: async () => own, onError: () => {} });
  const address = await listenRpc(server, '127.0.0.1:0');
  const dialed = dial(DecisionRelayService, address, {});
  const relay = dialed.service;
  const near = dialRelay({ relay, now: Date.now, context: () => own, maxPending });
  closers.push(
    () => drainRpc(server, 100),
    () => dialed.close(),
    () => near.retire(),
  );
  const ask = async (proposal: Proposal, call = callOf(agent)) =>
    (await near.decision.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, call)).answer?.actionId;
  return { ask, near, relay, faults, served, server };
}

test('who asks, what was received and the trace arrive as the gateway knew them, beside other callers', async () => {
  const seen = new Map<string, Seen>();
  const { ask, near } = await start(async (proposal, one) => {
    seen.set(proposal?.sessionId ?? '', one);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    return proposal?.sessionId ?? '';
  });
  const person: Principal = { role: 'admin', provenance: 'authenticated', subject: 'token:admin' };
  const callers = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? agent : person));
  const answers = await Promise.all(callers.map((principal, i) => ask(proposalOf(`s${i}`), callOf(principal))));
  expect(answers).toEqual(callers.map((_, i) => `s${i}`));
  for (const [i, principal] of callers.entries()) {
    const { open, call } = seen.get(`s${i}`) as Seen;
    expect({ open, principal: call.principal }).toEqual({ open: true, principal });
    expect(call).toMatchObject({ requestDigest: 'd'.repeat(64), traceId: TRACE });
    expect(call.deadlineMs).toBeLessThanOrEqual(Date.now() + 5_000);
  }
  await near.decision.guard({ $typeName: 'beacon.v1.GuardRequest', proposal: proposalOf('g') }, callOf(agent));
  expect(seen.get('g')?.open).toBe(false);
});

test('a refusal keeps its code, field and retry; a fault of ours keeps its words at home', async () => {
  const { ask, faults } = await start(async (proposal) => {
    if (proposal?.sessionId === 'shed') throw new BeaconError('resource_exhausted', 'later', { retryAfterMs: 70 });
    if (proposal?.sessionId === 'bad') throw new BeaconError('invalid_argument', 'action: no', { field: 'action' });
    throw new Error('the password is hunter2');
  });
  await expect(ask(proposalOf('shed'))).rejects.toMatchObject({ code: 'resource_exhausted', retryAfterMs: 70 });
  await expect(ask(proposalOf('bad'))).rejects.toMatchObject({ code: 'invalid_argument', field: 'action' });
  await expect(ask(proposalOf('x'))).rejects.toMatchObject({ code: 'internal', message: 'internal error' });
  expect(String(faults)).toContain('hunter2');
});

test('a call ends at its own deadline; more than the bound are shed', async () => {
  const { ask } = await start(() => new Promise(() => {}), 3);
  const started = Date.now();
  const held = [1, 2, 3].map((i) => ask(proposalOf(`s${i}`), callOf(agent, 150)).catch((error) => error.code));
  await expect(ask(proposalOf('s4'))).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect(await Promise.all(held)).toEqual(['deadline_exceeded', 'deadline_exceeded', 'deadline_exceeded']);
  expect(Date.now() - started).toBeLessThan(3_000);
});

test.each([
  ['nobody', undefined],
  ['another service', { role: 'admin', provenance: 'authenticated', subject: 'service:kill-switch' }],
  ['a role nobody has', { role: 'root', provenance: 'authenticated', subject: 'x' }],
  ['an agent of no tenant', { role: 'agent', provenance: 'authenticated', subject: 'x' }],
  ['an auditor, who proposes nothing', { role: 'auditor', provenance: 'authenticated', subject: 'token:2' }],
])('a message that names %s is not decided', async (_, caller) => {
  let decided = 0;
  const { relay } = await start(async () => String(decided++));
  async function* one() {
    yield create(RelayRequestSchema, {
      ...{ sequence: 1n, open: true, proposal: proposalOf('s'), timeoutMs: 1_000 },
      ...(caller ? { caller: create(CallerSchema, caller) } : {}),
    });
  }
  for await (const { result } of relay.relay(one(), own)) {
    expect(result.case).toBe('failure');
    expect(result.value).toMatchObject({ code: expect.stringMatching(/unauthenticated|permission_denied/) });
  }
  expect(decided).toBe(0);
});

test('a server that is about to end answers what it was sent, and ends as soon as it has', async () => {
  let taken = 0;
  const first = await start(async (proposal) => {
    taken += 1;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return proposal?.sessionId ?? '';
  });
  const asked = Array.from({ length: 50 }, (_, i) => first.ask(proposalOf(`s${i}`)));
  await expect.poll(() => taken, { interval: 1 }).toBeGreaterThan(0);
  first.served.drain();
  const ended = drainRpc(first.server, 10_000);
  expect(await Promise.all(asked)).toEqual(asked.map((_, i) => `s${i}`));
  const before = Date.now();
  await ended;
  expect(Date.now() - before).toBeLessThan(3_000);
});

test('a proposal that no message can hold is refused by itself: who shares the stream does not feel it', async () => {
  const { ask } = await start(async (proposal) => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return proposal?.sessionId ?? '';
  });
  const others = Array.from({ length: 20 }, (_, i) => ask(proposalOf(`s${i}`)).catch((error) => error.code));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const huge = { ...proposalOf('huge'), contextJson: JSON.stringify({ note: 'x'.repeat(4 * 1024 * 1024 - 100) }) };
  await expect(ask(huge)).rejects.toMatchObject({ code: 'payload_too_large', field: 'proposal' });
  const wide = { ...proposalOf('wide'), proposedPlanJson: JSON.stringify('\u{20ac}'.repeat(1_500_000)) };
  await expect(ask(wide)).rejects.toMatchObject({ code: 'payload_too_large' });
  expect(await Promise.all(others)).toEqual(others.map((_, i) => `s${i}`));
});

test('a large proposal that a message can hold is decided', async () => {
  const { ask } = await start(async (proposal) => String(proposal?.contextJson.length));
  const contextJson = JSON.stringify({ note: 'x'.repeat(3_900_000) });
  expect(await ask({ ...proposalOf('large'), contextJson })).toBe(String(contextJson.length));
});
