// What a verb may touch: environment, streams, signals. Tests hand in a world of their own.

import { readAtMost } from '../transport/request.ts';
import { EXIT, usage } from './failure.ts';
import type { PolicyTools } from './policy-tools.ts';

/** Far more than Beacon takes. */
const MAX_STDIN_BYTES = 16 * 1_048_576;

export type World = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** True when a person at a terminal reads stdout and has not asked for plain text. */
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  out(text: string | Uint8Array): void;
  err(text: string): void;
  readStdin(): Promise<Uint8Array>;
  /** Calls `stop` when the person interrupts or nobody reads any more. */
  onInterrupt(stop: () => void): void;
  /** Absent where only clients are installed. */
  readonly policyTools?: (() => Promise<PolicyTools>) | undefined;
};

export function processWorld(): World {
  const stops: (() => void)[] = [];
  // A closed pipe (`| head`) ends what follows for ever, but never changes a verb's answer: a DENY stays 1.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      process.stderr.write(`beacon: unavailable: the answer cannot be written (${error.code})\n`);
      process.exit(EXIT.noAnswer);
    }
    for (const stop of stops) stop();
  });
  return {
    env: process.env,
    cwd: process.cwd(),
    colour: wantsColour(process.env, process.stdout.isTTY === true),
    width: process.stdout.columns ?? 100,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    readStdin: () => readAtMost(process.stdin, MAX_STDIN_BYTES),
    onInterrupt: (stop) => {
      stops.push(stop);
      process.once('SIGINT', stop);
    },
  };
}

/** What stands on stdin is asked about as it stands: with letters put in for what is no UTF-8, another text would be judged. */
export async function stdinText(world: Pick<World, 'readStdin'>): Promise<string> {
  const bytes = await world.readStdin();
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw usage('what stands on stdin is not UTF-8');
  }
}

/** https://no-color.org; FORCE_COLOR as Node reads it. */
export function wantsColour(env: World['env'], isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0';
  return isTerminal && env.TERM !== 'dumb';
}
