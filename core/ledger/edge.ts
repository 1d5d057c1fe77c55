// The right edge of a growing tree: the one unfinished tile of each level, kept in memory so that appending a leaf needs
// nothing else. Finished tiles are handed to the caller, who stores them.

import { TILE_BYTES, TILE_WIDTH } from './tiles.ts';
import { HASH_BYTES, subtreeHash } from './tree.ts';

export type FullTile = { readonly level: number; readonly index: number; readonly hashes: Uint8Array };

type Row = { index: number; count: number; hashes: Uint8Array };

export class TreeEdge {
  #size: number;
  readonly #rows: Row[] = [];

  /** `rows[level]` holds the hashes of that level's unfinished tile in the tree of `size` leaves. */
  constructor(size = 0, rows: readonly Uint8Array[] = []) {
    this.#size = size;
    rows.forEach((known, level) => {
      const hashes = Buffer.alloc(TILE_BYTES);
      hashes.set(known);
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      this.#rows.push({ index, count: known.length / HASH_BYTES, hashes });
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf; `onFull` receives each tile it finishes, lowest level first. */
  append(leafHash: Uint8Array, onFull: (tile: FullTile) => void): void {
    this.#size++;
    let hash = leafHash;
    for (let level = 0; ; level++) {
      const row = this.#row(level);
      row.hashes.set(hash, row.count * HASH_BYTES);
      row.count++;
      if (row.count < TILE_WIDTH) return;
      onFull({ level, index: row.index, hashes: row.hashes });
      hash = subtreeHash(row.hashes);
      this.#rows[level] = { index: row.index + 1, count: 0, hashes: Buffer.alloc(TILE_BYTES) };
    }
  }

  /** The unfinished tile's hashes so far, if that is the tile meant. A view: do not keep or change it. */
  tile(level: number, index: number): Uint8Array | undefined {
    const row = this.#rows[level];
    return row?.index === index ? row.hashes.subarray(0, row.count * HASH_BYTES) : undefined;
  }

  #row(level: number): Row {
    let row = this.#rows[level];
    if (row === undefined) {
      row = { index: 0, count: 0, hashes: Buffer.alloc(TILE_BYTES) };
      this.#rows[level] = row;
    }
    return row;
  }
}
