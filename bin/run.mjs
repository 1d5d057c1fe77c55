#!/usr/bin/env node
// `node bin/run.mjs PROGRAM ARGS…`: runs a program with everything installed and the pinned Node first on PATH.

import { spawn } from 'node:child_process';
import { childEnv, ensureInstalled, fail } from './bootstrap.mjs';

const [program, ...args] = process.argv.slice(2);
if (!program) fail('usage: node bin/run.mjs PROGRAM ARGS…', 2);
await ensureInstalled({ dev: true });
const child = spawn(program, args, { stdio: 'inherit', env: childEnv() });
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`${program}: ${error.message}`));
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
