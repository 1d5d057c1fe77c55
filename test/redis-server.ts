// A real redis-server of a test's own: a free port of the loopback, a folder of its own, stopped by the test.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';

const START_TRIES = 5;
const START_LIMIT_MS = 10_000;
const LOOPBACK = '127.0.0.1';
const LEAST_PORT = 16_384;
const PORTS = 16_000;

const present = spawnSync('redis-server', ['--version']).status === 0;

/**
 * `describe`; skipped, with the reason in its name, where there is no redis-server and this is no CI run. In CI it fails
 * when a server is to be started.
 */
export function describeWithRedis(name: string, suite: () => void): void {
  if (present || process.env.CI) describe(name, suite);
  else describe.skip(`${name} (skipped: no redis-server on PATH; package redis-server)`, suite);
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'redis-'));
  #port = 0;
  #child: ChildProcess | undefined;

  get address(): { readonly host: string; readonly port: number } {
    return { host: LOOPBACK, port: this.#port };
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

  /** On the same port again, once it had one. `args` as on the command line: a file, options. */
  async start(...args: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const port = this.#port || (await freePort());
      if (await this.#startOn(port, args)) {
        this.#port = port;
        return;
      }
      if (tries === START_TRIES) throw new Error(`redis-server did not start on port ${port}`);
    }
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Saves nothing unless it was told to. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startOn(port: number, args: readonly string[]): Promise<boolean> {
    const place = ['--port', `${port}`, '--bind', LOOPBACK, '--dir', this.folder];
    const saving = args.includes('--sentinel') ? [] : ['--save', ''];
    const child = spawn('redis-server', [...args, ...place, ...saving], { stdio: 'ignore' });
    running.add(child);
    let ended = false;
    child.once('error', () => {
      ended = true;
    });
    child.once('exit', () => {
      running.delete(child);
      ended = true;
    });
    const until = performance.now() + START_LIMIT_MS;
    while (!ended && performance.now() < until) {
      if (await answersPing(port)) {
        this.#child = child;
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGKILL');
    return false;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await ended;
  }
}

/** One that is started, for a file's tests; `remove` it after them. */
export async function startRedis(...args: readonly string[]): Promise<RedisServer> {
  const server = new RedisServer();
  await server.start(...args);
  return server;
}

/** Any reply will do, `NOAUTH` too, but `LOADING`. A TLS port is asked on its plain twin. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port }, () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (reply) => {
      resolve(!reply.toString().includes('LOADING'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** The rights docs/redis-keys.md names for Beacon's user, for this prefix and password. */
export function documentedRights(prefix: string, password: string): readonly string[] {
  const text = readFileSync(new URL('../docs/redis-keys.md', import.meta.url), 'utf8');
  const rights = /^ACL SETUSER \S+ (.+)$/m.exec(text)?.[1] ?? '';
  return rights.replace('PASSWORD', password).replace('~beacon:', `~${prefix}:`).split(' ');
}

/**
 * Below the range systems take outgoing connections from: a server that is started again must find its port free, and a
 * client that dials it while it is away must not connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LEAST_PORT + Math.floor(Math.random() * PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}
