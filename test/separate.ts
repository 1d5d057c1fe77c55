// The separate services as processes of their own, over a real Redis and a real NATS, with their own data folders.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type NatsServer, startNats } from './nats-server.ts';
import { type RedisServer, startRedis } from './redis-server.ts';
import { freePort } from './server-process.ts';

const MAIN = fileURLToPath(new URL('../services/main.ts', import.meta.url));
const START_TIMEOUT_MS = 60_000;

export type Ready = Readonly<Record<string, string>>;

/** One service; it can be killed, paused and started again on the same port with the same data. */
export class ServiceProcess {
  readonly name: string;
  readonly #target: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #errors = '';
  ready: Ready = {};

  constructor(name: string, target: string, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.#target = target;
    this.#env = env;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stderr(): string {
    return this.#errors;
  }

  /** `change`: of its configuration, for this run alone. */
  async start(change: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = spawn(process.execPath, [MAIN, this.#target], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ...this.#env, ...change },
    });
    this.#child = child;
    child.stderr.on('data', (chunk) => {
      this.#errors += chunk;
    });
    this.ready = await new Promise((resolve, reject) => {
      const say = (what: string) => reject(new Error(`${this.name} ${what}:\n${this.#errors.slice(-4_000)}`));
      const timer = setTimeout(() => say('was not ready in time'), START_TIMEOUT_MS);
      createInterface({ input: child.stdout }).on('line', (line) => {
        clearTimeout(timer);
        resolve(JSON.parse(line));
      });
      child.on('exit', (status) => {
        clearTimeout(timer);
        say(`ended with ${status}`);
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve(null);
    return new Promise((resolve) => {
      child.on('exit', (status) => resolve(status));
      child.kill(signal);
    });
  }
}

export type Fleet = {
  readonly folder: string;
  readonly redis: RedisServer;
  readonly nats: NatsServer;
  readonly signers: readonly ServiceProcess[];
  readonly decisions: readonly ServiceProcess[];
  /** The first of them. */
  readonly killSwitch: ServiceProcess;
  readonly killSwitches: readonly ServiceProcess[];
  readonly scoring: ServiceProcess;
  readonly gateway: ServiceProcess;
  readonly http: string;
  readonly adminToken: string;
  stop(): Promise<void>;
};

/**
 * Two signers, each in its region where `regions` names two; two decision replicas and one kill switch unless told
 * otherwise, one each of the rest.
 */
export async function startFleet(
  env: Readonly<Record<string, string>> = {},
  {
    decisionReplicas = 2,
    killSwitchReplicas = 1,
    tenantKey,
    regions = [],
  }: {
    decisionReplicas?: number;
    killSwitchReplicas?: number;
    tenantKey?: Uint8Array | undefined;
    regions?: readonly [string, string] | [];
  } = {},
): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-fleet-'));
  const redis = await startRedis();
  const nats = await startNats();
  const tenantKeyFile = join(folder, 'tenant.key');
  writeFileSync(tenantKeyFile, tenantKey ?? randomBytes(32), { mode: 0o600 });
  const tokens = join(folder, 'tokens');
  mkdirSync(tokens, { mode: 0o700 });
  const count = 5 + decisionReplicas + killSwitchReplicas;
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  const [signerA, signerB, scoringAt, httpAt, grpcAt, ...replicasAt] = ports.map((port) => `127.0.0.1:${port}`) as [
    ...[string, string, string, string, string],
    ...string[],
  ];
  const decisionsAt = replicasAt.slice(0, decisionReplicas);
  const killSwitchesAt = replicasAt.slice(decisionReplicas);
  const signerAddresses = `${signerA},${signerB}`;
  const { host, port } = redis.address;
  const common = (name: string, listen: string) => ({
    HOME: folder,
    BEACON_DATA_DIR: join(folder, name),
    BEACON_REDIS_URL: `redis://${host}:${port}`,
    BEACON_NATS_SERVERS: nats.address,
    BEACON_NATS_STREAM_BYTES: `${256 * 1024 ** 2}`,
    BEACON_SERVICE_TOKENS: tokens,
    BEACON_SERVICE_LISTEN: listen,
    BEACON_SIGNERS: signerAddresses,
    BEACON_LEASE_MS: '3000',
    ...env,
  });
  const make = (name: string, target: string, listen: string, more: Readonly<Record<string, string>> = {}) =>
    new ServiceProcess(name, target, { ...common(name, listen), ...more });
  const lying = (region: string | undefined): Record<string, string> => (region ? { BEACON_REGION: region } : {});
  const signers = [
    make('signer-a', 'receipt-signer', signerA, lying(regions[0])),
    make('signer-b', 'receipt-signer', signerB, lying(regions[1])),
  ];
  const withKey = { BEACON_TENANT_KEY_FILE: tenantKeyFile };
  const decisions = decisionsAt.map((at, i) =>
    make(`decision-${String.fromCharCode(97 + i)}`, 'decision', at, withKey),
  );
  // Over one folder: what they share is the ledger, and its lock.
  const shared = { BEACON_DATA_DIR: join(folder, 'kill-switch') };
  const killSwitches = killSwitchesAt.map((at, i) =>
    make(`kill-switch-${String.fromCharCode(97 + i)}`, 'kill-switch', at, shared),
  );
  const scoring = make('scoring', 'scoring', scoringAt);
  const gateway = make('gateway', 'gateway', '127.0.0.1:0', {
    BEACON_DECISIONS: decisionsAt.join(','),
    BEACON_SCORING: scoringAt,
    BEACON_KILL_SWITCH: killSwitchesAt.join(','),
    BEACON_HTTP_LISTEN: httpAt,
    BEACON_GRPC_LISTEN: grpcAt,
  });
  const all = [...signers, ...killSwitches, ...decisions, scoring, gateway];
  const stop = async () => {
    await Promise.all(all.map((service) => service.end('SIGKILL')));
    await redis.remove();
    await nats.remove();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(all.map((service) => service.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const adminToken = readFileSync(gateway.ready.admin_token_file as string, 'utf8').trim();
  return {
    ...{ folder, redis, nats, signers, decisions, killSwitches, scoring, gateway },
    killSwitch: killSwitches[0] as ServiceProcess,
    http: gateway.ready.http as string,
    adminToken,
    stop,
  };
}
