// The revocation list with its epoch, its readers and what can become of a store: flushed, restored from an old copy,
// rebuilt from the ledger. Apart from barrier.ts, because no signer relies on the list and no list on a signer's fences.

import type { Model } from './explorer.ts';

export type ListRules = {
  /** A reader that finds no epoch, or a lower one than it has seen, denies. */
  readonly epoch: boolean;
  /** A fresh reader takes the least epoch it believes from a signer, not from the list it is to judge. */
  readonly floor: boolean;
  /** A change that skips an epoch is not applied: the list is rebuilt instead. */
  readonly next: boolean;
};

/** Revocations, one after the other: change c stops scope c at epoch c + 1. */
const CHANGES = 2;

type Reader = {
  /** Highest epoch it has seen. */
  readonly seen: number;
  /** Changes it has found in the list, or whose barrier had been reached when it started: what it must not forget. */
  readonly ought: number;
};
type List = { readonly epoch: number /** Changes in it, as bits. */; readonly scopes: number };

type State = {
  /** Changes in the kill-switch's log, and how many of them have their barrier. */
  readonly committed: number;
  readonly barriers: number;
  /** Epoch 0 is a flushed list. The copy is what an operator may put back. */
  readonly list: List;
  readonly copy: List;
  readonly readers: readonly Reader[];
  readonly fault: string;
};

const EMPTY: List = { epoch: 0, scopes: 0 };
const NEW: List = { epoch: 1, scopes: 0 };

export function listModel(rules: ListRules): Model<State> {
  const reader = { seen: 1, ought: 0 };
  return {
    initial: [{ committed: 0, barriers: 0, list: NEW, copy: NEW, readers: [reader, reader], fault: '' }],
    next: (state) => (state.fault === '' ? steps(state, rules) : []),
    key: ({ committed, barriers, list, copy, readers, fault }) => {
      const texts = readers.map(({ seen, ought }) => `${seen}${ought}`).sort();
      return `${committed}${barriers},${list.epoch}${list.scopes},${copy.epoch}${copy.scopes},${texts}${fault}`;
    },
    fault: ({ fault }) => (fault === '' ? undefined : fault),
  };
}

function steps(state: State, rules: ListRules): [string, State][] {
  const { committed, barriers, list, copy, readers } = state;
  const found: [string, State][] = [];
  const put = (name: string, change: Partial<State>) => found.push([name, { ...state, ...change }]);
  const epoch = committed + 1;
  if (committed < CHANGES && barriers === committed) put(`revoke scope ${epoch}`, { committed: committed + 1 });
  if (barriers < committed) put('BARRIER', { barriers: committed });
  const mayApply = list.epoch > 0 && list.epoch < epoch && (list.epoch === epoch - 1 || !rules.next);
  if (mayApply) put('list takes the change', { list: { epoch, scopes: list.scopes | (2 ** (committed - 1)) } });
  if (list.epoch < epoch) put('list rebuilt from the log', { list: { epoch, scopes: 2 ** committed - 1 } });
  if (list.epoch > 0) put('list flushed', { list: EMPTY });
  if (list.epoch > 0) put('list copied', { copy: list });
  put('list restored from the copy', { list: copy });
  readers.forEach((reader, i) => {
    const as = (next: Reader) => readers.with(i, next);
    // A signer knows at least every fence with which a barrier was reached.
    put('reader starts', { readers: as({ seen: rules.floor ? barriers + 1 : 0, ought: barriers }) });
    const denies = rules.epoch && (list.epoch === 0 || list.epoch < reader.seen);
    if (denies) return;
    const forgotten = (2 ** reader.ought - 1) & ~list.scopes;
    const ought = Math.max(reader.ought, list.epoch - 1);
    put('reader consults', {
      readers: as({ seen: Math.max(reader.seen, list.epoch), ought }),
      fault: forgotten === 0 ? '' : 'revoked, and found free',
    });
  });
  return found;
}
