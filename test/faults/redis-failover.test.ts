// The separate services behind a real sentinel: while the primary is gone nothing is allowed, afterwards all goes on with
// the one that took over, and one that took over with an older list un-revokes nothing.

import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call, execute } from '../beacond.ts';
import { RedisServer, startRedis } from '../redis-server.ts';
import { type Fleet, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const NAME = 'lists';
let fleet: Fleet;
let primary: RedisServer;
let replica: RedisServer;
const sentinel = new RedisServer();

const ask = async (agent_id: string) => (await execute(fleet, { agent_id })).body;
const allowed = async (agent: string) => (await ask(agent)).decision === 'ALLOW';
const soonAllowed = (agent: string) =>
  vi.waitFor(async () => expect(await allowed(agent)).toBe(true), { timeout: 60_000, interval: 100 });
const revoke = (agent: string) =>
  call(fleet, 'POST', '/api/revocations', { scope: `agent:local/${agent}`, operation: 'revoke' }, fleet.adminToken);

async function on<T>(server: RedisServer, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.address);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

beforeAll(async () => {
  primary = await startRedis();
  replica = await startRedis('--replicaof', primary.address.host, `${primary.address.port}`);
  await sentinel.startSentinel(NAME, primary);
  await sentinel.seesReplica(NAME);
  const { host, port } = sentinel.address;
  fleet = await startFleet(
    {
      BEACON_REDIS_SENTINELS: `${host}:${port}`,
      BEACON_REDIS_SENTINEL_NAME: NAME,
      BEACON_REDIS_URL: `redis://${NAME}`,
      // Long, so that what is denied is denied by the list's epoch and not for want of a lease.
      BEACON_LEASE_MS: '120000',
    },
    { decisionReplicas: 1 },
  );
  await soonAllowed('free');
});
afterAll(async () => {
  await fleet?.stop();
  for (const server of [sentinel, replica, primary]) await server?.remove();
});

test('a primary that took over with an older list: all is denied until the kill switch has rebuilt it', async () => {
  await revoke('early');
  await vi.waitFor(async () => expect(await on(primary, (client) => client.wait(1, 500))).toBe(1), { timeout: 30_000 });
  await on(replica, (client) => client.save());
  await replica.kill();
  const late = await revoke('late');
  expect(late.status).toBe(200);
  // Who has not seen the new epoch is held by the fence alone; who has seen it is held by the list as well.
  expect(await allowed('late')).toBe(false);
  fleet.killSwitch.signal('SIGSTOP');
  try {
    await primary.kill();
    expect(await allowed('free')).toBe(false);
    await replica.start('--replicaof', primary.address.host, `${primary.address.port}`);
    const tookOver = async () => expect(await on(replica, (client) => client.role())).toContain('master');
    await vi.waitFor(tookOver, { timeout: 60_000, interval: 100 });
    // Redis can be used again, and still nothing may run.
    const doors = [fleet.decisions[0]?.ready.metrics, fleet.http];
    const ready = async () => {
      for (const door of doors) expect((await fetch(`${door}/readyz`)).status).toBe(200);
    };
    await vi.waitFor(ready, { timeout: 60_000, interval: 100 });
    const codes = ((await ask('free')).reasons as { code: string }[]).map(({ code }) => code);
    expect(codes).toContain('revocation_unknown');
    for (let i = 0; i < 10; i += 1) {
      expect(await allowed('free')).toBe(false);
      expect(await allowed('late')).toBe(false);
    }
  } finally {
    fleet.killSwitch.signal('SIGCONT');
  }
  await soonAllowed('free');
  for (const agent of ['early', 'late']) expect(await allowed(agent)).toBe(false);
  expect((await revoke('later')).status).toBe(200);
  expect(await allowed('later')).toBe(false);
});
