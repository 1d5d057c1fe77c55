// The separate services over real engines: what holds in one process holds here, and whatever part is lost, nothing that
// was stopped runs and nothing runs without its receipt.

import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { call, execute } from '../beacond.ts';
import { type Fleet, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
  await soonAllowed();
});
afterAll(() => fleet?.stop());

const revocation = (operation: string, scope: string) =>
  call(fleet, 'POST', '/api/revocations', { scope, operation, reason: 'fault' }, fleet.adminToken);
const allowed = async (change: Record<string, unknown> = {}) =>
  (await execute(fleet, change)).body.decision === 'ALLOW';

/** What a machine under load may cost now and then: a lease or a fact that came too late, or no decision at all. */
const STARVED = ['no_lease', 'revocation_unknown'];

/** Denied for want of time, and for nothing else: of any other refusal this is the first and last asking. */
function requireStarved({ status, body }: Awaited<ReturnType<typeof execute>>): void {
  if (status !== 200) {
    expect([429, 502, 503, 504]).toContain(status);
    return;
  }
  const codes = (body.reasons as { code: string }[]).map(({ code }) => code);
  expect(codes.filter((code) => STARVED.includes(code)).length, `denied: ${codes}`).toBeGreaterThan(0);
  expect(codes).not.toContain('revoked');
}

/** What must run runs soon, and until then is refused for want of time alone. */
async function soonAllowed(change: Record<string, unknown> = {}): Promise<void> {
  for (const untilMs = Date.now() + 30_000; ; ) {
    const answer = await execute(fleet, change);
    if (answer.body.decision === 'ALLOW') return;
    requireStarved(answer);
    expect(Date.now()).toBeLessThan(untilMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Every leaf of every signer's log, from the gateway. */
async function leaves(): Promise<ReturnType<typeof readReceipt>[]> {
  const logs = (await call(fleet, 'GET', '/api/logs')).body as unknown as {
    origin: string;
    prefix: string;
    size: number;
  }[];
  const found: ReturnType<typeof readReceipt>[] = [];
  for (const { prefix, size, origin } of logs.filter((log) => log.origin.includes('receipt-signer'))) {
    const logId = origin.slice(-12);
    expect(prefix).toContain(logId);
    for (let start = 0; start < size; ) {
      const page = await call(
        fleet,
        'GET',
        `/api/receipts?log=${logId}&start=${start}&limit=500`,
        undefined,
        fleet.adminToken,
      );
      const { receipts, next } = page.body as unknown as { receipts: { receipt: object }[]; next: number };
      found.push(...receipts.map(({ receipt }) => readReceipt(Buffer.from(JSON.stringify(receipt)))));
      if (next === null || next <= start) break;
      start = next;
    }
  }
  return found;
}

test('the same decisions as in one process; both decision replicas and both signers do their share', async () => {
  for (let i = 0; i < 20; i += 1) await soonAllowed({ agent_id: `a${i}` });
  expect((await execute(fleet, { code: 'rm -rf /' })).body).toMatchObject({ decision: 'DENY', route: 'DENY' });
  await vi.waitFor(
    async () => {
      // One at a time they would all go to the one asked last.
      await Promise.all(Array.from({ length: 8 }, () => allowed()));
      expect(new Set((await leaves()).map(({ logId }) => logId)).size).toBe(2);
    },
    { timeout: 30_000, interval: 200 },
  );
});

test('idempotency holds across replicas', async () => {
  const answers = await Promise.all(Array.from({ length: 40 }, () => execute(fleet, { idempotency_key: 'shared' })));
  expect(new Set(answers.map(({ body }) => body.receipt_id)).size).toBe(1);
});

test('an action opened through one replica is closed through another, once', async () => {
  const { body } = await execute(fleet, {});
  const close = () => call(fleet, 'POST', `/api/actions/${body.action_id}/outcome`, { status: 'succeeded' });
  // Both at once: each goes to another replica.
  const statuses = (await Promise.all([close(), close()])).map(({ status }) => status);
  expect(statuses.sort()).toEqual([200, 409]);
});

test('revoked means stopped, in every log, and reinstated means allowed', async () => {
  const revoked = await revocation('revoke', 'agent:local/x');
  expect(revoked.status).toBe(200);
  expect((revoked.body.logs as unknown[]).length).toBe(2);
  expect(await allowed({ agent_id: 'x' })).toBe(false);
  await soonAllowed({ agent_id: 'y' });
  expect((await revocation('reinstate', 'agent:local/x')).status).toBe(200);
  await soonAllowed({ agent_id: 'x' });
});

test('a killed signer moves the traffic; started again it takes its share', async () => {
  const [first] = fleet.signers;
  await first?.end('SIGKILL');
  const answers = await Promise.all(Array.from({ length: 20 }, () => execute(fleet)));
  const denied = answers.filter(({ body }) => body.decision !== 'ALLOW');
  for (const answer of denied) requireStarved(answer);
  expect(denied.length).toBeLessThan(answers.length / 2);
  await first?.start();
  await soonAllowed();
});

test('no signer at all: 503, no decision', async () => {
  await Promise.all(fleet.signers.map((signer) => signer.end('SIGKILL')));
  expect((await execute(fleet)).status).toBe(503);
  await Promise.all(fleet.signers.map((signer) => signer.start()));
  await soonAllowed();
});

test('a signer paused through a revocation answers nothing in its scope when it wakes', async () => {
  const [first] = fleet.signers;
  first?.signal('SIGSTOP');
  const revoked = await revocation('revoke', 'agent:local/paused').finally(() => first?.signal('SIGCONT'));
  expect(revoked.status).toBe(200);
  const ends = revoked.body.logs as Record<string, unknown>[];
  expect(ends.some((one) => one.lease_end !== undefined)).toBe(true);
  for (let i = 0; i < 20; i += 1) expect(await allowed({ agent_id: 'paused' })).toBe(false);
  await soonAllowed();
});

test('FLUSHALL stops the world until the kill switch has rebuilt the list by itself', async () => {
  await revocation('revoke', 'agent:local/flushed');
  const redis = new Redis(fleet.redis.address.port, fleet.redis.address.host);
  await redis.flushall();
  expect(await allowed({ agent_id: 'flushed' })).toBe(false);
  redis.disconnect();
  await soonAllowed({ agent_id: 'other' });
  expect(await allowed({ agent_id: 'flushed' })).toBe(false);
});

test('what was closed is closed after a FLUSHALL, whichever signer’s log tells of it first', async () => {
  const keyed = { agent_id: 'keyed', idempotency_key: 'before-the-flush' };
  const { body: first } = await execute(fleet, keyed);
  expect(first.decision).toBe('ALLOW');
  const closed: string[] = [];
  // Many at once, so that both signers have a part in them.
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      const { body } = await execute(fleet);
      const { status } = await call(fleet, 'POST', `/api/actions/${body.action_id}/outcome`, { status: 'succeeded' });
      if (status === 200) closed.push(body.action_id as string);
    }),
  );
  expect(closed.length).toBeGreaterThan(0);
  const redis = new Redis(fleet.redis.address.port, fleet.redis.address.host);
  await redis.flushall();
  redis.disconnect();
  // Nothing is allowed before all of it is known again.
  await soonAllowed();
  const states = closed.map(async (id) => (await call(fleet, 'GET', `/api/actions/${id}`)).body.state as string);
  expect(new Set(await Promise.all(states))).toEqual(new Set(['closed']));
  expect((await execute(fleet, keyed)).body).toMatchObject({ receipt_id: first.receipt_id });
});

