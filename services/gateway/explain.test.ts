// POST /api/explain: who may ask for whom, which bodies it reads, and what it answers.

import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ExplainRequestSchema, ExplainResponseSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { createMetrics } from '../../runtime/metrics.ts';
import { request, startGateway } from './gateway.fixture.ts';
import { createLimit, limited, requireRoom } from './limit.ts';
import type { Decision } from './types.ts';
import { writeExplanation } from './write-explanation.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.asked.length = 0;
});

const who = { agent_id: 'a', tenant_id: 't' };
const guarded = { ...who, action: { kind: 'shell', command: 'rm a', cwd: '/w' } };
const explain = (body: unknown, token?: string) => request(gateway.url, 'POST', '/api/explain', body, token);
const kinds = () => {
  const { proposal } = (gateway.asked.at(-1)?.request ?? {}) as {
    proposal?: { actions: { kind: { case: string } }[] };
  };
  return proposal?.actions.map(({ kind }) => kind.case);
};

test('it answers what was understood, and nothing that lets anything run', async () => {
  const { status, json } = await explain(guarded);
  expect(status).toBe(200);
  expect(json).toEqual({
    route: 'APPROVAL',
    would_run: false,
    summary: 'rm a',
    reasons: [{ rule: 'r.one', code: 'one', message: 'Because.' }],
    constraints: [{ kind: 'time_limit', seconds: 5 }],
    fingerprint: 'f'.repeat(64),
    parts: [
      {
        ...{ tool: 'rm', operation: 'rm', effect: 'delete', targets: ['file:/w/a'], systems: ['filesystem'] },
        ...{ scope: '', reversible: '', flags: [] },
        externality: expect.objectContaining({ destination_type: 'file', external_write: 'unknown' }),
        derived_from: { destination_type: { source: 'effect', detail: 'delete', part: 1 } },
        route: 'WARN',
      },
    ],
    externality: expect.objectContaining({ destination_type: 'file', external_write: false, reversibility: 'unknown' }),
    derived_from: { tenant_provenance: { source: 'caller', detail: 'no credential' } },
    changes: [
      {
        ...{ kind: 'level', fact: 'L0', suppose: 'L0', route: 'DENY', would_run: false, direction: 'stricter' },
        reason: { rule: 'r', code: 'c', message: 'm' },
      },
      {
        ...{ kind: 'form', fact: 'dry_run', suppose: 'it were a dry run', route: 'ALLOW', would_run: true },
        ...{ direction: 'milder', parts: [1], reason: null },
      },
    ],
    unchanged: [expect.objectContaining({ fact: 'attended', route: 'APPROVAL', direction: 'same' })],
    changes_complete: true,
    findings: [{ kind: 'email', class: 'pii', where: 'actions.0.command', confidence: 'high' }],
    facts: { score: 300, valid_receipts: 2, level: 'L1', approved: false, missing: [] },
    policy_digest: 'e'.repeat(64),
    policy_revision: '7',
  });
  expect(Object.keys(json.externality as object)).toHaveLength(10);
  expect(gateway.asked.map(({ method }) => method)).toEqual(['explain']);
});

test('a route nobody knows is DENY; one that was not asked for is none', () => {
  for (const route of [0, 99]) {
    const of = { route, parts: [{ route: 99 }, { route: 0 }], changes: [{ kind: 'level', route }] };
    expect(writeExplanation(create(ExplainResponseSchema, of))).toMatchObject({
      ...{ route: 'DENY', would_run: false },
      parts: [{ route: 'DENY' }, { route: null }],
      unchanged: [{ route: 'DENY', would_run: false }],
      changes_complete: false,
    });
  }
});

test('the body is guard’s or execute’s', async () => {
  expect((await explain(guarded)).status).toBe(200);
  expect(kinds()).toEqual(['shell']);
  const tools = [{ name: 'mcp__s__t', arguments: {} }];
  expect((await explain({ ...who, tools, code: 'ls', idempotency_key: 'k' })).status).toBe(200);
  expect(kinds()).toEqual(['mcp', 'shell']);
});

