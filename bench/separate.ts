// The strict path over separate services: client → decision → {Redis, Wasm} → signer with fdatasync, beside the floors of
// each step; the same through the gateway; and how long a revocation takes to reach its barrier under that load.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requirePrograms } from '../bin/engines.ts';
import { startFleet } from '../bin/fleet.ts';
import { cpuOf } from './child.ts';
import { type Caller, decideCaller, echoCaller, httpCaller, relayCaller, requireAllowed } from './clients.ts';
import { type Bench, startGrpcEcho } from './embedded.ts';
import { appendAndSync, bareOpaEval, ed25519Sign, type Floor, redisPing, typicalInput } from './floors.ts';
import { load } from './load.ts';
import { measure, measureInTurn, type Subject, say, warmUp } from './measure.ts';
import { benchCaller, mintToken, typicalAnswer } from './proposals.ts';
import { type Measured, printTable, rowOf, separateRatiosOf, toJson } from './report.ts';

const LANES = [1, 64];
/** What is measured is how fast it decides, not when it refuses to. */
const ENV = { BEACON_LOG_LEVEL: 'error', BEACON_LATENCY_TARGET_MS: '60000', BEACON_SESSION_ACTIONS: '1000000000' };
const LOADED_LANES = 64;
const REVOCATIONS = 40;
/** At most; the load ends with the last revocation. */
const REVOKING_SECONDS = 60;
const NOTES = [
  'Beacon: two signers, two decision replicas, and one each of the rest; CPU is that of all nine processes, Redis and NATS too.',
  'The strict path is that of the gateway to a decision replica and on; its sum of floors is stream echo (to decision) + Redis',
  'PING + bare opa_eval + stream echo (to signer) + two signatures + append and fdatasync. gRPC stream: one stream echo more.',
  'Revocation to BARRIER: from asking to the time in the barrier’s leaf, both of one clock, in milliseconds.',
  'Its answer waits 500 ms more at most, for what DRAINED would claim.',
  'In turn: one call of each after the other, so that floors and path are measured alike cold; else each in a loop of its own.',
];

export async function runSeparate({ folder, effort, json, closing }: Bench): Promise<void> {
  say('starting Redis, NATS and seven services …');
  const fleet = await startFleet({ folder, programs: requirePrograms(), env: ENV });
  closing.push(() => fleet.stop());
  const {
    http,
    grpc,
    admin_token_file = '',
  } = fleet.gateway as { http: string; grpc: string; admin_token_file: string };
  const admin = readFileSync(admin_token_file, 'utf8').trim();
  const token = await mintToken(http, admin);
  const gatewayToken = readFileSync(join(folder, 'service-tokens', 'gateway.token'), 'utf8').trim();
  const decision = fleet.parts.find(({ name }) => name === 'decision-a')?.ready.service as string;
  const echo = await startGrpcEcho(await typicalAnswer(http, token, requireAllowed));
  closing.push(() => echo.stop());
  const kept = <T extends Floor | Caller>(opened: T): T => {
    closing.unshift(() => opened.close());
    return opened;
  };
  const server = { cpuSeconds: () => fleet.parts.reduce((sum, { pid }) => sum + cpuOf(pid), 0) };
  const subjects: Subject[] = [
    { name: 'append + fdatasync', inFlight: 1, call: kept(appendAndSync(folder)).call },
    { name: 'bare opa_eval', inFlight: 1, call: kept(bareOpaEval(typicalInput())).call },
    { name: 'Ed25519 sign', inFlight: 1, call: kept(ed25519Sign()).call },
  ];
  for (const inFlight of LANES) {
    const address = echo.ready.grpc as string;
    subjects.push(
      { name: 'Redis PING', inFlight, call: kept(await redisPing(fleet.redis)).call },
      { name: 'gRPC stream echo', inFlight, server: echo, call: kept(echoCaller(address)).call },
      {
        name: 'Beacon, strict path',
        inFlight,
        server,
        call: kept(relayCaller(decision, gatewayToken, benchCaller())).call,
      },
      { name: 'Beacon, HTTP', inFlight, server, call: kept(httpCaller(http, token, inFlight, requireAllowed)).call },
      { name: 'Beacon, gRPC stream', inFlight, server, call: kept(decideCaller(grpc, token)).call },
    );
  }
  await warmUp(subjects, effort);
  const measured = await measure(subjects, effort);
  measured.push(...(await measureInTurn(subjects, effort)));
  const decide = subjects.at(-1) as Subject;
  measured.push(...(await revokeUnderLoad(http, admin, decide)));
  const rows = measured.map(rowOf);
  const ratios = separateRatiosOf(rows);
  if (json) console.log(toJson({ ...effort, rows, ratios }));
  else printTable(rows, ratios, NOTES);
}

/** One after another, each of another agent, while decisions keep every lane busy. */
async function revokeUnderLoad(http: string, admin: string, { call }: Subject): Promise<Measured[]> {
  say(`${REVOCATIONS} revocations under load`);
  let revoking = true;
  const busy = load(call, LOADED_LANES, { seconds: REVOKING_SECONDS, while: () => revoking });
  const stops: Stop[] = [];
  const started = performance.now();
  try {
    for (let i = 0; i < REVOCATIONS; i++) stops.push(await revoke(http, admin, `agent:bench/gone-${i}`));
  } finally {
    revoking = false;
  }
  const perSecond = [REVOCATIONS / ((performance.now() - started) / 1000)];
  await busy;
  const measured = { inFlight: LOADED_LANES, perSecond, serverCpuSeconds: [] };
  return [
    { name: 'revocation to BARRIER', ...measured, latenciesMs: stops.map(({ barrierMs }) => barrierMs) },
    { name: 'revocation to its answer', ...measured, latenciesMs: stops.map(({ answeredMs }) => answeredMs) },
  ];
}

/** Milliseconds since it was asked for. */
type Stop = { readonly barrierMs: number; readonly answeredMs: number };

async function revoke(http: string, admin: string, scope: string): Promise<Stop> {
  const asked = Date.now();
  const before = performance.now();
  const answer = await fetch(`${http}/api/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scope, operation: 'revoke', reason: 'bench' }),
  });
  const text = await answer.text();
  const answeredMs = performance.now() - before;
  const [, barrierAt] = /"barrier_at":"([^"]+)"/.exec(text) ?? [];
  if (barrierAt === undefined) throw new Error(`no barrier: ${answer.status} ${text}`);
  return { barrierMs: Date.parse(barrierAt) - asked, answeredMs };
}
