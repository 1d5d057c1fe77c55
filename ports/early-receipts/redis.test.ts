import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRedis, type RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, type RedisServer, startRedis } from '../../test/redis-server.ts';
import { describeEarlyReceipts } from './contract.ts';
import { RedisEarlyReceipts } from './redis.ts';

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

  describeEarlyReceipts('redis', () => new RedisEarlyReceipts(redis));

  it('keeps nothing for ever', async () => {
    await new RedisEarlyReceipts(redis).keep('act_9', new Map([['r', 'a']]));
    expect(await redis.command('PTTL', redis.key('early', '', 'act_9'))).toBeGreaterThan(0);
  });
});
