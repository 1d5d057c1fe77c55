// A real server of a test's own as a process: started on a free port of the loopback, on the same one again after a stop,
// paused, killed, and never left behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const LOOPBACK = '127.0.0.1';
const START_TRIES = 5;
const START_LIMIT_MS = 15_000;
const PROBE_LIMIT_MS = 1_000;
const LEAST_PORT = 16_384;
const PORTS = 16_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export type Program = {
  readonly command: string;
  /** Given anew for each try: the port may have been taken meanwhile. */
  readonly args: (port: number) => readonly string[];
  /** Whether what answers on this port is ready to serve. */
  readonly ready: (port: number) => Promise<boolean>;
};

export class ServerProcess {
  readonly folder: string;
  #port = 0;
  #child: ChildProcess | undefined;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
  }

  get port(): number {
    return this.#port;
  }

  /** On the same port and with the same folder again, once it had them. */
  async start(program: Program): Promise<void> {
    for (let tries = 1; ; tries++) {
      const port = this.#port || (await freePort());
      if (await this.#startOn(port, program)) {
        this.#port = port;
        return;
      }
      if (tries === START_TRIES) throw new Error(`${program.command} did not start on port ${port}`);
    }
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** A paused one ends too. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await ended;
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startOn(port: number, { command, args, ready }: Program): Promise<boolean> {
    const child = spawn(command, [...args(port)], { stdio: 'ignore' });
    running.add(child);
    let ended = false;
    const end = () => {
      running.delete(child);
      ended = true;
    };
    child.once('error', end);
    child.once('exit', end);
    const until = performance.now() + START_LIMIT_MS;
    while (!ended && performance.now() < until) {
      if (await ready(port)) {
        this.#child = child;
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill('SIGKILL');
    return false;
  }
}

/** What a server says first, or answers to `ask`; undefined when it does not. */
export function firstWords(port: number, ask?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port }, () => ask && socket.write(ask));
    socket.setTimeout(PROBE_LIMIT_MS, () => socket.destroy());
    socket.once('data', (said) => {
      resolve(said.toString());
      socket.destroy();
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
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
