// How a verb says no: an exit status, a code for programs, a sentence for people.

import { ERROR_CODES } from '../../core/errors.ts';

/** 0 yes · 1 no, the code is printed · 2 wrong usage · 3 Beacon unreachable or no answer. */
export const EXIT = { yes: 0, no: 1, usage: 2, noAnswer: 3 } as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

export class CliFailure extends Error {
  readonly exit: Exit;
  readonly code: string;

  constructor(exit: Exit, code: string, message: string) {
    super(message);
    this.name = 'CliFailure';
    this.exit = exit;
    this.code = code;
  }
}

export function usage(message: string): CliFailure {
  return new CliFailure(EXIT.usage, 'usage', message);
}

export function unreachable(message: string): CliFailure {
  return new CliFailure(EXIT.noAnswer, 'unavailable', message);
}

/** A code Beacon answered with. */
export function refusedByBeacon(code: string, message: string): CliFailure {
  const known = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as keyof typeof ERROR_CODES].exit : EXIT.noAnswer;
  return new CliFailure(known, code, message);
}
