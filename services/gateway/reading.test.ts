import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { envelopeOf, request, SIGNER_LOG, SWITCH_LOG, startGateway } from './gateway.fixture.ts';
import { parseTilePath } from './routes-logs.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.asked.length = 0;
});

const call = (method: string, path: string, body?: unknown, token?: string, more?: object) =>
  request(gateway.url, method, path, body, token, more);

const last = () => gateway.asked.at(-1);
const agentToken = async (tenantId = 't', agentId = 'a') =>
  (await gateway.access.mint({ role: 'agent', tenantId, agentId })).token;
const staff = async (role: 'auditor' | 'operator') => (await gateway.access.mint({ role })).token;

test('a receipt is the stored bytes, from the log its id names, to those who may read it', async () => {
  const path = `/api/receipts/${SIGNER_LOG}-7`;
  const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${gateway.adminToken}` } });
  expect(Buffer.from(await response.arrayBuffer())).toEqual(envelopeOf('t', 'a'));
  expect((await call('GET', path)).status).toBe(401);
  expect((await call('GET', path, undefined, await agentToken('t', 'a'))).status).toBe(200);
  const foreign = await call('GET', path, undefined, await agentToken('t', 'b'));
  expect([foreign.status, foreign.json.field]).toEqual([403, 'receipt_id']);
  // A receipt of nobody is no agent's.
  expect((await call('GET', `/api/receipts/${SWITCH_LOG}-7`, undefined, await agentToken('t', 'a'))).status).toBe(403);
  expect((await call('GET', `/api/receipts/${SWITCH_LOG}-7`, undefined, gateway.adminToken)).status).toBe(200);
  for (const id of ['000000000000-7', 'x', `${SIGNER_LOG}-8`, `${SIGNER_LOG}-07`]) {
    expect((await call('GET', `/api/receipts/${id}`, undefined, gateway.adminToken)).status, id).toBe(404);
  }
});

test('evidence is for auditors, and what is not kept is not found', async () => {
  const path = `/api/receipts/${SIGNER_LOG}-7/evidence`;
  const auditor = await staff('auditor');
  const kept = await call('GET', path, undefined, auditor);
  expect([kept.status, kept.json, kept.headers.get('cache-control')]).toEqual([200, { salt: '00' }, 'no-store']);
  expect((await call('GET', path)).status).toBe(401);
  for (const token of [await agentToken('t', 'a'), await staff('operator')]) {
    expect((await call('GET', path, undefined, token)).status).toBe(403);
  }
  for (const id of [`${SWITCH_LOG}-7`, `${SIGNER_LOG}-8`, '000000000000-7', 'x']) {
    const missing = await call('GET', `/api/receipts/${id}/evidence`, undefined, auditor);
    expect([missing.status, missing.json.code], id).toEqual([404, 'not_found']);
  }
});

test('a proof that is not there yet is a 503 with Retry-After', async () => {
  const path = `/api/receipts/${SIGNER_LOG}-7/proof`;
  const early = await call('GET', path, undefined, gateway.adminToken);
  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
  const proof = await call('GET', `${path}?wait=2`, undefined, gateway.adminToken);
  expect([proof.status, proof.text]).toEqual([200, 'c2sp.org/tlog-proof@v1\n']);
  expect(last()?.request.waitMs).toBe(2000);
  expect((await call('GET', `${path}?wait=2`, undefined, await agentToken('t', 'b'))).status).toBe(403);
});

test('receipts are listed by filter; an agent sees its own', async () => {
  const all = await call(
    'GET',
    '/api/receipts?kind=decision&start=3&limit=2&reverse=true',
    undefined,
    gateway.adminToken,
  );
  expect(all.json).toMatchObject({ receipts: [{ receipt_id: `${SIGNER_LOG}-7`, index: 7 }], next: 8, size: 8 });
  expect(last()?.request).toMatchObject({ kind: 'decision', start: 3n, limit: 2, reverse: true, agentId: '' });
  await call('GET', '/api/receipts', undefined, await agentToken());
  expect(last()?.request).toMatchObject({ tenantId: 't', agentId: 'a' });
  gateway.asked.length = 0;
  expect((await call('GET', '/api/receipts?agent_id=b', undefined, await agentToken())).status).toBe(403);
  expect((await call('GET', '/api/receipts?agent=b', undefined, gateway.adminToken)).json.field).toBe('agent');
  expect(gateway.asked.filter(({ method }) => method === 'listReceipts')).toEqual([]);
  const other = await call('GET', `/api/receipts?log=${SWITCH_LOG}`, undefined, gateway.adminToken);
  expect(other.json.receipts).toMatchObject([{ receipt_id: `${SWITCH_LOG}-7` }]);
});

test('imports take one envelope as its bytes, or a list of whatever was claimed', async () => {
  const bytes = envelopeOf('t', 'a');
  const one = await call('POST', '/api/receipts', bytes.toString(), gateway.adminToken);
  expect(one.json.findings).toMatchObject([{ qualified: false, reason: 'unsigned' }]);
  expect(last()?.request.receipts).toEqual([bytes]);
  const receipts = [JSON.parse(bytes.toString()), 'not a receipt'];
  await call('POST', '/api/receipts', { tenant_id: 't', agent_id: 'a', receipts }, gateway.adminToken);
  expect(last()?.request.receipts).toEqual([bytes, Buffer.from('not a receipt')]);
  expect((await call('POST', '/api/receipts', { receipts }, await agentToken())).status).toBe(403);
});

test('scores: an agent reads its own, only an admin emits', async () => {
  const own = await call('GET', '/api/scalar/a', undefined, await agentToken());
  expect(own.json).toMatchObject({ agent_id: 'a', tenant_id: 't', score: 300, total_receipts: 2, factors: [] });
  expect((await call('GET', '/api/scalar/b', undefined, await agentToken())).status).toBe(403);
  expect((await call('GET', '/api/scalar/a')).status).toBe(401);
  const list = await call('GET', '/api/scalar?tenant_id=t', undefined, await staff('auditor'));
  expect(list.json).toMatchObject({ scores: [{ agent_id: 'a' }], next: null });
  const emit = { tenant_id: 't', agent_id: 'a' };
  expect((await call('POST', '/api/scalar/emit', emit, await agentToken())).status).toBe(403);
  expect((await call('POST', '/api/scalar/emit', emit, await staff('operator'))).status).toBe(403);
  const emitted = await call('POST', '/api/scalar/emit', emit, gateway.adminToken);
  expect(emitted.json).toMatchObject({ event: 'SCALAR_SCORE', billable: false, receipt_id: `${SIGNER_LOG}-1` });
  // An agent may be called `emit`.
  expect((await call('GET', '/api/scalar/emit', undefined, gateway.adminToken)).json.agent_id).toBe('emit');
});

test('strangers get logs, keys, checkpoint and hash tiles; entries are for auditors', async () => {
  const logs = (await call('GET', '/api/logs')).json as unknown as Record<string, unknown>[];
  expect(logs).toEqual([
    {
      origin: `beacon.local/receipt-signer/${SIGNER_LOG}`,
      prefix: `/logs/${SIGNER_LOG}`,
      vkey: 'vkey-receipt-signer',
      size: 8,
    },
    {
      origin: `beacon.local/kill-switch/${SWITCH_LOG}`,
      prefix: `/logs/${SWITCH_LOG}`,
      vkey: 'vkey-kill-switch',
      size: 8,
    },
  ]);
  const jwks = (await call('GET', '/.well-known/jwks.json')).json.keys as { kid: string }[];
  expect(jwks.map(({ kid }) => kid)).toEqual(['key-receipt-signer', 'key-kill-switch']);
  const prefix = logs[1]?.prefix;
  expect((await call('GET', `${prefix}/checkpoint`)).text).toContain(SWITCH_LOG);
  const full = await call('GET', `${prefix}/tile/1/x001/x234/067`);
  expect(full.headers.get('cache-control')).toContain('immutable');
  expect(last()?.request).toMatchObject({ level: 1, index: 1234067n, width: 256 });
  await call('GET', `${prefix}/tile/0/000.p/12`);
  expect(last()?.request).toMatchObject({ level: 0, index: 0n, width: 12 });
  expect((await call('GET', `${prefix}/tile/entries/000.p/8`)).status).toBe(401);
  expect((await call('GET', `${prefix}/tile/entries/000.p/8`, undefined, await agentToken())).status).toBe(403);
  const entries = await call('GET', `${prefix}/tile/entries/000.p/8`, undefined, await staff('auditor'));
  expect([entries.status, entries.headers.get('cache-control')]).toEqual([200, 'private, max-age=3600']);
  expect(last()?.request).toMatchObject({ level: -1, width: 8 });
  expect((await call('GET', '/logs/ffffffffffff/checkpoint')).status).toBe(404);
});

test('a tile has one spelling', () => {
  expect(parseTilePath('000')).toEqual({ index: 0, width: 256 });
  for (const path of [
    '0',
    '0000',
    'x000/001',
    '001/002',
    '000.p/0',
    '000.p/256',
    '000.p/01',
    '000.p/',
    'x001',
    '-01',
    '',
  ]) {
    expect(() => parseTilePath(path), path).toThrow(expect.objectContaining({ code: 'not_found' }));
  }
});

test('health, readiness and metrics are open', async () => {
  expect((await call('GET', '/healthz')).status).toBe(200);
  expect((await call('GET', '/readyz')).json).toEqual({ status: 'ready', reasons: [] });
  const metrics = await call('GET', '/metrics');
  expect(metrics.text).toMatch(/beacon_http_requests_total\{method="GET",route="\/readyz",status="200"\} 1/);
  const waking = await startGateway({ ready: { ready: false, reasons: ['policy'] } });
  expect((await fetch(`${waking.url}/readyz`)).status).toBe(503);
  await waking.close();
});
