// Agents over TLS, seen from outside: who is let in by which certificate, who is not and why, and that a new certificate
// of the listeners loses no call.

import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DecisionService, ExecuteRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { newAuthority } from '../../runtime/certificates.fixture.ts';
import { dial } from '../../runtime/rpc-dial.ts';
import { type Beacond, execute as executePlain, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { agentName, type Credential, callTls, newPki, type Pki, proposed, type Shown } from '../tls-agents.ts';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));

let pki: Pki;
let beacond: Beacond;
beforeAll(async () => {
  pki = await newPki();
  beacond = await startBeacond({ env: pki.env });
});
afterAll(async () => {
  await beacond?.end();
  if (beacond) removeDataDir(beacond.dataDir);
  pki?.remove();
});

const call = (what: readonly [string, string, unknown?], who?: Credential) => callTls(pki, beacond.http, what, who);
const execute = (agent: string, who?: Credential) => call(proposed(agent), who);
const mint = async (agent: string) => {
  const { body } = await call(['POST', `/api/agents/${agent}/tokens`, { tenant_id: 'local' }], {
    token: beacond.adminToken,
  });
  return body as { token: string; token_id: string };
};
const proposal = (agent: string) =>
  JSON.stringify({
    proposal: { tenantId: 'local', agentId: agent, actions: [{ shell: { command: 'ls', cwd: '/w' } }] },
  });

async function grpcurl(shown: Shown | undefined, ...args: string[]): Promise<string> {
  const own = shown ? ['-cert', shown.certFile, '-key', shown.keyFile] : [];
  return (await run('grpcurl', ['-cacert', pki.caFile, ...own, ...args])).stdout;
}
const executeRpc = async (agent: string, { token, shown }: { token?: string; shown?: Shown } = {}) => {
  const header = token === undefined ? [] : ['-H', `authorization: Bearer ${token}`];
  const said = await grpcurl(
    shown,
    ...header,
    ...['-d', proposal(agent), beacond.grpc, 'beacon.v1.DecisionService/Execute'],
  );
  return JSON.parse(said).answer;
};

test('the ready line says https; a client that does not know the authority, and plain text, get nothing', async () => {
  expect(beacond.http).toMatch(/^https:/);
  await expect(fetch(`${beacond.http}/healthz`)).rejects.toThrow();
  await expect(fetch(beacond.http.replace('https', 'http'))).rejects.toThrow();
  await expect(run('grpcurl', ['-plaintext', '-max-time', '2', beacond.grpc, 'list'])).rejects.toThrow();
  await expect(run('grpcurl', [beacond.grpc, 'list'])).rejects.toThrow(/unknown authority/);
  expect((await call(['GET', '/healthz'])).status).toBe(200);
});

test('reflection and health over TLS, and neither signer nor kill switch behind this door', async () => {
  const services = (await grpcurl(undefined, beacond.grpc, 'list')).trim().split('\n');
  expect(services).toContain('beacon.v1.DecisionService');
  expect(services.some((name) => /Signer|KillSwitch/.test(name))).toBe(false);
  expect(await grpcurl(undefined, beacond.grpc, 'grpc.health.v1.Health/Check')).toContain('SERVING');
  const shown = await pki.client(agentName('inside'));
  const protos = ['-import-path', fileURLToPath(new URL('../../proto', import.meta.url))];
  for (const [file, method] of [
    ['receipt_signer_service', 'beacon.v1.ReceiptSignerService/GetStatus'],
    ['receipt_signer_service', 'beacon.v1.ReceiptSignerService/Seal'],
    ['kill_switch_service', 'beacon.v1.KillSwitchService/Revoke'],
  ] as const) {
    const asked = [...protos, '-proto', `beacon/v1/${file}.proto`, '-d', '{}', beacond.grpc, method];
    await expect(grpcurl(shown, ...asked)).rejects.toThrow(/Unimplemented/);
  }
});

