// What a shell line writes into files whose lines run later, read as a patch of the same text would be.

import type { Frame } from '../../shell/frame.ts';
import type { Arg, ShellState } from '../../shell/values.ts';
import type { Draft, DraftTarget } from '../draft.ts';
import type { Where } from '../paths.ts';
import { plantedIn, type ReadLine } from '../planted.ts';

type Meaning = { readonly where: Where; readonly line: ReadLine; add(draft: Draft): void };

/** `text`: as far as the line shows it; `before`: what it replaces. What lies on another machine is not this one's to run. */
export function plant(
  meaning: Meaning,
  target: DraftTarget,
  text: string | undefined,
  frame: Frame,
  before?: string,
): void {
  if (text === undefined || text === '' || !target.id.startsWith('file:')) return;
  for (const draft of plantedIn(target.id.slice(5), text, before, meaning.where, meaning.line))
    meaning.add({ ...draft, range: frame.range });
}

/** What `echo` and `printf` are told to print, where some of it is known only when it runs. */
export function printed(words: readonly Arg[]): string | undefined {
  if (!words[0]?.known || !/^(?:echo|printf)$/.test(words[0].text)) return undefined;
  return words
    .slice(1)
    .map((word) => word.text.replace(/\\n/g, '\n').replace(/\\t/g, '\t'))
    .join(' ');
}

/** What this line wrote and then copied or moved is planted where it lands. */
export function plantCarried(
  meaning: Meaning,
  state: ShellState,
  from: readonly DraftTarget[],
  to: DraftTarget,
  frame: Frame,
): void {
  if (state.files.size === 0) return;
  for (const { id } of from) {
    const text = state.files.get(id)?.text;
    const name = id.slice(id.lastIndexOf('/') + 1);
    const folder = `${to.id.replace(/\/$/, '')}/${name}`;
    // A folder or a name: nobody said which.
    for (const place of [to.id, folder]) plant(meaning, { ...to, id: place }, text, frame);
  }
}

const SUBSTITUTES =
  /(?:^|[\s;{}\d$/,!])s([^\w\s\\])((?:\\[\s\S]|(?!\1)[\s\S]){0,2000})\1((?:\\[\s\S]|(?!\1)[\s\S]){0,2000})\1/g;
const PUTS = /(?:^|[\s;{}\d$/,!])[aic](?:\\\n?|[ \t])[ \t]{0,40}([^\n]{1,4000})/g;

/** What the script of `sed -i` brings into its files. */
export function plantEdits(meaning: Meaning, targets: readonly DraftTarget[], script: string, frame: Frame): void {
  const shown = (text: string) =>
    text.replace(/\\([\s\S])/g, (_all, letter: string) => (letter === 't' ? '\t' : letter === 'n' ? '\n' : letter));
  const substituted = [...script.matchAll(SUBSTITUTES)];
  const text = [
    ...substituted.map((match) => match[3] as string),
    ...[...script.matchAll(PUTS)].map((match) => match[1] as string),
  ];
  const before = substituted.map((match) => shown(match[2] as string)).join('\n');
  for (const target of targets) plant(meaning, target, shown(text.join('\n')), frame, before);
}
