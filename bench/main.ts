// `npm run bench`: Beacon's embedded mode with strict durability beside its bare floors, in one interleaved run, because
// a machine's absolute figures drift. Options: --rounds N, --seconds N (for each figure and round), --warmup N, --json.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { caseInput, encode } from '../policies/case-input.ts';
import { type Child, startChild } from './child.ts';
import { type Caller, decideCaller, echoCaller, httpCaller, requireAllowed } from './clients.ts';
import { appendAndSync, bareOpaEval, ed25519Sign, engineEvaluate, type Floor } from './floors.ts';
import { type Call, load } from './load.ts';
import { AGENT, nextBody, TENANT } from './proposals.ts';
import { type Measured, machine, printTable, ratiosOf, rowOf } from './report.ts';

const LANES = [1, 64];
const HERE = import.meta.dirname;
type Subject = { readonly name: string; readonly inFlight: number; readonly call: Call; readonly server?: Child };

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    warmup: { type: 'string', default: '20000' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = positive('rounds');
const seconds = positive('seconds');
const warmup = positive('warmup');

function positive(name: 'rounds' | 'seconds' | 'warmup'): number {
  const value = Number(values[name]);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`--${name} must be a positive number`);
  process.exit(2);
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}

/** Two simple reads in a workspace, as the policy sees them. */
function typicalInput(): Uint8Array {
  const part = { effect: 'read', tool: 'git', operation: 'status' };
  return encode(caseInput({ parts: [part, { ...part, tool: 'grep', operation: 'grep' }] }));
}

async function startBeacon(folder: string): Promise<{ server: Child; token: string }> {
  const main = join(HERE, '..', 'services', 'main.ts');
  const server = await startChild([main, 'all'], {
    HOME: folder,
    BEACON_DATA_DIR: join(folder, 'data'),
    BEACON_HTTP_LISTEN: '127.0.0.1:0',
    BEACON_GRPC_LISTEN: '127.0.0.1:0',
    BEACON_LOG_LEVEL: 'error',
  });
  const admin = readFileSync(server.ready.admin_token_file as string, 'utf8').trim();
  const answer = await fetch(`${server.ready.http}/api/agents/${AGENT}/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant_id: TENANT }),
  });
  if (!answer.ok) throw new Error(`no agent token: ${answer.status} ${await answer.text()}`);
  const { token } = (await answer.json()) as { token: string };
  return { server, token };
}

/** An answer as Beacon gives it, for the echoes to send as many bytes. */
async function typicalAnswer(http: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${http}/api/execute`, { method: 'POST', headers, body: nextBody() });
  const text = await answer.text();
  requireAllowed(text);
  return text;
}

async function measure(subjects: readonly Subject[]): Promise<Measured[]> {
  const measured = subjects.map(({ name, inFlight }): Measured => {
    return { name, inFlight, perSecond: [], serverCpuSeconds: [], latenciesMs: [] };
  });
  for (let round = 0; round < rounds; round++) {
    say(`round ${round + 1} of ${rounds}`);
    for (const [index, { call, inFlight, server }] of subjects.entries()) {
      const into = measured[index] as Measured;
      const cpuBefore = server?.cpuSeconds();
      const sample = await load(call, inFlight, { seconds });
      for (const ms of sample.latenciesMs) into.latenciesMs.push(ms);
      into.perSecond.push(sample.latenciesMs.length / sample.seconds);
      if (server && cpuBefore !== undefined) into.serverCpuSeconds.push(server.cpuSeconds() - cpuBefore);
    }
  }
  return measured;
}

async function run(folder: string, closing: (() => unknown)[]): Promise<void> {
  const { server: beacon, token } = await startBeacon(folder);
  closing.push(() => beacon.stop());
  const answer = await typicalAnswer(beacon.ready.http as string, token);
  const httpEcho = await startChild([join(HERE, 'servers', 'echo-http.ts')], { BENCH_ANSWER: answer });
  // Protobuf carries the receipt's bytes without JSON's second quoting.
  const answerBytes = String(Math.round(Buffer.byteLength(answer) * 0.8));
  const grpcEcho = await startChild([join(HERE, 'servers', 'echo-grpc.ts')], { BENCH_ANSWER_BYTES: answerBytes });
  closing.push(
    () => httpEcho.stop(),
    () => grpcEcho.stop(),
  );
  const kept = <T extends Floor | Caller>(opened: T): T => {
    closing.unshift(() => opened.close());
    return opened;
  };
  const input = typicalInput();
  const subjects: Subject[] = [
    { name: 'append + fdatasync', inFlight: 1, call: kept(appendAndSync(folder)).call },
    { name: 'bare opa_eval', inFlight: 1, call: kept(bareOpaEval(input)).call },
    { name: 'our evaluate', inFlight: 1, call: kept(await engineEvaluate(input)).call },
    { name: 'Ed25519 sign', inFlight: 1, call: kept(ed25519Sign()).call },
  ];
  for (const inFlight of LANES) {
    const http = (server: Child, check: (body: string) => void) =>
      kept(httpCaller(server.ready.http as string, token, inFlight, check)).call;
    const echo = kept(echoCaller(grpcEcho.ready.grpc as string)).call;
    const decide = kept(decideCaller(beacon.ready.grpc as string, token)).call;
    subjects.push(
      { name: 'HTTP echo', inFlight, server: httpEcho, call: http(httpEcho, () => {}) },
      { name: 'Beacon, HTTP', inFlight, server: beacon, call: http(beacon, requireAllowed) },
      { name: 'gRPC stream echo', inFlight, server: grpcEcho, call: echo },
      { name: 'Beacon, gRPC stream', inFlight, server: beacon, call: decide },
    );
  }
  await warmUp(subjects);
  const rows = (await measure(subjects)).map(rowOf);
  const ratios = ratiosOf(rows);
  if (values.json) console.log(JSON.stringify({ machine: machine(), rounds, seconds, warmup, rows, ratios }, null, 2));
  else printTable(rows, ratios);
}

async function warmUp(subjects: readonly Subject[]): Promise<void> {
  const first = performance.now();
  for (const { call, inFlight, server } of subjects) {
    // At 64 in flight only: one at a time would take many times as long and warm the same code.
    if (server && inFlight === 1) continue;
    await load(call, inFlight, { seconds: 120, calls: server ? warmup : Math.min(warmup, 2_000) });
  }
  say(`warmed up in ${((performance.now() - first) / 1000).toFixed(0)} s`);
}

const folder = mkdtempSync(join(tmpdir(), 'beacon-bench-'));
mkdirSync(join(folder, 'data'), { mode: 0o700 });
const closing: (() => unknown)[] = [];
try {
  await run(folder, closing);
} finally {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true, force: true });
}
