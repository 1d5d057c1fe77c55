import { beforeEach, expect, it } from 'vitest';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeBudgets } from './contract.ts';
import { MemoryBudgets } from './memory.ts';
import { RedisBudgets } from './redis.ts';

const bucket = { name: 'agent:t/a', capacity: 10, refillPerSecond: 1 };

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });
  beforeEach(async () => void (await redis.command('FLUSHALL')));

  describeBudgets('redis', async () => {
    await redis.command('FLUSHALL');
    return new RedisBudgets(redis);
  });

  it('gives all processes together what one bucket holds', async () => {
    const processes = Array.from({ length: 10 }, () => new RedisBudgets(redis));
    const takes = processes.flatMap((budgets) => Array.from({ length: 10 }, () => budgets.take([bucket], 1, 5_000)));
    expect((await Promise.all(takes)).filter((taken) => taken.allowed)).toHaveLength(10);
  });

  it('counts fractions of a token, and a clock that goes back, as memory does', async () => {
    const here = new MemoryBudgets();
    const there = new RedisBudgets(redis);
    const odd = { name: 'agent:t/odd', capacity: 7, refillPerSecond: 0.7 / 3 };
    let nowMs = 1_700_000_000_000;
    for (let n = 0; n < 300; n++) {
      nowMs += ((n * 7_919) % 3_001) - 300;
      expect(await there.take([odd], 1, nowMs)).toEqual(await here.take([odd], 1, nowMs));
    }
  });

  it('forgets a window when it ends, and not before', async () => {
    const turn = { name: 'turn:t/a/o', capacity: 3, refillPerSecond: 0, windowMs: 60_000 };
    await new RedisBudgets(redis).take([turn], 1, 10_000);
    await new RedisBudgets(redis).take([turn], 1, 40_000);
    const left = Number(await redis.command('PTTL', redis.key('budget', 't', turn.name)));
    expect(left).toBeGreaterThan(30_000);
    expect(left).toBeLessThanOrEqual(31_000);
  });

  it('forgets a bucket that has had the time to fill up, and not before', async () => {
    await new RedisBudgets(redis).take([bucket], 6, 10_000);
    const key = redis.key('budget', 't', bucket.name);
    const left = Number(await redis.command('PTTL', key));
    expect(left).toBeGreaterThan(6_000);
    expect(left).toBeLessThanOrEqual(7_000);
  });
});
