// Which places of the tables a wildcard path could mean: `~/.ss?/id_*` reads a key as well as its plain name does.
// A pattern that says next to nothing (`*`, `*.json`) means none of them by itself.

import { globMatches, segmentMatches } from './paths.ts';

/** Letters that must stand there before a wildcard of any length says something. */
const MIN_LITERAL = 3;
const WILD = /[*?[]|[@!+]\(/;

type Entry<Tag> = readonly [path: string, tag: Tag];
export type PatternTables<Tag> = {
  readonly files: readonly Entry<Tag>[];
  readonly trees: readonly Entry<Tag>[];
  readonly names: readonly Entry<Tag>[];
  readonly folders: readonly Entry<Tag>[];
};

/** `key` has the home folder as `~`. */
export function tagsOfPattern<Tag>(key: string, tables: PatternTables<Tag>): Tag[] {
  const segments = key.split('/');
  const out: Tag[] = [];
  for (const [name, tag] of tables.files) if (globMatches(key, name)) out.push(tag);
  for (const [name, tag] of tables.trees) if (reaches(segments, name.split('/'))) out.push(tag);
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '' || !telling(segment)) return;
    if (last) for (const [name, tag] of tables.names) if (segmentMatches(segment, name)) out.push(tag);
    for (const [name, tag] of tables.folders) {
      const [first, second] = name.split('/') as [string, string | undefined];
      if (!segmentMatches(segment, first)) continue;
      if (second === undefined ? !last : segmentMatches(segments[index + 1] ?? '', second)) out.push(tag);
    }
  });
  return out;
}

/** The first segments of the pattern are the tree, and more follow. */
function reaches(pattern: readonly string[], tree: readonly string[]): boolean {
  return (
    pattern.length > tree.length &&
    pattern[0] === tree[0] &&
    tree.every(
      (name, index) =>
        name === pattern[index] ||
        (telling(pattern[index] as string) && segmentMatches(pattern[index] as string, name)),
    )
  );
}

/** Plain, or of fixed length, or with enough letters before what is of any length. */
function telling(segment: string): boolean {
  if (!WILD.test(segment)) return true;
  const at = segment.search(/\*|[@!+]\(/);
  if (at < 0) return /[A-Za-z0-9]/.test(segment.replace(/\[[^\]]*\]/g, ''));
  const literal = segment.startsWith('.') ? segment.replace(/[*?[\]@!+()]/g, '').length : at;
  return literal >= MIN_LITERAL;
}
