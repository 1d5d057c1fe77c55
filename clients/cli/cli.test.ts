// The command against a scripted server on loopback and against files: exit status, what is printed, what is sent.

import { chmod, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jwks, LOG_ID, ORIGIN, proofOf, sealReceipts, vkey } from '../../test/sealed-log.ts';
import { quote } from './execute.ts';
import { run } from './main.ts';
import { wantsColour } from './world.ts';

type Answer = { status?: number; type?: string; body: unknown };
type Seen = { method: string; url: string; authorization: string | undefined; body: unknown };

const leaves = sealReceipts(5);
const envelope = (index: number) => JSON.parse(Buffer.from(leaves[index] as Uint8Array).toString());
let answers: Record<string, Answer> = {};
let seen: Seen[] = [];
let url = '';
let folder = '';

const server = createServer(async (request: IncomingMessage, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const { method = '', url: target = '', headers } = request;
  seen.push({ method, url: target, authorization: headers.authorization, body: text && JSON.parse(text) });
  const {
    status = 200,
    type = 'application/json',
    body,
  } = answers[`${method} ${target.split('?')[0]}`] ?? {
    status: 404,
    body: { code: 'not_found', detail: 'no such thing' },
  };
  response.writeHead(status, { 'content-type': type });
  response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'beacon-cli-'));
});
afterAll(() => void server.close());
beforeEach(() => {
  answers = {
    'GET /.well-known/jwks.json': { body: jwks },
    'GET /api/logs': { body: [{ origin: ORIGIN, prefix: '/log', vkey, size: 5 }] },
  };
  seen = [];
});

async function beacon(
  argv: string[],
  given: { env?: Record<string, string>; stdin?: Uint8Array; colour?: boolean } = {},
) {
  const out: Uint8Array[] = [];
  let err = '';
  const exit = await run(argv, {
    env: { HOME: join(folder, 'nobody'), ...(given.env ?? { BEACON_URL: url, BEACON_TOKEN: 'secret-token' }) },
    cwd: folder,
    colour: given.colour ?? false,
    width: 100,
    out: (text) => void out.push(Buffer.from(text)),
    err: (text) => {
      err += text;
    },
    readStdin: async () => given.stdin ?? new Uint8Array(),
    onInterrupt: () => undefined,
  });
  return { exit, out: Buffer.concat(out).toString(), bytes: Buffer.concat(out), err };
}

async function save(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('finding Beacon', () => {
  const request = ['score', 'a', '--json'];

  test('nothing there, nobody listening, something else listening: 3', async () => {
    expect(await beacon(request, { env: {} })).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/^beacon: unavailable: /),
    });
    expect((await beacon(request, { env: { BEACON_URL: 'http://127.0.0.1:9' } })).exit).toBe(3);
    answers['GET /api/scalar/a'] = { body: '<html>', type: 'text/html' };
    expect((await beacon(request)).exit).toBe(3);
    answers['GET /api/scalar/a'] = { body: '<html>', status: 502 };
    expect((await beacon(request)).exit).toBe(3);
    answers['GET /api/scalar/a'] = { status: 302, body: '' };
    expect((await beacon(request)).exit).toBe(3);
  });

  test('by the instance on the data folder, with its admin token', async () => {
    const data = await mkdtemp(join(tmpdir(), 'beacon-data-'));
    await writeFile(join(data, 'instance.json'), JSON.stringify({ http: url, grpc: '127.0.0.1:1', pid: 1 }));
    await writeFile(join(data, 'admin.token'), 'admin-token\n');
    answers['GET /api/scalar/a'] = { body: { score: 300 } };
    expect((await beacon(request, { env: { BEACON_DATA_DIR: data } })).exit).toBe(0);
    expect(seen[0]?.authorization).toBe('Bearer admin-token');
  });

  test('a data folder that others can write to is not believed', async () => {
    const data = await mkdtemp(join(tmpdir(), 'beacon-data-'));
    await writeFile(join(data, 'instance.json'), JSON.stringify({ http: url }));
    await chmod(data, 0o777);
    const { exit, err } = await beacon(request, { env: { BEACON_DATA_DIR: data } });
    expect(exit).toBe(1);
    expect(err).toContain('failed_precondition');
    expect(seen).toEqual([]);
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
    answers['POST /api/execute'] = { body: allow };
    const { exit, out } = await beacon([...who, '--tool', 'Read={"path":"x"}', '--', 'ls', '-la', 'a b']);
    expect(exit).toBe(0);
    expect(out).toContain('✔ ALLOW');
    expect(seen[0]).toMatchObject({
      authorization: 'Bearer secret-token',
      body: {
        agent_id: 'a',
        tenant_id: 't',
        code: "ls -la 'a b'",
        tools: [{ name: 'Read', arguments: { path: 'x' } }],
      },
    });
  });

  test.each(['DENY', 'APPROVAL', 'SIMULATE', 'SOMETHING'])('1 on %s, and the code is printed', async (route) => {
    const reasons = [{ rule: 'pack.x', code: 'destructive', message: 'It deletes.' }];
    answers['POST /api/execute'] = { body: { ...allow, decision: 'DENY', route, reasons } };
    const { exit, out, err } = await beacon([...who, '--code', 'rm -rf /', '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out).route).toBe(route);
    expect(err).toContain('destructive');
  });

  test('an ALLOW with a route that does not run is not a yes', async () => {
    answers['POST /api/execute'] = { body: { ...allow, route: 'DENY' } };
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
      answers['POST /api/execute'] = { status, body: { code, detail: 'agent_id: wrong', field: 'agent_id' } };
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
    expect(seen).toEqual([]);
  });

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
    answers['POST /api/execute'] = { body: { ...allow, decision: 'DENY', route: 'DENY', reasons } };
    const { out, err } = await beacon([...who, '--code', 'ls']);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(out).toContain('y z');
  });
});

