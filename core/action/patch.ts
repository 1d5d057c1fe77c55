// Patches, as Codex writes them and as unified diffs: one part per file, contents as digests.

import { invalidArgument } from '../errors.ts';
import { type Draft, fileTarget } from './draft.ts';
import { sizeOf } from './extent.ts';
import type { Where } from './paths.ts';
import { plantedIn, type ReadLine } from './planted.ts';

const MAX_FILES = 256;

type FileChange = {
  readonly path: string;
  readonly verb: 'write' | 'delete' | 'edit' | 'move';
  readonly lines: string[];
};

/** Throws `invalid_argument` when the text is neither format. */
export function readPatch(text: string, where: Where, field: string, read: ReadLine): Draft[] {
  const changes = /^\*\*\* Begin Patch/m.test(text) ? codexChanges(text) : unifiedChanges(text);
  if (changes.length === 0) throw invalidArgument(field, 'is neither an apply_patch text nor a unified diff');
  if (changes.length > MAX_FILES) throw invalidArgument(field, `changes more than ${MAX_FILES} files`);
  return changes.flatMap((change) => [
    fileDraft(change, changes.length, where),
    ...(change.verb === 'delete'
      ? []
      : plantedIn(change.path, linesOf('+', change.lines), linesOf('-', change.lines), where, read)),
  ]);
}

/** What is new, or what was there, without the marks in front. */
function linesOf(mark: '+' | '-', lines: readonly string[]): string {
  return lines
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(1))
    .join('\n');
}

function fileDraft(change: FileChange, count: number, where: Where): Draft {
  return {
    tool: 'file',
    operation: change.verb,
    effect: change.verb === 'delete' ? 'delete' : change.verb === 'move' ? 'overwrite' : 'write',
    targets: [fileTarget({ text: change.path, known: true, glob: false }, where.cwd ?? where.workspace, where)],
    // What a patch adds is new, unless the lists of what is there say otherwise.
    flags: [...(count > 50 ? ['bulk'] : []), ...(change.verb === 'write' ? ['truncate', 'tool_output'] : [])],
    residue: [change.lines.join('\n')],
    changed: sizeOf([change.lines.filter((line) => /^[+-]/.test(line)).join('\n')]),
  };
}

const HEADER = /^\*\*\* (Add File|Update File|Delete File|Move to): (.+)$/;

function codexChanges(text: string): FileChange[] {
  const changes: FileChange[] = [];
  for (const line of text.split('\n')) {
    const match = HEADER.exec(line.replace(/\r$/, ''));
    if (match) {
      const path = (match[2] as string).trim();
      if (match[1] === 'Move to') {
        const from = changes.at(-1);
        if (from) changes[changes.length - 1] = { ...from, verb: 'move' };
        changes.push({ path, verb: 'write', lines: [] });
      } else
        changes.push({
          path,
          verb: match[1] === 'Delete File' ? 'delete' : match[1] === 'Add File' ? 'write' : 'edit',
          lines: [],
        });
    } else if (!line.startsWith('*** ')) changes.at(-1)?.lines.push(line);
  }
  return changes;
}

function unifiedChanges(text: string): FileChange[] {
  const changes: FileChange[] = [];
  let old: string | undefined;
  let renamed: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const rename = /^rename (from|to) (.+)$/.exec(line);
    if (rename?.[1] === 'from') renamed = rename[2];
    if (rename?.[1] === 'to') {
      if (renamed !== undefined) changes.push({ path: renamed, verb: 'move', lines: [] });
      changes.push({ path: rename[2] as string, verb: 'write', lines: [] });
    }
    if (/^--- \S/.test(line)) old = stripped(line.slice(4));
    else if (/^\+\+\+ \S/.test(line) && old !== undefined) {
      const path = stripped(line.slice(4));
      if (path === '/dev/null') changes.push({ path: old, verb: 'delete', lines: [] });
      else changes.push({ path, verb: old === '/dev/null' ? 'write' : 'edit', lines: [] });
      old = undefined;
    } else if (/^[-+ @]/.test(line)) changes.at(-1)?.lines.push(line);
  }
  return changes;
}

/** Without git's `a/` and `b/`, and without the time some tools append. */
function stripped(name: string): string {
  const path =
    name
      .split('\t')[0]
      ?.trim()
      .replace(/^"(.*)"$/, '$1') ?? '';
  return /^[ab]\//.test(path) ? path.slice(2) : path;
}
