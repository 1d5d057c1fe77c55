// Hash tiles of the file store: the unfinished ones in memory, finished ones on disk. A tile read back from disk is
// believed only when its root is the hash its parent holds, up to what this process computed itself.

import { join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import type { FullTile, TreeEdge } from '../../core/ledger/edge.ts';
import { hashTilePath, TILE_BYTES, TILE_WIDTH } from '../../core/ledger/tiles.ts';
import { HASH_BYTES, subtreeHash } from '../../core/ledger/tree.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import type { FileSystemDoor } from './file-door.ts';

/** 8 KiB each. */
const CACHE_MAX_TILES = 1024;

export class HashTiles {
  readonly #door: FileSystemDoor;
  readonly #folder: string;
  readonly #edge: TreeEdge;
  readonly #unwritten = new Map<string, FullTile>();
  readonly #cache = new Map<string, Uint8Array>();

  constructor(door: FileSystemDoor, folder: string, edge: TreeEdge) {
    this.#door = door;
    this.#folder = folder;
    this.#edge = edge;
  }

  /** Adds a leaf to the tree; answers the tiles it finished, to be written and then reported with `written`. */
  append(leafHash: Uint8Array): FullTile[] {
    const finished: FullTile[] = [];
    this.#edge.append(leafHash, (tile) => {
      this.#unwritten.set(key(tile.level, tile.index), tile);
      finished.push(tile);
    });
    return finished;
  }

  written(tiles: readonly FullTile[]): void {
    for (const { level, index, hashes } of tiles) {
      this.#unwritten.delete(key(level, index));
      this.#remember(key(level, index), hashes);
    }
  }

  /** All hashes of the tile known so far, a view; throws `internal` when the disk does not hold what it should. */
  readonly read = async (level: number, index: number): Promise<Uint8Array> => {
    const name = key(level, index);
    const known = this.#edge.tile(level, index) ?? this.#unwritten.get(name)?.hashes ?? this.#cache.get(name);
    if (known !== undefined) {
      if (this.#cache.delete(name)) this.#cache.set(name, known);
      return known;
    }
    const hashes = await readTileFile(this.#door, this.#folder, level, index);
    const parent = await this.read(level + 1, Math.floor(index / TILE_WIDTH));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    if (hashes === undefined || !sameBytes(subtreeHash(hashes), parent.subarray(at, at + HASH_BYTES))) {
      throw new BeaconError('internal', `hash tile ${name} is missing or damaged on disk`);
    }
    this.#remember(name, hashes);
    return hashes;
  };

  #remember(name: string, hashes: Uint8Array): void {
    this.#cache.set(name, hashes);
    if (this.#cache.size <= CACHE_MAX_TILES) return;
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      return;
    }
  }
}

/** A full tile as it lies on disk, checked for nothing but its length. */
export async function readTileFile(
  door: FileSystemDoor,
  folder: string,
  level: number,
  index: number,
): Promise<Uint8Array | undefined> {
  const bytes = await door.read(join(folder, hashTilePath({ level, index, width: TILE_WIDTH })));
  return bytes?.length === TILE_BYTES ? bytes : undefined;
}

function key(level: number, index: number): string {
  return `${level}/${index}`;
}
