// Two kill switches over one log: one leads, the other stands by. Whatever becomes of the leader, with a revocation under
// way or not, one of them leads soon, nothing revoked runs, and the log proves it.

import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call } from '../beacond.ts';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';
import { type Answered, Load } from './chaos.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const CLI = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));
const LEASE_MS = 3_000;
/** Longest a take-over may take here; what it takes is printed. */
const TAKE_OVER_MS = 20_000;

type Barrier = { readonly agent: string; readonly answeredMs: number; readonly body: Record<string, unknown> };

let fleet: Fleet;
let load: Load;
const barriers: Barrier[] = [];
let revoked = 0;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const agents = Array.from({ length: 10 }, (_, i) => `pair-${i}`);

async function isLeading({ ready, pid }: ServiceProcess): Promise<boolean> {
  if (pid === undefined) return false;
  const text = await fetch(`${ready.metrics}/metrics`, { signal: AbortSignal.timeout(1_000) })
    .then((answer) => answer.text())
    .catch(() => '');
  return /^beacon_kill_switch_leading 1$/m.test(text);
}

async function leader(): Promise<ServiceProcess> {
  for (const replica of fleet.killSwitches) if (await isLeading(replica)) return replica;
  throw new Error('no kill switch leads');
}

const someoneLeads = () => vi.waitFor(leader, { timeout: TAKE_OVER_MS, interval: 20 });
const standbyOf = (one: ServiceProcess) => fleet.killSwitches.find((other) => other !== one) as ServiceProcess;

async function revoke(agent: string): Promise<void> {
  const change = { scope: `agent:local/${agent}`, operation: 'revoke', reason: 'pair' };
  const { status, body } = await call(fleet, 'POST', '/api/revocations', change, fleet.adminToken);
  expect([status, body.level]).toEqual([200, expect.stringMatching(/BARRIER|DRAINED/)]);
  barriers.push({ agent, answeredMs: Date.now(), body });
}

const LOCK = () => `${fleet.folder}/kill-switch/ledger/kill-switch/lock`;
const nextAgent = () => agents[revoked++] as string;

async function allowsAgain(): Promise<void> {
  const from = Date.now();
  await vi.waitFor(() => expect(load.allowedSince(from)).toBe(true), { timeout: 30_000, interval: 50 });
}

beforeAll(async () => {
  // Both at once.
  fleet = await startFleet({ BEACON_LEASE_MS: `${LEASE_MS}` }, { decisionReplicas: 1, killSwitchReplicas: 2 });
  load = new Load(fleet, ['free-1', 'free-2', ...agents]);
  load.start();
  await allowsAgain();
});
afterAll(async () => {
  await load?.stop();
  await fleet?.stop();
});

test('started at once, one leads and the other stands by and says so', async () => {
  const roles = fleet.killSwitches.map(({ ready }) => ready.role).sort();
  expect(roles).toEqual(['leader', 'standby']);
  const standby = standbyOf(await someoneLeads());
  expect(await isLeading(standby)).toBe(false);
  const health = await promisify(execFile)('grpcurl', [
    '-plaintext',
    ...['-import-path', 'node_modules/grpc-health-check/proto', '-proto', 'health/v1/health.proto'],
    ...['-d', '{"service":"beacon.v1.KillSwitchService"}'],
    ...[standby.ready.service as string, 'grpc.health.v1.Health/Check'],
  ]);
  expect(health.stdout).toContain('NOT_SERVING');
  await revoke(nextAgent());
});

test('a leader killed with a revocation under way: the other makes it once, and what was revoked stays revoked', async () => {
  const old = await someoneLeads();
  const agent = nextAgent();
  const answer = revoke(agent);
  await sleep(5);
  const killedMs = performance.now();
  await old.end('SIGKILL');
  await someoneLeads();
  const tookOverMs = Math.round(performance.now() - killedMs);
  await answer;
  console.info(
    `take-over after kill -9: ${tookOverMs} ms; the revocation under way: ${Math.round(performance.now() - killedMs)} ms`,
  );
  await old.start();
  expect(old.ready.role).toBe('standby');
  const { body } = await call(fleet, 'GET', '/api/revocations', undefined, fleet.adminToken);
  const scopes = (body.revocations as { scope: string }[]).map(({ scope }) => scope);
  for (const one of barriers) expect(scopes).toContain(`agent:local/${one.agent}`);
  await allowsAgain();
});

