// JSON lines for operators, on stderr. An event's name comes first; values are what the caller passes, so callers pass
// digests and never payloads.

import { inspect } from 'node:util';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;
export type Log = { [L in LogLevel]: (event: string, fields?: LogFields) => void };

const MAX_TEXT_CHARACTERS = 2000;

/** Writes lines at or above `level`. `write` gets one line with its newline; the default is stderr. */
export function createLog(level: LogLevel, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const least = LOG_LEVELS.indexOf(level);
  const line =
    (at: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(at) < least) return;
      write(`${JSON.stringify({ time: new Date().toISOString(), level: at, event, ...fields }, printable)}\n`);
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
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
