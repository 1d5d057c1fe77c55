import { expect, it } from 'vitest';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeRevocationList } from './contract.ts';
import { RedisRevocationList } from './redis.ts';

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });

  const fresh = async () => {
    await redis.command('FLUSHALL');
    return new RedisRevocationList(redis);
  };

  describeRevocationList('redis', async () => ({
    list: await fresh(),
    flush: async () => void (await redis.command('FLUSHALL')),
  }));

  it('is one list for all its readers', async () => {
    const writer = await fresh();
    const reader = new RedisRevocationList(redis);
    await writer.rebuild([], 4);
    await writer.apply({ scope: 'global', revocationId: 'rev_1', epoch: 5, operation: 'revoke' });
    expect(await reader.consult(['global'])).toEqual({ epoch: 5, revoked: ['global'] });
  });

  it('says nothing of tools where somebody wrote who does not keep them, until one who does writes again', async () => {
    const list = await fresh();
    await list.rebuild([], 4);
    const entry = JSON.stringify({ scope: 'tool:git', revocationId: 'rev_5', epoch: 5 });
    await redis.command('HSET', redis.key('revocations', ''), 'scope:tool:git', entry, 'epoch', 5);
    expect(await list.survey(['global'])).toEqual({ epoch: 5, revoked: [], tools: undefined });
    expect((await list.consult(['tool:git'])).revoked).toEqual(['tool:git']);
    await list.apply({ scope: 'agent:t/a', revocationId: 'rev_6', epoch: 6, operation: 'revoke' });
    expect(await list.survey(['global'])).toEqual({ epoch: 6, revoked: [], tools: ['tool:git'] });
  });

  it('keeps to the order of epochs among writers who race', async () => {
    const lists = [await fresh(), new RedisRevocationList(redis)];
    await lists[0]?.rebuild([], 0);
    const changes = Array.from({ length: 40 }, (_, n) => {
      const operation = n % 2 === 0 ? ('revoke' as const) : ('reinstate' as const);
      return { scope: 'agent:t/a', revocationId: `rev_${n + 1}`, epoch: n + 1, operation };
    });
    const shuffled = changes.toSorted((a, b) => ((a.epoch * 7) % 41) - ((b.epoch * 7) % 41));
    // What comes too early is refused and comes again; what comes too late changes nothing.
    for (let waiting = shuffled; waiting.length > 0; ) {
      const taken = await Promise.allSettled(waiting.map((change, n) => lists[n % 2]?.apply(change)));
      waiting = waiting.filter((_, n) => taken[n]?.status === 'rejected');
    }
    expect(await lists[0]?.consult(['agent:t/a'])).toEqual({ epoch: 40, revoked: [] });
  });

  it('rebuilds a long list in one step', async () => {
    const list = await fresh();
    const entries = Array.from({ length: 20_000 }, (_, n) => ({
      scope: `agent:t/${n}`,
      revocationId: `r${n}`,
      epoch: 1,
    }));
    await list.rebuild(entries, 9);
    expect(await list.consult(['agent:t/19999', 'agent:t/20000'])).toEqual({ epoch: 9, revoked: ['agent:t/19999'] });
    expect(await list.list()).toHaveLength(20_000);
  });

  it('has no epoch where the list holds none that can be read', async () => {
    const list = await fresh();
    await list.rebuild([], 1);
    await redis.command('HSET', redis.key('revocations', ''), 'epoch', 'many');
    expect((await list.consult(['global'])).epoch).toBeUndefined();
  });
});
