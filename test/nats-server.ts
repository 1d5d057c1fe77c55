// A real nats-server of a test's own: a free port of the loopback, a store folder of its own, stopped by the test.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { freePort } from './redis-server.ts';

const START_LIMIT_MS = 15_000;
const START_TRIES = 5;
const LOOPBACK = '127.0.0.1';
const PROGRAM = process.env.TEST_TOOL_NATS_SERVER ?? 'nats-server';

const present = spawnSync(PROGRAM, ['--version']).status === 0;

/**
 * `describe`; skipped, with the reason in its name, where there is no nats-server and this is no CI run. In CI it fails
 * when a server is to be started.
 */
export function describeWithNats(name: string, suite: () => void): void {
  if (present || process.env.CI) describe(name, suite);
  else describe.skip(`${name} (skipped: no nats-server; npm test installs it)`, suite);
}

export class NatsServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'nats-'));
  readonly #more: string;
  #port = 0;
  #child: ChildProcess | undefined;

  /** `more`: lines for the server's configuration, such as `authorization { user: u, password: p }`. */
  constructor(more = '') {
    this.#more = more;
  }

  get address(): string {
    return `${LOOPBACK}:${this.#port}`;
  }

  /** On the same port and with the same data again, once it had them. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries++) {
      const port = this.#port || (await freePort());
      if (await this.#startOn(port)) {
        this.#port = port;
        return;
      }
      if (tries === START_TRIES) throw new Error(`nats-server did not start on port ${port}`);
    }
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Every stream and consumer is gone. Only while it is stopped. */
  wipe(): void {
    rmSync(join(this.folder, 'data'), { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startOn(port: number): Promise<boolean> {
    const file = join(this.folder, 'server.conf');
    const store = JSON.stringify(join(this.folder, 'data'));
    writeFileSync(
      file,
      `host: ${LOOPBACK}\nport: ${port}\njetstream { store_dir: ${store}, max_file_store: 1GB }\n${this.#more}\n`,
    );
    const child = spawn(PROGRAM, ['-c', file], { stdio: 'ignore' });
    let ended = false;
    child.once('error', () => {
      ended = true;
    });
    child.once('exit', () => {
      ended = true;
    });
    const until = performance.now() + START_LIMIT_MS;
    while (!ended && performance.now() < until) {
      if (await greets(port)) {
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
export async function startNats(more?: string): Promise<NatsServer> {
  const server = new NatsServer(more);
  await server.start();
  return server;
}

/** The server speaks first: `INFO {…}`. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (said) => {
      resolve(said.toString().startsWith('INFO '));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
