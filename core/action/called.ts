// The commands a proposal calls, by the names rules speak of them: each once, bounded, without what a detector finds.

import type { Draft } from './draft.ts';
import { PROGRAM_NAMES } from './programs/program-names.ts';

/** Different commands of one proposal that rules are held against; `complete` says when there were more. */
export const MAX_CALLED = 128;

export type Called = {
  /** For each command its names, the program's first. */
  readonly list: readonly (readonly string[])[];
  readonly complete: boolean;
};

export class Commands {
  readonly #seen = new Map<string, readonly string[]>();
  #complete = true;

  /** Takes the drafts that are commands, and gives back the others. */
  take(drafts: readonly Draft[], mask: (text: string) => string): Draft[] {
    const parts: Draft[] = [];
    for (const draft of drafts) {
      if (draft.command === undefined) parts.push(draft);
      else this.#add(draft.command, mask);
    }
    return parts;
  }

  read(): Called {
    return { list: [...this.#seen.values()], complete: this.#complete };
  }

  #add(names: readonly string[], mask: (text: string) => string): void {
    const key = names.join('\n');
    if (this.#seen.has(key)) return;
    if (this.#seen.size >= MAX_CALLED) {
      this.#complete = false;
      return;
    }
    // A program of the tables is no secret, and what may follow it are plain small words; another first word may be one.
    this.#seen.set(key, PROGRAM_NAMES.has(names[0] as string) ? names : mask(key).split('\n'));
  }
}
