// Where redis-server and nats-server are on this machine, or how to get them.

import { spawnSync } from 'node:child_process';
import { fail } from './bootstrap.mjs';
import type { Programs } from './fleet.ts';
import { TOOLS, toolEnv } from './test-tools.mjs';

const LEAST_REDIS = 7;

const runs = (program: string) => spawnSync(program, ['--version'], { encoding: 'utf8' });

function majorOf(program: string): number {
  const { status, stdout } = runs(program);
  return status === 0 ? Number(/v=(\d+)/.exec(stdout)?.[1] ?? 0) : 0;
}

/** Ends the process, naming every program that is missing and how to get it. */
export function requirePrograms(): Programs {
  const { version, module } = TOOLS.find(({ name }) => name === 'nats-server') as { version: string; module: string };
  const fromTests = (toolEnv() as Record<string, string | undefined>).TEST_TOOL_NATS_SERVER;
  const nats = [process.env.TEST_TOOL_NATS_SERVER, fromTests, 'nats-server'].find(
    (program) => program && runs(program).status === 0,
  );
  const missing: string[] = [];
  if (majorOf('redis-server') < LEAST_REDIS) {
    missing.push(`redis-server ${LEAST_REDIS} or later: install the package redis-server, or redis`);
  }
  if (!nats) {
    missing.push(
      `nats-server: go install ${module}@v${version}, with Go's bin folder on PATH (npm test installs it too)`,
    );
  }
  if (missing.length > 0) fail(`missing on PATH:\n  - ${missing.join('\n  - ')}`);
  return { redis: 'redis-server', nats: nats as string };
}
