import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeSuspicions } from './contract.ts';
import { RedisSuspicions } from './redis.ts';

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });

  describeSuspicions('redis', async () => {
    await redis.command('FLUSHALL');
    return new RedisSuspicions(redis);
  });
});
