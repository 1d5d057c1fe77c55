// A part before it is finished: targets still in clear, contents still at hand. Nothing of this type is ever kept.

import type { PartExternality } from '../externality.ts';
import { resolvePath, type Where } from './paths.ts';
import type { Effect, Scope } from './types.ts';

/** Longer paths are not looked up. */
const MAX_PATH = 4_096;

export type DraftTarget = {
  /** `file:/…`, `branch:origin/main`, `url:https://…` */
  readonly id: string;
  readonly known: boolean;
  readonly glob: boolean;
  /** Something is put there: it may not exist before. */
  readonly lands?: true;
};

export type Draft = {
  readonly tool: string;
  readonly operation: string;
  readonly effect: Effect;
  readonly targets: readonly DraftTarget[];
  readonly flags: readonly string[];
  /** Text that changes what happens and has no place of its own: it enters as a keyed digest. */
  readonly residue?: readonly string[];
  readonly systems?: readonly string[];
  readonly scope?: Scope;
  readonly externality?: Partial<PartExternality>;
  /** It is no part: the names of a command that was called. */
  readonly command?: readonly string[];
  /** Lines and bytes it adds and takes away, where its residue does not tell. */
  readonly changed?: { readonly lines: number; readonly bytes: number };
  /** Reads names, sizes, times, not contents. */
  readonly metadata?: boolean;
  /** Where in the proposal's text this stands. */
  readonly range?: { readonly start: number; readonly end: number } | undefined;
};

/** Two drafts of one key finish as the same part. */
export function draftKey(draft: Draft): string {
  const targets = draft.targets
    .map((target) => `${target.id}${target.known ? '' : '?'}${target.glob ? '*' : ''}${target.lands ? '<' : ''}`)
    .join('\n');
  return [
    draft.effect,
    draft.tool,
    draft.operation,
    targets,
    draft.flags.join(),
    draft.residue?.join('\0') ?? '',
    draft.scope ?? '',
    draft.metadata === true ? 'm' : '',
    draft.externality?.sensitive_payload ?? '',
    draft.range?.start ?? '',
  ].join('\u0001');
}

export function plainTarget(id: string): DraftTarget {
  return { id, known: true, glob: false };
}

type WordLike = { readonly text: string; readonly known: boolean; readonly glob: boolean };

export function fileTarget(word: WordLike, cwd: string | undefined, where: Where, remote?: string): DraftTarget {
  // A variable in front may be anything, the rest is then no path of its own.
  const unresolved = !word.known && /^\$/.test(word.text);
  // A letter that only looks like a slash is judged as what it looks like.
  const plain = word.text.normalize('NFKC');
  const text = plain !== word.text && /^[/~]/.test(plain) ? plain : word.text;
  const path = unresolved ? word.text : resolvePath(text, cwd, where.home);
  if (path.length > MAX_PATH) return { id: `file:${path.slice(0, 200)}/$LONG`, known: false, glob: word.glob };
  return { id: `${remote === undefined ? '' : `${remote}/`}file:${path}`, known: word.known, glob: word.glob };
}
