// Two gateways of separate services, over TLS: clients that nobody here wrote (grpcurl, Python) are let in or refused by
// token and certificate, and what one gateway mints or revokes the other knows at once.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DecideRequestSchema, DecisionService } from '../../gen/beacon/v1/decision_service_pb.js';
import { newAuthority } from '../../runtime/certificates.fixture.ts';
import { dial } from '../../runtime/rpc-dial.ts';
import { type Fleet, ServiceProcess, startFleet } from '../separate.ts';
import { agentName, type Credential, callTls, newPki, type Pki, proposed, type Shown } from '../tls-agents.ts';
import { describeWithPython, newPythonClient, type PythonClient } from './python.ts';

const run = promisify(execFile);
const ADMIN = `bcn_admin_${randomBytes(32).toString('base64url')}`;

let pki: Pki;
let fleet: Fleet;
let second: ServiceProcess;
beforeAll(async () => {
  pki = await newPki();
  const adminFile = join(pki.folder, 'admin.token');
  writeFileSync(adminFile, `${ADMIN}\n`, { mode: 0o600 });
  const env = { ...pki.env, BEACON_ADMIN_TOKEN_FILE: adminFile, BEACON_ALLOW_ASSERTED: 'false' };
  fleet = await startFleet(env);
  const at = (...parts: readonly ServiceProcess[]) => parts.map(({ ready }) => ready.service).join();
  second = new ServiceProcess('gateway-b', 'gateway', {
    ...env,
    HOME: fleet.folder,
    BEACON_DATA_DIR: join(fleet.folder, 'gateway-b'),
    BEACON_REDIS_URL: `redis://${fleet.redis.address.host}:${fleet.redis.address.port}`,
    BEACON_SERVICE_TOKENS: join(fleet.folder, 'tokens'),
    BEACON_SIGNERS: at(...fleet.signers),
    BEACON_DECISIONS: at(...fleet.decisions),
    BEACON_SCORING: at(fleet.scoring),
    BEACON_KILL_SWITCH: at(fleet.killSwitch),
    BEACON_HTTP_LISTEN: '127.0.0.1:0',
    BEACON_GRPC_LISTEN: '127.0.0.1:0',
  });
  await second.start();
  const { token } = await mint(fleet.gateway, 'first');
  await soonAllowed(second, 'first', { token });
});
afterAll(async () => {
  await second?.end('SIGKILL');
  await fleet?.stop();
  pki?.remove();
});

const call = (gateway: ServiceProcess, what: readonly [string, string, unknown?], who?: Credential) =>
  callTls(pki, gateway.ready.http as string, what, who);
const execute = (gateway: ServiceProcess, agent: string, who?: Credential) => call(gateway, proposed(agent), who);
const mint = async (gateway: ServiceProcess, agent: string) => {
  const { body } = await call(gateway, ['POST', `/api/agents/${agent}/tokens`, { tenant_id: 'local' }], {
    token: ADMIN,
  });
  return body as { token: string; token_id: string };
};
/** A loaded machine may miss a deadline now and then, which denies. */
const soonAllowed = (gateway: ServiceProcess, agent: string, who: Credential) =>
  vi.waitFor(async () => expect((await execute(gateway, agent, who)).body.decision).toBe('ALLOW'), {
    timeout: 30_000,
    interval: 100,
  });

