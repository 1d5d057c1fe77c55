// The command against a scripted server on loopback: exit status, what is printed, what is sent.

import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { jwks, LOG_ID, ORIGIN, vkey } from '../../test/sealed-log.ts';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';
import { quote } from './execute.ts';
import { wantsColour } from './world.ts';

let stub: StubBeacon;
const beacon: StubBeacon['beacon'] = (argv, given) => stub.beacon(argv, given);

beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => stub.reset());

describe('finding Beacon', () => {
  const request = ['score', 'a', '--json'];

  test('nothing there, nobody listening, something else listening: 3', async () => {
    expect(await beacon(request, { env: {} })).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/^beacon: unavailable: /),
    });
    expect((await beacon(request, { env: { BEACON_URL: 'http://127.0.0.1:9' } })).exit).toBe(3);
    stub.answers['GET /api/scalar/a'] = { body: '<html>', type: 'text/html' };
    expect((await beacon(request)).exit).toBe(3);
    stub.answers['GET /api/scalar/a'] = { body: '<html>', status: 502 };
    expect((await beacon(request)).exit).toBe(3);
  });

  test('a redirect is not followed: the token would go along', async () => {
    stub.answers['GET /api/scalar/a'] = { status: 307, location: `${stub.url}/elsewhere`, body: '' };
    stub.answers['GET /elsewhere'] = { body: { score: 850 } };
    expect((await beacon(request)).exit).toBe(3);
    expect(stub.seen.map(({ url }) => url)).toEqual(['/api/scalar/a']);
  });

  test('beyond loopback only over TLS: the token could be read on the way', async () => {
    for (const url of [
      'http://192.0.2.1:7500',
      'HTTP://beacon.example',
      'http://127.0.0.1.example',
      'http://localhost.',
    ]) {
      const { exit, err } = await beacon(request, { env: { BEACON_URL: url, BEACON_TOKEN: 'secret-token' } });
      expect(exit).toBe(2);
      expect(err).toMatch(/https is needed beyond loopback/);
    }
  });

  test('by the instance on the data stub.folder, with its admin token', async () => {
    const data = await mkdtemp(join(tmpdir(), 'beacon-data-'));
    await writeFile(
      join(data, 'instance.json'),
      JSON.stringify({ http: stub.url, grpc: '127.0.0.1:1', pid: process.pid }),
    );
    await writeFile(join(data, 'admin.token'), 'admin-token\n');
    stub.answers['GET /api/scalar/a'] = { body: { score: 300 } };
    expect((await beacon(request, { env: { BEACON_DATA_DIR: data } })).exit).toBe(0);
    expect(stub.seen[0]?.authorization).toBe('Bearer admin-token');
  });

  test('the token of one that was killed is not shown to who has its port now', async () => {
    const data = await mkdtemp(join(tmpdir(), 'beacon-data-'));
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await writeFile(join(data, 'instance.json'), JSON.stringify({ http: stub.url, pid }));
    await writeFile(join(data, 'admin.token'), 'admin-token\n');
    stub.answers['GET /api/scalar/a'] = { body: { score: 300 } };
    const { exit, err } = await beacon(request, { env: { BEACON_DATA_DIR: data } });
    expect(exit).toBe(3);
    expect(err).toContain('its process has ended');
    expect(stub.seen).toEqual([]);
  });

  test('a data stub.folder that others can write to is not believed', async () => {
    const data = await mkdtemp(join(tmpdir(), 'beacon-data-'));
    await writeFile(join(data, 'instance.json'), JSON.stringify({ http: stub.url }));
    await chmod(data, 0o777);
    const { exit, err } = await beacon(request, { env: { BEACON_DATA_DIR: data } });
    expect(exit).toBe(1);
    expect(err).toContain('failed_precondition');
    expect(stub.seen).toEqual([]);
  });

  test('a relative XDG_STATE_HOME would lie in the working directory and is ignored', async () => {
    const { err } = await beacon(request, { env: { XDG_STATE_HOME: '.' } });
    expect(err).toContain(join('nobody', '.local', 'state', 'beacon'));
  });
});

