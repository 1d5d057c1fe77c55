// The whole set of separate services on this machine, each a process of its own, over its own Redis and NATS. Whoever
// starts it stops it; services end by themselves when their starter is killed outright.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BEACOND = fileURLToPath(new URL('beacond.mjs', import.meta.url));
const LOOPBACK = '127.0.0.1';
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

export type Programs = { readonly redis: string; readonly nats: string };
export type Ready = Readonly<Record<string, string>>;
export type Part = { readonly name: string; readonly pid: number; readonly ready: Ready };

export type FleetOptions = {
  /** Where every part keeps its data, in a folder of its own name. */
  readonly folder: string;
  readonly programs: Programs;
  /** Knobs for every service; where each listens and whom it calls is set here. */
  readonly env?: Readonly<Record<string, string>>;
  /** Each line a part writes to its log. */
  readonly onLine?: (name: string, line: string) => void;
  /** A part that ended though nobody stopped it. */
  readonly onEnd?: (name: string, how: string) => void;
};

export type Fleet = {
  /** In the order they were started. */
  readonly parts: readonly Part[];
  readonly gateway: Ready;
  readonly redis: { readonly host: string; readonly port: number };
  readonly nats: string;
  /** In the opposite order, each when the one before is gone. */
  stop(): Promise<void>;
};

class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** How it ended, as words. */
  readonly ended: Promise<string>;
  ready: Ready = {};

  constructor(name: string, command: string, args: readonly string[], options: FleetOptions & { env: Ready }) {
    this.name = name;
    // A group of its own: Ctrl-C is for who started it, which then stops the parts in order.
    this.process = spawn(command, [...args], {
      detached: true,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe', ...(command === process.execPath ? (['ipc'] as const) : [])],
    });
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => resolve(error.message));
      this.process.once('exit', (status, signal) => resolve(signal ?? `status ${status}`));
    });
    const say = (line: string) => options.onLine?.(name, line);
    createInterface({ input: this.process.stderr as NodeJS.ReadableStream }).on('line', say);
    createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (command !== process.execPath) say(line);
      else this.ready = JSON.parse(line);
    });
  }

  async whenReady(isReady: () => boolean | Promise<boolean>): Promise<void> {
    let end: string | undefined;
    this.ended.then((how) => {
      end = how;
    });
    const until = performance.now() + START_LIMIT_MS;
    while (!(await isReady())) {
      if (end !== undefined) throw new Error(`${this.name} ended before it was ready: ${end}`);
      if (performance.now() > until) throw new Error(`${this.name} was not ready in time`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    const impatient = setTimeout(() => this.process.kill('SIGKILL'), STOP_LIMIT_MS);
    this.process.kill('SIGTERM');
    await this.ended;
    clearTimeout(impatient);
  }
}

/** Starts everything and waits until all of it is ready; what was started is stopped again when one part fails. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const children: Child[] = [];
  let stopping = false;
  const stop = async () => {
    stopping = true;
    for (const child of children.splice(0).reverse()) await child.stop();
  };
  const start = (name: string, command: string, args: readonly string[], env: Ready = {}) => {
    const child = new Child(name, command, args, { ...options, env: { PATH: process.env.PATH ?? '', ...env } });
    children.push(child);
    child.ended.then((how) => {
      if (!stopping) options.onEnd?.(name, how);
    });
    return child;
  };
  try {
    const engines = await startEngines(options, start);
    const parts = await startServices(options, engines, start);
    return {
      parts: children.map(({ name, process: { pid }, ready }) => ({ name, pid: pid as number, ready })),
      gateway: parts.gateway,
      redis: { host: LOOPBACK, port: engines.redisPort },
      nats: engines.nats,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Start = (name: string, command: string, args: readonly string[], env?: Ready) => Child;
type Engines = { readonly redisPort: number; readonly nats: string };

async function startEngines({ folder, programs }: FleetOptions, start: Start): Promise<Engines> {
  const [redisPort, natsPort] = [await freePort(), await freePort()];
  for (const name of ['redis', 'nats']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const redis = start('redis', programs.redis, [
    ...['--port', `${redisPort}`, '--bind', LOOPBACK, '--dir', join(folder, 'redis')],
    ...['--save', '', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'],
  ]);
  const nats = start('nats', programs.nats, [
    ...['-js', '-a', LOOPBACK, '-p', `${natsPort}`, '-sd', join(folder, 'nats')],
  ]);
  await redis.whenReady(() => answers(redisPort, 'PING\r\n', '+PONG'));
  await nats.whenReady(() => answers(natsPort, '', 'INFO '));
  return { redisPort, nats: `${LOOPBACK}:${natsPort}` };
}

async function startServices(options: FleetOptions, { redisPort, nats }: Engines, start: Start) {
  const { folder, env = {} } = options;
  const tenantKey = join(folder, 'tenant.key');
  if (!existsSync(tenantKey)) writeFileSync(tenantKey, randomBytes(32), { mode: 0o600 });
  const [signerA, signerB, decisionA, decisionB, killSwitch, scoring] = await addresses(6);
  const service = (name: string, target: string, more: Ready = {}) =>
    start(name, process.execPath, [BEACOND, target], {
      BEACON_HTTP_LISTEN: `${LOOPBACK}:0`,
      BEACON_GRPC_LISTEN: `${LOOPBACK}:0`,
      BEACON_DRAIN_MS: '2000',
      ...env,
      HOME: folder,
      BEACON_DATA_DIR: join(folder, name),
      BEACON_REDIS_URL: `redis://${LOOPBACK}:${redisPort}`,
      BEACON_NATS_SERVERS: nats,
      BEACON_SERVICE_TOKENS: join(folder, 'service-tokens'),
      BEACON_SIGNERS: `${signerA},${signerB}`,
      ...more,
    });
  const listening = (name: string, target: string, at: string | undefined) =>
    service(name, target, { BEACON_SERVICE_LISTEN: `${at}`, BEACON_TENANT_KEY_FILE: tenantKey });
  const started = [
    listening('signer-a', 'receipt-signer', signerA),
    listening('signer-b', 'receipt-signer', signerB),
    listening('kill-switch', 'kill-switch', killSwitch),
    listening('decision-a', 'decision', decisionA),
    listening('decision-b', 'decision', decisionB),
    listening('scoring', 'scoring', scoring),
  ];
  const gateway = service('gateway', 'gateway', {
    BEACON_DECISIONS: `${decisionA},${decisionB}`,
    BEACON_SCORING: `${scoring}`,
    BEACON_KILL_SWITCH: `${killSwitch}`,
  });
  await Promise.all([...started, gateway].map((child) => child.whenReady(() => child.ready.event !== undefined)));
  return { gateway: gateway.ready };
}

/** Whether what listens there says `wanted` first, once it was told `said`. */
function answers(port: number, said: string, wanted: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port }, () => socket.write(said));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (reply) => {
      resolve(reply.toString().startsWith(wanted));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

async function addresses(count: number): Promise<string[]> {
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  return ports.map((port) => `${LOOPBACK}:${port}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, LOOPBACK, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
