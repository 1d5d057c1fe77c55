// A real primary with a replica and a sentinel: when the primary dies, the replica takes over and decisions find it; a
// replica that had not heard of the last revocation is recognised.

import { afterEach, expect, it } from 'vitest';
import { RedisRevocationList } from '../../ports/revocation-list/redis.ts';
import { openRedis } from '../../runtime/redis.ts';
import { describeWithRedis, RedisServer, startRedis } from '../redis-server.ts';

const servers: RedisServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

describeWithRedis('redis behind a sentinel', () => {
  it('goes on with the replica that took over, knowing how old its list is', async () => {
    const primary = await startRedis();
    const replica = await startRedis('--replicaof', primary.address.host, `${primary.address.port}`);
    const sentinel = new RedisServer();
    servers.push(primary, replica, sentinel);
    await sentinel.startSentinel('lists', primary);
    const place = { sentinels: [sentinel.address], name: 'lists' };
    const redis = await openRedis({ ...place, prefix: 'test', commandTimeoutMs: 500 });
    const list = new RedisRevocationList(redis);
    await list.rebuild([], 1);
    await expect.poll(() => redis.command('WAIT', 1, 100), { timeout: 10_000 }).toBe(1);
    await seenBySentinel(sentinel);
    replica.pause();
    await list.apply({ scope: 'global', revocationId: 'rev_1', epoch: 2, operation: 'revoke' });
    await primary.kill();
    replica.resume();
    const epoch = () => list.consult(['global']).then((answer) => answer.epoch);
    await expect(epoch()).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(() => redis.usable, { timeout: 30_000 }).toBe(true);
    expect(await epoch()).toBe(1);
    redis.close();
  });
});

/** A sentinel hears of replicas from the primary, every ten seconds. */
async function seenBySentinel(sentinel: RedisServer): Promise<void> {
  const { Redis } = await import('ioredis');
  const client = new Redis(sentinel.address);
  const replicas = async () => ((await client.call('SENTINEL', 'REPLICAS', 'lists')) as unknown[]).length;
  await expect.poll(replicas, { timeout: 30_000 }).toBe(1);
  client.disconnect();
}
