// Patches, as Codex writes them and as unified diffs: one part per file, contents as digests.

import { invalidArgument } from '../errors.ts';
import { type Draft, type DraftTarget, fileTarget } from './draft.ts';
import { sizeOf } from './extent.ts';
import { changesIn, type FileChange, SYMLINK } from './patch-changes.ts';
import type { Where } from './paths.ts';
import { plantedIn, type ReadLine } from './planted.ts';
import type { Effect } from './types.ts';

const MAX_FILES = 256;

/** Throws `invalid_argument` when the text is neither format. */
export function readPatch(text: string, where: Where, field: string, read: ReadLine): Draft[] {
  const changes = changesIn(text);
  if (changes.length === 0) throw invalidArgument(field, 'is neither an apply_patch text nor a unified diff');
  if (changes.length > MAX_FILES) throw invalidArgument(field, `changes more than ${MAX_FILES} files`);
  return changes.flatMap((change) => [
    fileDraft(change, changes.length, where),
    ...linked(change, where),
    ...(change.verb === 'delete'
      ? []
      : plantedIn(change.path, linesOf('+', change.lines), linesOf('-', change.lines), where, read)),
  ]);
}

/** Whoever reads a link reads what it names. */
function linked({ path, mode, lines }: FileChange, where: Where): Draft[] {
  const named = mode === SYMLINK ? linesOf('+', lines).trim() : '';
  if (named === '') return [];
  const from = /^[/~]/.test(named) ? named : `${path.replace(/[^/]*$/, '')}${named}`;
  return [{ tool: 'file', operation: 'link', effect: 'read', targets: [targetOf(from, where)], flags: [] }];
}

function targetOf(path: string, where: Where): DraftTarget {
  return fileTarget({ text: path, known: true, glob: false }, where.cwd ?? where.workspace, where);
}

/** What is new, or what was there, without the marks in front. */
function linesOf(mark: '+' | '-', lines: readonly string[]): string {
  return lines
    .filter((line) => line.startsWith(mark))
    .map((line) => line.slice(1))
    .join('\n');
}

const EFFECTS: { readonly [verb in FileChange['verb']]: Effect } = {
  write: 'write',
  edit: 'write',
  delete: 'delete',
  move: 'overwrite',
  copy: 'read',
  // A hook that may now run is as good as a new one.
  mode: 'write',
};

function fileDraft(change: FileChange, count: number, where: Where): Draft {
  return {
    tool: 'file',
    operation: change.verb,
    effect: EFFECTS[change.verb],
    targets: [targetOf(change.path, where)],
    // What a patch adds is new, unless the lists of what is there say otherwise.
    flags: [...(count > 50 ? ['bulk'] : []), ...(change.verb === 'write' ? ['truncate', 'tool_output'] : [])],
    residue: [change.lines.join('\n')],
    changed: sizeOf([change.lines.filter((line) => /^[+-]/.test(line)).join('\n')]),
  };
}
