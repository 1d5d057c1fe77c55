// A sidecar and its gateway over TLS: whom it believes to be the gateway, and whom the gateway believes it to be.

import { copyFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newAuthority } from '../../runtime/certificates.fixture.ts';
import { type Beacond, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { AGENT, type Sidecar, startSidecarWith, TENANT } from '../sidecar.ts';
import { agentName, callTls, newPki, type Pki } from '../tls-agents.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const dataDir = newDataDir();
let pki: Pki;
let beacond: Beacond;
let jwks: unknown;
beforeAll(async () => {
  pki = await newPki();
  beacond = await startBeacond({ dataDir, env: pki.env });
  jwks = (await callTls(pki, beacond.http, ['GET', '/.well-known/jwks.json'])).body;
});
afterAll(async () => {
  await beacond?.end();
  pki?.remove();
  removeDataDir(dataDir);
});

async function mint(agent = AGENT): Promise<string> {
  const path = `/api/agents/${agent}/tokens`;
  const { body } = await callTls(pki, beacond.http, ['POST', path, { tenant_id: TENANT }], {
    token: beacond.adminToken,
  });
  return body.token as string;
}

const ask = (of: Sidecar, agent = AGENT) => execute(of, { agent_id: agent, tenant_id: TENANT });
const soonAllowed = (of: Sidecar) =>
  vi.waitFor(async () => expect((await ask(of)).body.decision).toBe('ALLOW'), { timeout: 15_000 });
const why = async (of: Sidecar) => (await fetch(`${of.http}/readyz`)).text();
/** It has tried, and has no gateway. */
async function refused(of: Sidecar, because: RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await why(of)).toMatch(because), { timeout: 15_000 });
  expect(await ask(of)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  await of.remove();
}
const port = () => beacond.grpc.slice(beacond.grpc.lastIndexOf(':'));

test('with the agent’s token to a gateway whose authority is pinned', async () => {
  const token = await mint();
  const env = { BEACON_GATEWAY_CA_FILE: pki.caFile };
  const sidecar = await startSidecarWith({ token, jwks }, [beacond.grpc], env);
  await soonAllowed(sidecar);
  expect((await ask(sidecar, 'other')).status).toBe(403);
  await sidecar.remove();
});

test('a server of another authority, or of another name, is no gateway; a named one is', async () => {
  const token = await mint();
  const stranger = `${pki.folder}/stranger.crt`;
  writeFileSync(stranger, (await newAuthority('CN=strangers')).cert);
  const start = (gateway: string, env: Record<string, string>) => startSidecarWith({ token, jwks }, [gateway], env);
  await refused(await start(beacond.grpc, { BEACON_GATEWAY_CA_FILE: stranger }), /certificate|verify|signed/i);
  const named = (name: string) => ({ BEACON_GATEWAY_CA_FILE: pki.caFile, BEACON_GATEWAY_NAME: name });
  await refused(await start(beacond.grpc, named('gateway.example')), /gateway\.example|altnames|cert/i);
  const right = await start(`127.0.0.1${port()}`, named('localhost'));
  await soonAllowed(right);
  await right.remove();
  await expect(start(beacond.grpc, { BEACON_GATEWAY_CA_FILE: `${pki.folder}/nothing` })).rejects.toThrow(
    /cannot be read/,
  );
});

test('with the agent’s certificate in place of a token; one that names another agent is refused; a new one is taken up', async () => {
  const endsAtMs = Date.now() + 15_000;
  const [first, second, other] = [
    await pki.client(agentName(AGENT), { notAfterMs: endsAtMs }),
    await pki.client(agentName(AGENT)),
    await pki.client(agentName('other')),
  ];
  const env = (shown: typeof first) => ({
    BEACON_GATEWAY_CA_FILE: pki.caFile,
    BEACON_AGENT_CERT_FILE: shown.certFile,
    BEACON_AGENT_KEY_FILE: shown.keyFile,
  });
  const sidecar = await startSidecarWith({ jwks }, [beacond.grpc], env(first));
  await soonAllowed(sidecar);
  const connected = () => sidecar.process.stderr.split('sidecar.connected').length - 1;
  copyFileSync(second.keyFile, first.keyFile);
  copyFileSync(second.certFile, first.certFile);
  await vi.waitFor(() => expect(connected()).toBe(2), { timeout: 15_000 });
  // On the connection that showed the first one, nothing would be let through any more.
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, endsAtMs + 1_500 - Date.now())));
  expect((await ask(sidecar)).body.decision).toBe('ALLOW');
  const path = `/api/scalar/${AGENT}`;
  expect((await fetch(`${sidecar.http}${path}`)).status).toBe(200);
  await sidecar.remove();

  const foreign = await startSidecarWith({ jwks }, [beacond.grpc], env(other));
  await vi.waitFor(async () => expect((await fetch(`${foreign.http}/readyz`)).status).toBe(200), { timeout: 15_000 });
  const { status, body } = await ask(foreign);
  expect(status).toBe(403);
  expect(body.decision).toBeUndefined();
  await foreign.remove();
});

test('a token that was revoked lets nothing more through', async () => {
  const path = `/api/agents/${AGENT}/tokens`;
  const as = { token: beacond.adminToken };
  const { body } = await callTls(pki, beacond.http, ['POST', path, { tenant_id: TENANT }], as);
  const sidecar = await startSidecarWith({ token: body.token as string, jwks }, [beacond.grpc], {
    BEACON_GATEWAY_CA_FILE: pki.caFile,
  });
  await soonAllowed(sidecar);
  const revoked = await callTls(pki, beacond.http, ['DELETE', `/api/tokens/${body.token_id}`], as);
  expect(revoked.status).toBe(200);
  const { status, body: answer } = await ask(sidecar);
  expect(status).toBe(503);
  expect(answer.decision).toBeUndefined();
  await vi.waitFor(async () => expect((await fetch(`${sidecar.http}/readyz`)).status).toBe(503), { timeout: 15_000 });
  await sidecar.remove();
});
