// Every verb of the command line against a running Beacon: what it prints for programs, and its exit status.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Beacond, removeDataDir, startBeacond } from '../beacond.ts';

const CLI = fileURLToPath(new URL('../../bin/beacon.mjs', import.meta.url));
const files = mkdtempSync(join(tmpdir(), 'beacon-cli-'));
let beacond: Beacond;
beforeAll(async () => {
  beacond = await startBeacond();
});
afterAll(async () => {
  await beacond.end();
  removeDataDir(beacond.dataDir);
  removeDataDir(files);
});

function beacon(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    env: { PATH: process.env.PATH, HOME: files, BEACON_DATA_DIR: join(beacond.dataDir, 'data'), ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const json = (args: readonly string[]) => {
  const { stdout, status, stderr } = beacon([...args, '--json']);
  expect(stderr).not.toContain('invalid_argument');
  return { status, body: JSON.parse(stdout.trim().split('\n').at(-1) as string) };
};
const execute = (...words: string[]) => json(['execute', '--agent', 'cli', '--tenant', 'local', ...words]);

test('explain: 0 when it would run, 1 when not, for a person and for programs', () => {
  const explained = json(['explain', '--agent', 'cli', 'ls -la']);
  expect(explained).toMatchObject({ status: 0, body: { route: 'ALLOW', parts: [{ tool: 'ls', effect: 'read' }] } });
  const { status, stdout } = beacon(['explain', '--', 'rm -rf /']);
  expect([status, stdout]).toEqual([1, expect.stringContaining('disk_destroy')]);
});

test('execute: 0 for ALLOW, 1 for DENY', () => {
  expect(execute('--code', 'ls')).toMatchObject({ status: 0, body: { decision: 'ALLOW' } });
  expect(execute('--code', 'rm -rf /')).toMatchObject({ status: 1, body: { decision: 'DENY' } });
});

test('receipts: the list, one receipt with its proof, and the proof of its inclusion offline', () => {
  const id = execute('--code', 'pwd').body.receipt_id as string;
  expect(beacon(['receipts', '--limit', '3']).stdout).toContain(id);
  const receipt = join(files, 'r.json');
  const proof = join(files, 'r.tlog-proof');
  expect(beacon(['receipts', id, '--out', receipt, '--proof', proof]).status).toBe(0);
  expect(readFileSync(proof, 'utf8')).toMatch(/^c2sp\.org\/tlog-proof@v1\n/);
  expect(beacon(['verify', receipt, '--proof', proof]).status).toBe(0);
});

test('tail prints what was sealed, one JSON document a line', () => {
  const { stdout, status } = beacon(['tail', '--lines', '2', '--count', '2', '--json']);
  expect(status).toBe(0);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).receipt_id)
      .every(Boolean),
  ).toBe(true);
});

test('revoke and reinstate; a denied agent exits 1', () => {
  expect(json(['revoke', 'agent:cli', '--reason', 'try'])).toMatchObject({ status: 0, body: { scope: 'agent:cli' } });
  expect(execute('--code', 'ls').status).toBe(1);
  expect(json(['reinstate', 'agent:cli'])).toMatchObject({ status: 0, body: { operation: 'reinstate' } });
  expect(execute('--code', 'ls').status).toBe(0);
});

test('score, approvals and status answer', () => {
  expect(json(['score', 'cli', '--tenant', 'local']).body.score).toBeGreaterThanOrEqual(300);
  const asked = execute('--code', 'rm -rf src');
  expect(asked).toMatchObject({ status: 1, body: { route: 'APPROVAL' } });
  expect(beacon(['approvals']).stdout).toContain(asked.body.action_id);
  expect(json(['status']).status).toBe(0);
});

test('token writes a client file that only its owner reads', () => {
  const file = join(files, 'client.json');
  expect(beacon(['token', 'minted', '--tenant', 'local', '--client-file', file]).status).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ agent_id: 'minted', tenant_id: 'local' });
});

test('wrong usage is 2, an unreachable Beacon 3', () => {
  expect(beacon(['execute']).status).toBe(2);
  expect(beacon(['nothing']).status).toBe(2);
  expect(beacon(['status'], { BEACON_URL: 'http://127.0.0.1:9' }).status).toBe(3);
});
