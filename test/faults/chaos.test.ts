// Every part of the separate services is paused, killed and started again while callers propose. Whatever was lost in
// between: no ALLOW without its receipt, none behind a barrier, one receipt for each decision, and the totals agree.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call } from '../beacond.ts';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';
import {
  countedByAgent,
  decisionsCounted,
  type Ledgers,
  Load,
  readLedgers,
  readStream,
  scoredByAgent,
  standing,
  streamed,
} from './chaos.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 400_000 });
const CLI = fileURLToPath(new URL('../../clients/cli/main.ts', import.meta.url));
const STOPPED = 'stopped';
const OLD = 'revoked-after-the-file';
const AGENTS = [...Array.from({ length: 12 }, (_, i) => `agent-${i}`), STOPPED, STOPPED, OLD, OLD];
const PAUSE_MS = 1_200;
const NATS_DOWN_MS = 60_000;
/** Longest a fleet may take to allow again by itself. */
const RECOVERY_MS = 30_000;

type Barrier = { readonly agent: string; readonly answeredMs: number; readonly body: Record<string, unknown> };

let fleet: Fleet;
let load: Load;
const barriers: Barrier[] = [];
/** Taken while nothing was asked, before any decision replica had been ended. */
let calm: { readonly ledgers: Ledgers; readonly counted: number };
/** What ended replicas had counted, and from when to when they may have counted more. */
const ended: { readonly counted: number; readonly fromMs: number; readonly toMs: number }[] = [];
let final: Ledgers;
/** When NATS was not there. */
const away = { fromMs: 0, toMs: 0 };

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Until somebody who asked after this call has been allowed. */
async function recovered(after: string): Promise<void> {
  const from = Date.now();
  const isAllowed = () => expect(load.allowedSince(from), `no ALLOW after ${after}`).toBe(true);
  await vi.waitFor(isAllowed, { timeout: RECOVERY_MS, interval: 50 });
}

async function revoke(agent: string): Promise<void> {
  const change = { scope: `agent:local/${agent}`, operation: 'revoke', reason: 'chaos' };
  const { status, body } = await call(fleet, 'POST', '/api/revocations', change, fleet.adminToken);
  expect([status, body.level]).toEqual([200, expect.stringMatching(/BARRIER|DRAINED/)]);
  barriers.push({ agent, answeredMs: Date.now(), body });
}

async function pauseAndKill(service: ServiceProcess): Promise<void> {
  service.signal('SIGSTOP');
  await sleep(PAUSE_MS);
  service.signal('SIGCONT');
  await recovered(`${service.name} was paused`);
  await service.end('SIGKILL');
  await service.start();
  await recovered(`${service.name} was killed`);
}

/** Its counts are lost with it; what can be said is taken just before. */
async function endReplica(replica: ServiceProcess, signal: NodeJS.Signals): Promise<void> {
  const fromMs = Date.now();
  const counted = await decisionsCounted(replica);
  await replica.end(signal);
  ended.push({ counted, fromMs, toMs: Date.now() });
  await replica.start();
  await recovered(`${replica.name} was ended by ${signal}`);
}

const countedNow = async () =>
  (await Promise.all(fleet.decisions.map(decisionsCounted))).reduce((sum, counted) => sum + counted, 0);

/** Until every log stands still, orphans are closed, and the stream has what the logs have. */
async function settled(): Promise<Ledgers> {
  let sizes = '';
  const still = async () => {
    const logs = (await call(fleet, 'GET', '/api/logs')).body as unknown as { size: number }[];
    const before = sizes;
    sizes = JSON.stringify(logs.map(({ size }) => size));
    expect(sizes).toBe(before);
  };
  await vi.waitFor(still, { timeout: 60_000, interval: 2_000 });
  return readLedgers(fleet);
}

beforeAll(async () => {
  fleet = await startFleet({}, { decisionReplicas: 3 });
  load = new Load(fleet, AGENTS);
  load.start();
  await recovered('the start');
  await chaos();
});
afterAll(async () => {
  await load?.stop();
  await fleet?.stop();
});

async function chaos(): Promise<void> {
  const { redis, nats, signers, killSwitch, scoring, gateway, decisions } = fleet;
  const [signerA, signerB] = signers as [ServiceProcess, ServiceProcess];
  const client = new Redis(redis.address.port, redis.address.host);
  client.on('error', () => {});
  await client.save();
  await sleep(1_000);
  await revoke(OLD);
  signerA.signal('SIGSTOP');
  await revoke(STOPPED).finally(() => signerA.signal('SIGCONT'));
  await recovered('a revocation with a paused signer');

  // Everything up to its return happens without it.
  away.fromMs = Date.now();
  await nats.kill();
  const natsDown = sleep(NATS_DOWN_MS);
  await pauseAndKill(signerB);
  await client.flushall();
  await recovered('FLUSHALL');
  await pauseAndKill(signerA);
  redis.pause();
  await sleep(PAUSE_MS);
  redis.resume();
  await recovered('Redis was paused');
  await redis.kill();
  // The file saved before either revocation is what it reads now.
  await redis.start();
  await recovered('an older Redis came back');
  client.disconnect();

  for (const service of [killSwitch, gateway]) await pauseAndKill(service);
  await natsDown;
  away.toMs = Date.now();
  await nats.start();
  nats.pause();
  await sleep(PAUSE_MS);
  nats.resume();

  await pauseAndKill(scoring);
  decisions[2]?.signal('SIGSTOP');
  await sleep(PAUSE_MS);
  decisions[2]?.signal('SIGCONT');
  await recovered('a decision replica was paused');
  await load.stop();
  calm = { ledgers: await settled(), counted: await countedNow() };

  load.start();
  await endReplica(decisions[0] as ServiceProcess, 'SIGKILL');
  await endReplica(decisions[1] as ServiceProcess, 'SIGTERM');
  await load.stop();
  final = await settled();
}

