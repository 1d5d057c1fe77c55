// `npm run dev:services`: everything starts with one command, answers, and is gone when told to stop.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { describeWithNats } from '../nats-server.ts';
import { describeWithRedis } from '../redis-server.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/dev-services.ts', import.meta.url));
const NAMES = [
  'redis',
  'nats',
  'signer-a',
  'signer-b',
  'kill-switch',
  'decision-a',
  'decision-b',
  'scoring',
  'gateway',
];
const folder = mkdtempSync(join(tmpdir(), 'beacon-dev-services-'));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
});

/** Not a zombie either. */
function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

test('what is missing is named, with the way to get it', () => {
  const env = { PATH: '', HOME: folder, BEACON_TEST_CACHE: folder };
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM], { env, encoding: 'utf8' });
  expect(status).toBe(3);
  expect(stderr).toMatch(/redis-server 7 or later: install the package redis-server/);
  expect(stderr).toMatch(/go install github\.com\/nats-io\/nats-server\/v2@v\d/);
});

describeWithRedis('with Redis', () => {
  describeWithNats('and NATS', () => {
    test('starts everything, answers an ALLOW, and leaves no process', async () => {
      const { PATH, TEST_TOOL_NATS_SERVER = '' } = process.env;
      const env = { PATH, HOME: folder, BEACON_DATA_DIR: join(folder, 'data'), TEST_TOOL_NATS_SERVER };
      child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'], env });
      let said = '';
      child.stderr?.on('data', (chunk) => {
        said += chunk;
      });
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      const ready = await new Promise<{ http: string; pids: number[] }>((resolve, reject) => {
        createInterface({ input: child?.stdout as NodeJS.ReadableStream }).once('line', (line) =>
          resolve(JSON.parse(line)),
        );
        ended.then((status) => reject(new Error(`ended with ${status}:\n${said}`)));
      });
      expect(ready.pids).toHaveLength(NAMES.length);
      expect(ready.pids.every(isRunning)).toBe(true);
      const proposal = /-d '(\{.+\})'/.exec(said)?.[1];
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${ready.http}/api/execute`, { method: 'POST', headers, body: proposal });
      expect(await answer.json()).toMatchObject({ decision: 'ALLOW', durability: 'fdatasync' });
      for (const name of NAMES) expect(said).toMatch(new RegExp(`^${name} +[{\\[\\d]`, 'm'));
      child.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(ready.pids.filter(isRunning)).toEqual([]);
      expect(said).not.toMatch(/ended by itself/);
    });
  });
});
