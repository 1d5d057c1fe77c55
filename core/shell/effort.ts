// How much understanding one proposal may take: loops in loops, and words made of words, multiply.

import type { Frame, Walk } from './frame.ts';
import { type Arg, forkState, type ShellState } from './values.ts';
import { type Expander, expandWord } from './words.ts';

/** Steps walked, words expanded, and eighths of characters parsed, per proposal: nesting repeats all of them. */
export const MAX_WORK = 100_000;
/** Copying or comparing so many variables takes about as long as a step. */
const NAMES_A_STEP = 16;
/** And so much text. */
const CHARS_A_STEP = 256;

/** Counts a step. True when there have been too many: what is left is not looked at, and is told of as unseen, once. */
export function isSpent(walk: Walk, frame: Frame): boolean {
  walk.effort.work += 1;
  if (walk.effort.work <= MAX_WORK) return false;
  if (!walk.gaveUp) walk.judge.opaque('too_much', '', [], frame);
  walk.gaveUp = true;
  return true;
}

/** A copy for what may or may not run. */
export function fork(walk: Walk, state: ShellState): ShellState {
  const { vars, functions, aliases, exported } = state;
  walk.effort.work += Math.floor((vars.size + functions.size + aliases.size + exported.size) / NAMES_A_STEP);
  return forkState(state);
}

export function expanded(walk: Walk, word: Parameters<typeof expandWord>[0], expand: Expander): Arg[] {
  const args = expandWord(word, expand);
  let chars = 0;
  for (const { text } of args) chars += text.length;
  walk.effort.work += args.length + Math.floor(chars / CHARS_A_STEP);
  return args;
}
