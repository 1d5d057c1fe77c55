// What the file store does behind the appends: writes finished bundles and tiles to their files, syncs those files once a
// WAL segment holds nothing else, and then removes the segment. One step at a time, writing before syncing.

import { dirname, join } from 'node:path';
import { encodeEntries, entryTilePath, hashTilePath, TILE_WIDTH } from '../../core/ledger/tiles.ts';
import type { Bundles, FinishedBundle } from './file-bundles.ts';
import { type FileSystemDoor, syncFile, writeFile } from './file-door.ts';
import { encodeEvidence, evidencePath } from './file-evidence.ts';
import type { HashTiles } from './file-tiles.ts';
import type { WriteAheadLog } from './file-wal.ts';

/** Appends wait while more than this is finished and unwritten, or more segments than that wait for removal. */
const UNWRITTEN_MAX_BYTES = 67_108_864;
const SEGMENTS_MAX = 6;

export type SettlerParts = {
  readonly door: FileSystemDoor;
  readonly folder: string;
  readonly wal: WriteAheadLog;
  readonly bundles: Bundles;
  readonly tiles: HashTiles;
  readonly onFailure: (cause: unknown) => void;
};

export class Settler {
  readonly #parts: SettlerParts;
  readonly #folders = new Set<string>();
  readonly #unsyncedFolders = new Set<string>();
  #unsynced: { bundle: number; path: string }[] = [];
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /** Starts the work there is, if it is not under way already. */
  wake(): void {
    if (this.#running !== undefined || this.#failed) return;
    this.#running = this.#run();
  }

  /** Resolves when there is nothing left to do. */
  async idle(): Promise<void> {
    do {
      this.wake();
      await this.#running;
    } while (!this.#failed && this.#parts.bundles.nextFinished() !== undefined);
  }

  /** Resolves when appends may go on: at once, unless the disk has fallen far behind. */
  async room(): Promise<void> {
    const { wal, bundles } = this.#parts;
    if (bundles.unwrittenBytes() > UNWRITTEN_MAX_BYTES || wal.segments().length > SEGMENTS_MAX) await this.idle();
  }

  async #run(): Promise<void> {
    try {
      // The first step belongs to the caller's tick: let the append that woke us answer first.
      await Promise.resolve();
      while (await this.#step());
    } catch (cause) {
      this.#failed = true;
      this.#parts.onFailure(cause);
    } finally {
      this.#running = undefined;
    }
  }

  async #step(): Promise<boolean> {
    const finished = this.#parts.bundles.nextFinished();
    if (finished !== undefined) {
      await this.#write(finished);
      return true;
    }
    const settledBelow = this.#retirableEnd();
    if (settledBelow === undefined) return false;
    const next = this.#unsynced[0];
    if (next !== undefined && next.bundle * TILE_WIDTH < settledBelow) {
      await syncFile(this.#parts.door, next.path);
      this.#unsynced.shift();
      return true;
    }
    await this.#syncFolders();
    await this.#parts.wal.retireOldest();
    return true;
  }

  /** The index below which everything must be synced to remove the oldest segment; undefined while it has to stay. */
  #retirableEnd(): number | undefined {
    const [oldest, second] = this.#parts.wal.segments();
    // The segment that stays behind must hold a record: from it the next start learns how long the log is.
    if (oldest === undefined || second === undefined || second.endIndex === second.firstIndex) return undefined;
    return oldest.endIndex <= this.#parts.bundles.onDisk() * TILE_WIDTH ? oldest.endIndex : undefined;
  }

  async #write({ bundle, records, tiles }: FinishedBundle): Promise<void> {
    await this.#writeFile(
      bundle,
      entryTilePath({ index: bundle, width: TILE_WIDTH }),
      encodeEntries(records.map((record) => record.leaf)),
    );
    await this.#writeFile(bundle, evidencePath(bundle), encodeEvidence(bundle, records));
    for (const { level, index, hashes } of tiles) {
      await this.#writeFile(bundle, hashTilePath({ level, index, width: TILE_WIDTH }), hashes);
    }
    this.#parts.tiles.written(tiles);
    this.#parts.bundles.written();
  }

  async #writeFile(bundle: number, name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#parts.folder, name);
    await this.#makeFolder(dirname(path));
    this.#unsyncedFolders.add(dirname(path));
    await writeFile(this.#parts.door, path, bytes, false);
    this.#unsynced.push({ bundle, path });
  }

  /** A folder may exist from before a crash without being durable in its parent, so the first sight of it counts. */
  async #makeFolder(path: string): Promise<void> {
    if (path === this.#parts.folder || this.#folders.has(path)) return;
    await this.#makeFolder(dirname(path));
    await this.#parts.door.makeDirectory(path);
    this.#folders.add(path);
    this.#unsyncedFolders.add(dirname(path));
  }

  async #syncFolders(): Promise<void> {
    for (const path of this.#unsyncedFolders) {
      await this.#parts.door.syncDirectory(path);
      this.#unsyncedFolders.delete(path);
    }
  }
}
