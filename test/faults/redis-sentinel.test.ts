// A real primary with a replica and a sentinel: when the primary dies, nothing is answered until the replica has taken
// over. (One that had not heard of the last revocation is told by its epoch, as yesterday's file in redis.test.ts.)

import { afterEach, expect, it } from 'vitest';
import { RedisRevocationList } from '../../ports/revocation-list/redis.ts';
import { openRedis } from '../../runtime/redis.ts';
import { describeWithRedis, RedisServer, startRedis } from '../redis-server.ts';

const servers: RedisServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.remove();
});

describeWithRedis('redis behind a sentinel', () => {
  it('goes on with the replica that took over, and asks nobody meanwhile', async () => {
    const primary = await startRedis();
    const replica = await startRedis('--replicaof', primary.address.host, `${primary.address.port}`);
    const sentinel = new RedisServer();
    servers.push(primary, replica, sentinel);
    await sentinel.startSentinel('lists', primary);
    const place = { sentinels: [sentinel.address], name: 'lists' };
    const redis = await openRedis({ ...place, prefix: 'test', commandTimeoutMs: 500 });
    const list = new RedisRevocationList(redis);
    await list.rebuild([], 1);
    await sentinel.seesReplica('lists');
    await list.apply({ scope: 'global', revocationId: 'rev_1', epoch: 2, operation: 'revoke' });
    await expect.poll(() => redis.command('WAIT', 1, 100), { timeout: 10_000 }).toBe(1);
    await primary.kill();
    await expect(list.consult(['global'])).rejects.toMatchObject({ code: 'unavailable' });
    // The sentinel drops the new primary's connections once more, to have clients ask it who that is.
    const answer = () => list.consult(['global']).catch(() => undefined);
    await expect.poll(answer, { timeout: 30_000 }).toEqual({ epoch: 2, revoked: ['global'] });
    await expect.poll(() => redis.usable, { timeout: 10_000 }).toBe(true);
    const change = { scope: 'global', revocationId: 'rev_2', epoch: 3, operation: 'reinstate' } as const;
    await expect
      .poll(
        () =>
          list.apply(change).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
    redis.close();
  });
});
