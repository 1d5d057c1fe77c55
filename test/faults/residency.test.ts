// Data residency over real processes: two regions with a signer and a collector each, two tenants. What is one region's is
// looked for in everything the other keeps: ledger, evidence, stream, events, traces.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Answer, call, execute } from '../beacond.ts';
import { brokenTree, OtlpCollector } from '../otlp-collector.ts';
import { type Fleet, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const SOON = { timeout: 30_000, interval: 100 };
/** May lie in the EU alone; in the US unless it wishes for the EU. */
const [EUROPEAN, AMERICAN] = ['acme-gmbh', 'globex-inc'];
let folder: string;
let eu: OtlpCollector;
let us: OtlpCollector;
let fleet: Fleet;
let watching: NatsConnection;
const messages: { readonly subject: string; readonly text: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beacon-residency-'));
  eu = await OtlpCollector.start();
  us = await OtlpCollector.start();
  const table = join(folder, 'residency.json');
  const regions = { eu: { otlp_endpoint: `${eu.url}/v1/traces` }, us: { otlp_endpoint: `${us.url}/v1/traces` } };
  writeFileSync(table, JSON.stringify({ regions, tenants: { [EUROPEAN]: ['eu'], [AMERICAN]: ['us', 'eu'] } }));
  const { OTEL_EXPORTER_OTLP_ENDPOINT: _, ...otel } = eu.env as Record<string, string>;
  fleet = await startFleet({ ...otel, BEACON_RESIDENCY_FILE: table }, { regions: ['eu', 'us'] });
  watching = await connect({ servers: fleet.nats.address });
  watching.subscribe('beacon.>', {
    callback: (_error, { subject, data, headers }) => {
      const header = headers?.keys().map((name) => `${name}=${headers.get(name)}`);
      messages.push({ subject, text: `${header?.join(' ')} ${Buffer.from(data).toString('latin1')}` });
    },
  });
  for (const tenant_id of [EUROPEAN, AMERICAN]) {
    await allowed(() => execute(fleet, { tenant_id }));
  }
});
afterAll(async () => {
  await watching?.close();
  await fleet?.stop();
  await eu?.stop();
  await us?.stop();
  await rm(folder, { recursive: true, force: true });
});

const logIdOf = (signer: number) => String(fleet.signers[signer]?.ready.origin).slice(-12);
const logOf = ({ body }: Answer) => String(body.receipt_id).split('-')[0];
async function wishing(tenant: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${fleet.http}/api/execute`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ agent_id: 'agent-1', tenant_id: tenant, code: 'ls -la' }),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** One signer in a region: on a machine under load it may be out of reach for a moment, and then nothing is decided. */
const allowed = (ask: () => Promise<Answer>) =>
  vi.waitFor(async () => {
    const answer = await ask();
    expect(answer.body).toMatchObject({ decision: 'ALLOW' });
    return answer;
  }, SOON);

/** Everything that a place holds, as text, signed payloads read. */
function textOf(place: string): string {
  const payloads = place.matchAll(/"payload":"([A-Za-z0-9+/=]+)"/g);
  return `${place}\n${[...payloads].map((match) => Buffer.from(match[1] as string, 'base64').toString()).join('\n')}`;
}
function filesOf(signer: string): string {
  const root = join(fleet.folder, signer);
  const files = readdirSync(root, { recursive: true }).map((name) => join(root, name as string));
  return textOf(files.flatMap((file) => (statSync(file).isFile() ? [readFileSync(file, 'latin1')] : [])).join('\n'));
}
async function streamOf(region: string): Promise<string> {
  const manager = await jetstreamManager(watching);
  const name = `BEACON_RECEIPTS_${region.toUpperCase()}`;
  const { state } = await manager.streams.info(name);
  let text = '';
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage(name, { seq });
    text += `${message?.header.get('Beacon-Tenant')} ${Buffer.from(message?.data ?? []).toString('latin1')}\n`;
  }
  return textOf(text);
}
const events = (region: string) => {
  const theirs = ({ subject }: { subject: string }) =>
    subject.startsWith(`beacon.region.${region}.`) || subject.startsWith(`beacon.receipts.${region}.`);
  return {
    inside: messages.filter(theirs).map(({ text }) => text),
    outside: messages.filter((one) => !theirs(one)).map(({ text }) => text),
  };
};

/** Of the tenant that may lie in the EU alone, what lies elsewhere. */
async function foundOutside(traceIds: readonly string[]): Promise<string[]> {
  const places = {
    'the ledger and evidence in the US': filesOf('signer-b'),
    'the stream in the US': await streamOf('us'),
    'the messages that are not the EU’s': textOf(events('eu').outside.join('\n')),
    'the collector in the US': us.bodies.join('\n'),
  };
  const marks = [EUROPEAN, ...traceIds];
  return Object.entries(places).flatMap(([place, text]) =>
    marks.filter((mark) => text.includes(mark)).map((mark) => `${mark} in ${place}`),
  );
}

test('each tenant’s receipts, evidence, messages and traces lie in its region and nowhere else', async () => {
  const theirs = await allowed(() => execute(fleet, { tenant_id: EUROPEAN }));
  const others = await allowed(() => execute(fleet, { tenant_id: AMERICAN }));
  expect([logOf(theirs), logOf(others)]).toEqual([logIdOf(0), logIdOf(1)]);
  const close = (answer: Answer) =>
    call(fleet, 'POST', `/api/actions/${answer.body.action_id}/outcome`, { status: 'succeeded' });
  for (const one of [theirs, others]) {
    await vi.waitFor(async () => expect([200, 409]).toContain((await close(one)).status), SOON);
  }
  const traceId = String(theirs.body.trace_id);
  await vi.waitFor(() => {
    const spans = eu.ofTrace(traceId);
    expect(spans.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POST /api/execute', 'decide', 'score receipt']),
    );
    expect(brokenTree(spans, '')).toEqual([]);
    expect(us.ofTrace(String(others.body.trace_id)).map(({ name }) => name)).toContain('score receipt');
  }, SOON);
  // Found where it should be, by the same means as it is looked for elsewhere.
  expect(filesOf('signer-a')).toContain(EUROPEAN);
  expect(filesOf('signer-b')).toContain(AMERICAN);
  await vi.waitFor(async () => expect(await streamOf('eu')).toContain(String(theirs.body.receipt_id)), SOON);
  expect(await streamOf('us')).toContain(AMERICAN);
  expect(events('eu').inside.join('\n')).toContain(EUROPEAN);
  expect(eu.bodies.join('\n')).toContain(EUROPEAN);
  expect(await foundOutside([traceId])).toEqual([]);
  const line = fleet.decisions.flatMap(({ stderr }) => stderr.split('\n')).find((one) => one.includes(traceId));
  expect(JSON.parse(line ?? '{}')).toMatchObject({ event: 'decision.made', region: 'eu' });
});

test('a call may wish for another region of its tenant, and for no other', async () => {
  const baggage = { baggage: 'beacon.region=eu' };
  expect(logOf(await allowed(() => wishing(AMERICAN, baggage)))).toBe(logIdOf(0));
  const inContext = { tenant_id: AMERICAN, context: { region: 'eu' } };
  expect(logOf(await allowed(() => execute(fleet, inContext)))).toBe(logIdOf(0));
  const foreign = [
    await wishing(EUROPEAN, { baggage: 'beacon.region=us' }),
    await execute(fleet, { tenant_id: EUROPEAN, context: { region: 'us' } }),
    await wishing(EUROPEAN, { baggage: 'beacon.region=nowhere at all' }),
  ];
  for (const { status, body } of foreign) {
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid_argument', field: 'context.region' });
  }
  const { body } = await allowed(() => execute(fleet, { tenant_id: AMERICAN }));
  const path = `/api/actions/${body.action_id}/outcome`;
  const outcome = await fetch(`${fleet.http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', baggage: 'beacon.region=nowhere' },
    body: '{"status":"succeeded"}',
  });
  expect(outcome.status).toBe(400);
});