describe('an agent known by its certificate', () => {
  test('is what a minted token of that name is, on both doors, and keeps its name from then on', async () => {
    const shown = await pki.client(agentName('cert-1'));
    const { status, body } = await execute('cert-1', { shown });
    expect(status).toBe(200);
    const { token } = await mint('token-1');
    const minted = (await execute('token-1', { token })).body;
    for (const field of ['decision', 'route', 'client_provenance', 'level', 'score', 'enforceability']) {
      expect(body[field], field).toBe(minted[field]);
    }
    expect(body.client_provenance).toBe('authenticated');
    const rpc = await executeRpc('cert-1', { shown });
    expect(rpc.clientProvenance).toBe('CLIENT_PROVENANCE_AUTHENTICATED');
    expect((await execute('cert-1')).status).toBe(403);
    expect((await execute('other', { shown })).body).toMatchObject({ status: 403, code: 'permission_denied' });
    await expect(executeRpc('other', { shown })).rejects.toThrow(/PermissionDenied/);
  });

  test('is never more: nothing an admin, operator or auditor may', async () => {
    const shown = await pki.client(agentName('cert-2'));
    for (const what of [
      ['POST', '/api/agents/x/tokens', { tenant_id: 'local' }],
      ['POST', '/api/revocations', { scope: 'global', operation: 'revoke' }],
      ['GET', '/api/scalar'],
      ['GET', '/api/revocations'],
    ] as const) {
      expect((await call(what, { shown })).body).toMatchObject({ status: 403, code: 'permission_denied' });
    }
  });

  test('stands beside its own token, and beside nobody else’s', async () => {
    const shown = await pki.client(agentName('cert-3'));
    expect((await execute('cert-3', { shown, token: (await mint('cert-3')).token })).status).toBe(200);
    const { token } = await mint('cert-4');
    expect((await execute('cert-4', { shown, token })).body).toMatchObject({ code: 'permission_denied' });
    expect((await execute('cert-3', { shown, token })).body).toMatchObject({ code: 'permission_denied' });
    await expect(executeRpc('cert-4', { shown, token })).rejects.toThrow(/PermissionDenied/);
    expect((await execute('cert-3', { shown, token: beacond.adminToken })).body).toMatchObject({
      code: 'permission_denied',
    });
  });

  test('is stopped by revoking it, as every other', async () => {
    const shown = await pki.client(agentName('cert-5'));
    expect((await execute('cert-5', { shown })).body.decision).toBe('ALLOW');
    const change = (operation: string) =>
      call(['POST', '/api/revocations', { scope: 'agent:local/cert-5', operation, reason: 'r' }], {
        token: beacond.adminToken,
      });
    expect((await change('revoke')).status).toBe(200);
    expect((await execute('cert-5', { shown })).body.decision).toBe('DENY');
    expect((await executeRpc('cert-5', { shown })).decision).toBe('DECISION_DENY');
    expect((await change('reinstate')).status).toBe(200);
    expect((await execute('cert-5', { shown })).body.decision).toBe('ALLOW');
  });
});

/** grpcurl would keep back a certificate that the server's authorities did not issue; this client shows what it is given. */
async function executeShowing(agent: string, { token, shown }: { token?: string; shown: Shown }): Promise<void> {
  const dialed = dial(DecisionService, beacond.grpc, {
    credentials: credentials.createSsl(Buffer.from(pki.servers.cert), Buffer.from(shown.key), Buffer.from(shown.cert)),
    serverName: 'localhost',
    metadata: () => (token === undefined ? ({} as Record<string, string>) : { authorization: `Bearer ${token}` }),
    deadlineMs: () => Date.now() + 10_000,
  });
  const actions = [{ kind: { case: 'shell' as const, value: { command: 'ls', cwd: '/w' } } }];
  const proposal = { tenantId: 'local', agentId: agent, actions };
  await dialed.service.execute(create(ExecuteRequestSchema, { proposal }), {}).finally(() => dialed.close());
}

