// What is known while a line for Windows is read: variables, files it fetched, what it does so far.

import { type Arg, SECRET_NAME } from '../shell/values.ts';
import type { Draft } from './draft.ts';
import type { Where } from './paths.ts';
import type { Effect } from './types.ts';

/** Where what a command gives comes from. */
export type Flow = 'download' | 'decoded' | 'generated' | 'secret' | 'file';
export type Powershell = {
  where: Where;
  readonly drafts: Draft[];
  /** Runs a program of the tables. */
  readonly run: (words: readonly Arg[], cwd: string | undefined) => void;
  readonly variables: Map<string, { readonly flows: ReadonlySet<Flow>; readonly text?: string }>;
  /** Files fetched by this line, by their last name. */
  readonly fetched: Set<string>;
  /** False once a command was met that neither a cmdlet nor a table explains. */
  certain: boolean;
  depth: number;
};

export function add(state: Powershell, tool: string, effect: Effect, over: Partial<Draft> = {}): void {
  state.drafts.push({
    tool: tool.slice(0, 64) || 'powershell',
    operation: 'run',
    effect,
    targets: [],
    scope: 'machine',
    ...over,
    flags: ['windows', ...(over.flags ?? [])],
  });
}

/** Where what stands in a word comes from; `inner`: what its own brackets gave, where it has any. */
export function flowsIn(
  state: Powershell,
  { text, known }: { readonly text: string; readonly known: boolean },
  inner?: ReadonlySet<Flow>,
): Set<Flow> {
  const out = new Set<Flow>();
  if (known) return out;
  for (const [, scope, name] of text.matchAll(/\$\{?(env:)?(\w{1,64})/gi)) {
    if (scope !== undefined) {
      if (SECRET_NAME.test(name as string)) out.add('secret');
    } else for (const flow of state.variables.get((name as string).toLowerCase())?.flows ?? []) out.add(flow);
  }
  if (inner && /\(/.test(text)) for (const flow of inner) out.add(flow);
  return out;
}
