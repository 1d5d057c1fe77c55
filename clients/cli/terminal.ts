// How things look to a person. Everything shown may come from an agent, so control characters never reach the terminal.

import { stripVTControlCharacters, styleText } from 'node:util';
import type { World } from './world.ts';

type Style = Parameters<typeof styleText>[0];

export type Terminal = {
  /** Styled where colour is wanted, plain elsewhere. */
  style(style: Style, text: string): string;
  /** A mark, a word in its colour, and what follows. */
  headline(mood: Mood, word: string, rest?: string): void;
  /** Aligned `name  value` lines; undefined and empty values are left out. */
  fields(pairs: readonly (readonly [string, unknown])[]): void;
  table(head: readonly string[], rows: readonly (readonly unknown[])[]): Promise<void>;
  line(text?: string): void;
};

export type Mood = 'good' | 'careful' | 'waiting' | 'bad';
const MOODS: Record<Mood, { mark: string; style: Style }> = {
  good: { mark: '✔', style: ['bold', 'green'] },
  careful: { mark: '⚠', style: ['bold', 'yellow'] },
  waiting: { mark: '◔', style: ['bold', 'cyan'] },
  bad: { mark: '✖', style: ['bold', 'red'] },
};

export function terminal(world: World): Terminal {
  const style = (how: Style, text: string) => (world.colour ? styleText(how, text, { validateStream: false }) : text);
  const line = (text = '') => world.out(`${text}\n`);
  return {
    style,
    line,
    headline: (mood, word, rest = '') => {
      const { mark, style: how } = MOODS[mood];
      line(`${style(how, `${mark} ${word}`)}${rest && `  ${rest}`}`);
    },
    fields: (pairs) => {
      const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
      const width = Math.max(0, ...shown.map(([name]) => name.length));
      for (const [name, value] of shown) line(`  ${style('dim', name.padEnd(width))}  ${plain(value)}`);
    },
    table: async (head, rows) => {
      const { default: Table } = await import('cli-table3');
      const table = new Table({
        head: head.map((name) => style('dim', name)),
        style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
        chars: NO_BORDER,
      });
      for (const row of rows) table.push(row.map(plain));
      for (const text of table.toString().split('\n')) line(`  ${text.trimEnd()}`);
    },
  };
}

/** Text without escape sequences or control characters, on one line. */
export function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  // Bidirectional overrides can make one text look like another.
  return stripVTControlCharacters(text).replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

/** `1 file`, `2 files`. */
export function many(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** For cli-table3: columns stand by their blanks alone. */
export const NO_BORDER = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