test('a paused leader is not followed: leases run out and all is denied, until it wakes or is killed', async () => {
  const old = await someoneLeads();
  old.signal('SIGSTOP');
  const stoppedMs = Date.now();
  const agent = nextAgent();
  const answer = revoke(agent);
  await sleep(LEASE_MS + 1_500);
  expect(await isLeading(standbyOf(old))).toBe(false);
  const late = load.answered.filter(({ askedMs }) => askedMs > stoppedMs + LEASE_MS + 500);
  expect(late.length).toBeGreaterThan(0);
  expect(late.filter(({ decision }) => decision === 'ALLOW')).toEqual([]);
  // What a liveness probe does to it.
  const killedMs = performance.now();
  await old.end('SIGKILL');
  await answer;
  console.info(`paused, then killed: revoked ${Math.round(performance.now() - killedMs)} ms later`);
  await old.start();
  await allowsAgain();
});

test('a leader that wakes in time goes on leading', async () => {
  const one = await someoneLeads();
  one.signal('SIGSTOP');
  await sleep(1_000);
  one.signal('SIGCONT');
  await revoke(nextAgent());
  expect(await isLeading(one)).toBe(true);
  expect(await isLeading(standbyOf(one))).toBe(false);
  await allowsAgain();
});

test('a paused leader whose lock was taken from it: the other makes the change, and it ends when it wakes', async () => {
  const old = await someoneLeads();
  const { pid } = old;
  old.signal('SIGSTOP');
  const answer = revoke(nextAgent());
  await sleep(200);
  await rm(LOCK());
  await answer;
  expect(await isLeading(standbyOf(old))).toBe(true);
  old.signal('SIGCONT');
  await vi.waitFor(() => expect(() => process.kill(pid as number, 0)).toThrow(), { timeout: 10_000 });
  expect(old.stderr).toContain('kill_switch.deposed');
  // What it had been asked stood in its inbox when it woke; the log is whole all the same.
  await standbyOf(old).end('SIGKILL');
  await old.start();
  expect(old.ready.role).toBe('leader');
  await standbyOf(old).start();
  await allowsAgain();
});

test('a leader whose lock was taken from it grants nothing more, answers no BARRIER and ends', async () => {
  const old = await someoneLeads();
  const { pid } = old;
  // What a hand that means well does to a lock it believes to be left over.
  await rm(LOCK());
  await vi.waitFor(async () => expect(await isLeading(standbyOf(old))).toBe(true), { timeout: TAKE_OVER_MS });
  await vi.waitFor(() => expect(() => process.kill(pid as number, 0)).toThrow(), { timeout: 10_000 });
  expect(old.stderr).toContain('kill_switch.deposed');
  await old.start();
  expect(old.ready.role).toBe('standby');
  await revoke(nextAgent());
  await allowsAgain();
});

test('stopped in order, the other takes over; a standby that is stopped is missed by nobody', async () => {
  const old = await someoneLeads();
  const stoppedMs = performance.now();
  await Promise.all([old.end('SIGTERM'), revoke(nextAgent())]);
  await someoneLeads();
  console.info(`take-over after SIGTERM: ${Math.round(performance.now() - stoppedMs)} ms`);
  await old.start();
  const last = await someoneLeads();
  const first = standbyOf(last);
  await first.end('SIGTERM');
  await revoke(nextAgent());
  await last.end('SIGKILL');
  // The one that stood by is there before the one that led.
  await first.start();
  await last.start();
  expect([first.ready.role, last.ready.role]).toEqual(['leader', 'standby']);
  await revoke(nextAgent());
});

test('nothing revoked was allowed after BARRIER, and every revocation is proven over the whole log', async () => {
  await load.stop();
  const after = ({ agent, answeredMs }: Barrier): Answered[] =>
    load.answered.filter((one) => one.agent === agent && one.askedMs >= answeredMs);
  expect(barriers.length).toBe(revoked);
  for (const barrier of barriers) {
    expect(after(barrier).filter(({ decision }) => decision === 'ALLOW')).toEqual([]);
    const env = { PATH: process.env.PATH, HOME: fleet.folder, BEACON_URL: fleet.http, BEACON_TOKEN: fleet.adminToken };
    const argv = [CLI, 'prove-kill', String(barrier.body.revocation_id), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 26 });
    expect(JSON.parse(stdout)).toMatchObject({ proven: true, operation: 'revoke' });
  }
  const { body } = await call(fleet, 'GET', '/api/revocations', undefined, fleet.adminToken);
  const named = (body.revocations as { scope: string; revocation_id: string }[]).map(
    ({ revocation_id }) => revocation_id,
  );
  expect(named.sort()).toEqual(barriers.map(({ body: { revocation_id } }) => revocation_id).sort());
});
