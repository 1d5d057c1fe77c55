import { beforeEach, expect, it } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeIdempotency } from './contract.ts';
import { RedisIdempotency } from './redis.ts';

const key = { tenantId: 't', agentId: 'a', key: 'k1' };
const record = { proposalDigest: 'd1', receiptId: 'l-3', actionId: 'act_1', expiresAtMs: 2_000 };

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });
  beforeEach(async () => void (await redis.command('FLUSHALL')));

  describeIdempotency('redis', () => new RedisIdempotency(redis));

  it('gives a key to one process of many', async () => {
    const processes = Array.from({ length: 10 }, () => new RedisIdempotency(redis));
    const claims = await Promise.all(processes.map((keys) => keys.claim(key, 'd1', 1_000)));
    expect(claims.filter((claim) => claim.kind === 'fresh')).toHaveLength(1);
  });

  it('shows every process what one completed', async () => {
    const first = new RedisIdempotency(redis);
    const second = new RedisIdempotency(redis);
    await first.claim(key, 'd1', 1_000);
    expect(await second.claim(key, 'd2', 1_000)).toEqual({ kind: 'pending', proposalDigest: 'd1' });
    await first.complete(key, record, { logId: 'l', index: 3 });
    expect(await second.claim(key, 'd1', 1_000)).toEqual({ kind: 'done', record });
  });

  it('records nothing where the index of ends is of another type: it would never be swept', async () => {
    const keys = new RedisIdempotency(redis);
    await redis.command('SET', redis.key('idempotency-expiry', ''), 'put here by somebody');
    await keys.claim(key, 'd1', 1_000);
    await expect(keys.complete(key, record, { logId: 'l', index: 3 })).rejects.toMatchObject({ code: 'unavailable' });
    expect(await keys.recorded('l', [key])).toEqual([-1]);
  });

  it('takes a claim back from a process that died, after the claim’s life', async () => {
    const dead = new RedisIdempotency(redis, { claimMs: 80 });
    const heir = new RedisIdempotency(redis, { claimMs: 5_000 });
    await dead.claim(key, 'd1', 1_000);
    expect((await heir.claim(key, 'd1', 1_000)).kind).toBe('pending');
    await expect.poll(async () => (await heir.claim(key, 'd1', 1_000)).kind).toBe('fresh');
    // It was not dead but slow; what it abandons is no longer its own.
    await dead.abandon(key);
    expect((await dead.claim(key, 'd1', 1_000)).kind).toBe('pending');
  });

  it('gives a claim back whose answer was lost: nobody decides under it, and the next copy need not wait for its life', async () => {
    const deaf = {
      key: redis.key.bind(redis),
      command: redis.command.bind(redis),
      script: (lua: string) => {
        const run = redis.script(lua);
        let lost = 0;
        return async (keys: readonly string[], args: readonly (string | number)[]) => {
          const answer = await run(keys, args);
          if (lua.includes("'fresh'") && lost++ === 0) throw new BeaconError('unavailable', 'Redis gave no answer');
          return answer;
        };
      },
    };
    const keys = new RedisIdempotency(deaf);
    await expect(keys.claim(key, 'd1', 1_000)).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(async () => (await new RedisIdempotency(redis).claim(key, 'd1', 1_000)).kind).toBe('fresh');
  });

  it('keeps the receipt that was answered, when a signer given up on tells later of the same decision', async () => {
    const deciding = new RedisIdempotency(redis);
    const following = new RedisIdempotency(redis);
    const orphan = { ...record, receiptId: 'm-7' };
    await deciding.claim(key, 'd1', 1_000);
    await deciding.complete(key, record, { logId: 'l', index: 3 });
    await following.complete(key, orphan, { logId: 'm', index: 7 });
    expect(await following.claim(key, 'd1', 1_000)).toEqual({ kind: 'done', record });
    // Also when it tells first; another decision under the key, on any log, is none of this.
    await redis.command('FLUSHALL');
    await deciding.claim(key, 'd1', 1_000);
    await following.complete(key, orphan, { logId: 'm', index: 7 });
    await deciding.complete(key, record, { logId: 'l', index: 3 });
    expect(await following.claim(key, 'd1', 1_000)).toEqual({ kind: 'done', record });
    const other = { ...record, receiptId: 'm-9', actionId: 'act_2' };
    await following.complete(key, other, { logId: 'm', index: 9 });
    expect(await following.claim(key, 'd1', 1_000)).toEqual({ kind: 'done', record: other });
  });

  it('a replayed old receipt does not end a newer claim', async () => {
    const replaying = new RedisIdempotency(redis);
    const deciding = new RedisIdempotency(redis);
    await replaying.complete(key, record, { logId: 'l', index: 3 });
    expect((await deciding.claim(key, 'd2', 3_000)).kind).toBe('fresh');
    await replaying.complete(key, record, { logId: 'l', index: 3 });
    expect((await replaying.claim(key, 'd2', 3_000)).kind).toBe('pending');
  });
});
