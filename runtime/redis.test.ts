import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import { CountingProxy, ONE_ROUND_TRIP } from '../test/counting-proxy.ts';
import { describeWithRedis, documentedRights, type RedisServer, startRedis } from '../test/redis-server.ts';
import { freePort } from '../test/server-process.ts';
import { openRedis, type RedisConnection, type RedisConnectionOptions } from './redis.ts';

const opened: { close(): void }[] = [];
const servers: RedisServer[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) each.close();
  for (const server of servers.splice(0)) await server.remove();
});

async function start(...args: readonly string[]): Promise<RedisServer> {
  const server = await startRedis(...args);
  servers.push(server);
  return server;
}

async function open(change: Partial<RedisConnectionOptions>): Promise<RedisConnection> {
  const connection = await openRedis({ host: '127.0.0.1', prefix: 'test', commandTimeoutMs: 1_000, ...change });
  opened.push(connection);
  return connection;
}

it('is unavailable where nobody listens', async () => {
  await expect(open({ port: await freePort() })).rejects.toMatchObject({ code: 'unavailable' });
});

it('refuses a server older than 7', async () => {
  const info = ['redis_version:6.2.14', 'maxmemory_policy:noeviction', 'cluster_enabled:0', 'role:master', 'loading:0'];
  const text = info.join('\r\n');
  const old = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const asked = chunk.toString().match(/\r\n(info|client)\r\n/gi) ?? [];
      for (const each of asked) socket.write(/info/i.test(each) ? `$${text.length}\r\n${text}\r\n` : '+OK\r\n');
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => old.listen(port, '127.0.0.1', resolve));
  opened.push(old);
  await expect(open({ port })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('6.2.14'),
  });
});

