// Bad input by the hundred: each is a 4xx problem that names the field where there is one, and no service is called.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ACTION, startGateway } from './gateway.fixture.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => {
  gateway.asked.length = 0;
});
afterEach(() => {
  expect(gateway.asked).toEqual([]);
});

type Problem = { status: number; type: string; title: string; detail: string; code: string; field?: string };

async function send(path: string, body: string | Uint8Array): Promise<{ status: number; problem: Problem }> {
  const response = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.adminToken}` },
    body: typeof body === 'string' ? body : Buffer.from(body),
  });
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { status: response.status, problem: (await response.json()) as Problem };
}

async function refused(
  path: string,
  body: string | Uint8Array,
  field: string | undefined,
  status = 400,
): Promise<void> {
  const name = `${path} ${Buffer.from(body).subarray(0, 200)}`;
  const answer = await send(path, body);
  expect(answer.status, name).toBe(status);
  expect(answer.problem, name).toMatchObject({ status, title: expect.any(String), type: expect.any(String) });
  if (field !== undefined) expect(answer.problem.field, name).toBe(field);
}

const EXECUTE = {
  agent_id: 'a',
  tenant_id: 't',
  session_id: 's',
  opportunity_id: 'o',
  surface: 'api',
  proposed_plan: ['x'],
  tools: [{ name: 'Bash', arguments: { command: 'ls' } }],
  code: 'ls',
  language: 'bash',
  idempotency_key: 'k',
  context: {
    cwd: '/w',
    workspace: '/w',
    attended: true,
    parent_action_id: 'x',
    traceparent: 'x',
    git: { branch: 'b', head: 'h', dirty: false, tracked: ['a'] },
  },
};
const GUARDS = [
  { kind: 'shell', command: 'ls', cwd: '/w' },
  { kind: 'mcp', server: 's', tool: 't', arguments: {} },
  { kind: 'patch', patch: 'x', cwd: '/w' },
  { kind: 'http', method: 'GET', url: 'https://e.example/', headers: {}, body: '' },
  { kind: 'tool', name: 'n', arguments: {} },
  { kind: 'workflow', system: 's', step: 's', arguments: {} },
  { kind: 'browser', action: 'click', url: 'x' },
  { kind: 'kubernetes', verb: 'get', object: {} },
  { kind: 'prompt', text: 'x' },
  { kind: 'output', text: 'x', tool: 't' },
  { kind: 'code', language: 'go', text: 'x', cwd: '/w' },
];
const BODIES: [path: string, body: object][] = [
  ['/api/execute', EXECUTE],
  ...GUARDS.map((action): [string, object] => ['/api/guard', { agent_id: 'a', tenant_id: 't', action }]),
  ['/api/actions', { permit: `pmt_${'b'.repeat(32)}` }],
  [`/api/actions/${ACTION}/assumptions`, { statement: 's', observed_digests: ['e'.repeat(64)], status: 'confirmed' }],
  [`/api/actions/${ACTION}/approval`, { approve: true, reason: 'r' }],
  [`/api/actions/${ACTION}/outcome`, { status: 'failed', details: {} }],
  ['/api/revocations', { scope: 'global', operation: 'revoke', reason: 'r', request_id: 'i' }],
  ['/api/scalar/emit', { tenant_id: 't', agent_id: 'a' }],
  ['/api/agents/a/tokens', { tenant_id: 't', expires_in_s: 1 }],
  ['/api/tokens', { role: 'auditor', expires_in_s: 1 }],
  ['/api/receipts', { tenant_id: 't', agent_id: 'a', receipts: [{}] }],
];
/** What the caller may fill as it likes: any JSON value is right. */
const FREE = /^(proposed_plan(\..+)?|tools\.0\.arguments\.command)$/;

type Path = (string | number)[];

/** Every place in a body that holds a value. */
function* places(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value))
    yield* places(item, [...path, Array.isArray(value) ? Number(key) : key]);
}

function replaced(body: unknown, path: Path, value: unknown): object {
  const copy = structuredClone(body) as Record<string, unknown>;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) as string] = value;
  return copy;
}

function valueAt(body: unknown, path: Path): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown>)[key], body);
}

const WRONG: unknown[] = [null, 17, true, 'x\u0000', [], {}, [[1]], -1, 1.5];

function sameType(a: unknown, b: unknown): boolean {
  return typeof a === typeof b && Array.isArray(a) === Array.isArray(b) && (a === null) === (b === null);
}

test('a value of a wrong type is refused with its path, in every place of every body', async () => {
  let count = 0;
  for (const [path, body] of BODIES) {
    for (const place of places(body)) {
      const dotted = place.join('.');
      for (const wrong of WRONG) {
        const nul = typeof wrong === 'string';
        if (!nul && (FREE.test(dotted) || sameType(wrong, valueAt(body, place)))) continue;
        // A permit may be the object that was answered, so there the id is what is missing.
        const field = dotted === 'permit' && JSON.stringify(wrong) === '{}' ? 'permit.id' : dotted;
        await refused(path, JSON.stringify(replaced(body, place, wrong)), field);
        count++;
      }
    }
  }
  expect(count).toBeGreaterThan(400);
}, 60_000);

test('a required field that is missing is named', async () => {
  const required: [string, object, string[]][] = [
    ['/api/execute', { agent_id: 'a', tenant_id: 't', code: 'ls' }, ['agent_id', 'tenant_id']],
    ['/api/guard', { agent_id: 'a', tenant_id: 't', action: GUARDS[0] }, ['agent_id', 'tenant_id', 'action']],
    ['/api/actions', { permit: 'x' }, ['permit']],
    [`/api/actions/${ACTION}/assumptions`, { statement: 's' }, ['statement']],
    [`/api/actions/${ACTION}/approval`, { approve: true }, ['approve']],
    [`/api/actions/${ACTION}/outcome`, { status: 'failed' }, ['status']],
    ['/api/revocations', { scope: 'global', operation: 'revoke' }, ['scope', 'operation']],
    ['/api/scalar/emit', { tenant_id: 't', agent_id: 'a' }, ['tenant_id', 'agent_id']],
    ['/api/agents/a/tokens', { tenant_id: 't' }, ['tenant_id']],
    ['/api/tokens', { role: 'auditor' }, ['role']],
    ['/api/receipts', { receipts: [{}] }, ['receipts']],
  ];
  for (const [path, body, fields] of required) {
    for (const field of fields) {
      const { [field]: _left, ...rest } = body as Record<string, unknown>;
      await refused(path, JSON.stringify(rest), field);
    }
  }
  await refused('/api/execute', JSON.stringify({ agent_id: 'a', tenant_id: 't' }), 'tools');
  await refused('/api/execute', JSON.stringify({ agent_id: 'a', tenant_id: 't', tools: [], code: '' }), 'tools');
  await refused('/api/execute', JSON.stringify({ agent_id: 'a', tenant_id: 't', language: 'go' }), 'language');
  for (const { kind } of GUARDS) {
    const { problem } = await send('/api/guard', JSON.stringify({ agent_id: 'a', tenant_id: 't', action: { kind } }));
    expect(problem.field, kind).toMatch(/^action\.[a-z]+$/);
  }
});

test('a field nobody knows is named, unless it looks like something to hide', async () => {
  for (const [path, body] of BODIES) {
    await refused(path, JSON.stringify({ ...body, agentid: 'x' }), 'agentid');
    await refused(path, JSON.stringify({ ...body, 'sk-live 4242': 'x' }), '*');
  }
  const action = { ...GUARDS[0], commnd: 'x' };
  await refused('/api/guard', JSON.stringify({ agent_id: 'a', tenant_id: 't', action }), 'action.commnd');
  const tools = [{ name: 'n', args: {} }];
  await refused('/api/execute', JSON.stringify({ agent_id: 'a', tenant_id: 't', tools }), 'tools.0.args');
});

test('names hold to their letters and lengths', async () => {
  const bad = ['', '.', '-a', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(129), '../etc', 'a\u202eb', '<a>'];
  for (const field of ['agent_id', 'tenant_id', 'session_id', 'opportunity_id']) {
    for (const name of bad) await refused('/api/execute', JSON.stringify({ ...EXECUTE, [field]: name }), field);
  }
  for (const name of ['a%20b', 'x'.repeat(129), '-x']) {
    await refused(`/api/agents/${name}/tokens`, JSON.stringify({ tenant_id: 't' }), 'agent_id');
  }
});

test('what is too long, too many or too far is refused', async () => {
  const tools = Array.from({ length: 64 }, () => ({ name: 'n' }));
  await refused('/api/execute', JSON.stringify({ ...EXECUTE, tools }), 'tools');
  await refused('/api/execute', JSON.stringify({ ...EXECUTE, code: 'x'.repeat(600_000) }), 'code');
  await refused('/api/execute', JSON.stringify({ ...EXECUTE, idempotency_key: 'x'.repeat(256) }), 'idempotency_key');
  await refused('/api/execute', JSON.stringify({ ...EXECUTE, idempotency_key: '' }), 'idempotency_key');
  const outcome = { status: 'failed', details: { a: 'x'.repeat(70_000) } };
  await refused(`/api/actions/${ACTION}/outcome`, JSON.stringify(outcome), 'details');
  await refused(`/api/actions/${ACTION}/outcome`, JSON.stringify({ status: 'lost_confirmation' }), 'status');
  await refused('/api/receipts', JSON.stringify({ receipts: Array(257).fill({}) }), 'receipts');
  await refused('/api/receipts', JSON.stringify({ receipts: [{ a: 'x'.repeat(70_000) }] }), 'receipts.0');
  await refused('/api/receipts', JSON.stringify({ payload: 'x'.repeat(70_000) }), 'body');
  await refused('/api/agents/a/tokens', JSON.stringify({ tenant_id: 't', expires_in_s: 1e12 }), 'expires_in_s');
  await refused('/api/execute', JSON.stringify({ ...EXECUTE, code: 'x'.repeat(1_100_000) }), 'body', 413);
  await refused('/api/execute', 'x'.repeat(3_000_000), 'body', 413);
});

test('bytes that are no strict JSON are refused, whatever is meant', async () => {
  const wrap = (json: string) => `{"agent_id":"a","tenant_id":"t","code":"ls","context":${json}}`;
  const bad: [string | Uint8Array, string | undefined][] = [
    ['', 'body'],
    ['null', 'body'],
    ['[]', 'body'],
    ['"text"', 'body'],
    ['17', 'body'],
    ['{', undefined],
    ['{}x', undefined],
    ["{'a':1}", undefined],
    ['{"a":1,}', undefined],
    ['{"a":NaN}', undefined],
    ['{"a":01}', undefined],
    ['// {}', undefined],
    [`${wrap('{}').slice(0, -1)},"code":"rm -rf /"}`, 'code'],
    [`${wrap('{}').slice(0, -1)},"c\\u006fde":"rm -rf /"}`, 'code'],
    [wrap('{"a":{"b":1,"b":2}}'), 'context.a.b'],
    [wrap('{"a":"\\ud800"}'), 'context.a'],
    [wrap('{"a":"\\udc00\\ud800"}'), 'context.a'],
    [wrap('{"\\ud800":1}'), undefined],
    [wrap('{"a":9007199254740993}'), 'context.a'],
    [wrap('{"a":-9007199254740993}'), 'context.a'],
    [wrap('{"a":1e400}'), 'context.a'],
    [wrap('{"__proto__":{"attended":true}}'), undefined],
    [wrap('{"a":"\\u0000"}'), 'context.a'],
    [wrap('{"a\\u0000":1}'), 'context'],
    [wrap('{"a":"\u0000"}'), undefined],
    [wrap('{"a":"\u001f"}'), undefined],
    [wrap(`${'['.repeat(5000)}${']'.repeat(5000)}`), undefined],
    [wrap(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`), undefined],
    ['['.repeat(500_000), undefined],
    ['{"a":'.repeat(200_000), undefined],
    [Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(wrap('{}'))]), undefined],
    [Buffer.concat([Buffer.from('{"agent_id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), undefined],
    [Buffer.concat([Buffer.from('{"agent_id":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')]), undefined],
    [Buffer.concat([Buffer.from('{"agent_id":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]), undefined],
    [Buffer.from(wrap('{}'), 'utf16le'), undefined],
    [new Uint8Array(1000), undefined],
  ];
  for (const [body, field] of bad) await refused('/api/execute', body, field);
  for (const [path] of BODIES) {
    for (const body of ['', '[]', 'null', '{"a":1,"a":1}', '{"a":"\\ud800"}']) await refused(path, body, undefined);
  }
});

test('bad queries are refused by name', async () => {
  const headers = { authorization: `Bearer ${gateway.adminToken}` };
  const queries: [string, string][] = [
    ['/api/receipts?limit=1001', 'limit'],
    ['/api/receipts?limit=-1', 'limit'],
    ['/api/receipts?limit=1&limit=2', 'limit'],
    ['/api/receipts?start=9007199254740993', 'start'],
    ['/api/receipts?kind=../x', 'kind'],
    ['/api/receipts?log=x', 'log'],
    ['/api/receipts?reverse=yes', 'reverse'],
    ['/api/receipts?agent_id=', 'agent_id'],
    ['/api/receipts?tennant=x', 'tennant'],
    ['/api/scalar?after=a%20b', 'after'],
    ['/api/scalar/a?as_of=today', 'as_of'],
    ['/api/scalar/a?tenant_id=a%00', 'tenant_id'],
    ['/api/scalar/a%20b', 'agent_id'],
    ['/api/approvals?limit=x', 'limit'],
    [`/api/actions/${ACTION}/approval?wait=61`, 'wait'],
    [`/api/actions/${ACTION}/approval?wait=1e9`, 'wait'],
    ['/logs/0123456789ab/tile/64/000', 'level'],
  ];
  for (const [path, field] of queries) {
    const response = await fetch(`${gateway.url}${path}`, { headers });
    expect([response.status, ((await response.json()) as Problem).field], path).toEqual([400, field]);
  }
  // The gateway asks its logs who they are before it looks for one.
  gateway.asked.splice(0, gateway.asked.length, ...gateway.asked.filter(({ method }) => method !== 'getKeys'));
});

test('no answer repeats what was sent', async () => {
  const secret = 'sk-canary-4f1d';
  for (const body of [
    { ...EXECUTE, agent_id: secret.repeat(20) },
    { ...EXECUTE, [secret.repeat(2)]: 1 },
    { ...EXECUTE, language: `${secret}!` },
    { ...EXECUTE, context: { [`${secret} x`]: '\u0000' } },
  ]) {
    const { status, problem } = await send('/api/execute', JSON.stringify(body));
    expect(status).toBe(400);
    if (Object.keys(body).includes(secret.repeat(2))) continue;
    expect(JSON.stringify(problem)).not.toContain(secret);
  }
  const { problem } = await send('/api/execute', `{"agent_id": "${secret}`);
  expect(JSON.stringify(problem)).not.toContain(secret);
});