test('there was something to see: ALLOWs, DENYs, and requests without an answer', () => {
  const allowed = load.answered.filter(({ decision }) => decision === 'ALLOW').length;
  expect(allowed).toBeGreaterThan(500);
  expect(load.answered.length - allowed).toBeGreaterThan(200);
  for (const status of load.unanswered.keys()) expect([0, 429, 502, 503, 504]).toContain(status);
});

test('every answered decision has exactly one receipt, byte for byte, and none that stands was voided', () => {
  const byOpportunity = Map.groupBy(standing(final, 'decision'), ({ predicate }) => predicate.opportunity_id);
  for (const { opportunity, receiptId, bytes, decision } of load.answered) {
    expect(final.byId.get(receiptId)?.bytes).toBe(bytes);
    expect(final.byId.get(receiptId)?.predicate.decision).toBe(decision);
    expect(byOpportunity.get(opportunity)?.map((leaf) => leaf.receiptId)).toEqual([receiptId]);
  }
  for (const leaves of byOpportunity.values()) expect(leaves.length).toBe(1);
});

test('what was asked after BARRIER was answered is not allowed, whatever Redis remembered', () => {
  for (const { agent, answeredMs } of barriers) {
    const later = load.answered.filter((one) => one.agent === agent && one.askedMs >= answeredMs);
    expect(later.length).toBeGreaterThan(50);
    expect(later.filter(({ decision }) => decision === 'ALLOW')).toEqual([]);
  }
  const earlier = load.answered.filter(({ agent, decision }) => agent === STOPPED && decision === 'ALLOW');
  expect(earlier.length).toBeGreaterThan(0);
});

test('beacon prove-kill shows it from the logs alone', async () => {
  expect(barriers.length).toBe(2);
  for (const { body } of barriers) {
    const env = { PATH: process.env.PATH, HOME: fleet.folder, BEACON_URL: fleet.http, BEACON_TOKEN: fleet.adminToken };
    const argv = [CLI, 'prove-kill', String(body.revocation_id), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 26 });
    expect(JSON.parse(stdout)).toMatchObject({ proven: true, operation: 'revoke', logs: [{}, {}] });
  }
});

test('each log is whole: every index once, as many leaves as its tree says', () => {
  expect(final.sizes.size).toBe(2);
  for (const [logId, size] of final.sizes) {
    const indexes = final.leaves.filter((leaf) => leaf.logId === logId).map(({ index }) => index);
    expect(indexes).toEqual(Array.from({ length: size }, (_, index) => index));
  }
});

test('a void stands in the log of what it voids', () => {
  for (const { kind, logId, index, predicate } of final.leaves) {
    if (kind !== 'void') continue;
    const voided = final.byId.get(String(predicate.voids));
    expect(voided?.logId).toBe(logId);
    expect(voided?.index).toBeLessThan(index);
  }
});

// Exact while no replica has been ended, since its counts end with it. After that: what the ended ones had counted when
// they were last asked, and at most what was sealed between that and their end.
test('decision leaves that stand are what the decision replicas counted', async () => {
  expect(calm.counted).toBe(standing(calm.ledgers, 'decision').length);
  const known = (await countedNow()) + ended.reduce((sum, { counted }) => sum + counted, 0);
  const inBetween = standing(final, 'decision').filter(({ sealedAt }) =>
    ended.some(({ fromMs, toMs }) => Date.parse(sealedAt) >= fromMs - 1_000 && Date.parse(sealedAt) <= toMs),
  ).length;
  const lost = standing(final, 'decision').length - known;
  expect(lost).toBeGreaterThanOrEqual(0);
  expect(lost).toBeLessThanOrEqual(inBetween);
});

test('NATS was away for a whole minute, and receipts were sealed all the while', () => {
  const sealed = final.leaves
    .map(({ sealedAt }) => Date.parse(sealedAt))
    .filter((at) => at >= away.fromMs && at < away.toMs);
  expect(away.toMs - away.fromMs).toBeGreaterThanOrEqual(NATS_DOWN_MS);
  const tenths = new Set(sealed.map((at) => Math.floor((10 * (at - away.fromMs)) / (away.toMs - away.fromMs))));
  console.info(`sealed while NATS was away: ${sealed.length}`);
  expect(tenths.size).toBe(10);
});

test('tree growth, JetStream and scoring’s count agree after catch-up', async () => {
  const grown = [...final.sizes.values()].reduce((sum, size) => sum + size, 0);
  await vi.waitFor(async () => expect(await streamed(fleet)).toBe(grown), { timeout: 60_000, interval: 1_000 });
  const messages = await readStream(fleet);
  expect(messages.size).toBe(grown);
  for (const { receiptId, bytes } of final.leaves) expect(messages.get(receiptId)).toBe(bytes);
  const expected = countedByAgent(final);
  const agrees = async () => expect(await scoredByAgent(fleet, expected.keys())).toEqual(expected);
  await vi.waitFor(agrees, { timeout: 90_000, interval: 1_000 });
});
