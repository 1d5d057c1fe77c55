// The hook against a real server: what it believes, what it refuses, and how it says so.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ACTION, type FakeBeacon, makeSigner, type Script, startFakeBeacon } from './beacon.fixture.ts';
import { DEADLINE_MS, runHook } from './main.ts';

let beacon: FakeBeacon;
beforeEach(async () => {
  beacon = await startFakeBeacon();
});
afterEach(() => beacon.close());

const EVENT = {
  session_id: '13e67f47-cf57-46b3-9e2f-c68b5d6e2415',
  cwd: '/w',
  hook_event_name: 'PreToolUse',
  permission_mode: 'bypassPermissions',
  tool_name: 'Bash',
  tool_input: { command: 'echo x > effect.txt' },
  tool_use_id: 'call_0',
};

type Options = {
  argv?: string[];
  env?: Record<string, string>;
  stdin?: string | AsyncIterable<Uint8Array>;
  elapsedMs?: () => number;
};

/** Changes fields of an answer, a predicate or a client file. */
const set = (fields: object) => (target: object) => void Object.assign(target, fields);

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function hook(event: unknown, { argv = ['codex'], env, stdin, elapsedMs = () => 0 }: Options = {}) {
  const said = { out: '', err: '' };
  let closed = false;
  const given = stdin ?? (typeof event === 'string' ? event : JSON.stringify(event));
  const code = await runHook(argv, {
    env: env ?? { BEACON_URL: beacon.url },
    cwd: '/',
    stdin: typeof given === 'string' ? one(given) : given,
    elapsedMs,
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    close: () => {
      closed = true;
    },
  });
  expect(closed).toBe(true);
  return { code, ...said };
}

const withFile = (change?: Parameters<FakeBeacon['clientFile']>[0]) => ({
  argv: ['codex', '--client-file', beacon.clientFile(change)],
  env: {},
});

function expectRefused({ code, out, err }: Awaited<ReturnType<typeof hook>>, why: RegExp) {
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^Beacon: refused, because no valid decision was had: \S.*\n$/);
  expect(err).toMatch(why);
}

describe('what is asked', () => {
  test('the tool call, by an asserted caller of the default names', async () => {
    expect(await hook(EVENT)).toEqual({ code: 0, out: '', err: '' });
    const [request] = beacon.requests;
    expect(request?.path).toBe('/api/execute');
    expect(request?.authorization).toBeUndefined();
    expect(request?.body).toMatchObject({
      agent_id: 'codex',
      tenant_id: 'local',
      session_id: EVENT.session_id,
      surface: 'codex',
      tools: [{ name: 'Bash', arguments: { command: 'echo x > effect.txt' } }],
      context: { cwd: '/w', attended: false },
    });
  });

  test('the turn, where the client names one that is a name', async () => {
    for (const turn_id of ['turn-7', 'a b', 7, undefined]) await hook({ ...EVENT, turn_id });
    expect(beacon.requests.map(({ body }) => body.opportunity_id)).toEqual(['turn-7', undefined, undefined, undefined]);
  });

  test('the same call twice carries two nonces', async () => {
    await hook(EVENT);
    await hook(EVENT);
    const [first, second] = beacon.requests.map(({ body }) => body.idempotency_key);
    expect(first).not.toBe(second);
  });

  test('with a client file: its names and token, and nothing of the environment or working directory', async () => {
    const hostile = {
      BEACON_URL: 'http://127.0.0.1:9',
      BEACON_TOKEN: 'evil',
      BEACON_AGENT_ID: 'evil',
      BEACON_DATA_DIR: '/',
    };
    expect((await hook(EVENT, { ...withFile(), env: hostile })).code).toBe(0);
    const [request] = beacon.requests;
    expect(request?.authorization).toBe('Bearer agent-token');
    expect(request?.body).toMatchObject({ agent_id: 'bot', tenant_id: 'acme' });
  });

  test('the instance running on the data folder, without its admin token', async () => {
    const folder = join(beacon.folder, 'data');
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'instance.json'), JSON.stringify({ http: beacon.url }));
    writeFileSync(join(folder, 'admin.token'), 'admin-secret');
    expect((await hook(EVENT, { env: { BEACON_DATA_DIR: folder } })).code).toBe(0);
    expect(beacon.requests[0]?.authorization).toBeUndefined();
  });

  test('not the one that was killed, whoever answers at its port now', async () => {
    const folder = join(beacon.folder, 'killed');
    mkdirSync(folder, { mode: 0o700 });
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(folder, 'instance.json'), JSON.stringify({ http: beacon.url, pid }));
    expect((await hook(EVENT, { env: { BEACON_DATA_DIR: folder } })).code).not.toBe(0);
    expect(beacon.requests).toEqual([]);
  });
});

