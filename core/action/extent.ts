// How much a proposal changes, and where: what limits of size and protected paths are held against. Measured here, so
// that the policy only compares and looks up. Numbers and places, no contents.

import type { Draft } from './draft.ts';
import { MAX_TARGETS } from './parts.ts';
import { under } from './paths.ts';
import type { ActionPart, Effect } from './types.ts';

/** Places one proposal tells of; where there are more, `complete` says so. */
export const MAX_PLACES = 1_024;
/** Folders of one path that are told of, counted from the top. */
const MAX_DEPTH = 24;

export type Size = { readonly files: number; readonly lines: number; readonly bytes: number };

/** What is regenerable or temporary has places and no size: nobody reads build output. */
export type Change = Size & {
  // Each file or folder changed and every folder above it, relative to the workspace or absolute; its name stands
  // besides as `**/NAME` and `**/*.EXT`.
  readonly places: readonly string[];
  /** Those of the places that are changed with all they hold; `.` is the workspace. */
  readonly trees: readonly string[];
  readonly complete: boolean;
};

const CHANGED = new Set<Effect>(['write', 'overwrite', 'delete', 'delete_many', 'permission_change', 'discard_work']);
const WRITTEN = new Set<Effect>(['write', 'overwrite']);

/** Lines added and removed, and their bytes in UTF-8. */
export function sizeOf(texts: readonly string[]): { readonly lines: number; readonly bytes: number } {
  let lines = 0;
  let bytes = 0;
  for (const text of texts) {
    if (text === '') continue;
    lines += text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    bytes += Buffer.byteLength(text);
  }
  return { lines, bytes };
}

/** Every text in a value, however deep: an edit's list of replacements. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function inWorkspace(path: string, workspace: string | undefined): string {
  if (workspace === undefined || !under(path, workspace)) return path.replace(/^\.\//, '');
  return path.slice(workspace.length + 1);
}

/** Adds up drafts as they become parts. */
export class Extent {
  readonly #staged: Partial<Size>;
  readonly #files = new Set<string>();
  readonly #seen = new Set<string>();
  readonly #places = new Set<string>();
  readonly #trees = new Set<string>();
  #lines = 0;
  #bytes = 0;
  #committed = 0;
  #complete = true;

  /** `staged` is what the caller says lies in the index: a commit takes it in. */
  constructor(staged: Partial<Size> = {}) {
    this.#staged = staged;
  }

  /** `part` is what became of `draft`: its targets are masked and bounded. */
  add(draft: Draft, part: ActionPart, workspace: string | undefined): void {
    if (part.effect === 'vcs_local' && part.operation === 'commit') this.#commit();
    if (!CHANGED.has(draft.effect) || part.effect === 'none') return;
    const whole = draft.effect === 'delete_many' || draft.operation === 'move' || part.flags.includes('recursive');
    for (const target of part.targets)
      if (target.startsWith('file:')) this.#place(inWorkspace(target.slice(5), workspace), whole);
    if (part.targets.length === MAX_TARGETS) this.#complete = false;
    if (part.flags.includes('regenerable') || part.scope === 'temporary') return;
    for (const { id } of draft.targets) if (id.startsWith('file:')) this.#files.add(id);
    if (WRITTEN.has(draft.effect)) this.#write(draft, part);
  }

  read(): Change {
    return {
      files: Math.max(this.#files.size, this.#committed),
      lines: this.#lines,
      bytes: this.#bytes,
      places: [...this.#places],
      trees: [...this.#trees],
      complete: this.#complete,
    };
  }

  /** Twice the same is once. */
  #write(draft: Draft, part: ActionPart): void {
    const key = JSON.stringify([part.operation, part.targets, part.digests]);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const { lines, bytes } = draft.changed ?? sizeOf(draft.residue ?? []);
    this.#lines += lines;
    this.#bytes += bytes;
  }

  #commit(): void {
    const { files = 0, lines = 0, bytes = 0 } = this.#staged;
    this.#committed = files;
    this.#lines = Math.max(this.#lines, lines);
    this.#bytes = Math.max(this.#bytes, bytes);
  }

  #place(path: string, whole: boolean): void {
    const segments = path.split('/');
    const wild = segments.findIndex((segment) => /[*?[]/.test(segment));
    const kept = wild < 0 ? segments : segments.slice(0, wild);
    const named = kept.slice(0, MAX_DEPTH);
    const full = named.join('/') || '.';
    if (whole || wild >= 0 || kept.length > MAX_DEPTH) this.#put(this.#trees, full);
    for (let depth = named.length; depth > 0; depth -= 1) this.#put(this.#places, named.slice(0, depth).join('/'));
    this.#name(segments.at(-1) as string);
  }

  // `**/NAME` and `**/*.EXT`, so that a name can be protected wherever it lies.
  #name(name: string): void {
    if (name === '') return;
    this.#put(this.#places, `**/${name}`);
    const dot = name.lastIndexOf('.');
    if (dot > 0) this.#put(this.#places, `**/*${name.slice(dot)}`);
  }

  #put(into: Set<string>, place: string): void {
    if (place === '') return;
    if (this.#places.size + this.#trees.size < MAX_PLACES) into.add(place);
    else this.#complete = false;
  }
}
