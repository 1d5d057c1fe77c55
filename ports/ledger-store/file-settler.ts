// What the file store does behind the appends: one lane prepares WAL segments and writes finished bundles and tiles to
// their files, the other syncs those files once a WAL segment holds nothing else, and removes the segment. Together they
// hold three of Node's four file threads at most: one is always left for the WAL's own sync.

import { dirname, join } from 'node:path';
import { encodeEntries, entryTilePath, hashTilePath, TILE_WIDTH } from '../../core/ledger/tiles.ts';
import type { Bundles, FinishedBundle } from './file-bundles.ts';
import { type FileSystemDoor, syncFile, writeFile } from './file-door.ts';
import { encodeEvidence, evidencePath } from './file-evidence.ts';
import type { HashTiles } from './file-tiles.ts';
import type { WriteAheadLog } from './file-wal.ts';

/** Appends wait while more than this is finished and unwritten, or more segments than that wait for removal. */
const UNWRITTEN_MAX_BYTES = 67_108_864;
const SEGMENTS_MAX = 4;
/** Two syncs at once share one journal commit and take hardly longer than one. */
const SYNCS_AT_ONCE = 2;

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
  readonly #unsynced: { bundle: number; path: string }[] = [];
  readonly #writing: Lane;
  readonly #syncing: Lane;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
    this.#syncing = new Lane(() => this.#syncStep(), parts.onFailure);
    this.#writing = new Lane(() => this.#writeStep(), parts.onFailure);
  }

  /** Starts the work there is, if it is not under way already. */
  wake(): void {
    this.#writing.wake();
    this.#syncing.wake();
  }

  /** Resolves when there is nothing left to do. */
  async idle(): Promise<void> {
    await this.#writing.idle();
    await this.#syncing.idle();
  }

  /** Resolves when appends may go on: at once, unless the disk has fallen far behind. */
  async room(): Promise<void> {
    const { wal, bundles } = this.#parts;
    while (bundles.unwrittenBytes() > UNWRITTEN_MAX_BYTES && (await this.#writing.step()));
    while (wal.segments().length > SEGMENTS_MAX && (await this.#syncing.step()));
  }

  async #writeStep(): Promise<boolean> {
    if (this.#parts.wal.needsNext()) {
      await this.#parts.wal.prepareNext();
      return true;
    }
    const finished = this.#parts.bundles.nextFinished();
    if (finished === undefined) return false;
    await this.#write(finished);
    this.#syncing.wake();
    return true;
  }

  async #syncStep(): Promise<boolean> {
    const settledBelow = this.#retirableEnd();
    if (settledBelow === undefined) return false;
    const due = this.#unsynced.slice(0, SYNCS_AT_ONCE).filter(({ bundle }) => bundle * TILE_WIDTH < settledBelow);
    if (due.length > 0) {
      await Promise.all(due.map(({ path }) => syncFile(this.#parts.door, path)));
      this.#unsynced.splice(0, due.length);
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

  /** Taken out before its sync: a name the other lane makes meanwhile puts the folder back in. */
  async #syncFolders(): Promise<void> {
    for (const path of [...this.#unsyncedFolders]) {
      this.#unsyncedFolders.delete(path);
      await this.#parts.door.syncDirectory(path);
    }
  }
}

/** Takes steps until one finds nothing to do; the first that fails ends the lane for good. */
class Lane {
  readonly #take: () => Promise<boolean>;
  readonly #onFailure: (cause: unknown) => void;
  #wanted = false;
  #failed = false;
  #current: Promise<boolean> = Promise.resolve(false);
  #running: Promise<void> | undefined;

  constructor(take: () => Promise<boolean>, onFailure: (cause: unknown) => void) {
    this.#take = take;
    this.#onFailure = onFailure;
  }

  wake(): void {
    this.#wanted = true;
    if (this.#running === undefined && !this.#failed) this.#running = this.#run();
  }

  async idle(): Promise<void> {
    this.wake();
    while (this.#running !== undefined) await this.#running;
  }

  /** Waits for the step under way; false when there is no more to wait for. */
  async step(): Promise<boolean> {
    this.wake();
    await this.#current.catch(() => undefined);
    return this.#running !== undefined;
  }

  /** Being woken between a step's last look and its end must not be lost, hence the flag. */
  async #run(): Promise<void> {
    try {
      while (this.#wanted) {
        this.#wanted = false;
        do this.#current = this.#take();
        while (await this.#current);
      }
    } catch (cause) {
      this.#failed = true;
      this.#onFailure(cause);
    } finally {
      this.#running = undefined;
    }
  }
}
