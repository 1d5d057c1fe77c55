// The revocation list with its epoch, its readers and what can become of a store: flushed, restored from an old copy,
// rebuilt from the ledger. Apart from barrier.ts, because no signer relies on the list and no list on a signer's fences.

import type { Model } from './explorer.ts';

export type ListRules = {
  /** A reader that finds no epoch, or a lower one than it has seen, denies. */
  readonly epoch: boolean;
  /** A fresh reader takes the least epoch it believes from a signer, not from the list it is to judge. */
  readonly floor: boolean;
};

/** Revocations, one after the other: change c stops scope c at epoch c + 1. */
const CHANGES = 2;

type State = {
  /** Changes in the kill-switch's log, and how many of them have their barrier. */
  readonly committed: number;
  readonly barriers: number;
  /** Epoch of the list (its scopes follow from it: it is applied in order or rebuilt), 0 when flushed; and an old copy. */
  readonly list: number;
  readonly copy: number;
  /** Highest epoch each of two readers has seen. */
  readonly seen: readonly number[];
  readonly fault: string;
};

export function listModel(rules: ListRules): Model<State> {
  return {
    initial: [{ committed: 0, barriers: 0, list: 1, copy: 1, seen: [1, 1], fault: '' }],
    next: (state) => (state.fault === '' ? steps(state, rules) : []),
    key: ({ committed, barriers, list, copy, seen, fault }) =>
      `${committed}${barriers}${list}${copy}${[...seen].sort().join('')}${fault}`,
    fault: ({ fault }) => (fault === '' ? undefined : fault),
  };
}

function steps(state: State, rules: ListRules): [string, State][] {
  const { committed, barriers, list, copy, seen } = state;
  const found: [string, State][] = [];
  const put = (name: string, change: Partial<State>) => found.push([name, { ...state, ...change }]);
  if (committed < CHANGES && barriers === committed) put('revoke', { committed: committed + 1 });
  if (barriers < committed) put('BARRIER', { barriers: committed });
  // One entry on top of forgotten ones would pass for the whole truth: only the next epoch is applied.
  if (list > 0 && list === committed) put('list takes the change', { list: list + 1 });
  if (list < committed + 1) put('list rebuilt from the log', { list: committed + 1 });
  if (list > 0) put('list flushed', { list: 0 });
  if (list > 0 && copy !== list) put('list copied', { copy: list });
  if (list !== copy) put('list restored from the copy', { list: copy });
  seen.forEach((highest, reader) => {
    // What a signer knows: at least every fence the barriers were reached with.
    put('reader starts', { seen: seen.with(reader, rules.floor ? barriers + 1 : 0) });
    const denies = rules.epoch && (list === 0 || list < highest);
    // Believed: scopes 1 to list - 1 are revoked, every other is free. At fault when this reader could know better.
    const known = Math.max(highest, 1) - 1;
    const stopped = Math.max(known, rules.floor ? 0 : barriers);
    const free = !denies && list - 1 < stopped;
    const after = rules.epoch ? Math.max(highest, list) : highest;
    if (!denies)
      put('reader consults', { seen: seen.with(reader, after), fault: free ? 'revoked, and found free' : '' });
  });
  return found;
}
