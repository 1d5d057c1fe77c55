// `npm run dev:services`: every service as a process of its own, with Redis and NATS, on this machine, until `q` or
// Ctrl-C. For looking at it; what it keeps lies in BEACON_DATA_DIR, or in a folder that goes when it stops.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { styleText } from 'node:util';
import { fail } from './bootstrap.mjs';
import { requirePrograms } from './engines.ts';
import { type Fleet, type Part, type Programs, startFleet } from './fleet.ts';
import { withLock } from './lock.mjs';

const COLOURS = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const;
const NAME_WIDTH = 'kill-switch'.length;
const LOCK_LIMIT_MS = 2_000;
const CTRL_C = '\u0003';

const colourOf = new Map<string, (typeof COLOURS)[number]>();

function show(name: string, line: string): void {
  const colour = colourOf.get(name) ?? (COLOURS[colourOf.size % COLOURS.length] as (typeof COLOURS)[number]);
  colourOf.set(name, colour);
  process.stderr.write(`${styleText(colour, name.padEnd(NAME_WIDTH), { stream: process.stderr })} ${line}\n`);
}

function addressOf({ name, pid, ready }: Part, { redis, nats }: Fleet): string {
  const own: Readonly<Record<string, string>> = {
    redis: `redis://${redis.host}:${redis.port}`,
    nats: `nats://${nats}`,
  };
  const where = own[name] ?? ready.service ?? `${ready.http}  gRPC ${ready.grpc}`;
  return `  ${name.padEnd(NAME_WIDTH)}  ${where}  pid ${pid}${ready.metrics ? `  ${ready.metrics}/metrics` : ''}\n`;
}

function greet(fleet: Fleet, folder: string): void {
  const { http, admin_token_file } = fleet.gateway;
  const trusting = http?.startsWith('https:') ? '--cacert AUTHORITY.pem ' : '';
  const bold = (text: string) => styleText(['bold', 'green'], text, { stream: process.stderr });
  process.stderr.write(
    `\n${bold('Every service is ready.')}\n${fleet.parts.map((part) => addressOf(part, fleet)).join('')}` +
      `  data         ${folder}\n  admin token  ${admin_token_file}\n\n` +
      `  curl -s ${trusting}${http}/api/execute -H 'content-type: application/json' \\\n` +
      `    -d '{"agent_id":"demo","tenant_id":"local","code":"ls -la"}'\n\n` +
      `  BEACON_DATA_DIR=${join(folder, 'gateway')} npx beacon tail\n\n` +
      `  Kill a part and propose again; docs/services.md says what then holds. q or Ctrl-C stops everything.\n\n`,
  );
}

/** Resolves when a person or a signal asks for the end. */
function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    // Asked again, it is stopping already.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    if (!process.stdin.isTTY) return;
    process.stdin.setRawMode(true);
    process.stdin.on('data', (key) => {
      if (['q', 'Q', CTRL_C].includes(key.toString())) resolve();
    });
  });
}

async function main(): Promise<number> {
  const programs = requirePrograms();
  const { BEACON_DATA_DIR: chosen, ...given } = process.env;
  if (chosen !== undefined && !isAbsolute(chosen)) fail('BEACON_DATA_DIR must be an absolute path', 2);
  const folder = chosen ?? mkdtempSync(join(tmpdir(), 'beacon-services-'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // One set for each folder: Redis would let a second server write into the same files.
  try {
    return await withLock(join(folder, '.lock'), { limitMs: LOCK_LIMIT_MS }, () => serve(folder, programs, given));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  } finally {
    if (chosen === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function serve(folder: string, programs: Programs, given: NodeJS.ProcessEnv): Promise<number> {
  const env = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => /^(BEACON|OTEL)_/.test(entry[0])),
  );
  const asked = untilAsked();
  let fleet: Fleet | undefined;
  try {
    process.stderr.write('Starting Redis, NATS and seven services …\n');
    const onEnd = (name: string, how: string) => show(name, `ended by itself (${how}); the others go on`);
    fleet = await startFleet({ folder, programs, env, onLine: show, onEnd });
    greet(fleet, folder);
    process.stdout.write(
      `${JSON.stringify({ event: 'ready', ...fleet.gateway, pids: fleet.parts.map(({ pid }) => pid) })}\n`,
    );
    await asked;
    return 0;
  } catch (error) {
    process.stderr.write(`the services did not start: ${(error as Error).message}\n`);
    return 1;
  } finally {
    process.stderr.write('stopping …\n');
    await fleet?.stop();
  }
}

process.exit(await main());
