// One decision under a caller's trace, and everything that must carry its ids. The same for one process and for many.

import { randomBytes } from 'node:crypto';
import { expect, vi } from 'vitest';
import { readReceipt } from '../core/receipt.ts';
import { call } from './beacond.ts';
import { brokenTree, type ExportedSpan, type OtlpCollector } from './otlp-collector.ts';

export type Traced = {
  readonly traceId: string;
  readonly callerSpanId: string;
  readonly receiptId: string;
  readonly actionId: string;
  /** Of the whole trace, once scoring's is there. */
  readonly spans: readonly ExportedSpan[];
};

export type Watched = {
  readonly http: string;
  readonly adminToken: string;
  readonly collector: OtlpCollector;
  /** Where the decision was made: its log lines, and where its metrics are. */
  readonly deciders: readonly { readonly log: () => string; readonly metrics: string }[];
};

const SOON = { timeout: 20_000, interval: 100 };

export async function decideTraced({ http, adminToken, collector, deciders }: Watched): Promise<Traced> {
  const traceId = randomBytes(16).toString('hex');
  const callerSpanId = randomBytes(8).toString('hex');
  const answer = await fetch(`${http}/api/execute`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${callerSpanId}-01`,
      tracestate: 'vendor=theirs',
    },
    body: JSON.stringify({ agent_id: 'traced', tenant_id: 'local', code: 'ls -la' }),
  });
  const body = (await answer.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ decision: 'ALLOW', trace_id: traceId });
  const receiptId = String(body.receipt_id);
  const actionId = String(body.action_id);
  const path = `/api/receipts/${receiptId}`;
  const stored = await call({ http }, 'GET', path, undefined, adminToken);
  const receipt = readReceipt(Buffer.from(JSON.stringify(stored.body)));
  expect(receipt).toMatchObject({ receiptId, actionId, predicate: { trace_id: traceId } });
  await vi.waitFor(() => {
    const lines = deciders.flatMap(({ log }) => log().split('\n'));
    const line = lines.find((one) => one.includes('"decision.made"') && one.includes(receiptId));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ receipt_id: receiptId, action_id: actionId, trace_id: traceId });
  }, SOON);
  await expectExemplar(deciders, traceId, receiptId);
  await vi.waitFor(() => {
    const names = collector.ofTrace(traceId).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['POST /api/execute', 'record', 'score receipt']));
  }, SOON);
  // What ends last is sent last.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const spans = collector.ofTrace(traceId);
  expect(brokenTree(spans, callerSpanId)).toEqual([]);
  for (const name of ['POST /api/execute', 'decide', 'seal', 'sign_and_append', 'score receipt']) {
    const ids = spans.filter((span) => span.name === name).map(({ attributes }) => attributes['beacon.receipt_id']);
    expect(ids, name).toContain(receiptId);
  }
  const decide = spans.find(({ name }) => name === 'decide');
  expect(decide?.attributes).toMatchObject({
    'beacon.action_id': actionId,
    'beacon.route': 'ALLOW',
    'beacon.tenant_id': 'local',
    'beacon.agent_id': 'traced',
  });
  const beats = spans.filter(({ parentSpanId }) => parentSpanId === decide?.spanId).map(({ name }) => name);
  expect(beats).toEqual(expect.arrayContaining(['admit', 'gather', 'judge', 'seal', 'record']));
  expect(new Set(spans.map(({ traceState }) => traceState))).toEqual(new Set(['vendor=theirs']));
  return { traceId, callerSpanId, receiptId, actionId, spans };
}

/** In OpenMetrics, for who asks for it; the older text has no place for exemplars and keeps its names. */
async function expectExemplar(deciders: Watched['deciders'], traceId: string, receiptId: string): Promise<void> {
  const scrape = (accept: string) =>
    Promise.all(deciders.map(async ({ metrics }) => (await fetch(metrics, { headers: { accept } })).text()));
  const open = (await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5')).join('\n');
  const exemplar = `# {trace_id="${traceId}",receipt_id="${receiptId}"}`;
  for (const metric of ['beacon_decisions_total', 'beacon_decision_duration_seconds_bucket']) {
    expect(open.split('\n').filter((line) => line.startsWith(metric) && line.includes(exemplar))).toHaveLength(1);
  }
  const plain = (await scrape('text/plain')).join('\n');
  expect(plain).toMatch(/^beacon_decisions_total\{/m);
  expect(plain).not.toContain('trace_id');
}