describe('tokens', () => {
  test('minted at one gateway, known at the other; revoked at either, unknown at both with the next call', async () => {
    const { token, token_id } = await mint(fleet.gateway, 'shared');
    await soonAllowed(second, 'shared', { token });
    await soonAllowed(fleet.gateway, 'shared', { token });
    expect((await call(second, ['DELETE', `/api/tokens/${token_id}`], { token: ADMIN })).status).toBe(200);
    for (const gateway of [fleet.gateway, second]) {
      expect((await execute(gateway, 'shared', { token })).body).toMatchObject({ code: 'unauthenticated' });
    }
  });

  test('a stream that a token opened at one gateway ends its use when the other revokes the token', async () => {
    const { token, token_id } = await mint(fleet.gateway, 'streaming');
    const dialed = dial(DecisionService, fleet.gateway.ready.grpc as string, {
      credentials: credentials.createSsl(Buffer.from(pki.servers.cert)),
      serverName: 'localhost',
      metadata: () => ({ authorization: `Bearer ${token}` }),
    });
    const actions = [{ kind: { case: 'shell' as const, value: { command: 'ls', cwd: '/w' } } }];
    const proposal = { tenantId: 'local', agentId: 'streaming', actions };
    let go = () => {};
    async function* requests() {
      yield create(DecideRequestSchema, { sequence: 0n, proposal });
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      yield create(DecideRequestSchema, { sequence: 1n, proposal });
    }
    const said: string[] = [];
    for await (const { result } of dialed.service.decide(requests(), {})) {
      said.push(result.case === 'failure' ? result.value.code : 'answer');
      if (said.length === 1) await call(second, ['DELETE', `/api/tokens/${token_id}`], { token: ADMIN });
      go();
    }
    dialed.close();
    expect(said).toEqual(['answer', 'unauthenticated']);
  });

  test('the kill switch knows which names are minted', async () => {
    await mint(second, 'named');
    const revoke = async (agent: string) => {
      const what = { scope: `agent:local/${agent}`, operation: 'revoke', reason: 'r' };
      return (await call(fleet.gateway, ['POST', '/api/revocations', what], { token: ADMIN })).body;
    };
    expect((await revoke('unnamed')).advice).toMatch(/provenance:asserted/);
    expect((await revoke('named')).advice ?? '').toBe('');
  });

  test('a Redis that cannot be reached lets nobody in but the admin, and one that forgot gets its tokens back', async () => {
    const { token } = await mint(fleet.gateway, 'kept');
    const shown = await pki.client(agentName('kept-by-cert'));
    await soonAllowed(fleet.gateway, 'kept-by-cert', { shown });
    // Paused, so that it comes back with what it held.
    fleet.redis.pause();
    for (const gateway of [fleet.gateway, second]) {
      const { status, body } = await execute(gateway, 'kept', { token });
      expect({ status, code: body.code }).toEqual({ status: 503, code: 'unavailable' });
      expect((await execute(gateway, 'kept')).status).toBe(401);
      expect((await execute(gateway, 'kept-by-cert', { shown })).body.decision).not.toBe('ALLOW');
      expect((await call(gateway, ['GET', '/api/logs'], { token: ADMIN })).status).toBe(200);
    }
    fleet.redis.resume();
    await soonAllowed(second, 'kept', { token });
    const redis = new Redis(fleet.redis.address.port, fleet.redis.address.host);
    await redis.flushall();
    redis.disconnect();
    await soonAllowed(fleet.gateway, 'kept', { token });
    await soonAllowed(second, 'kept', { token });
    await soonAllowed(second, 'kept-by-cert', { shown });
  });

  test('a gateway does not start without Redis, nor with an admin token that others can read', async () => {
    const start = (env: Record<string, string>) =>
      new ServiceProcess('gateway-c', 'gateway', {
        HOME: fleet.folder,
        BEACON_DATA_DIR: join(fleet.folder, 'gateway-c'),
        BEACON_SERVICE_TOKENS: join(fleet.folder, 'tokens'),
        ...Object.fromEntries(
          ['SIGNERS', 'DECISIONS', 'SCORING', 'KILL_SWITCH'].map((name) => [`BEACON_${name}`, '127.0.0.1:1']),
        ),
        ...env,
      }).start();
    await expect(start({})).rejects.toThrow(/BEACON_REDIS_URL: is needed by the gateway target/);
    const open = join(pki.folder, 'open.token');
    writeFileSync(open, ADMIN, { mode: 0o644 });
    const url = `redis://${fleet.redis.address.host}:${fleet.redis.address.port}`;
    const env = { BEACON_REDIS_URL: url, BEACON_ADMIN_TOKEN_FILE: open };
    await expect(start(env)).rejects.toThrow(/open to others/);
  });
});