test('a tenant that the table does not name gets no decision', async () => {
  expect((await execute(fleet, { tenant_id: 'nobody' })).status).toBe(503);
});

test('no signer in its region: 503 and nothing elsewhere, while others go on', async () => {
  await fleet.signers[0]?.end('SIGKILL');
  const refused = [await execute(fleet, { tenant_id: EUROPEAN }), await execute(fleet, { tenant_id: EUROPEAN })];
  expect(refused.map(({ status }) => status)).toEqual([503, 503]);
  const emitted = await call(
    fleet,
    'POST',
    '/api/scalar/emit',
    { agent_id: 'agent-1', tenant_id: EUROPEAN },
    fleet.adminToken,
  );
  expect(emitted.status).toBe(503);
  await allowed(() => execute(fleet, { tenant_id: AMERICAN }));
  // A wish is no way around it either.
  expect((await wishing(AMERICAN, { baggage: 'beacon.region=eu' })).status).toBe(503);
  const failed = () => eu.spans.filter((span) => span.name === 'POST /api/execute' && span.failed);
  await vi.waitFor(() => expect(failed().length).toBeGreaterThanOrEqual(3), SOON);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(await foundOutside(failed().map(({ traceId }) => traceId))).toEqual([]);
  await fleet.signers[0]?.start();
  await allowed(() => execute(fleet, { tenant_id: EUROPEAN }));
});

test('a signer that is told another region does not hand its log to that region’s stream', async () => {
  const [signer] = fleet.signers;
  const log = logIdOf(0);
  await signer?.end();
  await expect(signer?.start({ BEACON_REGION: 'us' })).rejects.toThrow(/region eu/);
  const without = { BEACON_REGION: '', BEACON_RESIDENCY_FILE: '' };
  await expect(signer?.start(without)).rejects.toThrow(/region eu/);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const handed = messages.map(({ subject }) => subject).filter((subject) => subject.endsWith(`.${log}`));
  expect(new Set(handed)).toEqual(new Set([`beacon.receipts.eu.${log}`]));
  await signer?.start();
  await allowed(() => execute(fleet, { tenant_id: EUROPEAN }));
});

test('what is revoked of a tenant is told under its region alone', async () => {
  const revoke = (scope: string) =>
    call(fleet, 'POST', '/api/revocations', { scope, operation: 'revoke', reason: 'drill' }, fleet.adminToken);
  for (const scope of [`agent:${EUROPEAN}/agent-9`, 'session:s-9']) expect((await revoke(scope)).status).toBe(200);
  const told = () => messages.filter(({ subject }) => subject.endsWith('.revocation.committed'));
  await vi.waitFor(() => expect(told()).toHaveLength(2), SOON);
  expect(told().map(({ subject, text }) => [subject, text.includes(EUROPEAN)])).toEqual([
    ['beacon.region.eu.event.revocation.committed', true],
    ['beacon.event.revocation.committed', false],
  ]);
});
