// JSON lines for operators, on stderr. An event's name comes first; values are what the caller passes, so callers pass
// digests and never payloads.

import { inspect } from 'node:util';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;
export type Log = { [L in LogLevel]: (event: string, fields?: LogFields) => void };

const MAX_TEXT_CHARACTERS = 2000;

type Write = (line: string, level: LogLevel) => void;

/** Writes lines at or above `level`. `write` gets one line with its newline; the default is stderr. */
export function createLog(level: LogLevel, write: Write = stderrByTurn()): Log {
  const least = LOG_LEVELS.indexOf(level);
  const line =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(at) < least) return;
      const whole = { time: new Date().toISOString(), level: at, event, ...fields };
      write(`${isPlain(fields) ? JSON.stringify(whole) : JSON.stringify(whole, printable)}\n`, at);
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}

/** One write for the lines of a turn: there is one for each decision. Errors are out before anything else happens. */
function stderrByTurn(): Write {
  let waiting = '';
  const flush = () => {
    const lines = waiting;
    waiting = '';
    if (lines !== '') process.stderr.write(lines);
  };
  process.once('exit', flush);
  return (line, level) => {
    if (waiting === '') setImmediate(flush);
    waiting += line;
    if (level === 'error' || level === 'warn') flush();
  };
}

/** Values that JSON writes as they are, which is most of what is logged and much faster. */
function isPlain(fields: LogFields): boolean {
  for (const value of Object.values(fields)) {
    if (typeof value === 'string' ? value.length > MAX_TEXT_CHARACTERS : typeof value !== 'number') return false;
  }
  return true;
}

function printable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' && value.length > MAX_TEXT_CHARACTERS) return `${value.slice(0, MAX_TEXT_CHARACTERS)}…`;
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    return { name, message, stack, ...(cause === undefined ? {} : { cause }) };
  }
  return value;
}

/** A value that every printer shows as `[secret]`; only `reveal` gives it. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
