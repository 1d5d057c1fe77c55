// A real nats-server of a test's own: a free port of the loopback, a store folder of its own, stopped by the test.

import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { firstWords, LOOPBACK, ServerProcess } from './server-process.ts';

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
  readonly #more: string;
  readonly #process = new ServerProcess('nats');

  /** `more`: lines for the server's configuration, such as `authorization { user: u, password: p }`. */
  constructor(more = '') {
    this.#more = more;
  }

  get folder(): string {
    return this.#process.folder;
  }

  get address(): string {
    return `${LOOPBACK}:${this.#process.port}`;
  }

  /** On the same port and with the same data again, once it had them. */
  start(): Promise<void> {
    const file = join(this.folder, 'server.conf');
    const store = JSON.stringify(join(this.folder, 'data'));
    const jetstream = `jetstream { store_dir: ${store}, max_file_store: 1GB }`;
    return this.#process.start({
      command: PROGRAM,
      args: (port) => {
        writeFileSync(file, `host: ${LOOPBACK}\nport: ${port}\n${jetstream}\n${this.#more}\n`);
        return ['-c', file];
      },
      // The server speaks first: `INFO {…}`.
      ready: async (port) => (await firstWords(port))?.startsWith('INFO ') === true,
    });
  }

  kill(): Promise<void> {
    return this.#process.end('SIGKILL');
  }

  stop(): Promise<void> {
    return this.#process.end('SIGTERM');
  }

  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** Every stream and consumer is gone. Only while it is stopped. */
  wipe(): void {
    rmSync(join(this.folder, 'data'), { recursive: true, force: true });
  }

  remove(): Promise<void> {
    return this.#process.remove();
  }
}

/** One that is started, for a file's tests; `remove` it after them. */
export async function startNats(more?: string): Promise<NatsServer> {
  const server = new NatsServer(more);
  await server.start();
  return server;
}