describeWithRedis('a connection to redis', () => {
  it('names keys by prefix, kind, tag and parts, which cannot run into each other', async () => {
    const redis = await open((await start()).address);
    expect(redis.key('budget', 't', 'agent:t/a')).toBe('test:budget:{t}:agent%3At/a');
    expect(redis.key('list', '')).toBe('test:list');
    expect(redis.key('x', 'a}:b', 'c')).not.toBe(redis.key('x', 'a', 'b}:c'));
  });

  it.each(['allkeys-lru', 'volatile-ttl'])('refuses a server that evicts (%s), which may forget', async (policy) => {
    const server = await start('--maxmemory-policy', policy);
    await expect(open(server.address)).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('refuses a replica and a node of a cluster', async () => {
    const primary = await start();
    const replica = await start('--replicaof', primary.address.host, `${primary.address.port}`);
    await expect(open(replica.address)).rejects.toMatchObject({ code: 'failed_precondition' });
    const node = await start('--cluster-enabled', 'yes');
    await expect(open(node.address)).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  it('gives up what gets no reply in time', async () => {
    const server = await start();
    const redis = await open({ ...server.address, commandTimeoutMs: 60 });
    server.pause();
    await expect(redis.command('PING')).rejects.toMatchObject({ code: 'unavailable' });
    server.resume();
  });

  it('reads what arrived while this process stood still before it gives anything up', async () => {
    const redis = await open({ ...(await start()).address, commandTimeoutMs: 60 });
    const asked = redis.command('PING');
    await redis.left();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    expect(await asked).toBe('PONG');
  });

  it('sends at once what it is asked alone, and gathers a turn while replies are waited for', async () => {
    const redis = await open((await start()).address);
    const alone = redis.command('PING');
    expect(redis.left()).toBeUndefined();
    // Asked behind it, in the same turn or the next, it waits for that turn's end.
    const second = redis.command('ECHO', 'second');
    const left = redis.left();
    expect(left).toBeInstanceOf(Promise);
    await left;
    expect(await Promise.all([alone, second])).toEqual(['PONG', 'second']);
    const next = redis.command('PING');
    expect(redis.left()).toBeUndefined();
    expect(await next).toBe('PONG');
  });

  it('is let in as an ACL user, with no more rights than documented', async () => {
    const server = await start();
    const admin = await open(server.address);
    await admin.command('ACL', 'SETUSER', 'gate', ...documentedRights('test', 'pass'));
    await admin.command('ACL', 'SETUSER', 'default', 'off');
    await expect(open({ ...server.address, username: 'gate', password: 'wrong' })).rejects.toMatchObject({
      code: 'unavailable',
    });
    const redis = await open({ ...server.address, username: 'gate', password: 'pass' });
    expect(await redis.script("return redis.call('SET', KEYS[1], ARGV[1])")([redis.key('x', '')], [1])).toBe('OK');
    await expect(redis.command('SET', 'other', 1)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(redis.command('FLUSHALL')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('speaks TLS, and only with a server whose certificate it can trust', async () => {
    const server = await start();
    const { port, tls } = await withTls(server);
    const redis = await open({ port, tls });
    expect(await redis.command('PING')).toBe('PONG');
    await expect(open({ port, tls: {} })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('sends what is asked in one turn in one write, and what is not, not', async () => {
    const proxy = new CountingProxy((await start()).address);
    opened.push(proxy);
    const redis = await open(await proxy.listen());
    const ask = (n: number) => redis.command('GET', redis.key('x', '', `${n}`));
    const together = await proxy.count(() => Promise.all([1, 2, 3, 4, 5].map(ask)));
    expect(together).toEqual(ONE_ROUND_TRIP);
    const apart = await proxy.count(async () => {
      for (const n of [1, 2, 3, 4, 5]) await ask(n);
    });
    expect(apart).toEqual({ writes: 5, requests: 5, replies: 5 });
  });

  it.each([false, true])('goes on after a connection that was lost in the turn of a command (TLS: %s)', async (tls) => {
    const server = await start();
    const redis = await open(tls ? await withTls(server) : server.address);
    for (const lost of ['in the turn', 'after it'] as const) {
      const corked: Socket[] = [];
      Socket.prototype.cork = function (this: Socket) {
        corked.push(this);
        Writable.prototype.cork.call(this);
      };
      const asked = Promise.allSettled([redis.command('PING'), redis.command('BLPOP', redis.key('never', ''), 0)]);
      Reflect.deleteProperty(Socket.prototype, 'cork');
      expect(corked).toHaveLength(1);
      if (lost === 'after it') await new Promise((resolve) => setImmediate(resolve));
      corked[0]?.destroy();
      const during = redis.command('PING');
      await expect(during).rejects.toMatchObject({ code: 'unavailable' });
      expect((await asked)[1].status).toBe('rejected');
      await expect.poll(() => redis.usable, { timeout: 10_000 }).toBe(true);
      expect(await Promise.all([redis.command('PING'), redis.command('PING')])).toEqual(['PONG', 'PONG']);
    }
  });

  it('answers also what is asked in the turn that it is closed in', async () => {
    const redis = await open((await start()).address);
    const asked = [redis.command('PING'), redis.command('PING')].map((each) => each.catch(() => 'refused'));
    redis.close();
    expect(await Promise.all(asked)).toHaveLength(2);
    await expect(redis.command('PING')).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('takes one round trip for a script, also after the server came back', async () => {
    const server = await start();
    const proxy = new CountingProxy(server.address);
    opened.push(proxy);
    const redis = await open(await proxy.listen());
    const script = redis.script('return ARGV[1]');
    expect(await script([], ['warm'])).toBe('warm');
    expect(await proxy.count(() => script([], ['a']))).toEqual(ONE_ROUND_TRIP);
    await server.kill();
    await expect.poll(() => redis.usable).toBe(false);
    await server.start();
    await expect.poll(() => redis.usable, { timeout: 10_000 }).toBe(true);
    expect(await proxy.count(() => script([], ['b']))).toEqual(ONE_ROUND_TRIP);
    await redis.command('SCRIPT', 'FLUSH');
    expect(await script([], ['c'])).toBe('c');
  });

  it('looks again at a server that came back, and does not use one that now evicts', async () => {
    const states: string[] = [];
    const server = await start();
    const redis = await open({ ...server.address, onState: (state) => states.push(state) });
    await server.kill();
    await server.start('--maxmemory-policy', 'allkeys-lru');
    await expect.poll(() => states, { timeout: 10_000 }).toContain('refused');
    await expect(redis.command('PING')).rejects.toMatchObject({ code: 'unavailable' });
    await server.kill();
    await server.start();
    await expect.poll(() => redis.usable, { timeout: 10_000 }).toBe(true);
    expect(states.slice(0, 2)).toEqual(['ready', 'lost']);
  });

  it('keeps arguments out of its errors', async () => {
    const redis = await open((await start()).address);
    await redis.command('SET', 'text', 'x');
    const fault = (await redis.command('HSET', 'text', 'field', 's3cret-value').catch((error) => error)) as Error;
    expect(fault).toMatchObject({ code: 'unavailable' });
    expect(JSON.stringify([fault, fault.cause, { ...(fault.cause as Error) }])).not.toContain('s3cret');
  });
});

async function withTls(server: RedisServer) {
  const ca = makeCertificate(server.folder);
  const port = await freePort();
  const admin = await open(server.address);
  const files = { 'tls-cert-file': 'cert.pem', 'tls-key-file': 'key.pem', 'tls-ca-cert-file': 'cert.pem' };
  const settings = Object.entries(files).flatMap(([name, file]) => [name, join(server.folder, file)]);
  await admin.command('CONFIG', 'SET', ...settings, 'tls-auth-clients', 'no', 'tls-port', port);
  return { port, tls: { ca } };
}

/** Self-signed, for the loopback; resolves to its PEM text. */
function makeCertificate(folder: string): string {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...files, ...subject], { stdio: 'ignore' });
  return readFileSync(join(folder, 'cert.pem'), 'utf8');
}
