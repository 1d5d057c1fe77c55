// A sidecar beside one agent, over a real gateway: what it passes on, what it refuses, and that whatever happens to the
// gateway or to what lies between, no ALLOW comes out that was not decided, signed, for this agent, now.

import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clone, create, toBinary } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { signerOf } from '../../core/jwk.ts';
import { readReceipt, signEnvelope } from '../../core/receipt.ts';
import { Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import {
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  type DecisionAnswer,
  DecisionService,
  GuardRequestSchema,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { dial } from '../../runtime/rpc-dial.ts';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { freePort } from '../server-process.ts';
import { AGENT, type Between, mintToken, type Sidecar, sitBetween, startSidecar, TENANT } from '../sidecar.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const dataDir = newDataDir();
let ports: Record<string, string>;
let beacond: Beacond;
let between: Between;
let sidecar: Sidecar;

const start = () => startBeacond({ dataDir, env: ports });
beforeAll(async () => {
  ports = {
    BEACON_HTTP_LISTEN: `127.0.0.1:${await freePort()}`,
    BEACON_GRPC_LISTEN: `127.0.0.1:${await freePort()}`,
  };
  beacond = await start();
  between = await sitBetween(beacond.grpc);
  sidecar = await startSidecar(beacond, [between.address], { BEACON_DECISION_TIMEOUT_MS: '1500' });
  await ready();
});
afterEach(() => {
  between.alter = async (response) => response;
});
afterAll(async () => {
  await sidecar?.remove();
  between?.close();
  await beacond?.end('SIGKILL');
  removeDataDir(dataDir);
});

const ready = (of: Pick<Sidecar, 'http'> = sidecar, status = 200) =>
  vi.waitFor(async () => expect((await fetch(`${of.http}/readyz`)).status).toBe(status), { timeout: 20_000 });
const ask = (change: Record<string, unknown> = {}, of: Pick<Sidecar, 'http'> = sidecar) =>
  execute(of, { agent_id: AGENT, tenant_id: TENANT, ...change });
const soonAllowed = (of: Pick<Sidecar, 'http'> = sidecar) =>
  vi.waitFor(async () => expect((await ask({}, of)).body.decision).toBe('ALLOW'), { timeout: 20_000 });
/** Every answer as it would be if the gateway had said this. */
function saying(change: (answer: DecisionAnswer) => void): void {
  between.alter = async (response) => {
    const altered = clone(DecideResponseSchema, response);
    change(altered.result.value as DecisionAnswer);
    return altered;
  };
}
const unbelieved = (answer: Awaited<ReturnType<typeof ask>>) => {
  expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(answer.body.detail).toContain('cannot be believed');
  expect(answer.body.decision).toBeUndefined();
};

test('allowed, denied and refused as at the gateway, with the receipt of the very bytes the agent sent', async () => {
  const body = JSON.stringify({ agent_id: AGENT, tenant_id: TENANT, code: 'ls -la' });
  const { status, body: allowed } = await call(sidecar, 'POST', '/api/execute', body);
  expect(status).toBe(200);
  expect(allowed).toMatchObject({ decision: 'ALLOW', route: 'ALLOW', client_provenance: 'authenticated' });
  const digest = createHash('sha256').update(body).digest('hex');
  expect(allowed.request_digest).toBe(digest);
  expect(readReceipt(Buffer.from(JSON.stringify(allowed.receipt))).predicate.request_digest).toBe(digest);
  expect((await ask({ code: 'rm -rf /' })).body).toMatchObject({ decision: 'DENY', route: 'DENY' });
  expect(await ask({ tools: 1 })).toMatchObject({ status: 400, body: { field: 'tools' } });
  const outcome = await call(sidecar, 'POST', `/api/actions/${allowed.action_id}/outcome`, { status: 'succeeded' });
  expect(outcome).toMatchObject({ status: 200, body: { state: 'closed' } });
  const explained = await call(sidecar, 'POST', '/api/explain', body);
  expect(explained).toMatchObject({ status: 200, body: { route: 'ALLOW', fingerprint: allowed.fingerprint } });
  const score = await call(sidecar, 'GET', `/api/scalar/${AGENT}`);
  expect(score).toMatchObject({ status: 200, body: { agent_id: AGENT, tenant_id: TENANT } });
});

test('the same idempotency key gives the same ALLOW twice; without one no receipt is taken twice', async () => {
  const change = { idempotency_key: 'twice' };
  const first = await ask(change);
  const again = await ask(change);
  expect(first.body.decision).toBe('ALLOW');
  expect(again.body).toMatchObject({ decision: 'ALLOW', receipt_id: first.body.receipt_id, repeated_answer: true });
});

test('another agent or tenant is refused, and nothing of it reaches the gateway', async () => {
  let answers = 0;
  between.alter = async (response) => {
    answers += 1;
    return response;
  };
  for (const field of ['agent_id', 'tenant_id']) {
    const { status, body } = await ask({ [field]: 'other' });
    expect({ status, field: body.field }).toEqual({ status: 403, field });
    expect(body.detail).toContain('this sidecar speaks for another');
  }
  expect((await call(sidecar, 'GET', '/api/scalar/other')).status).toBe(403);
  const token = await mintToken(beacond, 'other');
  expect(
    (await call(sidecar, 'POST', '/api/execute', { agent_id: 'other', tenant_id: TENANT, code: 'ls' }, token)).status,
  ).toBe(403);
  expect(answers).toBe(0);
});

test("an admin's ways are not there, whatever token is shown", async () => {
  for (const [method, path] of [
    ['POST', '/api/revocations'],
    ['GET', '/api/revocations'],
    ['POST', '/api/tokens'],
    ['POST', `/api/agents/${AGENT}/tokens`],
    ['POST', '/api/scalar/emit'],
    ['GET', '/api/scalar'],
    ['GET', '/api/approvals'],
    ['POST', '/api/receipts'],
    ['GET', '/api/policy'],
  ] as const) {
    const { status } = await call(sidecar, method, path, method === 'POST' ? {} : undefined, beacond.adminToken);
    expect([404, 405], `${method} ${path}`).toContain(status);
  }
  const asked = await ask({ code: 'rm -rf src' });
  expect(asked.body.route).toBe('APPROVAL');
  const path = `/api/actions/${asked.body.action_id}/approval`;
  expect((await call(sidecar, 'GET', path)).body.status).toBe('pending');
  expect((await call(sidecar, 'POST', path, { approve: true }, beacond.adminToken)).status).toBe(405);
  expect((await call(beacond, 'GET', path, undefined, beacond.adminToken)).body.status).toBe('pending');
});

test('over gRPC, unary and stream: the same, each with the digest of what was sent', async () => {
  const { service, close } = dial<typeof DecisionService, null>(DecisionService, sidecar.grpc);
  const proposal = (command: string) => ({
    tenantId: TENANT,
    agentId: AGENT,
    actions: [{ kind: { case: 'shell' as const, value: { command, cwd: '/w' } } }],
  });
  const guard = create(GuardRequestSchema, { proposal: proposal('ls') });
  const { answer } = await service.guard(guard, null);
  expect(answer).toMatchObject({ decision: Decision.ALLOW, route: Route.ALLOW });
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  expect(answer?.requestDigest).toBe(sha256(toBinary(GuardRequestSchema, guard)));
  const requests = ['ls', 'rm -rf /', 'pwd'].map((command, i) =>
    create(DecideRequestSchema, { sequence: BigInt(i + 1), proposal: proposal(command) }),
  );
  const answers = new Map<bigint, DecideResponse>();
  for await (const response of service.decide(fromList(requests), null)) answers.set(response.sequence, response);
  const decided = requests.map(({ sequence }) => answers.get(sequence)?.result.value as DecisionAnswer);
  expect(decided.map(({ decision }) => decision)).toEqual([Decision.ALLOW, Decision.DENY, Decision.ALLOW]);
  for (const [i, one] of decided.entries()) {
    expect(one.requestDigest).toBe(sha256(toBinary(DecideRequestSchema, requests[i] as (typeof requests)[number])));
  }
  const approve = { $typeName: 'beacon.v1.ResolveApprovalRequest', actionId: 'x', approve: true, reason: '' } as const;
  await expect(service.resolveApproval(approve, null)).rejects.toThrow();
  close();
});

async function* fromList<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list;
}

test('a DENY made an ALLOW on the way is no answer', async () => {
  saying((answer) => {
    answer.decision = Decision.ALLOW;
    answer.route = Route.ALLOW;
  });
  unbelieved(await ask({ code: 'rm -rf /' }));
  saying((answer) => {
    answer.decision = Decision.ALLOW;
  });
  unbelieved(await ask({ code: 'rm -rf /' }));
  const metrics = await (await fetch(`${sidecar.http}/metrics`)).text();
  expect(metrics).toMatch(/beacon_sidecar_proposals_total\{outcome="disbelieved"\} [1-9]/);
  expect(sidecar.process.stderr).toContain('sidecar.disbelieved');
});

test("an ALLOW with another's, an earlier, a forged or no receipt is no answer", async () => {
  let earlier: DecisionAnswer | undefined;
  saying((answer) => {
    earlier = clone(DecideResponseSchema, create(DecideResponseSchema, { result: { case: 'answer', value: answer } }))
      .result.value as DecisionAnswer;
  });
  expect((await ask()).body.decision).toBe('ALLOW');
  const kept = earlier as DecisionAnswer;
  const instead = (change: (answer: DecisionAnswer) => void) =>
    saying((answer) => {
      Object.assign(
        answer,
        clone(DecideResponseSchema, create(DecideResponseSchema, { result: { case: 'answer', value: kept } })).result
          .value,
      );
      change(answer);
    });
  // Of the same bytes, decided before: only a key would make it an answer to this.
  instead(() => {});
  unbelieved(await ask());
  instead((answer) => {
    answer.repeatedAnswer = true;
  });
  unbelieved(await ask());
  // Of other bytes, and of other bytes said to be these.
  unbelieved(await ask({ code: 'rm -rf /' }));
  const body = JSON.stringify({ agent_id: AGENT, tenant_id: TENANT, code: 'rm -rf /' });
  const digest = createHash('sha256').update(body).digest('hex');
  instead((answer) => {
    answer.requestDigest = digest;
  });
  unbelieved(await call(sidecar, 'POST', '/api/execute', body));
  saying((answer) => {
    answer.receipt = new Uint8Array();
  });
  unbelieved(await ask());
  const stranger = signerOf(generateKeyPairSync('ed25519').privateKey);
  saying((answer) => {
    answer.receipt = signEnvelope(readReceipt(answer.receipt).payload, stranger);
  });
  unbelieved(await ask());
  saying((answer) => {
    answer.receipt[200] = (answer.receipt[200] as number) ^ 1;
  });
  unbelieved(await ask());
  saying((answer) => {
    answer.actionId = `act_${'0'.repeat(32)}`;
  });
  unbelieved(await ask());
});

test('an answer that comes too late is none, and those behind it still come', async () => {
  between.alter = async (response) => {
    await new Promise((resolve) => setTimeout(resolve, 1_900));
    return response;
  };
  const started = performance.now();
  const slow = await ask();
  expect(slow).toMatchObject({ status: 504, body: { code: 'deadline_exceeded' } });
  expect(performance.now() - started).toBeLessThan(1_900);
  between.alter = async () => undefined;
  expect((await ask()).status).toBe(504);
  between.alter = async (response) => response;
  await soonAllowed();
});

test('the gateway paused, killed and started again: nothing is allowed meanwhile, and then it is again', async () => {
  const straight = await startSidecar(beacond, [beacond.grpc], { BEACON_DECISION_TIMEOUT_MS: '1000' });
  await ready(straight);
  expect((await ask({}, straight)).body.decision).toBe('ALLOW');
  beacond.child.kill('SIGSTOP');
  try {
    const { status, body } = await ask({}, straight);
    expect([503, 504]).toContain(status);
    expect(body.decision).toBeUndefined();
    await ready(straight, 503);
    const started = performance.now();
    expect((await ask({}, straight)).status).toBe(503);
    // Refused at once: nothing waits for a gateway that may not come.
    expect(performance.now() - started).toBeLessThan(500);
    expect((await fetch(`${straight.http}/healthz`)).status).toBe(200);
  } finally {
    beacond.child.kill('SIGCONT');
  }
  await soonAllowed(straight);
  await beacond.end('SIGKILL');
  expect((await ask({}, straight)).status).toBe(503);
  await ready(straight, 503);
  beacond = await start();
  await soonAllowed(straight);
  expect(await straight.process.end()).toBe(0);
  await straight.remove();
});

test('one gateway lost, the next is asked', async () => {
  const [first, second] = [await sitBetween(beacond.grpc), await sitBetween(beacond.grpc)];
  const two = await startSidecar(beacond, [first.address, second.address]);
  await soonAllowed(two);
  first.close();
  await soonAllowed(two);
  second.close();
  await ready(two, 503);
  expect((await ask({}, two)).status).toBe(503);
  await two.remove();
});

test('a new token and new keys are taken up while it runs; ones that do not work are told, and change nothing', async () => {
  const own = await startSidecar(beacond, [beacond.grpc]);
  await soonAllowed(own);
  writeFileSync(own.file('agent.token'), 'bcn_agent_nobody\n');
  await ready(own, 503);
  expect(await (await fetch(`${own.http}/readyz`)).text()).toContain('new credential is not taken');
  expect((await ask({}, own)).body.decision).toBe('ALLOW');
  writeFileSync(own.file('agent.token'), `${await mintToken(beacond)}\n`);
  await ready(own);
  await soonAllowed(own);

  const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { origin: string; prefix: string }[];
  const { prefix } = logs.find(({ origin }) => origin.includes('receipt-signer')) as { prefix: string };
  await call(beacond, 'POST', `/api${prefix}/rotate-key`, {}, beacond.adminToken);
  unbelieved(await ask({}, own));
  writeFileSync(own.file('jwks.json'), '{"keys": [');
  writeFileSync(own.file('jwks.json'), JSON.stringify((await call(beacond, 'GET', '/.well-known/jwks.json')).body));
  await soonAllowed(own);
  expect(own.process.stderr).not.toContain('bcn_');
  await own.remove();
});

test('more than it may carry is refused at once, and what it carries when it is told to end is still answered', async () => {
  const small = await startSidecar(beacond, [between.address], { BEACON_MAX_IN_FLIGHT: '3' });
  await soonAllowed(small);
  between.alter = async (response) => {
    await new Promise((resolve) => setTimeout(resolve, 800));
    return response;
  };
  const asked = Array.from({ length: 8 }, () => ask({}, small));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const ended = small.process.end();
  const told = performance.now();
  const statuses = (await Promise.all(asked)).map(({ status }) => status).sort();
  expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
  expect(await ended).toBe(0);
  // Nobody is waited for who has been answered.
  expect(performance.now() - told).toBeLessThan(5_000);
  await small.remove();
});

test('on unix sockets in a folder of its user alone, and in no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-unix-'));
  const env = {
    BEACON_OPEN_LOOPBACK: 'false',
    BEACON_HTTP_LISTEN: `unix:${folder}/http.sock`,
    BEACON_GRPC_LISTEN: `unix:${folder}/grpc.sock`,
  };
  const local = await startSidecar(beacond, [beacond.grpc], env);
  const { service, close } = dial<typeof DecisionService, null>(DecisionService, local.grpc);
  const actions = [{ kind: { case: 'shell' as const, value: { command: 'ls', cwd: '/w' } } }];
  const guard = create(GuardRequestSchema, { proposal: { tenantId: TENANT, agentId: AGENT, actions } });
  await vi.waitFor(
    async () => expect((await service.guard(guard, null)).answer?.decision).toBe(Decision.ALLOW),
    10_000,
  );
  close();
  const status = await new Promise((resolve, reject) => {
    const sent = request({ socketPath: `${folder}/http.sock`, path: '/readyz' }, ({ statusCode }) =>
      resolve(statusCode),
    );
    sent.on('error', reject).end();
  });
  expect(status).toBe(200);
  await local.remove();
  chmodSync(folder, 0o755);
  await expect(startSidecar(beacond, [beacond.grpc], env)).rejects.toThrow(/0700/);
  removeDataDir(folder);
});

