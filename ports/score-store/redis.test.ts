import { beforeEach, expect, it } from 'vitest';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeScoreStore, describeSharedScoreStore, scoreRow } from './contract.ts';
import { RedisScoreStore } from './redis.ts';

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });
  beforeEach(async () => void (await redis.command('FLUSHALL')));

  describeScoreStore('redis', () => new RedisScoreStore(redis));
  describeSharedScoreStore('redis', async () => ({
    store: new RedisScoreStore(redis),
    other: new RedisScoreStore(redis),
  }));

  it('writes neither rows nor position when the fold cannot be written', async () => {
    const store = new RedisScoreStore(redis);
    await store.fold([scoreRow()], { logId: 'l', index: 5 });
    await redis.command('CONFIG', 'SET', 'maxmemory', 1);
    await expect(store.fold([scoreRow({ score: 700 })], { logId: 'l', index: 9 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await redis.command('CONFIG', 'SET', 'maxmemory', 0);
    expect(await store.position('l')).toBe(5);
    expect((await store.read({ tenantId: 't', agentId: 'a' }))?.score).toBe(512);
  });

  it.each([
    ['score-names', ''],
    ['score-names', 't'],
    ['asserted-names', ''],
  ])('changes nothing where %s{%s} is of another type: a repeat would count twice', async (kind, tag) => {
    const store = new RedisScoreStore(redis);
    const key = redis.key(kind, tag);
    await redis.command('SET', key, 'put here by somebody');
    const row = scoreRow({ validReceipts: 0, assertedValidReceipts: 1 });
    const position = { logId: 'l', index: 5 };
    const base = { from: 0, tallies: [''] };
    await expect(store.fold([row], position)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.foldFrom(base, [row], position)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await store.read(row)).toBeUndefined();
    await redis.command('DEL', key);
    expect(await store.foldFrom(base, [row], position)).toBe(true);
  });

  it('lets only one of two folds of the same tail move what the other moved', async () => {
    const [one, two] = [new RedisScoreStore(redis), new RedisScoreStore(redis)];
    await Promise.all([
      one.fold([scoreRow({ score: 700 })], { logId: 'l', index: 9 }),
      two.fold([scoreRow({ score: 600 })], { logId: 'l', index: 7 }),
    ]);
    expect((await two.read({ tenantId: 't', agentId: 'a' }))?.score).toBe(700);
    expect(await two.position('l')).toBe(9);
  });

  it('folds many rows at once', async () => {
    const store = new RedisScoreStore(redis);
    const rows = Array.from({ length: 5_000 }, (_, n) => scoreRow({ agentId: `a${n}` }));
    await store.fold(rows, { logId: 'l', index: 1 });
    expect(await store.list('t', '', 10_000)).toHaveLength(5_000);
  });
});