test('certificates that do not hold are refused with a code and a reason, also beside a good token, on both doors', async () => {
  const stranger = await newAuthority('CN=stranger');
  const now = Date.now();
  const own = agentName('held');
  const { token } = await mint('held');
  expect((await execute('held', { token })).status).toBe(200);
  const refused: [string, Shown, number, string, RegExp][] = [
    ['another authority', await pki.client(own, {}, stranger), 401, 'unauthenticated', /VERIFY/],
    ['the servers’ authority', await pki.client(own, {}, pki.servers), 401, 'unauthenticated', /./],
    ['expired', await pki.client(own, { notAfterMs: now - 1_000 }), 401, 'unauthenticated', /EXPIRED/],
    ['not yet', await pki.client(own, { notBeforeMs: now + 3_600_000 }), 401, 'unauthenticated', /NOT_YET/],
    ['no agent', await pki.client('held.example'), 403, 'permission_denied', /names no agent/],
    ['a service', await pki.client('spiffe://beacon/gateway'), 403, 'permission_denied', /names no agent/],
    [
      'an agent and a service',
      await pki.client(own, { names: [own, 'decision.beacon'] }),
      ...([403, 'permission_denied', /names no agent/] as const),
    ],
    [
      'another domain',
      await pki.client('spiffe://evil/beacon/agent/local/held'),
      403,
      'permission_denied',
      /names no agent/,
    ],
  ];
  for (const [what, shown, status, code, detail] of refused) {
    for (const who of [{ shown }, { shown, token }]) {
      const { body } = await execute('held', who);
      expect(body, what).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
      await expect(executeShowing('held', who), what).rejects.toMatchObject({
        code,
        message: expect.stringMatching(detail),
      });
    }
  }
});

test('where certificates are required nobody does without one; a person’s opens the door for their token', async () => {
  const strict = await startBeacond({ env: { ...pki.env, BEACON_AGENT_TLS_CLIENT_AUTH: 'require' } });
  try {
    const at = (what: readonly [string, string, unknown?], who?: Credential) => callTls(pki, strict.http, what, who);
    const shown = await pki.client(agentName('strict'));
    const person = await pki.client('spiffe://beacon/beacon/person/ada');
    const { adminToken: token } = strict;
    expect((await at(proposed('strict'))).body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await at(['GET', '/api/scalar'], { token })).body).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect((await at(proposed('strict'), { shown })).status).toBe(200);
    expect((await at(['GET', '/api/scalar'], { shown: person, token })).status).toBe(200);
    expect((await at(['GET', '/api/scalar'], { shown: person })).status).toBe(401);
    expect((await at(['GET', '/healthz'])).status).toBe(200);
  } finally {
    await strict.end();
    removeDataDir(strict.dataDir);
  }
});