describe('what is answered', () => {
  test.each(['DENY', 'APPROVAL', 'SIMULATE'])(
    '%s: exactly the deny JSON, with reason, receipt and action',
    async (route) => {
      beacon.script = { route };
      const { code, out } = await hook(EVENT);
      expect(code).toBe(0);
      const { hookSpecificOutput: said, ...rest } = JSON.parse(out);
      expect(rest).toEqual({});
      expect(Object.keys(said)).toEqual(['hookEventName', 'permissionDecision', 'permissionDecisionReason']);
      expect(said).toMatchObject({ hookEventName: 'PreToolUse', permissionDecision: 'deny' });
      expect(said.permissionDecisionReason).toContain('It deletes what cannot be brought back.');
      expect(said.permissionDecisionReason).toContain('beacon.effects.delete: destructive');
      expect(said.permissionDecisionReason).toContain('Receipt 0123456789ab-7.');
      if (route !== 'SIMULATE') expect(said.permissionDecisionReason).toContain(ACTION);
    },
  );

  test('WARN runs, and the person is told', async () => {
    beacon.script = { route: 'WARN' };
    const { code, out } = await hook(EVENT);
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(out))).toEqual(['systemMessage']);
  });

  test('a permission request is granted only by an ALLOW', async () => {
    const event = { ...EVENT, hook_event_name: 'PermissionRequest' };
    const decisionOf = ({ out }: { out: string }) => JSON.parse(out).hookSpecificOutput.decision;
    expect(decisionOf(await hook(event))).toEqual({ behavior: 'allow' });
    beacon.script = { route: 'DENY' };
    expect(decisionOf(await hook(event))).toMatchObject({
      behavior: 'deny',
      message: expect.stringContaining('Receipt'),
    });
  });

  test('an obligation the hook cannot keep refuses; one it can, or need not, does not', async () => {
    const denied = async (constraint: object) => {
      beacon.script = { constraints: [constraint as Record<string, unknown>] };
      return (await hook(EVENT, withFile())).out.includes('"deny"');
    };
    expect(await denied({ kind: 'from_the_future', required: false })).toBe(true);
    expect(await denied({ kind: 'redact_output' })).toBe(true);
    expect(await denied({ kind: 'sandbox' })).toBe(true);
    expect(await denied({ kind: 'sandbox', required: false })).toBe(false);
    expect(await denied({ kind: 'notify' })).toBe(false);
  });

  test('nothing that a reason holds can end the line or colour the terminal', async () => {
    const message = '\u001b[2Jgone\n{"x":1}\u202e';
    beacon.script = { route: 'DENY', answer: set({ reasons: [{ rule: 'a', code: 'b', message }] }) };
    const { out } = await hook(EVENT);
    expect(JSON.parse(out).hookSpecificOutput.permissionDecisionReason).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test('events that propose nothing are let pass unasked; unknown ones with a tool call are not', async () => {
    expect(await hook({ ...EVENT, hook_event_name: 'PostToolUse' })).toEqual({ code: 0, out: '', err: '' });
    expect(await hook({ hook_event_name: 'SessionStart', session_id: 's' })).toEqual({ code: 0, out: '', err: '' });
    expect(beacon.requests).toEqual([]);
    expectRefused(await hook({ ...EVENT, hook_event_name: 'BeforeTool' }), /hook_event_name/);
  });
});

