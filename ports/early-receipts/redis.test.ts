import { expect, it } from 'vitest';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeEarlyReceipts } from './contract.ts';
import { RedisEarlyReceipts } from './redis.ts';

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });

  describeEarlyReceipts('redis', () => new RedisEarlyReceipts(redis));

  it('keeps nothing for ever', async () => {
    await new RedisEarlyReceipts(redis).keep('act_9', new Map([['r', 'a']]));
    expect(await redis.command('PTTL', redis.key('early', '', 'act_9'))).toBeGreaterThan(0);
  });
});
