// What a shell line writes into files whose lines run later, read as a patch of the same text would be.

import type { Frame } from '../../shell/frame.ts';
import type { Arg, Origin, ShellState, Stream } from '../../shell/values.ts';
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

/** What lies in a file after this line has written there. */
export function joinWritten(before: Stream | undefined, content: Stream, append: boolean): Stream {
  const origins: readonly Origin[] = [...new Set<Origin>([...(before?.origins ?? []), ...content.origins])];
  const text = append
    ? before?.text !== undefined && content.text !== undefined
      ? before.text + content.text
      : undefined
    : content.text;
  if (text !== undefined) return { text, origins };
  const shown = content.shown === undefined ? {} : { shown: content.shown };
  return { origins: origins.length > 0 ? origins : ['generated'], ...shown };
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
    const written = state.files.get(id);
    const text = written?.text ?? written?.shown;
    const before = written?.text === undefined ? '' : undefined;
    const name = id.slice(id.lastIndexOf('/') + 1);
    const folder = `${to.id.replace(/\/$/, '')}/${name}`;
    // A folder or a name: nobody said which.
    for (const place of [to.id, folder]) plant(meaning, { ...to, id: place }, text, frame, before);
  }
}