describe('what is refused', () => {
  const broken: [string, unknown, RegExp][] = [
    ['nothing', '', /invalid_argument/],
    ['no JSON', 'hello', /invalid_argument/],
    ['an array', [], /invalid_argument/],
    ['a duplicate key', '{"tool_name":"a","tool_name":"b"}', /invalid_argument/],
    ['no tool name', { ...EVENT, tool_name: undefined }, /tool_name/],
    ['a tool input that is no object', { ...EVENT, tool_input: 'rm' }, /tool_input/],
    ['no session', { ...EVENT, session_id: 3 }, /session_id/],
    ['more than a hook reads', `"${'x'.repeat(1_100_000)}"`, /payload_too_large/],
  ];
  test.each(broken)('on stdin: %s', async (_, event, why) => {
    expectRefused(await hook(event), why);
    expect(beacon.requests).toEqual([]);
  });

  test.each([[['gemini']], [[]], [['codex', '--what']], [['codex', 'claude-code']]])('arguments %j', async (argv) => {
    expectRefused(await hook(EVENT, { argv }), /usage|unknown|internal/i);
  });

  const answers: [string, Script['instead'] & object][] = [
    ['HTML', (response) => response.end('<html>ALLOW</html>')],
    ['nothing', (response) => response.end()],
    [
      'half an answer',
      (response) => response.writeHead(200, { 'content-length': 500 }).write('{', () => response.destroy()),
    ],
    ['true', (response) => response.end('true')],
    ['a bare ALLOW', (response) => response.end('{"decision":"ALLOW","route":"ALLOW"}')],
    [
      'a 503',
      (response) => response.writeHead(503).end('{"code":"unavailable","detail":"the ledger cannot be written"}'),
    ],
    ['a redirect', (response) => response.writeHead(302, { location: '/elsewhere' }).end('{}')],
    ['an endless answer', (response) => response.end(`"${'x'.repeat(2_000_000)}"`)],
  ];
  test.each(answers)('an answer that is %s', async (_, instead) => {
    beacon.script = { instead };
    expectRefused(await hook(EVENT), /unavailable|payload_too_large/);
  });

  const spoiled: [string, Script][] = [
    ['an unknown route', { answer: set({ route: 'MAYBE' }) }],
    ['a decision that contradicts its route', { route: 'DENY', answer: set({ decision: 'ALLOW' }) }],
    ['a route that contradicts its receipt', { route: 'DENY', answer: set({ decision: 'ALLOW', route: 'ALLOW' }) }],
    ['a receipt of another route that runs', { predicate: set({ route: 'WARN' }) }],
    ['no receipt', { answer: set({ receipt: null }) }],
    ['another receipt id', { answer: set({ receipt_id: '0123456789ab-8' }) }],
    ['another action', { answer: set({ action_id: `act_${'f'.repeat(32)}` }) }],
    ['another request digest', { answer: set({ request_digest: '0'.repeat(64) }) }],
    ['a receipt of another request', { predicate: set({ request_digest: '0'.repeat(64) }) }],
    ['a receipt of another agent', { predicate: set({ agent_id: 'other' }) }],
    ['a receipt of another tenant', { predicate: set({ tenant_id: 'other' }) }],
    ['obligations taken away', { constraints: [{ kind: 'sandbox' }], answer: set({ constraints: [] }) }],
    ['an expired permit', { permitMs: 0 }],
    ['an expired lease', { leaseMs: -1 }],
    ['constraints that are no list', { answer: set({ constraints: {} }) }],
  ];
  test.each(spoiled)('an ALLOW with %s, with and without pinned keys', async (_, script) => {
    beacon.script = script;
    expectRefused(await hook(EVENT, withFile()), /unavailable|malformed/);
    expectRefused(await hook(EVENT), /unavailable|malformed/);
  });

  test('an allowance under any status but 200', async () => {
    beacon.script = { status: 503 };
    expectRefused(await hook(EVENT), /503/);
  });

  test('with pinned keys: a receipt signed by somebody else, or changed after signing', async () => {
    beacon.script = { signer: makeSigner() };
    expectRefused(await hook(EVENT, withFile()), /unknown_key/);
    const flip = ({ receipt }: { receipt?: { signatures: { sig: string }[] } }) => {
      const signature = receipt?.signatures[0] as { sig: string };
      signature.sig = `${signature.sig[0] === 'A' ? 'B' : 'A'}${signature.sig.slice(1)}`;
    };
    beacon.script = { answer: flip };
    expectRefused(await hook(EVENT, withFile()), /bad_signature/);
  });

  test('a permit that ended while the answer was on its way', async () => {
    beacon.script = { permitMs: 500 };
    let asked = 0;
    expectRefused(await hook(EVENT, { ...withFile(), elapsedMs: () => (asked++ < 2 ? 0 : 501) }), /expired/);
  });

  test('Beacon stopped, or nowhere to be found', async () => {
    const { url } = beacon;
    await beacon.close();
    expectRefused(await hook(EVENT, { env: { BEACON_URL: url } }), /ECONNREFUSED/);
    expectRefused(await hook(EVENT, { env: { BEACON_DATA_DIR: '/nonexistent' } }), /no Beacon is running/);
  });

  test('a Beacon that never answers, and a client that never sends', async () => {
    beacon.script = { instead: () => {} };
    const late = () => DEADLINE_MS - 50;
    expectRefused(await hook(EVENT, { elapsedMs: late }), /deadline_exceeded/);
    const never = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    expectRefused(await hook(EVENT, { elapsedMs: late, stdin: never }), /deadline_exceeded/);
  });

  const files: [string, (fields: Record<string, unknown>) => void][] = [
    ['an address beyond loopback without TLS', set({ url: 'http://beacon.example' })],
    ['no address', set({ url: 'beacon' })],
    ['no token', set({ token: '' })],
    ['a token with a line break', set({ token: 'a\r\nb' })],
    ['no agent', set({ agent_id: undefined })],
    ['no keys', set({ jwks: { keys: [] } })],
    ['no key set', set({ jwks: undefined })],
    ['a field it does not know', set({ fail_open: true })],
    ['a relative workspace', set({ workspace: '.' })],
  ];
  test.each(files)('a client file with %s', async (_, change) => {
    expectRefused(await hook(EVENT, withFile(change)), /invalid_argument|malformed/);
    expect(beacon.requests).toEqual([]);
  });

  test('a client file that is relative, missing, or writable by others', async () => {
    const refusedWith = async (path: string) =>
      expectRefused(await hook(EVENT, { argv: ['codex', '--client-file', path] }), /failed_precondition/);
    await refusedWith(relative(process.cwd(), beacon.clientFile()));
    await refusedWith('/nonexistent/client.json');
    await refusedWith(beacon.folder);
    await refusedWith(beacon.clientFile(() => {}, 0o622));
  });

  test('a data folder that others can enter', async () => {
    const folder = join(beacon.folder, 'open');
    mkdirSync(folder, { mode: 0o755 });
    writeFileSync(join(folder, 'instance.json'), JSON.stringify({ http: beacon.url }));
    expectRefused(await hook(EVENT, { env: { BEACON_DATA_DIR: folder } }), /failed_precondition/);
  });
});