describe('the clients', () => {
  const beacon = async (argv: string[], env: Record<string, string>, stdin = '') => {
    const child = run(process.execPath, [CLI, ...argv], { env: { PATH: process.env.PATH, HOME: '/nowhere', ...env } });
    child.child.stdin?.end(stdin);
    return child.then(
      ({ stdout, stderr }) => ({ exit: 0, stdout, stderr }),
      (failed: { code: number; stdout: string; stderr: string }) => ({ exit: failed.code, ...failed }),
    );
  };

  test('the command line: by the data folder, by an authority it names, and not without', async () => {
    const argv = ['execute', '--agent', 'by-cli', '--tenant', 'local', '--json', '--', 'ls'];
    const running = await beacon(argv, { BEACON_DATA_DIR: join(beacond.dataDir, 'data') });
    expect(JSON.parse(running.stdout)).toMatchObject({ decision: 'ALLOW' });
    const named = { BEACON_URL: beacond.http, BEACON_TOKEN: beacond.adminToken };
    expect((await beacon(argv, { ...named, BEACON_CA_FILE: pki.caFile })).exit).toBe(0);
    expect(await beacon(argv, named)).toMatchObject({ exit: 3, stderr: expect.stringMatching(/no answer/) });
    const elsewhere = join(pki.folder, 'agents.crt');
    expect((await beacon(argv, { ...named, BEACON_CA_FILE: elsewhere })).exit).toBe(3);
    const shown = await pki.client(agentName('by-cert'));
    const own = { BEACON_CERT_FILE: shown.certFile, BEACON_KEY_FILE: shown.keyFile };
    const said = await beacon(argv.with(2, 'by-cert'), {
      ...{ BEACON_URL: beacond.http, BEACON_CA_FILE: pki.caFile },
      ...own,
    });
    expect(JSON.parse(said.stdout)).toMatchObject({ decision: 'ALLOW', client_provenance: 'authenticated' });
  });

  test('a data folder’s Beacon is known by the certificate it serves, and an impostor on its port is not', async () => {
    const folder = newDataDir();
    chmodSync(folder, 0o700);
    const other = await newAuthority('CN=impostor');
    const impostor = await other.issue({ names: ['127.0.0.1', 'localhost'] });
    const certificate = join(folder, 'other.crt');
    writeFileSync(certificate, impostor.cert);
    const instance = { http: beacond.http, grpc: '', pid: 1, certificate_file: certificate };
    writeFileSync(join(folder, 'instance.json'), JSON.stringify(instance));
    writeFileSync(join(folder, 'admin.token'), 'secret');
    expect(await beacon(['score', 'x', '--tenant', 'local'], { BEACON_DATA_DIR: folder })).toMatchObject({ exit: 3 });
    removeDataDir(folder);
  });

  const event = JSON.stringify({
    ...{ session_id: 's', hook_event_name: 'PreToolUse', tool_name: 'Bash', cwd: '/w' },
    tool_input: { command: 'ls' },
  });

  test('a hook: its client file names the authority, and a certificate in place of a token', async () => {
    const file = join(pki.folder, 'client.json');
    const env = { BEACON_URL: beacond.http, BEACON_TOKEN: beacond.adminToken, BEACON_CA_FILE: pki.caFile };
    const made = await beacon(['token', 'hooked', '--tenant', 'local', '--client-file', file], env);
    expect(made.exit).toBe(0);
    const fields = JSON.parse(readFileSync(file, 'utf8'));
    expect(fields).toMatchObject({ url: beacond.http, ca_file: pki.caFile });
    const hook = () => beacon(['hook', 'codex', '--client-file', file], {}, event);
    expect(await hook()).toMatchObject({ exit: 0, stdout: '' });
    const { token: _token, ...rest } = fields;
    const shown = await pki.client(agentName('hooked'));
    writeFileSync(file, JSON.stringify({ ...rest, cert_file: shown.certFile, key_file: shown.keyFile }));
    expect(await hook()).toMatchObject({ exit: 0, stdout: '' });
    // Without the authority, with another, with one that others could replace: refused.
    for (const change of [{ ca_file: undefined }, { ca_file: join(pki.folder, 'agents.crt') }]) {
      writeFileSync(file, JSON.stringify({ ...fields, ...change }));
      expect((await hook()).exit).toBe(2);
    }
    const open = join(pki.folder, 'open.crt');
    writeFileSync(open, readFileSync(pki.caFile));
    chmodSync(open, 0o666);
    writeFileSync(file, JSON.stringify({ ...fields, ca_file: open }));
    expect(await hook()).toMatchObject({ exit: 2, stderr: expect.stringMatching(/somebody else can write/) });
  });

  test('a revoked token opens nothing, and the agent’s other one still does', async () => {
    const env = { BEACON_URL: beacond.http, BEACON_TOKEN: beacond.adminToken, BEACON_CA_FILE: pki.caFile };
    const [first, second] = [await mint('twice'), await mint('twice')];
    expect((await beacon(['revoke-token', first.token_id], env)).exit).toBe(0);
    expect((await execute('twice', { token: first.token })).body).toMatchObject({ code: 'unauthenticated' });
    expect((await execute('twice', { token: second.token })).status).toBe(200);
    expect((await beacon(['revoke-token', 'nobody'], env)).exit).toBe(1);
  });
});

