// `beacond all` with strict durability beside its bare floors: the disk, the policy, the signature, an echo.

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { type Caller, decideCaller, echoCaller, httpCaller, requireAllowed } from './clients.ts';
import { appendAndSync, bareOpaEval, ed25519Sign, engineEvaluate, type Floor, typicalInput } from './floors.ts';
import { type Effort, measure, type Subject, warmUp } from './measure.ts';
import { mintToken, typicalAnswer } from './proposals.ts';
import { printTable, ratiosOf, rowOf, toJson } from './report.ts';

export type Bench = {
  readonly folder: string;
  readonly effort: Effort;
  readonly json: boolean;
  /** What is called at the end, in this order. */
  readonly closing: (() => unknown)[];
};

const LANES = [1, 64];
const HERE = import.meta.dirname;
const NOTES = [
  'Beacon: every decision with policy, two Ed25519 receipts (decision, action) and fdatasync before its answer.',
  'The sum of floors is echo + append and fdatasync + bare opa_eval + two signatures.',
];

async function startBeacon(folder: string): Promise<{ server: Child; token: string }> {
  mkdirSync(join(folder, 'data'), { mode: 0o700 });
  const main = join(HERE, '..', 'services', 'main.ts');
  const server = await startChild([main, 'all'], {
    HOME: folder,
    BEACON_DATA_DIR: join(folder, 'data'),
    BEACON_HTTP_LISTEN: '127.0.0.1:0',
    BEACON_GRPC_LISTEN: '127.0.0.1:0',
    BEACON_LOG_LEVEL: 'error',
    // What is measured is how fast it decides, not when it refuses to.
    BEACON_LATENCY_TARGET_MS: '60000',
    BEACON_SESSION_ACTIONS: '1000000000',
  });
  const admin = readFileSync(server.ready.admin_token_file as string, 'utf8').trim();
  return { server, token: await mintToken(server.ready.http as string, admin) };
}

export async function runEmbedded({ folder, effort, json, closing }: Bench): Promise<void> {
  const { server: beacon, token } = await startBeacon(folder);
  closing.push(() => beacon.stop());
  const answer = await typicalAnswer(beacon.ready.http as string, token, requireAllowed);
  const httpEcho = await startChild([join(HERE, 'servers', 'echo-http.ts')], { BENCH_ANSWER: answer });
  const grpcEcho = await startGrpcEcho(answer);
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
  await warmUp(subjects, effort);
  const rows = (await measure(subjects, effort)).map(rowOf);
  const ratios = ratiosOf(rows);
  if (json) console.log(toJson({ ...effort, rows, ratios }));
  else printTable(rows, ratios, NOTES);
}

/** Answers with as many bytes as `answer` has on this wire. */
export function startGrpcEcho(answer: string): Promise<Child> {
  // Protobuf carries the receipt's bytes without JSON's second quoting.
  const bytes = String(Math.round(Buffer.byteLength(answer) * 0.8));
  return startChild([join(HERE, 'servers', 'echo-grpc.ts')], { BENCH_ANSWER_BYTES: bytes });
}
