// A real redis-server of a test's own: a free port of the loopback, a folder of its own, stopped by the test.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { openRedis, type RedisConnection } from '../runtime/redis.ts';
import { firstWords, LOOPBACK, ServerProcess } from './server-process.ts';

const present = spawnSync('redis-server', ['--version']).status === 0;

/**
 * `describe`; skipped, with the reason in its name, where there is no redis-server and this is no CI run. In CI it fails
 * when a server is to be started.
 */
export function describeWithRedis(name: string, suite: () => void): void {
  if (present || process.env.CI) describe(name, suite);
  else describe.skip(`${name} (skipped: no redis-server on PATH; package redis-server)`, suite);
}

export class RedisServer {
  readonly #process = new ServerProcess('redis');

  get folder(): string {
    return this.#process.folder;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: LOOPBACK, port: this.#process.port };
  }

  /** A sentinel that watches `primary` under `name` and fails it over alone. */
  async startSentinel(name: string, primary: RedisServer): Promise<void> {
    const file = join(this.folder, 'sentinel.conf');
    const { host, port } = primary.address;
    const settings = [
      `monitor ${name} ${host} ${port} 1`,
      `down-after-milliseconds ${name} 300`,
      `failover-timeout ${name} 2000`,
    ];
    writeFileSync(file, settings.map((line) => `sentinel ${line}\n`).join(''));
    await this.start(file, '--sentinel');
  }

  /** Of a sentinel: resolves when it knows the primary's replica. It hears of those from the primary, every ten seconds. */
  async seesReplica(name: string): Promise<void> {
    const client = new Redis(this.address);
    try {
      const seen = async () => expect(await client.call('SENTINEL', 'REPLICAS', name)).toHaveLength(1);
      await vi.waitFor(seen, { timeout: 30_000, interval: 100 });
    } finally {
      client.disconnect();
    }
  }

  /** On the same port again, once it had one. `args` as on the command line: a file, options. */
  start(...args: readonly string[]): Promise<void> {
    const saving = args.includes('--sentinel') ? [] : ['--save', ''];
    return this.#process.start({
      command: 'redis-server',
      args: (port) => [...args, '--port', `${port}`, '--bind', LOOPBACK, '--dir', this.folder, ...saving],
      ready: answersPing,
    });
  }

  kill(): Promise<void> {
    return this.#process.end('SIGKILL');
  }

  /** Saves nothing unless it was told to. */
  stop(): Promise<void> {
    return this.#process.end('SIGTERM');
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  remove(): Promise<void> {
    return this.#process.remove();
  }
}

/** One that is started, for a file's tests; `remove` it after them. */
export async function startRedis(...args: readonly string[]): Promise<RedisServer> {
  const server = new RedisServer();
  await server.start(...args);
  return server;
}

/** One of this suite's own, from before its first test to after its last, and a connection to it. */
export function redisOfSuite(given: (redis: RedisConnection) => void, commandTimeoutMs = 2_000): void {
  let server: RedisServer | undefined;
  let redis: RedisConnection | undefined;
  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis({ ...server.address, prefix: 'test', commandTimeoutMs });
    given(redis);
  });
  afterAll(async () => {
    redis?.close();
    await server?.remove();
  });
}

/** Any reply will do, `NOAUTH` too, but `LOADING`. A TLS port is asked on its plain twin. */
async function answersPing(port: number): Promise<boolean> {
  const reply = await firstWords(port, 'PING\r\n');
  return reply !== undefined && !reply.includes('LOADING');
}

/** The rights docs/redis-keys.md names for Beacon's user, for this prefix and password. */
export function documentedRights(prefix: string, password: string): readonly string[] {
  const text = readFileSync(new URL('../docs/redis-keys.md', import.meta.url), 'utf8');
  const rights = /^ACL SETUSER \S+ (.+)$/m.exec(text)?.[1] ?? '';
  return rights.replace('PASSWORD', password).replace('~beacon:', `~${prefix}:`).split(' ');
}