test('a caller shows the token of this sidecar, where it is not open', async () => {
  const closed = await startSidecar(beacond, [beacond.grpc], {
    BEACON_OPEN_LOOPBACK: 'false',
    BEACON_CALLER_TOKEN_FILE: `${dataDir}/caller.token`,
  });
  await ready(closed);
  const body = { agent_id: AGENT, tenant_id: TENANT, code: 'ls' };
  const as = (token?: string) => call(closed, 'POST', '/api/execute', body, token);
  expect((await as()).status).toBe(401);
  expect((await as('bcn_caller_wrong')).status).toBe(401);
  expect((await as(await mintToken(beacond))).status).toBe(401);
  expect((await as(readFileSync(`${dataDir}/caller.token`, 'utf8').trim())).body.decision).toBe('ALLOW');
  await closed.remove();
});

test('it does not start half configured', async () => {
  const refused = (env: Record<string, string>) => startSidecar(beacond, [beacond.grpc], env);
  await expect(refused({ BEACON_OPEN_LOOPBACK: 'false' })).rejects.toThrow(/BEACON_CALLER_TOKEN_FILE/);
  await expect(refused({ BEACON_HTTP_LISTEN: '0.0.0.0:0' })).rejects.toThrow(/BEACON_HTTP_LISTEN/);
  await expect(refused({ BEACON_GATEWAYS: '192.0.2.1:7501' })).rejects.toThrow(/plain gRPC/);
  await expect(refused({ BEACON_REDIS_URL: 'redis://x' })).rejects.toThrow(/unknown name/);
  await expect(refused({ BEACON_AGENT_ID: 'a b' })).rejects.toThrow(/BEACON_AGENT_ID/);
});