test('grpcurl finds the services by reflection and is let in or refused by what it shows', async () => {
  const { token } = await mint(fleet.gateway, 'curled');
  const proposal = { tenantId: 'local', agentId: 'curled', actions: [{ shell: { command: 'ls', cwd: '/w' } }] };
  const grpcurl = async (args: string[], shown?: Shown) => {
    const own = shown ? ['-cert', shown.certFile, '-key', shown.keyFile] : [];
    const { stdout } = await run('grpcurl', ['-cacert', pki.caFile, ...own, ...args]);
    return stdout;
  };
  const at = second.ready.grpc as string;
  const ask = ['-d', JSON.stringify({ proposal }), at, 'beacon.v1.DecisionService/Execute'];
  const services = (await grpcurl([at, 'list'])).split('\n');
  expect(services).toContain('beacon.v1.DecisionService');
  expect(services.some((name) => /Signer|KillSwitch/.test(name))).toBe(false);
  const withToken = ['-H', `authorization: Bearer ${token}`, ...ask];
  expect(JSON.parse(await grpcurl(withToken)).answer.decision).toBe('DECISION_ALLOW');
  const shown = await pki.client(agentName('curled'));
  expect(JSON.parse(await grpcurl(ask, shown)).answer.clientProvenance).toBe('CLIENT_PROVENANCE_AUTHENTICATED');
  // Go keeps back what the server's authorities did not issue, so this is a caller who shows nothing.
  const stranger = await pki.client(agentName('curled'), {}, await newAuthority('CN=stranger'));
  await expect(grpcurl(ask, stranger)).rejects.toThrow(/Unauthenticated/);
  const expired = await pki.client(agentName('curled'), { notAfterMs: Date.now() - 1_000 });
  await expect(grpcurl(ask, expired)).rejects.toThrow(/CERT_HAS_EXPIRED/);
  await expect(grpcurl(withToken, expired)).rejects.toThrow(/CERT_HAS_EXPIRED/);
  await expect(grpcurl(ask, await pki.client('spiffe://beacon/gateway'))).rejects.toThrow(/PermissionDenied/);
  await expect(grpcurl(withToken, await pki.client(agentName('other')))).rejects.toThrow(/different callers/);
});

describeWithPython('a Python client over TLS', () => {
  let python: PythonClient;
  beforeAll(async () => {
    python = await newPythonClient();
  });
  afterAll(() => python?.remove());

  test('with a token, and with a certificate, through either gateway', async () => {
    const { token } = await mint(fleet.gateway, 'snake');
    const shown = await pki.client(agentName('adder'));
    const allowed = { decision: 'DECISION_ALLOW', provenance: 'CLIENT_PROVENANCE_AUTHENTICATED' };
    for (const { ready } of [fleet.gateway, second]) {
      const at = ready.grpc as string;
      expect(await python.ask(at, 'snake', 'ls', { ca: pki.caFile, token })).toMatchObject(allowed);
      const own = { ca: pki.caFile, cert: shown.certFile, key: shown.keyFile };
      expect(await python.ask(at, 'adder', 'ls', own)).toMatchObject(allowed);
      expect(await python.ask(at, 'adder', 'rm -rf /', own)).toMatchObject({ decision: 'DECISION_DENY' });
      expect(await python.ask(at, 'snake', 'ls', own)).toMatchObject({ error: 'PERMISSION_DENIED' });
    }
  });

  test('a wrong certificate, an expired one, one not yet valid and a name without the right are refused', async () => {
    const name = agentName('viper');
    const stranger = await newAuthority('CN=stranger');
    const now = Date.now();
    const { token } = await mint(second, 'viper');
    for (const [error, message, shown] of [
      ['UNAUTHENTICATED', /VERIFY/, await pki.client(name, {}, stranger)],
      ['UNAUTHENTICATED', /CERT_HAS_EXPIRED/, await pki.client(name, { notAfterMs: now - 1_000 })],
      ['UNAUTHENTICATED', /CERT_NOT_YET_VALID/, await pki.client(name, { notBeforeMs: now + 3_600_000 })],
      ['PERMISSION_DENIED', /names no agent/, await pki.client('spiffe://beacon/kill-switch')],
      ['PERMISSION_DENIED', /names no agent/, await pki.client('viper.example')],
      ['PERMISSION_DENIED', /different callers/, await pki.client(agentName('cobra'))],
    ] as const) {
      const given = { ca: pki.caFile, cert: shown.certFile, key: shown.keyFile, token };
      const said = await python.ask(second.ready.grpc as string, 'viper', 'ls', given);
      expect(said).toMatchObject({ error, message: expect.stringMatching(message) });
    }
  });

  test('a server it does not know the authority of gets nothing from it', async () => {
    const { token } = await mint(second, 'careful');
    const given = { ca: join(pki.folder, 'agents.crt'), token };
    expect(await python.ask(second.ready.grpc as string, 'careful', 'ls', given)).toMatchObject({
      error: 'UNAVAILABLE',
    });
    expect(await python.ask(second.ready.grpc as string, 'careful', 'ls', { token })).toMatchObject({
      error: 'UNAVAILABLE',
    });
  });
});