describe('verify', () => {
  const keys = async () => ['--key', await save('jwks.json', jwks), '--key', await save('log.vkey', `${vkey}\n`)];
  const offline = { env: {} };

  test('offline, from keys and a proof', async () => {
    const receipt = await save('r.json', leaves[3] as Uint8Array);
    const proof = await save('r.tlog-proof', proofOf(3, leaves));
    const { exit, out } = await beacon(['verify', receipt, ...(await keys()), '--proof', proof], offline);
    expect(exit).toBe(0);
    expect(out).toContain('✔ verified  decision 0123456789ab-3');
    expect(out).toContain(`leaf 3 of 5 in ${ORIGIN}`);
    const json = await beacon(['verify', receipt, ...(await keys()), '--proof', proof, '--json'], offline);
    expect(JSON.parse(json.out)).toMatchObject({
      verified: true,
      results: [{ in_ledger: true, index: 3, tree_size: 5 }],
    });
    expect(seen).toEqual([]);
  });

  test('stdin, several files, a vkey given as it is', async () => {
    const receipt = await save('r.json', leaves[3] as Uint8Array);
    const argv = ['verify', '-', receipt, '--key', join(folder, 'jwks.json'), '--key', vkey];
    expect((await beacon(argv, { ...offline, stdin: leaves[0] as Uint8Array })).exit).toBe(0);
  });

  test('refusals: 1 and the code', async () => {
    const good = Buffer.from(leaves[3] as Uint8Array).toString();
    const proof = await save('r.tlog-proof', proofOf(3, leaves));
    const cases: [string, string[], string][] = [
      [`${good}\n`, [], 'non_canonical'],
      [good.replace('"sig":"', '"sig":"A').slice(0, -1), [], 'malformed'],
      [Buffer.from(leaves[2] as Uint8Array).toString(), ['--proof', proof], 'not_included'],
    ];
    for (const [text, more, code] of cases) {
      const file = await save('bad.json', text);
      const { exit, out, err } = await beacon(['verify', file, ...(await keys()), ...more, '--json'], offline);
      expect(exit).toBe(1);
      expect(JSON.parse(out)).toMatchObject({ verified: false, code });
      expect(err).toContain(`: ${code}: `);
    }
    const receipt = await save('r.json', good);
    const jwksOnly = ['--key', join(folder, 'jwks.json')];
    expect((await beacon(['verify', receipt, '--proof', proof, ...jwksOnly], offline)).err).toContain('unknown_key');
    const renamed = await save('renamed.json', jwks.replace('"kid":"', '"kid":"x'));
    expect(await beacon(['verify', receipt, '--key', renamed], offline)).toMatchObject({
      exit: 1,
      err: /keyid_mismatch/,
    });
  });

  test('wrong usage: 2; keys of the running Beacon when none are named', async () => {
    const receipt = await save('r.json', leaves[3] as Uint8Array);
    expect((await beacon(['verify', join(folder, 'none'), ...(await keys())], offline)).exit).toBe(2);
    expect((await beacon(['verify', receipt, '--key', join(folder, 'none')], offline)).exit).toBe(2);
    expect((await beacon(['verify', receipt, receipt, ...(await keys()), '--proof', receipt], offline)).exit).toBe(2);
    expect((await beacon(['verify', receipt], offline)).exit).toBe(3);
    expect((await beacon(['verify', receipt])).exit).toBe(0);
    expect((await beacon(['verify', receipt, '--key', `${url}/.well-known/jwks.json`])).exit).toBe(0);
    // A key's address is somebody's: no token goes there.
    expect(seen.at(-1)?.authorization).toBeUndefined();
  });
});

