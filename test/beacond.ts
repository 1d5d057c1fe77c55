// A real beacond as a child process on free ports, with a data folder of its own, for tests that cross rooms.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../services/main.ts', import.meta.url));
const START_TIMEOUT_MS = 30_000;

export type Beacond = {
  readonly http: string;
  readonly grpc: string;
  readonly dataDir: string;
  readonly adminToken: string;
  /** From spawn to the ready line. */
  readonly readyMs: number;
  readonly child: ChildProcess;
  /** All of stderr so far. */
  stderr(): string;
  /** Sends a signal and resolves to the exit status (null when killed). */
  end(signal?: NodeJS.Signals): Promise<number | null>;
};

export type BeacondOptions = { readonly dataDir?: string; readonly env?: Readonly<Record<string, string>> };

export function newDataDir(): string {
  return mkdtempSync(join(tmpdir(), 'beacon-test-'));
}

export function removeDataDir(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true });
}

/** Starts `beacond all` and waits for its ready line; rejects with its stderr when it ends before. */
export async function startBeacond({ dataDir = newDataDir(), env = {} }: BeacondOptions = {}): Promise<Beacond> {
  const started = performance.now();
  const child = spawn(process.execPath, [MAIN, 'all'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: dataDir,
      BEACON_DATA_DIR: join(dataDir, 'data'),
      BEACON_HTTP_LISTEN: '127.0.0.1:0',
      BEACON_GRPC_LISTEN: '127.0.0.1:0',
      ...env,
    },
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', (status) => resolve(status)));
  const ready = await new Promise<Record<string, string>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`beacond was not ready in time:\n${errors}`)), START_TIMEOUT_MS);
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
    ended.then((status) => {
      clearTimeout(timer);
      reject(new Error(`beacond ended with ${status}:\n${errors}`));
    });
  });
  return {
    http: ready.http as string,
    grpc: ready.grpc as string,
    dataDir,
    adminToken: readFileSync(ready.admin_token_file as string, 'utf8').trim(),
    readyMs: performance.now() - started,
    child,
    stderr: () => errors,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

export type Answer = { readonly status: number; readonly body: Record<string, unknown>; readonly headers: Headers };

export async function call(
  beacond: Pick<Beacond, 'http'>,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<Answer> {
  const response = await fetch(`${beacond.http}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  let parsed: Record<string, unknown> = {};
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = { text };
  }
  return { status: response.status, body: parsed, headers: response.headers };
}

export function execute(beacond: Pick<Beacond, 'http'>, change: Record<string, unknown> = {}, token?: string) {
  const body = { agent_id: 'agent-1', tenant_id: 'local', code: 'ls -la', ...change };
  return call(beacond, 'POST', '/api/execute', body, token);
}
