import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACTION, envelopeOf, PERMIT, SIGNER_LOG, SWITCH_LOG, startGateway } from './gateway.fixture.ts';
import { parseTilePath } from './routes-logs.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.asked.length = 0;
});

type Reply = { status: number; headers: Headers; text: string; json: Record<string, unknown> };

async function call(method: string, path: string, body?: unknown, token?: string, more: object = {}): Promise<Reply> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...more,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : {},
  };
}

/** With headers that fetch does not let one set. */
function callRaw(headers: Record<string, string>, path = '/api/logs'): Promise<number> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

const proposal = { agent_id: 'a', tenant_id: 't', code: 'ls' };
const last = () => gateway.asked.at(-1);
const lastParts = () => {
  const { proposal: read } = (last()?.request ?? {}) as { proposal?: { actions: { kind: { case: string } }[] } };
  return read?.actions ?? [];
};
const agentToken = async (tenantId = 't', agentId = 'a') =>
  (await gateway.access.mint({ role: 'agent', tenantId, agentId })).token;
const staff = async (role: 'auditor' | 'operator') => (await gateway.access.mint({ role })).token;

test('execute answers the decision, and the service learns who asks and the digest of what was sent', async () => {
  const body = JSON.stringify({ ...proposal, context: { cwd: '/w' } });
  const { status, json } = await call('POST', '/api/execute', body);
  expect(status).toBe(200);
  expect(json).toEqual({
    decision: 'ALLOW',
    route: 'WARN',
    receipt_id: `${SIGNER_LOG}-7`,
    reason: 'Because.',
    reasons: [{ rule: 'r.one', code: 'one', message: 'Because.' }],
    constraints: [{ kind: 'time_limit', seconds: 5 }],
    action_id: ACTION,
    permit: { id: PERMIT, not_after: '2023-11-14T22:13:20.123Z', term: 4 },
    score: 300,
    level: 'L1',
    fingerprint: 'f'.repeat(64),
    enforceability: 'delegated_runtime_control',
    client_provenance: 'asserted',
    durability: 'fdatasync',
    epoch: 9,
    policy_revision: '',
    trace_id: '',
    request_digest: '',
    receipt: JSON.parse(envelopeOf('t', 'a').toString()),
  });
  const { context, request } = last() as NonNullable<ReturnType<typeof last>>;
  expect(context.requestDigest).toBe(createHash('sha256').update(body).digest('hex'));
  expect(context.principal).toEqual({ role: 'agent', provenance: 'asserted', subject: 'asserted' });
  expect(context.deadlineMs).toBe(gateway.clock.nowMs + 5000);
  expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(request.proposal).toMatchObject({
    surface: 'api',
    contextJson: '{"cwd":"/w"}',
    actions: [{ kind: { case: 'shell', value: { command: 'ls', cwd: '/w' } } }],
  });
});

test('a denial is an answer', async () => {
  const { status, json } = await call('POST', '/api/execute', { ...proposal, session_id: 'denied' });
  expect([status, json.decision, json.route]).toEqual([200, 'DENY', 'DENY']);
});

test('tools and code become parts: MCP by name, other languages as code', async () => {
  const tools = [{ name: 'mcp__git__push', arguments: { b: 1, a: [2] } }, { name: 'Bash' }];
  await call('POST', '/api/execute', { ...proposal, tools, code: 'print(1)', language: 'python' });
  expect(lastParts()).toMatchObject([
    { kind: { case: 'mcp', value: { server: 'git', tool: 'push', argumentsJson: '{"b":1,"a":[2]}' } } },
    { kind: { case: 'tool', value: { name: 'Bash', argumentsJson: '' } } },
    { kind: { case: 'code', value: { language: 'python', text: 'print(1)' } } },
  ]);
});

test('guard reads each kind of action', async () => {
  const actions = [
    { kind: 'shell', command: 'ls', cwd: '/w' },
    { kind: 'mcp', server: 's', tool: 't', arguments: {} },
    { kind: 'patch', patch: '--- a' },
    { kind: 'http', method: 'POST', url: 'https://e.example/', headers: { a: 'b' }, body: 'x' },
    { kind: 'tool', name: 'n' },
    { kind: 'workflow', system: 's', step: 'p' },
    { kind: 'browser', action: 'click', url: 'https://e.example/', selector: '#a' },
    { kind: 'kubernetes', verb: 'delete', object: { kind: 'Pod' } },
    { kind: 'prompt', text: 'x' },
    { kind: 'output', text: 'x', tool: 'Bash' },
    { kind: 'code', language: 'python', text: 'x' },
  ];
  for (const action of actions) {
    const { status } = await call('POST', '/api/guard', { agent_id: 'a', tenant_id: 't', action });
    expect(status, action.kind).toBe(200);
    expect(lastParts()[0]?.kind.case).toBe(action.kind);
  }
});