test('Redis gone: never ALLOW; back again: allowed', async () => {
  await fleet.redis.kill();
  for (let i = 0; i < 3; i += 1) expect(await allowed()).toBe(false);
  await fleet.redis.start();
  await soonAllowed();
});

test('NATS gone delays scores and nothing else', async () => {
  await fleet.nats.kill();
  await soonAllowed({ agent_id: 'scored' });
  await fleet.nats.start();
  await vi.waitFor(
    async () => {
      const { body } = await call(fleet, 'GET', '/api/scalar/scored?tenant_id=local', undefined, fleet.adminToken);
      expect(Number(body.valid_receipts)).toBeGreaterThanOrEqual(2);
    },
    { timeout: 60_000, interval: 500 },
  );
});

test('a killed decision replica is no outage, and every ALLOW that was answered has one receipt', async () => {
  const answered: string[] = [];
  let running = true;
  const callers = Array.from({ length: 8 }, async (_, i) => {
    while (running) {
      const { status, body } = await execute(fleet, { agent_id: `k${i}` });
      if (status === 200 && body.decision === 'ALLOW') answered.push(body.receipt_id as string);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  await fleet.decisions[0]?.end('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await fleet.decisions[0]?.start();
  await new Promise((resolve) => setTimeout(resolve, 500));
  running = false;
  await Promise.all(callers);
  expect(answered.length).toBeGreaterThan(10);
  expect(new Set(answered).size).toBe(answered.length);
  const all = await leaves();
  const voided = new Set(all.filter(({ kind }) => kind === 'void').map(({ predicate }) => predicate.voids));
  const known = new Map(all.map((receipt) => [receipt.receiptId, receipt]));
  for (const id of answered) {
    expect(known.get(id)?.predicate.decision).toBe('ALLOW');
    expect(voided.has(id)).toBe(false);
  }
});

test('an agent’s token opens no service behind the gateway', async () => {
  const minted = await call(fleet, 'POST', '/api/agents/outside/tokens', { tenant_id: 'local' }, fleet.adminToken);
  const { execFileSync } = await import('node:child_process');
  const at = fleet.signers[1]?.ready.service as string;
  const ask = (...headers: string[]) =>
    execFileSync(
      'grpcurl',
      [
        '-plaintext',
        ...headers,
        '-import-path',
        'proto',
        '-proto',
        'beacon/v1/receipt_signer_service.proto',
        '-d',
        '{}',
        at,
        'beacon.v1.ReceiptSignerService/GetStatus',
      ],
      { encoding: 'utf8', stdio: 'pipe' },
    );
  expect(() => ask()).toThrow(/Unauthenticated/);
  expect(() => ask('-H', `authorization: Bearer ${minted.body.token}`)).toThrow(/Unauthenticated/);
});
