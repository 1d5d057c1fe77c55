import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACTION, envelopeOf, PERMIT, request, SIGNER_LOG, startGateway } from './gateway.fixture.ts';

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
  for (const header of ['x-forwarded-for', 'forwarded', 'x-forwarded-proto', 'x-envoy-external-address']) {
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

test('revoking takes an operator, reinstating an admin', async () => {
  const revoke = { scope: 'agent:t/a', operation: 'revoke', reason: 'r' };
  expect((await call('POST', '/api/revocations', revoke, await agentToken())).status).toBe(403);
  const revoked = await call('POST', '/api/revocations', revoke, await staff('operator'));
  expect(revoked.json).toMatchObject({
    revocation_id: `rev_${'c'.repeat(32)}`,
    epoch: 3,
    level: 'BARRIER',
    barrier_at: '2023-11-14T22:13:20.250Z',
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

test('an operator revokes a token, for ever, and an agent none', async () => {
  const minted = await gateway.access.mint({ role: 'agent', tenantId: 't', agentId: 'a' });
  const path = `/api/tokens/${minted.record.tokenId}`;
  expect((await call('DELETE', path, undefined, minted.token)).status).toBe(403);
  expect((await call('DELETE', path)).status).toBe(401);
  const { status, json } = await call('DELETE', path, undefined, await staff('operator'));
  expect(status).toBe(200);
  expect(json).toEqual({
    ...{ token_id: minted.record.tokenId, role: 'agent', tenant_id: 't', agent_id: 'a' },
    revoked: true,
  });
  expect((await call('POST', '/api/execute', proposal, minted.token)).status).toBe(401);
  expect((await call('DELETE', path, undefined, gateway.adminToken)).status).toBe(200);
  expect((await call('DELETE', '/api/tokens/nobody', undefined, gateway.adminToken)).status).toBe(404);
  expect(gateway.logged.join()).toContain('token.revoked');
  expect((await call('GET', path, undefined, gateway.adminToken)).status).toBe(405);
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