test('the listeners’ certificate changes under load, and no call is lost on either door', async () => {
  const { token } = await mint('steady');
  const lost: unknown[] = [];
  const seen = new Set<string>();
  let running = true;
  let done = 0;
  const over = (ask: () => Promise<void>) =>
    Array.from({ length: 4 }, async () => {
      while (running) {
        await ask().then(
          () => {
            done += 1;
          },
          (error) => lost.push(error),
        );
      }
    });
  const http = over(async () => {
    const { status } = await execute('steady', { token });
    if (status !== 200) throw new Error(`status ${status}`);
  });
  // A connection of each kind is kept throughout: it outlives the certificate it began with.
  const session = connectHttp2(beacond.http.replace(/:\d+$/, `:${beacond.grpc.split(':')[1]}`), {
    ca: pki.servers.cert,
  });
  session.on('error', (error) => lost.push(error));
  const rpc = over(async () => {
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({
        ...{ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' },
        ...{ 'content-type': 'application/grpc', te: 'trailers' },
      });
      stream.on('trailers', (trailers) =>
        trailers['grpc-status'] === '0' ? resolve() : reject(new Error(JSON.stringify(trailers))),
      );
      stream.on('error', reject).resume();
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    });
  });
  const serials = async () => {
    const { connect } = await import('node:tls');
    const { port } = new URL(beacond.http);
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca: pki.servers.cert }, () => {
        seen.add(socket.getPeerCertificate().serialNumber);
        socket.destroy();
        resolve();
      });
      socket.on('error', reject);
    });
  };
  await serials();
  const more = async () => {
    const from = done;
    await vi.waitFor(() => expect(done).toBeGreaterThan(from + 200), { timeout: 20_000, interval: 20 });
  };
  await more();
  await pki.rotate();
  await vi.waitFor(
    async () => {
      await serials();
      expect(seen.size).toBe(2);
    },
    { timeout: 30_000, interval: 250 },
  );
  await more();
  running = false;
  await Promise.all([...http, ...rpc]);
  session.close();
  expect(lost).toEqual([]);
}, 60_000);

test('a start that would serve plain text beyond loopback is refused, unless a proxy in front is stated', async () => {
  const start = (env: Record<string, string>) => startBeacond({ env });
  const open = { BEACON_HTTP_LISTEN: '0.0.0.0:0' };
  await expect(start(open)).rejects.toThrow(/BEACON_HTTP_LISTEN: beyond loopback needs/);
  await expect(start({ BEACON_GRPC_LISTEN: '[::]:0' })).rejects.toThrow(/BEACON_GRPC_LISTEN: beyond loopback needs/);
  const behind = await start({ ...open, BEACON_TLS_TERMINATED_BY_PROXY: 'true' });
  await behind.end();
  removeDataDir(behind.dataDir);
  const over = await start({ ...open, ...pki.env });
  await over.end();
  removeDataDir(over.dataDir);
});

test('behind a proxy that is stated, nobody does without a token: to us every caller of it is on loopback', async () => {
  const behind = await startBeacond({ env: { BEACON_TLS_TERMINATED_BY_PROXY: 'true' } });
  // As nginx and stunnel hand it on unless told otherwise: without a word of whom it is from.
  expect((await executePlain(behind)).status).toBe(401);
  expect((await executePlain(behind, {}, behind.adminToken)).status).toBe(200);
  const bare = ['-plaintext', '-d', proposal('bare'), behind.grpc, 'beacon.v1.DecisionService/Execute'];
  await expect(run('grpcurl', bare)).rejects.toThrow(/Unauthenticated/);
  await behind.end();
  removeDataDir(behind.dataDir);
});
