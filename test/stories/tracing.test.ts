// Traces of `beacond all`: the same ids everywhere and one tree; a collector that is dead, hangs or refuses is felt by
// nobody; off means not even loaded; sampling never touches a receipt.

import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacond, call, execute, removeDataDir, startBeacond } from '../beacond.ts';
import { OtlpCollector } from '../otlp-collector.ts';
import { decideTraced } from '../same-ids.ts';

let collector: OtlpCollector;
const running: Beacond[] = [];
beforeEach(async () => {
  collector = await OtlpCollector.start();
});
afterEach(async () => {
  for (const beacond of running.splice(0)) {
    await beacond.end('SIGKILL');
    removeDataDir(beacond.dataDir);
  }
  await collector.stop();
});

async function start(env: Readonly<Record<string, string>>): Promise<Beacond> {
  const beacond = await startBeacond({ env });
  running.push(beacond);
  return beacond;
}

test('one decision has the same ids everywhere, and its spans are one tree', async () => {
  const beacond = await start(collector.env);
  const decider = { log: () => beacond.stderr(), metrics: `${beacond.http}/metrics` };
  const { spans } = await decideTraced({ ...beacond, collector, deciders: [decider] });
  expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['beacon']));
  // Practice before readiness leaves no span.
  expect(collector.spans.some(({ attributes }) => attributes['beacon.tenant_id'] === 'practice')).toBe(false);
});

test('a request that is refused is a span that says so, by pattern and status alone', async () => {
  const beacond = await start(collector.env);
  const { status } = await call(beacond, 'GET', `/api/actions/act_${'0'.repeat(32)}?secret=ghp_x`);
  expect(status).toBe(404);
  await expect
    .poll(() => collector.spans.map(({ name }) => name), { timeout: 10_000 })
    .toContain('GET /api/actions/:action_id');
  expect(collector.spans[0]?.attributes).toMatchObject({ 'http.response.status_code': 404 });
  expect(collector.bodies.join('\n')).not.toContain('ghp_x');
});

const DECISIONS = 150;

/** Milliseconds, sorted: one decision after the other, each allowed and with its receipt. */
async function decisionTimes(beacond: Beacond): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < DECISIONS; i += 1) {
    const startedMs = performance.now();
    const { body } = await execute(beacond);
    times.push(performance.now() - startedMs);
    expect(body.decision).toBe('ALLOW');
    expect(body.receipt_id).toBeTruthy();
  }
  return times.toSorted((a, b) => a - b);
}
const median = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] as number;

test('a collector that is dead, hangs or refuses slows no decision, fails none, and does not hold up the end', async () => {
  const untraced = median(await decisionTimes(await start({})));
  const dead = await new Promise<string>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(`http://127.0.0.1:${port}`));
    });
  });
  const small = { OTEL_BSP_MAX_QUEUE_SIZE: '64', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '16' };
  for (const mode of ['hang', 'refuse', 'dead'] as const) {
    if (mode !== 'dead') collector.mode = mode;
    const endpoint: Record<string, string> = mode === 'dead' ? { OTEL_EXPORTER_OTLP_ENDPOINT: dead } : {};
    const beacond = await start({ ...collector.env, ...small, ...endpoint });
    const times = await decisionTimes(beacond);
    // Far above what tracing costs, far below what any wait for a collector would.
    expect(median(times), mode).toBeLessThan(untraced + 20);
    expect(times.at(-1), mode).toBeLessThan(2_000);
    if (mode === 'hang') expect(collector.requests).toBeGreaterThan(0);
    const endingMs = performance.now();
    expect(await beacond.end(), mode).toBe(0);
    expect(performance.now() - endingMs, mode).toBeLessThan(5_000);
  }
});

test('off means that nothing of it is loaded', async () => {
  const loading =
    'data:text/javascript,import{registerHooks}from"node:module";' +
    'registerHooks({resolve(s,c,n){if(s.includes("opentelemetry")||s.includes("runtime/tracing.ts")){' +
    'const by=c.parentURL??"";if(!by.includes("prom-client"))process.stderr.write("LOADED "+s+"\\n")}return n(s,c)}})';
  const loaded = (beacond: Beacond) =>
    beacond
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('LOADED'));
  const off = await start({ NODE_OPTIONS: `--import=${encodeURI(loading)}` });
  await execute(off);
  expect(loaded(off)).toEqual([]);
  const on = await start({ ...collector.env, NODE_OPTIONS: `--import=${encodeURI(loading)}` });
  expect(loaded(on).join()).toContain('@opentelemetry/sdk-trace');
});

test.each([
  ['always_off', {}],
  ['parentbased_traceidratio', { OTEL_TRACES_SAMPLER_ARG: '0' }],
])('a trace that is not sampled (%s) leaves no span, and its receipt is like any other', async (sampler, more) => {
  const beacond = await start({ ...collector.env, OTEL_TRACES_SAMPLER: sampler, ...more });
  const { body } = await execute(beacond);
  expect(body).toMatchObject({ decision: 'ALLOW', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  const stored = await call(beacond, 'GET', `/api/receipts/${body.receipt_id}`, undefined, beacond.adminToken);
  const { predicate } = readReceipt(Buffer.from(JSON.stringify(stored.body)));
  expect(predicate.trace_id).toBe(body.trace_id);
  await beacond.end();
  expect(collector.spans).toEqual([]);
});
