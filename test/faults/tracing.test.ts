// Traces over real processes: a decision's answer, receipt, metric, log line, NATS message and trace carry the same ids,
// and the spans of every process it touched are one tree.

import { create } from '@bufbuild/protobuf';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  DecideRequestSchema,
  DecisionService,
  GuardRequestSchema,
  ProposalSchema,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { dial } from '../../runtime/rpc-dial.ts';
import { call, execute } from '../beacond.ts';
import { brokenTree, OtlpCollector } from '../otlp-collector.ts';
import { decideTraced } from '../same-ids.ts';
import { type Fleet, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let collector: OtlpCollector;
let fleet: Fleet;
beforeAll(async () => {
  collector = await OtlpCollector.start();
  fleet = await startFleet(collector.env);
  await vi.waitFor(async () => expect((await execute(fleet)).body.decision).toBe('ALLOW'), { timeout: 30_000 });
});
afterAll(async () => {
  await fleet?.stop();
  await collector?.stop();
});

/** The stored message with this id, by its headers. */
async function messageOf(receiptId: string): Promise<Record<string, string>> {
  const connection = await connect({ servers: fleet.nats.address });
  try {
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info('BEACON_RECEIPTS');
    for (let seq = state.last_seq; seq >= state.first_seq; seq -= 1) {
      const header = (await streams.getMessage('BEACON_RECEIPTS', { seq }))?.header;
      if (header?.get('Nats-Msg-Id') !== receiptId) continue;
      return Object.fromEntries(header.keys().map((name) => [name, header.get(name)]));
    }
    throw new Error(`${receiptId} is not in the stream`);
  } finally {
    await connection.close();
  }
}

test('one decision has the same ids everywhere, and its spans are one tree over all processes', async () => {
  const deciders = fleet.decisions.map((one) => ({ log: () => one.stderr, metrics: `${one.ready.metrics}/metrics` }));
  const { http, adminToken } = fleet;
  const { traceId, receiptId, spans } = await decideTraced({ http, adminToken, collector, deciders });
  const serviceOf = (name: string) => spans.find((span) => span.name === name)?.service;
  expect({
    request: serviceOf('POST /api/execute'),
    decide: serviceOf('decide'),
    sign: serviceOf('sign_and_append'),
    publish: serviceOf('publish receipt'),
    score: serviceOf('score receipt'),
  }).toEqual({
    request: 'beacon-gateway',
    decide: 'beacon-decision',
    sign: 'beacon-receipt-signer',
    publish: 'beacon-receipt-signer',
    score: 'beacon-scoring',
  });
  const ofReceipt = (name: string) =>
    spans.find((span) => span.name === name && span.attributes['beacon.receipt_id'] === receiptId);
  const [publish, score] = [ofReceipt('publish receipt'), ofReceipt('score receipt')];
  expect(await messageOf(receiptId)).toMatchObject({
    traceparent: `00-${traceId}-${publish?.spanId}-01`,
    tracestate: 'vendor=theirs',
  });
  expect(score?.parentSpanId).toBe(publish?.spanId);
  expect(score?.links).toMatchObject([{ traceId, spanId: publish?.spanId }]);
});

test('over gRPC: the header of a call, the context of a proposal on a stream', async () => {
  const [one, two, span] = ['1a'.repeat(16), '2b'.repeat(16), '3c'.repeat(8)];
  const context = { traceparent: `00-${one}-${span}-01` };
  const { service, close } = dial<typeof DecisionService, typeof context>(
    DecisionService,
    fleet.gateway.ready.grpc as string,
    { metadata: (headers) => headers },
  );
  const proposed = (contextJson = '') => {
    const action = { kind: { case: 'shell' as const, value: { command: 'ls', cwd: '/w' } } };
    const proposal = { tenantId: 'local', agentId: 'grpc', surface: 'api', actions: [action], contextJson };
    return create(ProposalSchema, proposal);
  };
  const unary = await service.guard(create(GuardRequestSchema, { proposal: proposed() }), context);
  expect(unary.answer?.traceId).toBe(one);
  async function* requests() {
    const contextJson = JSON.stringify({ traceparent: `00-${two}-${span}-01` });
    yield create(DecideRequestSchema, { sequence: 1n, proposal: proposed(contextJson) });
  }
  // The stream's header is not its messages': each is a trace of its own.
  for await (const { result } of service.decide(requests(), context)) {
    expect(result.case === 'answer' && result.value.traceId).toBe(two);
  }
  close();
  for (const traceId of [one, two]) {
    await vi.waitFor(
      () => {
        const spans = collector.ofTrace(traceId);
        expect(spans.map(({ name }) => name)).toContain('score receipt');
        expect(brokenTree(spans, span)).toEqual([]);
      },
      { timeout: 20_000, interval: 200 },
    );
  }
});

test('a revocation is traced to the fence in every log', async () => {
  const { traceId, spanId } = { traceId: '4d'.repeat(16), spanId: '5e'.repeat(8) };
  const answer = await fetch(`${fleet.http}/api/revocations`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${fleet.adminToken}`,
      traceparent: `00-${traceId}-${spanId}-01`,
    },
    body: JSON.stringify({ scope: 'agent:local/other', operation: 'revoke', reason: 'traced' }),
  });
  const { revocation_id: revocationId } = (await answer.json()) as Record<string, unknown>;
  await vi.waitFor(
    () => {
      const spans = collector.ofTrace(traceId);
      const barrier = spans.find(({ name }) => name === 'barrier');
      expect(barrier?.attributes['beacon.revocation_id']).toBe(revocationId);
      const fences = spans.filter(({ name, parentSpanId }) => name === 'fence' && parentSpanId === barrier?.spanId);
      expect(fences).toHaveLength(2);
      expect(spans.map(({ name }) => name)).toContain('POST /api/revocations');
      expect(brokenTree(spans, spanId)).toEqual([]);
    },
    { timeout: 20_000, interval: 200 },
  );
});

test('without a traceparent a trace is made, and it is the one in the receipt', async () => {
  const { body } = await execute(fleet);
  const traceId = String(body.trace_id);
  await vi.waitFor(() => expect(brokenTree(collector.ofTrace(traceId), '')).toEqual([]), { timeout: 20_000 });
  const stored = await call(fleet, 'GET', `/api/receipts/${body.receipt_id}`, undefined, fleet.adminToken);
  expect(Buffer.from(String(stored.body.payload), 'base64').toString()).toContain(`"trace_id":"${traceId}"`);
});