describe('execute', () => {
  const allow = {
    decision: 'ALLOW',
    route: 'ALLOW',
    receipt_id: `${LOG_ID}-0`,
    reasons: [],
    constraints: [],
    score: 300,
  };
  const who = ['execute', '--agent', 'a', '--tenant', 't'];

  test('sends what was typed; 0 on ALLOW', async () => {
    stub.answers['POST /api/execute'] = { body: allow };
    const { exit, out } = await beacon([...who, '--tool', 'Read={"path":"x"}', '--', 'ls', '-la', 'a b']);
    expect(exit).toBe(0);
    expect(out).toContain('✔ ALLOW');
    expect(stub.seen[0]).toMatchObject({
      authorization: 'Bearer secret-token',
      body: {
        agent_id: 'a',
        tenant_id: 't',
        code: "ls -la 'a b'",
        tools: [{ name: 'Read', arguments: { path: 'x' } }],
      },
    });
  });

  test('a code that several rules gave is printed once', async () => {
    const reasons = ['a', 'b'].map((rule) => ({ rule, code: 'revoked', message: 'Stopped.' }));
    stub.answers['POST /api/execute'] = { body: { ...allow, decision: 'DENY', route: 'DENY', reasons } };
    expect((await beacon([...who, '--code', 'ls'])).err).toBe('beacon: DENY revoked\n');
  });

  test.each(['DENY', 'APPROVAL', 'SIMULATE', 'SOMETHING'])('1 on %s, and the code is printed', async (route) => {
    const reasons = [{ rule: 'pack.x', code: 'destructive', message: 'It deletes.' }];
    stub.answers['POST /api/execute'] = { body: { ...allow, decision: 'DENY', route, reasons } };
    const { exit, out, err } = await beacon([...who, '--code', 'rm -rf /', '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out).route).toBe(route);
    expect(err).toContain('destructive');
  });

  test('an ALLOW with a route that does not run is not a yes', async () => {
    stub.answers['POST /api/execute'] = { body: { ...allow, route: 'DENY' } };
    expect((await beacon([...who, '--code', 'ls'])).exit).toBe(1);
  });

  test('problems become exit status and code', async () => {
    for (const [code, status, exit] of [
      ['invalid_argument', 400, 2],
      ['permission_denied', 403, 1],
      ['conflict', 409, 1],
      ['resource_exhausted', 429, 3],
      ['unavailable', 503, 3],
    ] as const) {
      stub.answers['POST /api/execute'] = { status, body: { code, detail: 'agent_id: wrong', field: 'agent_id' } };
      const result = await beacon([...who, '--code', 'ls', '--json']);
      expect(result.exit).toBe(exit);
      expect(JSON.parse(result.out).error.code).toBe(code);
      expect(result.err).toContain(`${code}: agent_id: wrong`);
    }
  });

  test('wrong usage: 2', async () => {
    for (const argv of [
      who,
      ['execute', '--code', 'ls'],
      [...who, '--tool', 'x'],
      [...who, '--context', '[]'],
      ['nonsense'],
      [],
    ]) {
      expect((await beacon(argv)).exit).toBe(2);
    }
    expect(stub.seen).toEqual([]);
  });

  test.each(['execute', 'explain'])(
    '%s names each key of a context that Beacon does not read, and sends it',
    async (verb) => {
      stub.answers['POST /api/execute'] = { body: allow };
      stub.answers['POST /api/explain'] = { body: { route: 'ALLOW', would_run: true } };
      const context = { cwd: '/w', attendend: false, git: { brnch: 'x', staged: { file: 1 } }, 'x\u001b[2J': 1 };
      const argv = [verb, '--agent', 'a', '--tenant', 't', '--context', JSON.stringify(context), '--json', '--', 'ls'];
      const { exit, err } = await beacon(argv);
      expect(exit).toBe(0);
      const warned = err.trimEnd().split('\n');
      expect(warned).toHaveLength(4);
      for (const path of ['context.attendend', 'context.x', 'context.git.brnch', 'context.git.staged.file']) {
        expect(err).toContain(`beacon: warning: ${path}: not a key that Beacon reads (those are `);
      }
      expect(err).not.toContain('\u001b');
      expect(stub.seen[0]?.body).toMatchObject({ context });
      argv[argv.indexOf('--context') + 1] = '{"cwd":"/w","git":{"branch":"x","staged":{"files":1}},"region":"eu"}';
      expect((await beacon(argv)).err).toBe('');
    },
  );

  test('words are quoted so that the shell text means exactly them', () => {
    expect(['a b', "it's", '$(x)', '', 'plain-1.txt'].map(quote)).toEqual([
      "'a b'",
      `'it'\\''s'`,
      "'$(x)'",
      "''",
      'plain-1.txt',
    ]);
  });

  test('escape sequences from an answer never reach the terminal', async () => {
    const reasons = [{ rule: 'r', code: 'c', message: 'x\u001b[2J\u001b]0;owned\u0007\u202ey\nz' }];
    stub.answers['POST /api/execute'] = { body: { ...allow, decision: 'DENY', route: 'DENY', reasons } };
    const { out, err } = await beacon([...who, '--code', 'ls']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(out).toContain('y z');
  });
});

describe('score, revoke, approvals, token, status', () => {
  test('score shows what stands behind it', async () => {
    const factors = [{ name: 'policy conduct', points: 40, explanation: 'No proposal was denied.', receipts: 12 }];
    const unqualified = [{ reason: 'bad_signature', count: 3 }];
    const body = { agent_id: 'a', tenant_id: 't', score: 340, band: 'poor', total_receipts: 15, valid_receipts: 12 };
    stub.answers['GET /api/scalar/a'] = { body: { ...body, factors, unqualified, as_of: '2026-01-02' } };
    const { exit, out } = await beacon(['score', 'a', '--tenant', 't']);
    expect(exit).toBe(0);
    for (const part of ['340', '12 valid of 15', '+40', 'No proposal was denied.', '3 not counted: bad_signature']) {
      expect(out).toContain(part);
    }
    expect(stub.seen[0]?.url).toBe('/api/scalar/a?tenant_id=t');
  });

  test.each([
    ['execute', '--agent', 'a', '--tenant', 't', '--code', '-'],
    ['explain', '-'],
  ])('%s: bytes on stdin that are no text are not asked about as another', async (...argv) => {
    const stdin = Buffer.from([0x72, 0x6d, 0x20, 0xff, 0x2e, 0x2e]);
    expect(await beacon(argv, { env: { BEACON_URL: stub.url }, stdin })).toMatchObject({
      exit: 2,
      err: expect.stringContaining('not UTF-8'),
    });
    expect(stub.seen).toEqual([]);
  });

  test('revoke and reinstate say how far they reached and what they do not stop', async () => {
    const logs = [{ origin: ORIGIN, fence_index: 7 }];
    stub.answers['POST /api/revocations'] = {
      body: {
        revocation_id: 'rev_1',
        epoch: 4,
        level: 'BARRIER',
        logs,
        at: '2026-01-02T03:04:05.100Z',
        barrier_at: '2026-01-02T03:04:05.142Z',
      },
    };
    const { exit, out } = await beacon(['revoke', 'agent:a', '--reason', 'why']);
    expect(exit).toBe(0);
    expect(out).toContain('fenced at leaf 7');
    expect(out).toMatch(/stopped +everywhere within 42 ms/);
    expect(out).toMatch(/took +\d+ ms/);
    expect(out).toContain('provenance:asserted');
    expect(stub.seen[0]?.body).toEqual({ scope: 'agent:a', operation: 'revoke', reason: 'why' });
    const reinstated = (await beacon(['reinstate', 'agent:a'])).out;
    expect(reinstated).toMatch(/reinstated.+known +everywhere within 42 ms.+from leaf 7/s);
    expect(reinstated).not.toMatch(/stopped|fenced/);
    expect(stub.seen[1]?.body).toMatchObject({ operation: 'reinstate' });
  });

  test('approvals are listed and answered', async () => {
    stub.answers['GET /api/approvals'] = { body: { approvals: [{ action_id: 'act_1', summary: 'git push' }] } };
    stub.answers['POST /api/actions/act_1/approval'] = { body: { action_id: 'act_1' } };
    expect((await beacon(['approvals'])).out).toContain('git push');
    expect((await beacon(['approvals', 'deny', 'act_1', '--reason', 'no'])).exit).toBe(0);
    expect(stub.seen[1]?.body).toEqual({ approve: false, reason: 'no' });
  });

  test('a client file holds what a hook needs, for its owner alone, and the token is not shown', async () => {
    const minted = { token: 'bcn_secret', agent_id: 'a', tenant_id: 't', expires_at: '2027-01-01T00:00:00.000Z' };
    stub.answers['POST /api/agents/a/tokens'] = { body: minted };
    const path = join(stub.folder, 'client.json');
    await writeFile(path, 'old', { mode: 0o644 });
    const { exit, out } = await beacon(['token', 'a', '--tenant', 't', '--client-file', 'client.json', '--json']);
    expect(exit).toBe(0);
    expect(out).not.toContain('bcn_secret');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      url: stub.url,
      token: 'bcn_secret',
      agent_id: 'a',
      tenant_id: 't',
      jwks: JSON.parse(jwks),
    });
    stub.answers['POST /api/agents/a/tokens'] = { body: { ...minted, token_id: 'abc' } };
    expect(await beacon(['token', 'a', '--tenant', 't'])).toMatchObject({
      out: 'bcn_secret\n',
      err: 'beacon: token id abc, until 2027-01-01T00:00:00.000Z; beacon revoke-token abc ends it before\n',
    });
    expect((await beacon(['token', 'a/b', '--tenant', 't'])).exit).toBe(2);
  });

  test('a client file in a folder that is not there yet: made; that cannot be made: nothing is minted', async () => {
    stub.answers['POST /api/agents/a/tokens'] = { body: { token: 'bcn_secret', agent_id: 'a', tenant_id: 't' } };
    const mint = (path: string) => beacon(['token', 'a', '--tenant', 't', '--client-file', path]);
    expect((await mint('not/there/client.json')).exit).toBe(0);
    expect((await stat(join(stub.folder, 'not', 'there'))).mode & 0o777).toBe(0o700);
    stub.seen = [];
    await stub.save('a-file', '');
    expect((await mint('a-file/client.json')).exit).toBe(2);
    expect(stub.seen).toEqual([]);
  });

  test('status: a log whose signer is away has no size', async () => {
    for (const path of ['/healthz', '/readyz']) stub.answers[`GET ${path}`] = { body: { status: 'ok' } };
    stub.answers['GET /api/logs'] = { body: [{ origin: ORIGIN, prefix: '/log', vkey, size: null }] };
    const { out } = await beacon(['status']);
    expect(out).toContain('cannot be read now');
    expect(out).not.toContain('null');
  });

  test('prove-kill: a log that cannot be read now is named', async () => {
    stub.answers['GET /log/checkpoint'] = { status: 503, body: { code: 'unavailable', detail: 'away' } };
    const { exit, err } = await beacon(['prove-kill', `rev_${'0'.repeat(32)}`]);
    expect({ exit, err }).toEqual({
      exit: 3,
      err: `beacon: unavailable: the log ${ORIGIN} cannot be read now: away\n`,
    });
  });

  test('asked without a token where one is needed: says where to put it', async () => {
    stub.answers['GET /api/approvals'] = { status: 401, body: { code: 'unauthenticated', detail: 'needs a token' } };
    const without = await beacon(['approvals'], { env: { BEACON_URL: stub.url } });
    expect(without.err).toBe('beacon: unauthenticated: needs a token (BEACON_TOKEN is not set)\n');
    expect((await beacon(['approvals'])).err).toBe('beacon: unauthenticated: needs a token\n');
  });

  test('status: 0 ready, 1 not ready', async () => {
    stub.answers['GET /healthz'] = { body: { status: 'ok' } };
    stub.answers['GET /readyz'] = { status: 503, body: { code: 'unavailable' } };
    expect((await beacon(['status'])).exit).toBe(1);
    stub.answers['GET /readyz'] = { body: {} };
    expect(await beacon(['status'])).toMatchObject({ exit: 0, out: expect.stringMatching(/ready/) });
  });
});

test.skipIf(!existsSync('/dev/full'))('an answer that cannot be written is none: 3, in one sentence', () => {
  const main = join(import.meta.dirname, 'main.ts');
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [main, '--help'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect({ status, stderr }).toEqual({
    status: 3,
    stderr: 'beacon: unavailable: the answer cannot be written (ENOSPC)\n',
  });
});

test('colour is for terminals, and for those who want it', () => {
  expect(wantsColour({}, true)).toBe(true);
  expect(wantsColour({}, false)).toBe(false);
  expect(wantsColour({ NO_COLOR: '1' }, true)).toBe(false);
  expect(wantsColour({ TERM: 'dumb' }, true)).toBe(false);
  expect(wantsColour({ FORCE_COLOR: '1' }, false)).toBe(true);
});

test('help is no fault, and says every verb', async () => {
  const { exit, out } = await beacon(['--help'], { env: {} });
  expect(exit).toBe(0);
  for (const verb of [
    'execute',
    'verify',
    'receipts',
    'tail',
    'score',
    'revoke',
    'reinstate',
    'prove-kill',
    'approvals',
    'token',
    'status',
  ]) {
    expect(out).toContain(`  ${verb}`);
  }
});

test('a hook that cannot even be loaded blocks the call', async () => {
  vi.doMock('../hooks/main.ts', () => {
    throw new Error('broken installation');
  });
  expect(await beacon(['hook', 'claude-code'])).toMatchObject({ exit: 2, out: '' });
  vi.doUnmock('../hooks/main.ts');
});
