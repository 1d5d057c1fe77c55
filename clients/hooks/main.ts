// `beacon hook codex|claude-code [--client-file FILE]`: the hook before and after a tool. Agent clients run the tool when their hook
// crashes, is late or says something they cannot read; the one refusal that always holds is exit status 2 with a reason
// on stderr. So everything here ends in an answer that was decided, or in that.

import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BeaconError } from '../../core/errors.ts';
import { runs } from '../../core/route.ts';
import { VerifyError } from '../../core/verify-error.ts';
import { plain } from '../cli/terminal.ts';
import { readAtMost } from '../transport/request.ts';
import { aboutCall, ask } from './ask.ts';
import { claudeCode } from './claude-code.ts';
import { type Beacon, readClientFile, readEnvironment } from './client-file.ts';
import { codex } from './codex.ts';
import { MAX_EVENT_BYTES, readToolEvent } from './event.ts';
import { decideOutput } from './output.ts';
import { surroundings } from './surroundings.ts';
import type { Vendor } from './vendor.ts';
import { refusalText, undecidedText, warningText } from './words.ts';

/** From the start of the process to the answer; the clients' own limits are 30 s and more. */
export const DEADLINE_MS = 8_000;
const REFUSED = 2;
const VENDORS: readonly Vendor[] = [codex, claudeCode];

export type HookWorld = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Milliseconds since the process began, by a clock that only goes forward. */
  elapsedMs(): number;
  out(text: string): void;
  err(text: string): void;
  /** Lets go of stdin: a client that keeps it open must not keep the hook alive until its own timeout. */
  close(): void;
};

/** Answers one event and resolves to the exit status: 0 (decided) or 2 (refused, with the reason on stderr). Never throws. */
export async function runHook(argv: readonly string[], world: HookWorld = guardedProcess()): Promise<number> {
  const deadline = Promise.withResolvers<never>();
  const stop = new AbortController();
  const seen: Seen = {};
  const timer = setTimeout(
    () => {
      stop.abort();
      deadline.reject(new BeaconError('deadline_exceeded', `Beacon gave no answer within ${DEADLINE_MS / 1000} s`));
    },
    Math.max(0, DEADLINE_MS - world.elapsedMs()),
  );
  try {
    const text = await Promise.race([decide(argv, world, stop.signal, seen), deadline.promise]);
    if (text !== '') world.out(text);
    return 0;
  } catch (thrown) {
    // A tool that has run is past refusing: what it gave back is kept from the model instead.
    if (seen.withhold) {
      world.out(seen.withhold(undecidedText(reasonOf(thrown))));
      return 0;
    }
    world.err(`${plain(`Beacon: refused, because no valid decision was had: ${reasonOf(thrown)}`)}\n`);
    return REFUSED;
  } finally {
    clearTimeout(timer);
    stop.abort();
    world.close();
  }
}

/** What is known of an event by the time that something fails. */
type Seen = { withhold?: (reason: string) => string };

/** The text for stdout. Throws whatever stands between the event and a decision that can be believed. */
async function decide(argv: readonly string[], world: HookWorld, signal: AbortSignal, seen: Seen): Promise<string> {
  const { vendor, clientFile } = readArguments(argv);
  const event = readToolEvent(await readAtMost(world.stdin, MAX_EVENT_BYTES));
  if (!event) return '';
  if (event.event === 'PostToolUse') seen.withhold = (reason) => vendor.withhold(event, reason);
  const beacon: Beacon =
    clientFile === undefined ? await readEnvironment(world, vendor.surface) : await readClientFile(clientFile);
  const nonce = randomUUID();
  if (event.event === 'PostToolUse') {
    return decideOutput({ vendor, event, beacon, nonce, signal, elapsedMs: world.elapsedMs });
  }
  const context = await surroundings(event, beacon.workspace);
  const question = aboutCall({ beacon, event, surface: vendor.surface, nonce }, context);
  const answer = await ask(question, signal, world.elapsedMs);
  if (!runs(answer.route) || answer.unmet.length > 0) return vendor.refuse(event.event, refusalText(answer));
  return vendor.allow(event.event, answer.route === 'WARN' ? warningText(answer) : undefined);
}

function readArguments(argv: readonly string[]): { vendor: Vendor; clientFile: string | undefined } {
  const { values, positionals } = parseStrictly(argv);
  const vendor = VENDORS.find(({ surface }) => surface === positionals[0]);
  if (!vendor || positionals.length !== 1) throw wrongUsage();
  return { vendor, clientFile: values['client-file'] };
}

function parseStrictly(argv: readonly string[]) {
  const options = { 'client-file': { type: 'string' } } as const;
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch {
    throw wrongUsage();
  }
}

function wrongUsage(): BeaconError {
  const names = VENDORS.map(({ surface }) => surface).join('|');
  return new BeaconError('invalid_argument', `usage: beacon hook ${names} [--client-file FILE]`);
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof BeaconError || thrown instanceof VerifyError) return `${thrown.code}: ${thrown.message}.`;
  return `internal: ${thrown instanceof Error ? thrown.message : 'unexpected failure'}.`;
}

/** The real process, with every way it could die quietly turned into a refusal. */
function guardedProcess(): HookWorld {
  const refuse = (why: string) => {
    try {
      writeSync(2, `Beacon: refused, because the hook ${why}.\n`);
    } finally {
      endNow(REFUSED);
    }
  };
  process.on('uncaughtException', (error) => refuse(`failed (${error.message})`));
  process.on('unhandledRejection', () => refuse('failed (unhandled rejection)'));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => refuse(`got ${signal}`));
  // Nothing may hold the process after the deadline, not even an answer that cannot be written; one that was given stands.
  const end = () => (typeof process.exitCode === 'number' ? endNow(process.exitCode) : refuse('was too slow'));
  setTimeout(end, DEADLINE_MS + 1_000).unref();
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    elapsedMs: () => performance.now(),
    out: (text) => writeAll(1, text),
    err: (text) => writeAll(2, text),
    close: () => void process.stdin.destroy(),
  };
}

/**
 * An exit waits for what other threads are at, and a look at a pipe, a mount or a name server may never end: the client would
 * give the hook up and run the tool. Another program in the place of this one waits for nothing.
 */
function endNow(status: number): never {
  // Node may need of its environment what it was started with, but no options.
  const env = { ...process.env, NODE_OPTIONS: '' };
  process.execve?.(process.execPath, [process.execPath, '-e', `process.exitCode = ${status}`], env);
  process.exit(status);
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}
