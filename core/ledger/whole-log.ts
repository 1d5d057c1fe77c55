// Reads a log from its first leaf to its checkpoint, bundle by bundle, and says in the end whether these leaves, all of
// them and in this order, are what the checkpoint's root stands for. Until then nothing read from it may be believed.

import { VerifyError } from '../verify-error.ts';
import type { Checkpoint } from './checkpoint.ts';
import { decodeEntries, type EntryTile, TILE_WIDTH } from './tiles.ts';
import { foldHashes, leafHash, nodeHash } from './tree.ts';
import { sameBytes } from './tree-proof.ts';

/** The entry bundles of a log of `size` leaves, first to last; the last may be partial. */
export function* bundlesOf(size: number): Generator<EntryTile> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    yield { index, width: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) };
  }
}

export class WholeLog {
  readonly #checkpoint: Checkpoint;
  /** Complete subtrees so far, largest first, as a binary number has its ones. */
  readonly #subtrees: { width: number; hash: Uint8Array }[] = [];
  #size = 0;

  /** `checkpoint` must come from verifyCheckpoint(). */
  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  /** The next bundle as C2SP stores it; returns its leaves, the first of them at index `first`. Throws `malformed`. */
  add(bundle: Uint8Array): { first: number; leaves: readonly Uint8Array[] } {
    const first = this.#size;
    const width = Math.min(TILE_WIDTH, this.#checkpoint.size - first);
    if (width <= 0) throw new VerifyError('malformed', 'more bundles than the checkpoint has leaves for');
    const leaves = decodeEntries(bundle, width);
    for (const leaf of leaves) this.#push(leafHash(leaf));
    this.#size += width;
    return { first, leaves };
  }

  /** Throws `incomplete` when bundles are missing, `not_included` when the leaves are not those of the checkpoint. */
  end(): void {
    const { size, root } = this.#checkpoint;
    if (this.#size !== size) {
      throw new VerifyError('incomplete', `the checkpoint is over ${size} leaves, ${this.#size} were given`);
    }
    if (!sameBytes(foldHashes(this.#subtrees.map(({ hash }) => hash)), root)) {
      throw new VerifyError('not_included', 'the leaves do not hash to the checkpoint’s root');
    }
  }

  #push(hash: Uint8Array): void {
    let grown = { width: 1, hash };
    for (let last = this.#subtrees.at(-1); last?.width === grown.width; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      grown = { width: grown.width * 2, hash: nodeHash(last.hash, grown.hash) };
    }
    this.#subtrees.push(grown);
  }
}
