import { afterAll, beforeAll } from 'vitest';
import { openRedis, type RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../../test/redis-server.ts';
import { describeSuspicions } from './contract.ts';
import { RedisSuspicions } from './redis.ts';

describeWithRedis('on redis', () => {
  let server: RedisServer;
  let redis: RedisConnection;
  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis({ ...server.address, prefix: 'test', commandTimeoutMs: 2_000 });
  });
  afterAll(async () => {
    redis?.close();
    await server?.remove();
  });

  describeSuspicions('redis', async () => {
    await redis.command('FLUSHALL');
    return new RedisSuspicions(redis);
  });
});
