// Records of the file store, 256 to a bundle: the unfinished bundle and those not yet written in memory, the others on
// disk. A record read from disk is served only when its leaf has the hash the tree holds for it.

import { join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import type { FullTile } from '../../core/ledger/edge.ts';
import { decodeEntries, entryTilePath, TILE_WIDTH } from '../../core/ledger/tiles.ts';
import { HASH_BYTES, leafHash } from '../../core/ledger/tree.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import { type FileSystemDoor, replaceFile } from './file-door.ts';
import { decodeEvidence, type Evidence, encodeEvidence, evidencePath } from './file-evidence.ts';
import type { LedgerRecord } from './port.ts';
import type { ReadTile } from './proofs.ts';

const CACHE_MAX_BYTES = 33_554_432;

export type FinishedBundle = {
  readonly bundle: number;
  readonly records: readonly LedgerRecord[];
  readonly tiles: readonly FullTile[];
};

type Cached = { readonly records: readonly LedgerRecord[]; readonly bytes: number };
export type BundlesPlace = { readonly door: FileSystemDoor; readonly folder: string; readonly readTile: ReadTile };

export class Bundles {
  readonly #place: BundlesPlace;
  readonly #resident = new Map<number, LedgerRecord[]>();
  readonly #finished: FinishedBundle[] = [];
  readonly #cache = new Map<number, Cached>();
  #cacheBytes = 0;
  #finishedBytes = 0;
  #onDisk: number;
  #erasures = 0;

  /** `onDisk`: how many bundles, from the first on, are complete on disk. */
  constructor(place: BundlesPlace, onDisk: number) {
    this.#place = place;
    this.#onDisk = onDisk;
  }

  onDisk(): number {
    return this.#onDisk;
  }

  /** Bytes held for bundles that are finished but not written yet. */
  unwrittenBytes(): number {
    return this.#finishedBytes;
  }

  /** Takes a durable record; `tiles` are those its leaf finished, of which one is this bundle's own. */
  add(index: number, record: LedgerRecord, tiles: readonly FullTile[]): void {
    const bundle = Math.floor(index / TILE_WIDTH);
    const records = this.#resident.get(bundle) ?? [];
    if (records.length === 0) this.#resident.set(bundle, records);
    records.push(record);
    if (records.length < TILE_WIDTH) return;
    this.#finished.push({ bundle, records, tiles });
    this.#finishedBytes += sizeOf(records);
  }

  /** The oldest finished bundle not on disk, and the word that it now is. */
  nextFinished(): FinishedBundle | undefined {
    return this.#finished[0];
  }

  written(): void {
    const done = this.#finished.shift();
    if (done === undefined) return;
    this.#finishedBytes -= sizeOf(done.records);
    this.#onDisk = done.bundle + 1;
    this.#resident.delete(done.bundle);
    this.#remember(done.bundle, done.records);
  }

  /** Views of the bundle's records, as many as it has. Throws `internal` for anything damaged. */
  async read(bundle: number): Promise<readonly LedgerRecord[]> {
    const resident = this.#resident.get(bundle);
    if (resident !== undefined) return resident;
    const cached = this.#cache.get(bundle);
    if (cached !== undefined) {
      this.#cache.delete(bundle);
      this.#cache.set(bundle, cached);
      return cached.records;
    }
    const erasures = this.#erasures;
    const records = await this.#load(bundle);
    if (erasures === this.#erasures) this.#remember(bundle, records);
    return records;
  }

  /** Rewrites a bundle on disk without the evidence `isErased` names; answers how many objects that was. */
  async erase(bundle: number, isErased: (item: Evidence, index: number) => boolean): Promise<number> {
    const { door, folder } = this.#place;
    const items = await this.#loadEvidence(bundle);
    const kept = items.map((item, at) =>
      isErased(item, bundle * TILE_WIDTH + at) ? { tenantId: item.tenantId } : item,
    );
    const erased = kept.filter((item, at) => item !== items[at]).length;
    if (erased === 0) return 0;
    const bytes = encodeEvidence(bundle, kept);
    await replaceFile(door, join(folder, 'draft', 'evidence'), join(folder, evidencePath(bundle)), bytes);
    this.#erasures++;
    this.#forget(bundle);
    return erased;
  }

  /** The same for what only memory and the WAL hold. */
  eraseResident(isErased: (item: Evidence, index: number) => boolean): number {
    let erased = 0;
    for (const [bundle, records] of this.#resident) {
      records.forEach((record, at) => {
        if (!isErased(record, bundle * TILE_WIDTH + at)) return;
        records[at] = { leaf: record.leaf, tenantId: record.tenantId };
        erased++;
      });
    }
    return erased;
  }

  async #load(bundle: number): Promise<LedgerRecord[]> {
    const { door, folder, readTile } = this.#place;
    const hashes = await readTile(0, bundle);
    const entries = await door.read(join(folder, entryTilePath({ index: bundle, width: TILE_WIDTH })));
    const leaves = entries === undefined ? undefined : tryDecodeEntries(entries);
    if (leaves === undefined) throw new BeaconError('internal', `entry bundle ${bundle} is missing or damaged on disk`);
    const items = await this.#loadEvidence(bundle);
    return leaves.map((leaf, at) => {
      if (!sameBytes(leafHash(leaf), hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))) {
        throw new BeaconError('internal', `record ${bundle * TILE_WIDTH + at} is damaged on disk`);
      }
      return { leaf, ...(items[at] as Evidence) };
    });
  }

  async #loadEvidence(bundle: number): Promise<Evidence[]> {
    const bytes = await this.#place.door.read(join(this.#place.folder, evidencePath(bundle)));
    const items = bytes === undefined ? undefined : decodeEvidence(bundle, bytes);
    if (items === undefined)
      throw new BeaconError('internal', `evidence bundle ${bundle} is missing or damaged on disk`);
    return items;
  }

  #remember(bundle: number, records: readonly LedgerRecord[]): void {
    this.#forget(bundle);
    const bytes = sizeOf(records);
    this.#cache.set(bundle, { records, bytes });
    this.#cacheBytes += bytes;
    for (const oldest of this.#cache.keys()) {
      if (this.#cacheBytes <= CACHE_MAX_BYTES) return;
      this.#forget(oldest);
    }
  }

  #forget(bundle: number): void {
    this.#cacheBytes -= this.#cache.get(bundle)?.bytes ?? 0;
    this.#cache.delete(bundle);
  }
}

function sizeOf(records: readonly LedgerRecord[]): number {
  return records.reduce((sum, { leaf, evidence }) => sum + leaf.length + (evidence?.length ?? 0), 0);
}

function tryDecodeEntries(bytes: Uint8Array): Uint8Array[] | undefined {
  try {
    return decodeEntries(bytes, TILE_WIDTH);
  } catch {
    return undefined;
  }
}
