// Ten times as many callers as there may be decisions under way: the surplus is told so and when to come back, nothing
// piles up, and whoever is let in is answered as ever. In one process and as separate services.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, call, execute, removeDataDir, startBeacond } from '../beacond.ts';
import { startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const MAX_IN_FLIGHT = 8;
const OVERLOAD_MS = 4_000;
const SLICE_MS = 1_000;
/** What a process that keeps nothing of the refused may still grow by: its heap is not collected at once. */
const MAX_GROWTH_MIB = 200;
const LIMIT = { BEACON_MAX_IN_FLIGHT: `${MAX_IN_FLIGHT}`, BEACON_LOG_LEVEL: 'error' };

type Running = {
  readonly http: string;
  readonly adminToken: string;
  readonly pids: readonly number[];
  /** Decisions under way at once, over all replicas. */
  readonly capacity: number;
  stop(): Promise<unknown>;
};

async function oneProcess(): Promise<Running> {
  const { http, adminToken, child, end, dataDir } = await startBeacond({ env: LIMIT });
  const stop = () => end().finally(() => removeDataDir(dataDir));
  return { http, adminToken, pids: [child.pid as number], capacity: MAX_IN_FLIGHT, stop };
}

async function separateServices(): Promise<Running> {
  const { http, adminToken, gateway, decisions, signers, stop } = await startFleet(LIMIT);
  const pids = [gateway, ...decisions, ...signers].map(({ pid }) => pid as number);
  return { http, adminToken, pids, capacity: MAX_IN_FLIGHT * decisions.length, stop };
}

const residentMib = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe.each([
  ['one process', oneProcess],
  ['separate services', separateServices],
])('overload: %s', (_, start) => {
  let running: Running;
  const decided: { readonly atMs: number; readonly receiptId: string }[] = [];
  const refused: Answer[] = [];
  const other: Answer[] = [];
  let before: number[];
  let after: number[];
  let beganMs: number;

  beforeAll(async () => {
    running = await start();
    const isAllowed = async () => expect((await execute(running)).body.decision).toBe('ALLOW');
    await vi.waitFor(isAllowed, { timeout: 30_000 });
    for (let i = 0; i < 200; i += 1) await execute(running, { agent_id: 'warm' });
    before = running.pids.map(residentMib);
    beganMs = Date.now();
    await Promise.all(Array.from({ length: 10 * running.capacity }, (_, i) => caller(`agent-${i % 20}`)));
    after = running.pids.map(residentMib);
  });
  afterAll(() => running?.stop());

  async function caller(agent: string): Promise<void> {
    while (Date.now() - beganMs < OVERLOAD_MS) {
      const answer = await execute(running, { agent_id: agent });
      if (answer.status === 200) decided.push({ atMs: Date.now(), receiptId: String(answer.body.receipt_id) });
      else (answer.status === 429 ? refused : other).push(answer);
    }
  }

  test('the surplus is refused in so many words, and nothing fails in another way', () => {
    expect(refused.length).toBeGreaterThan(50);
    for (const { body, headers } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(body).toMatchObject({ status: 429, code: 'resource_exhausted', title: expect.any(String) });
    }
    expect(other.map(({ status, body }) => [status, body.code, body.detail])).toEqual([]);
  });

  test('whoever is let in is answered, all the time, with a receipt of its own', () => {
    const slices = new Set(decided.map(({ atMs }) => Math.floor((atMs - beganMs) / SLICE_MS)));
    for (let slice = 0; slice < OVERLOAD_MS / SLICE_MS; slice += 1) expect(slices).toContain(slice);
    expect(new Set(decided.map(({ receiptId }) => receiptId)).size).toBe(decided.length);
  });

  test('memory is bounded', () => {
    after.forEach((mib, i) => {
      expect(mib - (before[i] as number)).toBeLessThan(MAX_GROWTH_MIB);
    });
  });

  test('when it is over, nobody is refused any more', async () => {
    const answers = await Promise.all(Array.from({ length: MAX_IN_FLIGHT / 2 }, () => execute(running)));
    expect(answers.map(({ body }) => body.decision)).toEqual(answers.map(() => 'ALLOW'));
    expect((await call(running, 'GET', '/readyz')).status).toBe(200);
  });
});