describe('the process', () => {
  const main = join(import.meta.dirname, '..', 'cli', 'main.ts');
  const start = (options: object, ...argv: string[]) =>
    spawnSync(process.execPath, [main, 'hook', ...argv], { encoding: 'utf8', timeout: 15_000, ...options });

  test('refuses with exit 2 and a reason when nobody listens', () => {
    const env = { PATH: process.env.PATH, BEACON_URL: 'http://127.0.0.1:9' };
    const { status, stdout, stderr } = start({ input: JSON.stringify(EVENT), env }, 'claude-code');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('ECONNREFUSED');
  });

  test('refuses when it is told to end while it waits', async () => {
    const env = { PATH: process.env.PATH, BEACON_URL: beacon.url };
    const child = spawn(process.execPath, [main, 'hook', 'codex'], { env, stdio: 'pipe' });
    beacon.script = { instead: () => child.kill('SIGTERM') };
    child.stdin.write(JSON.stringify(EVENT));
    child.stdin.end();
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('SIGTERM') });
  });

  test('refuses then although what it looks at on the disk never comes back', async () => {
    const folder = join(beacon.folder, 'data');
    mkdirSync(folder, { mode: 0o700 });
    spawnSync('mkfifo', [join(folder, 'instance.json')]);
    const env = { PATH: process.env.PATH, BEACON_DATA_DIR: folder };
    const child = spawn(process.execPath, [main, 'hook', 'codex'], { env, stdio: 'pipe' });
    child.stdin.end(JSON.stringify(EVENT));
    setTimeout(() => child.kill('SIGTERM'), 3_000);
    const killed = setTimeout(() => child.kill('SIGKILL'), 8_000);
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
    clearTimeout(killed);
  }, 15_000);

  test('ends by itself while the client keeps its stdin open', async () => {
    const env = { PATH: process.env.PATH, BEACON_URL: beacon.url };
    const child = spawn(process.execPath, [main, 'hook', 'unknown-client'], { env, stdio: 'pipe' });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(2);
  });
});
