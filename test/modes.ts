// One story, told in both modes: `beacond all`, and the separate services over a Redis and a NATS of their own. Each file
// starts each mode once; a story sees addresses and tokens alone, so it cannot ask which mode it is in by accident.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { type Beacond, newDataDir, removeDataDir, startBeacond } from './beacond.ts';
import { type Fleet, startFleet } from './separate.ts';

export const MODES = ['standalone', 'separate'] as const;
export type Mode = (typeof MODES)[number];

export type Running = {
  readonly mode: Mode;
  readonly http: string;
  readonly grpc: string;
  readonly adminToken: string;
  /** Every folder a part of it writes to, the engines' included. */
  readonly folders: readonly string[];
  stderr(): string;
  /** The expositions of every part, one after the other. */
  metrics(): Promise<string>;
  /** Ends every part of ours and starts it again on the same data, at the same address or another. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  /** Ends every part of ours in order; each one's exit status. */
  end(): Promise<readonly (number | null)[]>;
  /** Stops what still runs and removes what is left. */
  remove(): Promise<void>;
};

type Env = Readonly<Record<string, string>>;

/** `describe` for each mode, with these knobs more; `running` is there from the first test on, and ends after the last with 0 everywhere. */
export function inBothModes(story: (running: Running) => void, env: Env = {}): void {
  describe.each(MODES)('%s', (mode) => {
    let started: Running | undefined;
    beforeAll(async () => {
      started = await startMode(mode, undefined, env);
    });
    afterAll(async () => {
      const statuses = await started?.end();
      await started?.remove();
      expect(new Set(statuses), started?.stderr().slice(-4_000)).toEqual(new Set([0]));
    });
    const handle = new Proxy({} as Running, {
      get: (_, name) => (name === 'mode' ? mode : Reflect.get(started as Running, name)),
    });
    story(handle);
  });
}

/** `tenantKey`: 32 bytes under which tenants' digests are made; each mode makes its own otherwise. */
export function startMode(mode: Mode, tenantKey?: Uint8Array, env: Env = {}): Promise<Running> {
  return mode === 'standalone' ? startStandalone(tenantKey, env) : startSeparate(tenantKey, env);
}

async function startStandalone(tenantKey: Uint8Array | undefined, env: Env): Promise<Running> {
  const dataDir = newDataDir();
  if (tenantKey) {
    mkdirSync(join(dataDir, 'data', 'keys'), { recursive: true, mode: 0o700 });
    writeFileSync(join(dataDir, 'data', 'keys', 'tenant.key'), tenantKey, { mode: 0o600 });
  }
  let beacond: Beacond = await startBeacond({ dataDir, env });
  let errors = '';
  let ended: Promise<number | null> | undefined;
  return {
    mode: 'standalone',
    get http() {
      return beacond.http;
    },
    get grpc() {
      return beacond.grpc;
    },
    get adminToken() {
      return beacond.adminToken;
    },
    folders: [join(dataDir, 'data')],
    stderr: () => errors + beacond.stderr(),
    metrics: () => exposed([beacond.http]),
    async restart(signal) {
      await beacond.end(signal);
      errors += beacond.stderr();
      beacond = await startBeacond({ dataDir, env });
    },
    async end() {
      ended ??= beacond.end();
      return [await ended];
    },
    async remove() {
      await beacond.end('SIGKILL');
      removeDataDir(dataDir);
    },
  };
}

async function startSeparate(tenantKey: Uint8Array | undefined, env: Env): Promise<Running> {
  const fleet = await startFleet({ BEACON_LEASE_MS: '30000', ...env }, { tenantKey });
  const parts = [fleet.gateway, ...fleet.decisions, fleet.scoring, fleet.killSwitch, ...fleet.signers];
  let statuses: (number | null)[] | undefined;
  await decides(fleet);
  return {
    mode: 'separate',
    http: fleet.http,
    grpc: fleet.gateway.ready.grpc as string,
    adminToken: fleet.adminToken,
    folders: [fleet.folder, fleet.redis.folder, fleet.nats.folder],
    stderr: () => parts.map((part) => part.stderr).join('\n'),
    metrics: () => exposed(parts.map(({ ready }) => (ready.metrics ?? ready.http) as string)),
    async restart(signal = 'SIGTERM') {
      await Promise.all(parts.map((part) => part.end(signal)));
      await Promise.all(parts.map((part) => part.start()));
      await decides(fleet);
    },
    async end() {
      if (statuses) return statuses;
      statuses = [];
      // From the door inwards, as an operator would: nobody is left to be refused.
      for (const part of parts) statuses.push(await part.end());
      await saveRedis(fleet);
      return statuses;
    },
    remove: () => fleet.stop(),
  };
}

async function exposed(addresses: readonly string[]): Promise<string> {
  const texts = addresses.map(async (address) => (await fetch(`${address}/metrics`)).text());
  return (await Promise.all(texts)).join('\n');
}

/** The parts wait for one another after they are ready; a story begins when a decision comes through. */
async function decides(fleet: Fleet): Promise<void> {
  const body = JSON.stringify({ agent_id: 'starting', tenant_id: 'starting', code: 'true' });
  const headers = { 'content-type': 'application/json' };
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${fleet.http}/api/execute`, { method: 'POST', headers, body });
      const { decision } = (await answer.json()) as { decision?: string };
      expect(decision).toBe('ALLOW');
    },
    { timeout: 30_000, interval: 100 },
  );
}

/** What Redis holds, as plain bytes in its folder. */
async function saveRedis({ redis }: Fleet): Promise<void> {
  const client = new Redis({ ...redis.address, lazyConnect: true });
  await client.connect();
  await client.config('SET', 'rdbcompression', 'no');
  await client.save();
  client.disconnect();
}