test.each([
  [{ ...who }, 'tools'],
  [{ tenant_id: 't', code: 'ls' }, 'agent_id'],
  [{ agent_id: 'a', action: { kind: 'shell', command: 'ls' } }, 'tenant_id'],
  [{ ...guarded, code: 'ls' }, 'code'],
  [{ ...guarded, extra: 1 }, 'extra'],
  [{ ...who, action: { kind: 'nothing' } }, 'action.kind'],
  [{ ...who, action: { kind: 'shell' } }, 'action.command'],
  [{ ...who, action: null }, 'action'],
  [{ ...who, code: 7 }, 'code'],
  [[], 'body'],
])('%j is refused by its field', async (body, field) => {
  const { status, json } = await explain(body);
  expect([status, json.field]).toEqual([400, field]);
  expect(gateway.asked).toEqual([]);
});

test('who may guard may explain, for whom he may propose', async () => {
  const token = async (role: 'auditor' | 'operator') => (await gateway.access.mint({ role })).token;
  const agent = async (agentId: string) => (await gateway.access.mint({ role: 'agent', tenantId: 't', agentId })).token;
  expect((await explain(guarded)).status).toBe(200);
  expect((await explain(guarded, gateway.adminToken)).status).toBe(200);
  expect((await explain(guarded, await token('auditor'))).status).toBe(403);
  expect((await explain(guarded, await token('operator'))).status).toBe(403);
  expect((await explain(guarded, 'bcn_agent_wrong')).status).toBe(401);
  gateway.asked.length = 0;
  const other = await agent('b');
  const foreign = await explain(guarded, other);
  expect([foreign.status, foreign.json.field]).toEqual([403, 'agent_id']);
  // `b` has a token now, so nobody may speak in its name without it.
  expect((await explain({ ...guarded, agent_id: 'b' })).status).toBe(403);
  expect(gateway.asked).toEqual([]);
  expect((await explain({ ...guarded, agent_id: 'b' }, other)).status).toBe(200);
});

test('how long it takes does not say how long decisions take', async () => {
  const limitAfter = async (ask: 'explain' | 'guard') => {
    const metrics = createMetrics('beacon_', { processMetrics: false });
    const limit = createLimit({ maxInFlight: 1_000, latencyTargetMs: 1 }, metrics);
    const slow = () => new Promise((resolve) => setTimeout(resolve, 10));
    const decision = limited({ explain: slow, guard: slow } as unknown as Decision, limit);
    const principal = { role: 'admin', provenance: 'authenticated', subject: 'token:admin' } as const;
    const call = { principal, deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' };
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        Array.from({ length: 6 }, () => decision[ask](create(ExplainRequestSchema, {}) as never, call)),
      );
    }
    return limit.limit;
  };
  expect(await limitAfter('guard')).toBeLessThan(20);
  expect(await limitAfter('explain')).toBe(128);
});

test('it takes a place as a decision does, also beside a copy with its idempotency key', async () => {
  const metrics = createMetrics('beacon_', { processMetrics: false });
  const limit = createLimit({ maxInFlight: 2, latencyTargetMs: 1_000 }, metrics);
  const ends: (() => void)[] = [];
  const held = () => new Promise((resolve) => ends.push(() => resolve(create(ExplainResponseSchema))));
  const decision = limited({ explain: held } as unknown as Decision, limit);
  const principal = { role: 'admin', provenance: 'authenticated', subject: 'token:admin' } as const;
  const call = { principal, deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' };
  const proposal = { tenantId: 't', agentId: 'a', idempotencyKey: 'k' };
  const ask = () => decision.explain(create(ExplainRequestSchema, { proposal }), call);
  const under = [ask(), ask()];
  await expect(ask()).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect(() => requireRoom(limit, 'explain')).toThrow(/more is asked for/);
  for (const end of ends) end();
  await Promise.all(under);
});