describe('receipts and tail', () => {
  const listing = (indices: number[]) => ({
    receipts: indices.map((index) => ({ receipt_id: `${LOG_ID}-${index}`, index, receipt: envelope(index) })),
    next: 5,
    size: 5,
  });

  test('lists, shows, and saves the exact bytes with their proof', async () => {
    answers['GET /api/receipts'] = { body: listing([4, 3]) };
    answers[`GET /api/receipts/${LOG_ID}-3`] = { body: leaves[3] };
    answers[`GET /api/receipts/${LOG_ID}-3/proof`] = { body: proofOf(3, leaves) };
    const list = await beacon(['receipts', '--agent', 'agent-3']);
    expect(list.out).toMatch(/0123456789ab-4 .*DENY destructive/);
    expect(seen[0]?.url).toBe('/api/receipts?agent_id=agent-3&limit=20&reverse=true');
    const [out, proof] = [join(folder, 'saved.json'), join(folder, 'saved.tlog-proof')];
    expect((await beacon(['receipts', `${LOG_ID}-3`, '--out', out, '--proof', proof])).exit).toBe(0);
    expect((await beacon(['verify', out, '--proof', proof])).exit).toBe(0);
    expect((await beacon(['receipts', `${LOG_ID}-3`, '--json'])).bytes).toEqual(Buffer.from(leaves[3] as Uint8Array));
    expect(await beacon(['receipts', `${LOG_ID}-9`])).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/not_found/),
    });
    expect((await beacon(['receipts', '../etc'])).exit).toBe(2);
  });

  test('tail begins with the last ones and goes on from the end', async () => {
    answers['GET /api/receipts'] = { body: listing([4, 3, 2]) };
    const { exit, out } = await beacon(['tail', '-n', '2', '--count', '4', '--json']);
    expect(exit).toBe(0);
    const ids = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).index);
    expect(ids).toEqual([3, 4, 4, 3]);
    expect(seen[1]?.url).toContain('start=5');
  });
});

describe('score, revoke, approvals, token, status', () => {
  test('score shows what stands behind it', async () => {
    const factors = [{ name: 'policy conduct', points: 40, explanation: 'No proposal was denied.', receipts: 12 }];
    const unqualified = [{ reason: 'bad_signature', count: 3 }];
    const body = { agent_id: 'a', tenant_id: 't', score: 340, band: 'poor', total_receipts: 15, valid_receipts: 12 };
    answers['GET /api/scalar/a'] = { body: { ...body, factors, unqualified, as_of: '2026-01-02' } };
    const { exit, out } = await beacon(['score', 'a', '--tenant', 't']);
    expect(exit).toBe(0);
    for (const part of ['340', '12 valid of 15', '+40', 'No proposal was denied.', '3 not counted: bad_signature']) {
      expect(out).toContain(part);
    }
    expect(seen[0]?.url).toBe('/api/scalar/a?tenant_id=t');
  });

  test('revoke and reinstate say how far they reached and what they do not stop', async () => {
    const logs = [{ origin: ORIGIN, fence_index: 7 }];
    answers['POST /api/revocations'] = { body: { revocation_id: 'rev_1', epoch: 4, level: 'BARRIER', logs } };
    const { exit, out } = await beacon(['revoke', 'agent:a', '--reason', 'why']);
    expect(exit).toBe(0);
    expect(out).toContain('fenced at leaf 7');
    expect(out).toContain('provenance:asserted');
    expect(seen[0]?.body).toEqual({ scope: 'agent:a', operation: 'revoke', reason: 'why' });
    expect((await beacon(['reinstate', 'agent:a'])).out).toContain('reinstated');
    expect(seen[1]?.body).toMatchObject({ operation: 'reinstate' });
  });

  test('approvals are listed and answered', async () => {
    answers['GET /api/approvals'] = { body: { approvals: [{ action_id: 'act_1', summary: 'git push' }] } };
    answers['POST /api/actions/act_1/approval'] = { body: { action_id: 'act_1' } };
    expect((await beacon(['approvals'])).out).toContain('git push');
    expect((await beacon(['approvals', 'deny', 'act_1', '--reason', 'no'])).exit).toBe(0);
    expect(seen[1]?.body).toEqual({ approve: false, reason: 'no' });
  });

  test('a client file holds what a hook needs, for its owner alone, and the token is not shown', async () => {
    const minted = { token: 'bcn_secret', agent_id: 'a', tenant_id: 't', expires_at: '2027-01-01T00:00:00.000Z' };
    answers['POST /api/agents/a/tokens'] = { body: minted };
    const path = join(folder, 'client.json');
    await writeFile(path, 'old', { mode: 0o644 });
    const { exit, out } = await beacon(['token', 'a', '--tenant', 't', '--client-file', 'client.json', '--json']);
    expect(exit).toBe(0);
    expect(out).not.toContain('bcn_secret');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      url,
      token: 'bcn_secret',
      agent_id: 'a',
      tenant_id: 't',
      jwks: JSON.parse(jwks),
    });
    expect((await beacon(['token', 'a', '--tenant', 't'])).out).toBe('bcn_secret\n');
    expect((await beacon(['token', 'a/b', '--tenant', 't'])).exit).toBe(2);
  });

  test('status: 0 ready, 1 not ready', async () => {
    answers['GET /healthz'] = { body: { status: 'ok' } };
    answers['GET /readyz'] = { status: 503, body: { code: 'unavailable' } };
    expect((await beacon(['status'])).exit).toBe(1);
    answers['GET /readyz'] = { body: {} };
    expect(await beacon(['status'])).toMatchObject({ exit: 0, out: expect.stringMatching(/ready/) });
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
    'approvals',
    'token',
    'status',
  ]) {
    expect(out).toContain(`  ${verb}`);
  }
});