test('the caller keeps its trace: by header, else by context', async () => {
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)];
  const context = { traceparent: `00-${two}-${'3'.repeat(16)}-01` };
  await call('POST', '/api/execute', { ...proposal, context }, undefined, {
    traceparent: `00-${one}-${'3'.repeat(16)}-01`,
  });
  expect(last()?.context.traceId).toBe(one);
  await call('POST', '/api/execute', { ...proposal, context });
  expect(last()?.context.traceId).toBe(two);
});

test('a shed, no decision and a fault are told apart; the fault is logged and not told', async () => {
  const full = await call('POST', '/api/execute', { ...proposal, session_id: 'full' });
  expect([full.status, full.json.code, full.headers.get('retry-after')]).toEqual([429, 'resource_exhausted', '2']);
  const down = await call('POST', '/api/execute', { ...proposal, session_id: 'down' });
  expect([down.status, down.json.code, down.headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
  const broken = await call('POST', '/api/execute', { ...proposal, session_id: 'broken' });
  expect([broken.status, broken.json.code]).toEqual([500, 'internal']);
  expect(broken.text).not.toContain('hunter2');
  expect(gateway.logged.join()).toContain('hunter2');
  for (const { headers } of [full, down, broken]) expect(headers.get('content-type')).toBe('application/problem+json');
});

test('an agent with a token speaks for itself alone, and its name cannot be asserted', async () => {
  const token = await agentToken('t', 'minted');
  const own = { ...proposal, agent_id: 'minted' };
  expect((await call('POST', '/api/execute', own, token)).status).toBe(200);
  expect(last()?.context.principal).toMatchObject({ provenance: 'authenticated', agentId: 'minted' });
  gateway.asked.length = 0;
  const other = await call('POST', '/api/execute', proposal, token);
  expect([other.status, other.json.code, other.json.field]).toEqual([403, 'permission_denied', 'agent_id']);
  const tenant = await call(
    'POST',
    '/api/guard',
    { ...own, code: undefined, tenant_id: 'u', action: { kind: 'prompt', text: 'x' } },
    token,
  );
  expect([tenant.status, tenant.json.field]).toEqual([403, 'tenant_id']);
  const stolen = await call('POST', '/api/execute', own);
  expect([stolen.status, stolen.json.field]).toEqual([403, 'agent_id']);
  const bad = await call('POST', '/api/execute', proposal, 'nonsense');
  expect([bad.status, bad.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect(gateway.asked).toEqual([]);
});

test('a caller that a proxy speaks for is not local', async () => {
  for (const header of ['x-forwarded-for', 'forwarded']) {
    expect((await call('POST', '/api/execute', proposal, undefined, { [header]: '1.2.3.4' })).status).toBe(401);
  }
});

test('the five checkpoints follow an action', async () => {
  expect((await call('POST', '/api/actions', { permit: PERMIT })).json).toMatchObject({
    action_id: ACTION,
    state: 'open',
    outcome: null,
    route: 'ALLOW',
  });
  const permit = { id: PERMIT, not_after: '2023-11-14T22:13:20.123Z', term: 4 };
  expect((await call('POST', '/api/actions', { permit })).status).toBe(200);
  expect((await call('GET', `/api/actions/${ACTION}`)).json.agent_id).toBe('a');
  const assumption = { statement: 'it is mine', observed_digests: ['e'.repeat(64)], status: 'confirmed' };
  expect((await call('POST', `/api/actions/${ACTION}/assumptions`, assumption)).json.receipt_id).toMatch(/-8$/);
  expect((await call('GET', `/api/actions/${ACTION}/approval?wait=0.5`)).json.status).toBe('pending');
  expect(last()?.request.waitMs).toBe(500);
  const outcome = await call('POST', `/api/actions/${ACTION}/outcome`, { status: 'failed', details: { exit: 1 } });
  expect(outcome.json.receipt_id).toMatch(/-9$/);
  expect(last()?.request).toMatchObject({ actionId: ACTION, status: 2, detailsJson: '{"exit":1}' });
  expect((await call('GET', '/api/actions/act_1')).status).toBe(404);
});

test('people approve, agents do not', async () => {
  const path = `/api/actions/${ACTION}/approval`;
  expect((await call('POST', path, { approve: true })).status).toBe(401);
  expect((await call('POST', path, { approve: true }, await agentToken('t', 'x'))).status).toBe(403);
  expect((await call('POST', path, { approve: true }, await staff('auditor'))).status).toBe(403);
  expect(gateway.asked).toEqual([]);
  expect((await call('POST', path, { approve: true, reason: 'ok' }, await staff('operator'))).status).toBe(200);
  expect((await call('GET', '/api/approvals', undefined, await staff('operator'))).json.approvals).toHaveLength(1);
});

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

test('revoking takes an operator, reinstating an admin', async () => {
  const revoke = { scope: 'agent:t/a', operation: 'revoke', reason: 'r' };
  expect((await call('POST', '/api/revocations', revoke, await agentToken())).status).toBe(403);
  const revoked = await call('POST', '/api/revocations', revoke, await staff('operator'));
  expect(revoked.json).toMatchObject({
    revocation_id: `rev_${'c'.repeat(32)}`,
    epoch: 3,
    level: 'BARRIER',
    logs: [
      { origin: 'o1', fence_index: 12 },
      { origin: 'o2', lease_end: '2023-11-14T22:13:20.000Z' },
    ],
  });
  gateway.asked.length = 0;
  const reinstate = { ...revoke, operation: 'reinstate' };
  expect((await call('POST', '/api/revocations', reinstate, await staff('operator'))).status).toBe(403);
  expect(gateway.asked).toEqual([]);
  expect((await call('POST', '/api/revocations', reinstate, gateway.adminToken)).json.operation).toBe('reinstate');
  expect((await call('GET', '/api/revocations', undefined, await staff('auditor'))).json.epoch).toBe(3);
});

test('an admin mints tokens', async () => {
  const minted = await call('POST', '/api/agents/new/tokens', { tenant_id: 't', expires_in_s: 60 }, gateway.adminToken);
  expect(minted.status).toBe(201);
  expect(minted.json).toMatchObject({ agent_id: 'new', tenant_id: 't', expires_at: '2023-11-14T22:14:20.000Z' });
  expect(gateway.logged.join()).toContain('token.minted');
  expect(gateway.logged.join()).not.toContain(minted.json.token);
  const own = { ...proposal, agent_id: 'new' };
  expect((await call('POST', '/api/execute', own, minted.json.token as string)).status).toBe(200);
  expect((await call('POST', '/api/agents/new/tokens', { tenant_id: 't' }, await staff('operator'))).status).toBe(403);
  const auditor = await call('POST', '/api/tokens', { role: 'auditor' }, gateway.adminToken);
  expect((await call('GET', '/api/approvals', undefined, auditor.json.token as string)).status).toBe(200);
  expect((await call('POST', '/api/tokens', { role: 'agent' }, gateway.adminToken)).json.field).toBe('role');
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

test('switched off, nobody may assert', async () => {
  const strict = await startGateway({ allowAsserted: false });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${strict.url}/api/execute`, {
    method: 'POST',
    headers,
    body: JSON.stringify(proposal),
  });
  expect(response.status).toBe(401);
  expect((await fetch(`${strict.url}/api/logs`)).status).toBe(200);
  await strict.close();
});

test('a foreign Host, Origin or page is refused', async () => {
  const { host, port } = new URL(gateway.url);
  for (const headers of [
    { host },
    { host: `localhost:${port}` },
    { host: `[::1]:${port}` },
    { host: 'beacon.example' },
    { host, origin: `http://${host}` },
    { host, 'sec-fetch-site': 'same-origin' },
  ] as Record<string, string>[]) {
    expect(await callRaw(headers), JSON.stringify(headers)).toBe(200);
  }
  for (const headers of [
    { host: 'evil.example' },
    { host: `evil.example:${port}` },
    { host: '127.0.0.1.evil.example' },
    { host: '10.0.0.1' },
    { host, origin: 'http://evil.example' },
    { host, origin: 'null' },
    { host, origin: `http://localhost:${port}` },
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[]) {
    expect(await callRaw(headers), JSON.stringify(headers)).toBe(403);
  }
});

test('wrong methods, paths and types of content get their own status', async () => {
  const wrong = await call('PUT', '/api/execute', {});
  expect([wrong.status, wrong.headers.get('allow'), wrong.json.status]).toEqual([405, 'POST, OPTIONS', 405]);
  expect((await call('DELETE', `/api/receipts/${SIGNER_LOG}-7`)).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  expect((await call('OPTIONS', '/api/execute')).status).toBe(204);
  expect((await call('HEAD', '/healthz')).status).toBe(200);
  const lost = await call('GET', '/api/nothing');
  expect([lost.status, lost.json.code]).toEqual([404, 'not_found']);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const { status, json } = await call('POST', '/api/execute', '{}', undefined, { 'content-type': type });
    expect([status, json.code], type).toEqual([415, 'unsupported_media_type']);
  }
  const zipped = await call('POST', '/api/execute', proposal, undefined, { 'content-encoding': 'gzip' });
  expect(zipped.status).toBe(415);
  expect((await call('GET', '/%zz')).json.code).toBe('invalid_argument');
});

test('bytes that are no HTTP request get a problem, and the server goes on', async () => {
  const { hostname, port } = new URL(gateway.url);
  const answer = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write('\x16\x03\x01 hello\r\n\r\n'));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('application/problem+json');
  expect((await call('GET', '/healthz')).status).toBe(200);
});
