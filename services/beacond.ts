// beacond: a target names the compositions that run in this process. The only place that knows the mode.

import { homedir } from 'node:os';
import { asBeaconError, type BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import type { KnobDoc } from '../runtime/env.ts';
import { growHeapByShare } from '../runtime/heap.ts';
import { createLog, type Log, type LogLevel } from '../runtime/log.ts';
import { runUntilSignal } from '../runtime/process.ts';
import { checkConfig, configKnobs, loadConfig } from './config.ts';
import { type Embedded, startEmbedded } from './embedded.ts';
import { greet } from './greeting.ts';
import { readSeparate, TARGETS } from './separate-config.ts';
import { readSidecar } from './sidecar-config.ts';

const USAGE = `Usage: beacond TARGET [--check | --help]

  all        every service in this process: file ledger, SQLite, in-process bus
  gateway | decision | receipt-signer | scoring | kill-switch
             one service, over Redis, NATS and gRPC (beacond TARGET --help lists its knobs)
  sidecar    beside one agent: its calls over one stream to a gateway, its ALLOWs only with their receipts
  --check    say what is wrong with the configuration, and stop

Configuration is read from the environment:
`;

/** Resolves to the exit status, or to undefined when services are running. */
export async function main(argv: readonly string[]): Promise<number | undefined> {
  const [target, ...flags] = argv;
  if (target === '--help' || target === '-h' || target === undefined) {
    showKnobs(configKnobs());
    return target === undefined ? 2 : 0;
  }
  growHeapByShare();
  const one = oneOf(target);
  if (one && flags.every(isFlag)) return runOne(target, one, flags);
  if (target !== 'all' || !flags.every(isFlag)) {
    process.stderr.write(`beacond: unknown target or option: ${argv.join(' ')}\n\n${USAGE}`);
    return 2;
  }
  if (flags.includes('--help')) {
    showKnobs(configKnobs());
    return 0;
  }
  return flags.includes('--check') ? tellFaults(checkConfig(process.env, homedir())) : runAll();
}

const isFlag = (flag: string) => ['--check', '--help'].includes(flag);

function tellFaults(faults: readonly string[]): number {
  process.stderr.write(faults.length === 0 ? 'The configuration is fine.\n' : `${faults.join('\n')}\n`);
  return faults.length === 0 ? 0 : 1;
}

function showKnobs(knobs: readonly KnobDoc[]): void {
  process.stdout.write(USAGE);
  for (const { name, fallback, doc } of knobs) process.stdout.write(`  ${name} (${fallback})\n      ${doc}\n`);
}

type One = {
  readonly config: { readonly logLevel: LogLevel; readonly drainMs: number };
  readonly faults: readonly string[];
  readonly knobs: readonly KnobDoc[];
  start(log: Log): Promise<{ readonly started: Readonly<Record<string, string>>; stop(): Promise<void> }>;
};

/** A target that is a process of its own; what it needs is loaded when it starts. */
function oneOf(target: string): One | undefined {
  if (target === 'sidecar') {
    const read = readSidecar(process.env);
    return { ...read, start: async (log) => (await import('./sidecar-target.ts')).startSidecar(read.config, log) };
  }
  const separate = TARGETS.find((name) => name === target);
  if (!separate) return undefined;
  const read = readSeparate(separate, process.env, homedir());
  return { ...read, start: async (log) => (await import('./separate.ts')).startSeparate(read.config, log) };
}

async function runOne(target: string, one: One, flags: readonly string[]): Promise<number | undefined> {
  const { config, faults, knobs } = one;
  if (flags.includes('--help')) {
    showKnobs(knobs);
    return 0;
  }
  if (flags.includes('--check')) return tellFaults(faults);
  if (faults.length > 0) {
    process.stderr.write(`beacond ${target} does not start:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
    return 2;
  }
  const log = createLog(config.logLevel);
  try {
    const running = await one.start(log);
    runUntilSignal({ log, graceMs: config.drainMs + 5_000, drain: () => running.stop() });
    log.info(EVENTS.ready, { target, ...running.started });
    process.stdout.write(`${JSON.stringify({ event: EVENTS.ready, target, ...running.started })}\n`);
    return undefined;
  } catch (thrown) {
    return refuseStart(thrown, log);
  }
}

function refuseStart(thrown: unknown, log: Log): number {
  const error = asBeaconError(thrown);
  // A taken address is the operator's to settle: the sentence says all, and a stack would only bury it.
  const unforeseen = error.code === 'internal' && takenAddress(error) === undefined;
  log.error(EVENTS.startRefused, { code: error.code, ...(unforeseen ? { error } : {}) });
  process.stderr.write(`beacond does not start: ${sentenceFor(error)}\n`);
  return 1;
}

async function runAll(): Promise<number | undefined> {
  const faults = checkConfig(process.env, homedir());
  if (faults.length > 0) {
    process.stderr.write(`beacond does not start:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
    return 2;
  }
  const config = loadConfig(process.env, homedir());
  const log = createLog(config.logLevel);
  let embedded: Embedded;
  try {
    embedded = await startEmbedded(config, log);
  } catch (thrown) {
    return refuseStart(thrown, log);
  }
  runUntilSignal({ log, graceMs: config.drainMs + 5_000, drain: () => embedded.stop() });
  greet(embedded.addresses, config.isolation);
  log.info(EVENTS.ready, { ...embedded.addresses });
  process.stdout.write(`${JSON.stringify({ event: EVENTS.ready, ...embedded.addresses })}\n`);
  return undefined;
}

function sentenceFor(error: BeaconError): string {
  if (error.code !== 'internal') return error.message;
  const taken = takenAddress(error);
  if (taken === undefined) return String(error.cause);
  return `${taken} is already in use; choose another with BEACON_HTTP_LISTEN and BEACON_GRPC_LISTEN (port 0 takes a free one)`;
}

function takenAddress(error: BeaconError): string | undefined {
  return /EADDRINUSE: address already in use (\S+:\d+)/.exec(String(error.cause))?.[1];
}
