import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openRedis, type RedisConnection } from '../../runtime/redis.ts';
import { SqliteFile } from '../../runtime/sqlite.ts';
import { describeWithRedis, redisOfSuite, startRedis } from '../../test/redis-server.ts';
import { describeTokenStore, tokenRecord } from './contract.ts';
import { isMintedIn, RedisTokenStore, type TokenCopy } from './redis.ts';
import { SqliteTokenCopy } from './sqlite-copy.ts';

const digest = (byte: string) => byte.repeat(32);
const second = tokenRecord({ tokenDigest: digest('22'), tokenId: 'tok_2', agentId: 'b' });

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  const started: RedisTokenStore[] = [];
  const faults: unknown[] = [];
  redisOfSuite((connection) => {
    redis = connection;
  }, 10_000);
  beforeEach(async () => void (await redis.command('FLUSHALL')));
  afterEach(async () => {
    await Promise.all(started.splice(0).map((store) => store.stop()));
    faults.length = 0;
  });

  const newCopy = () => new SqliteTokenCopy(new SqliteFile({ path: ':memory:', synced: true }));
  /** A gateway: the shared hash, and a copy of its own. */
  async function gateway(copy: TokenCopy = newCopy()): Promise<RedisTokenStore> {
    const store = new RedisTokenStore(redis, copy, (fault) => faults.push(fault));
    await store.start();
    started.push(store);
    return store;
  }
  const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 10_000, interval: 20 });
  const key = () => redis.key('tokens', '');

  describeTokenStore('redis', async () => {
    await redis.command('FLUSHALL');
    return gateway();
  });

  it('is one store for all gateways: what one mints the other knows, what one revokes is revoked for both at once', async () => {
    const [a, b] = [await gateway(), await gateway()];
    await a.put(tokenRecord());
    expect(await b.findByDigest(digest('11'))).toEqual(tokenRecord());
    expect(await b.isMinted('t', 'a')).toBe(true);
    await b.revoke('tok_1');
    expect(await a.findByDigest(digest('11'))).toBeUndefined();
    await expect(b.put(tokenRecord())).rejects.toMatchObject({ code: 'conflict' });
  });

  it('believes nothing of a flushed Redis, a name’s absence least of all, until a gateway has given back what it knows', async () => {
    const [a, b] = [await gateway(), await gateway()];
    await a.put(tokenRecord());
    await b.put(second);
    await b.revoke('tok_2');
    await soon(async () => expect(await a.findByDigest(digest('22'))).toBeUndefined());
    await redis.command('FLUSHALL');
    await expect(a.isMinted('t', 'a')).rejects.toMatchObject({ code: 'unavailable' });
    await soon(async () => expect(await a.isMinted('t', 'a')).toBe(true));
    await soon(async () => expect(await b.findByDigest(digest('11'))).toEqual(tokenRecord()));
    await soon(async () => expect(await a.isMinted('t', 'b')).toBe(true));
    expect(await a.findByDigest(digest('22'))).toBeUndefined();
    expect(await b.findByDigest(digest('22'))).toBeUndefined();
  });

  it('lets no token be minted in a Redis that forgot, before it holds the rest again', async () => {
    const a = await gateway();
    await a.put(tokenRecord());
    await redis.command('FLUSHALL');
    await expect(a.put(second)).rejects.toMatchObject({ code: 'unavailable' });
    await soon(() => a.put(second));
    expect(await a.findByDigest(digest('11'))).toEqual(tokenRecord());
  });

  it('does not take an older Redis for the present one: what was revoked since stays revoked', async () => {
    const a = await gateway();
    await a.put(tokenRecord());
    const fields = (await redis.script(`return redis.call('HGETALL', KEYS[1])`)([key()], [])) as string[];
    await a.revoke('tok_1');
    await redis.command('DEL', key());
    await redis.command('HSET', key(), ...fields);
    await expect(a.findByDigest(digest('11'))).rejects.toMatchObject({ code: 'unavailable' });
    await soon(async () => expect(await a.findByDigest(digest('11'))).toBeUndefined());
  });

  it('gets back what one gateway alone knows, when the others have grown a lost hash beyond what that one saw', async () => {
    const [a, b] = [await gateway(), await gateway()];
    await a.put(tokenRecord());
    await soon(async () => expect(await b.findByDigest(digest('11'))).toBeDefined());
    await a.stop();
    const fields = (await redis.script(`return redis.call('HGETALL', KEYS[1])`)([key()], [])) as string[];
    await b.revoke('tok_1');
    await b.claim('t', 'c');
    // An older file comes back, and a, which saw no more than that, goes on from there.
    await redis.command('DEL', key());
    await redis.command('HSET', key(), ...fields);
    for (let n = 0; n < 20; n++) await a.claim('t', `x${n}`);
    expect(await a.isMinted('t', 'c')).toBe(false);
    // b never forgets what it knew, and a learns it again with b's next look.
    const told = async () => [await b.findByDigest(digest('11')), await b.isMinted('t', 'c')];
    expect(await told().catch(() => [undefined, true])).toEqual([undefined, true]);
    await soon(async () => expect(await a.isMinted('t', 'c')).toBe(true));
    expect(await a.findByDigest(digest('11'))).toBeUndefined();
  });

  it('joins the gateways again after a fresh one began a new hash in their place', async () => {
    const a = await gateway();
    await a.put(tokenRecord());
    await a.stop();
    await redis.command('FLUSHALL');
    const fresh = await gateway();
    for (let n = 0; n < 20; n++) await fresh.claim('t', `x${n}`);
    const known = async () => expect((await a.findByDigest(digest('11')))?.tokenId).toBe('tok_1');
    await soon(known);
    await soon(async () => expect((await fresh.findByDigest(digest('11')))?.tokenId).toBe('tok_1'));
    expect(await a.isMinted('t', 'x19')).toBe(true);
  });

  it('outlives its gateway: one that is started on the same copy gives back what a lost Redis held', async () => {
    const file = new SqliteFile({ path: ':memory:', synced: true });
    const a = await gateway(new SqliteTokenCopy(file));
    await a.put(tokenRecord());
    await a.claim('t', 'by-certificate');
    await a.stop();
    await redis.command('FLUSHALL');
    const again = await gateway(new SqliteTokenCopy(file));
    expect(await again.findByDigest(digest('11'))).toEqual(tokenRecord());
    expect(await again.isMinted('t', 'by-certificate')).toBe(true);
  });

  it('copies what others mint by itself', async () => {
    const copy = newCopy();
    await gateway(copy);
    await (await gateway()).put(tokenRecord());
    await soon(async () => expect(copy.load().get(`token:${digest('11')}`)).toBeDefined());
  });

  it('takes up a thousand tokens minted by two gateways at the same time', async () => {
    const copies = [newCopy(), newCopy()];
    const both = [await gateway(copies[0]), await gateway(copies[1])];
    const records = Array.from({ length: 1_000 }, (_, n) =>
      tokenRecord({ tokenId: `tok_${n}`, tokenDigest: n.toString(16).padStart(64, '0'), agentId: `a${n}` }),
    );
    await Promise.all(records.map((record, n) => both[n % 2]?.put(record)));
    const held = (copy: TokenCopy) => [...copy.load().keys()].filter((field) => field.startsWith('token:')).length;
    await soon(async () => expect(copies.map(held)).toEqual([1_000, 1_000]));
    await redis.command('FLUSHALL');
    await soon(async () => expect(await both[0]?.findByDigest(records[999]?.tokenDigest ?? '')).toEqual(records[999]));
    await soon(async () => expect(await both[1]?.findByDigest(records[0]?.tokenDigest ?? '')).toEqual(records[0]));
  });

  it('is unavailable, and says nothing else, when Redis cannot be reached', async () => {
    const other = await startRedis();
    const connection = await openRedis({ ...other.address, prefix: 'test', commandTimeoutMs: 500 });
    const store = new RedisTokenStore(connection, newCopy(), () => undefined);
    await store.start();
    await store.put(tokenRecord());
    await other.kill();
    for (const ask of [
      () => store.findByDigest(digest('11')),
      () => store.isMinted('t', 'a'),
      () => store.isMinted('t', 'nobody'),
      () => store.put(second),
      () => store.revoke('tok_1'),
      () => store.claim('t', 'c'),
      () => isMintedIn(connection, 't', 'a'),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'unavailable' });
    }
    await store.stop();
    connection.close();
    await other.remove();
  });

  it('tells a process without tokens of its own which names are taken, and nothing where nothing is', async () => {
    await expect(isMintedIn(redis, 't', 'a')).rejects.toMatchObject({ code: 'unavailable' });
    await (await gateway()).put(tokenRecord());
    expect(await isMintedIn(redis, 't', 'a')).toBe(true);
    expect(await isMintedIn(redis, 't', 'b')).toBe(false);
  });
});
