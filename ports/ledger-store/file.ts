// The ledger on one machine's disk. A group commit is one write into a preallocated WAL and one fdatasync; static
// tlog-tiles files follow in the background. Recovers a torn tail, refuses to open what contradicts itself, stops for good
// after a failed write, and lets nobody else in. Folder layout and the order of syncs: file-*.ts beside this file.

import { join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import { encodeEntries, TILE_WIDTH, tileWidth } from '../../core/ledger/tiles.ts';
import { HASH_BYTES, prefixedLeafHash } from '../../core/ledger/tree.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import { createTurn } from '../../core/turn.ts';
import { type PublishRequest, requireBatch, requireLeafOf, requireOwnCheckpoint, requireTree } from './checks.ts';
import type { Bundles } from './file-bundles.ts';
import { type FileSystemDoor, realFileSystem, replaceFile } from './file-door.ts';
import type { Evidence } from './file-evidence.ts';
import { type Lock, lockFile, type Waiting, waitForLock } from './file-lock.ts';
import { type Checkpointed, type LogIdentity, type Recovered, recover } from './file-recover.ts';
import { Settler } from './file-settler.ts';
import type { HashTiles } from './file-tiles.ts';
import type { WriteAheadLog } from './file-wal.ts';
import { type EncodedFrame, encodeFrame, frameBytes, recordBytes } from './file-wal-frame.ts';
import type { LedgerRecord, LedgerStore, StoredRecord } from './port.ts';
import { readConsistencyProof, readInclusionProof, readRoot } from './proofs.ts';

export type FileLedgerOptions = {
  /** Made with mode 0700 when it does not exist; holds one log. */
  readonly folder: string;
  /** Names a log that does not exist yet; one that exists keeps its own names. */
  readonly newLog: LogIdentity;
  /** Size of one WAL segment. */
  readonly segmentBytes?: number;
  readonly fileSystem?: FileSystemDoor;
  /** Given, a folder that somebody else writes is waited for instead of refused. */
  readonly waiting?: Waiting;
};

export const SEGMENT_BYTES = 16_777_216;
/** One record at its largest must fit a segment. */
export const SEGMENT_MIN_BYTES = 2_097_152;

/** Throws `failed_precondition`, saying why, when the folder is locked, damaged or behind its own checkpoint. */
export async function openFileLedger(options: FileLedgerOptions): Promise<LedgerStore> {
  const { folder, newLog, segmentBytes = SEGMENT_BYTES, fileSystem: door = realFileSystem } = options;
  if (segmentBytes < SEGMENT_MIN_BYTES) throw new BeaconError('invalid_argument', 'segmentBytes is too small');
  await door.makeDirectory(folder);
  const lockPath = join(folder, 'lock');
  const lock = options.waiting ? await waitForLock(lockPath, options.waiting) : lockFile(lockPath);
  try {
    const recovered = await recover({ door, folder, segmentBytes, newLog });
    return new FileLedger(door, folder, recovered, lock);
  } catch (cause) {
    lock.release();
    if (cause instanceof BeaconError) throw cause;
    throw new BeaconError('unavailable', 'the ledger cannot be opened', { cause });
  }
}

class FileLedger implements LedgerStore {
  readonly origin: string;
  readonly logId: string;
  readonly durability = 'fdatasync';
  readonly #door: FileSystemDoor;
  readonly #folder: string;
  readonly #wal: WriteAheadLog;
  readonly #tiles: HashTiles;
  readonly #bundles: Bundles;
  readonly #settler: Settler;
  readonly #lock: Lock;
  /** Appends, and the part of an erasure that rewrites the WAL. */
  readonly #writing = createTurn();
  /** Each has draft files of one name; an erasure of a long log must not hold up the next checkpoint. */
  readonly #publishing = createTurn();
  readonly #erasing = createTurn();
  #size: number;
  #checkpoint: Checkpointed | undefined;
  #appending = false;
  #closed = false;
  #stopped: BeaconError | undefined;

  constructor(door: FileSystemDoor, folder: string, recovered: Recovered, lock: Lock) {
    this.#door = door;
    this.#folder = folder;
    this.origin = recovered.identity.origin;
    this.logId = recovered.identity.logId;
    this.#wal = recovered.wal;
    this.#tiles = recovered.tiles;
    this.#bundles = recovered.bundles;
    this.#size = recovered.size;
    this.#checkpoint = recovered.checkpoint;
    this.#lock = lock;
    const onFailure = (cause: unknown): void => void this.#stop(cause);
    const { wal, bundles, tiles } = recovered;
    this.#settler = new Settler({ door, folder, wal, bundles, tiles, onFailure });
    this.#settler.wake();
  }

  size(): number {
    return this.#size;
  }

  async append(records: readonly LedgerRecord[]): Promise<void> {
    this.#requireWritable();
    if (this.#appending) throw new BeaconError('failed_precondition', 'an append is already under way');
    requireBatch(records);
    this.#appending = true;
    try {
      const frames = encodeBatch(this.#size, records, this.#wal.frameMaxBytes());
      await this.#writing(async () => {
        await this.#settler.room();
        this.#requireWritable();
        await this.#change(this.#commit(frames));
      });
    } finally {
      this.#appending = false;
    }
  }

  async read(index: number): Promise<StoredRecord | undefined> {
    const [record] = await this.scan(index, 1);
    return record;
  }

  async scan(start: number, limit: number): Promise<StoredRecord[]> {
    if (!Number.isSafeInteger(start) || start < 0) return [];
    const end = Math.min(this.#size, start + limit);
    const found: StoredRecord[] = [];
    while (start + found.length < end) {
      const index = start + found.length;
      const records = await this.#bundles.read(Math.floor(index / TILE_WIDTH));
      const stop = Math.min(TILE_WIDTH, (index % TILE_WIDTH) + end - index);
      for (let at = index % TILE_WIDTH; at < stop; at++) {
        found.push(copyOut(records[at] as LedgerRecord, start + found.length));
      }
    }
    return found;
  }

  async root(size = this.#size): Promise<Uint8Array> {
    requireTree('size', size, this.#size);
    return readRoot(size, this.#tiles.read);
  }

  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    requireTree('size', size, this.#size);
    requireLeafOf(index, size);
    return readInclusionProof(index, size, this.#tiles.read);
  }

  async consistencyProof(from: number, to: number): Promise<Uint8Array[]> {
    requireTree('to', to, this.#size);
    requireTree('from', from, to);
    return readConsistencyProof(from, to, this.#tiles.read);
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array | undefined> {
    if (width < 1 || width > tileWidth(level, index, this.#size)) return undefined;
    return new Uint8Array((await this.#tiles.read(level, index)).subarray(0, width * HASH_BYTES));
  }

  async entries(index: number, width: number): Promise<Uint8Array | undefined> {
    if (width < 1 || width > tileWidth(0, index, this.#size)) return undefined;
    const records = await this.#bundles.read(index);
    return encodeEntries(records.slice(0, width).map((record) => record.leaf));
  }

  checkpoint(): Checkpointed | undefined {
    return this.#checkpoint;
  }

  async publish(request: PublishRequest): Promise<void> {
    requireOwnCheckpoint(this.origin, request);
    requireTree('size', request.size, this.#size);
    await this.#publishing(async () => {
      this.#requireWritable();
      if (request.size < (this.#checkpoint?.size ?? 0)) {
        throw new BeaconError('failed_precondition', 'a checkpoint must not shrink');
      }
      if (!sameBytes(await this.root(request.size), request.root)) {
        throw new BeaconError('failed_precondition', 'the root is not that of this log');
      }
      const note = new Uint8Array(request.note);
      await this.#change(
        replaceFile(this.#door, join(this.#folder, 'draft', 'checkpoint'), join(this.#folder, 'checkpoint'), note),
      );
      this.#checkpoint = { note, size: request.size };
    });
  }

  /** When it resolves no file of the folder holds the evidence; blocks the disk has freed are the file system's. */
  async eraseEvidence(tenantId: string, below: number): Promise<number> {
    return this.#erasing(async () => {
      this.#requireWritable();
      const end = Math.min(below, this.#size);
      const isErased = (item: Evidence, index: number): boolean =>
        index < end && item.tenantId === tenantId && item.evidence !== undefined;
      const onDisk = this.#bundles.onDisk();
      let erased = 0;
      for (let bundle = 0; bundle < onDisk && bundle * TILE_WIDTH < end; bundle++) {
        erased += await this.#change(this.#bundles.erase(bundle, isErased));
      }
      await this.#writing(async () => {
        await this.#settler.idle();
        this.#requireWritable();
        for (let bundle = onDisk; bundle < this.#bundles.onDisk() && bundle * TILE_WIDTH < end; bundle++) {
          erased += await this.#change(this.#bundles.erase(bundle, isErased));
        }
        erased += this.#bundles.eraseResident(isErased);
        const strip = (record: LedgerRecord, index: number): LedgerRecord =>
          isErased(record, index) ? { leaf: record.leaf, tenantId } : record;
        await this.#change(this.#wal.rewrite(strip));
      });
      return erased;
    });
  }

  writable(): boolean {
    return this.#stopped === undefined;
  }

  isOnlyWriter(): Promise<boolean> {
    return this.#closed ? Promise.resolve(false) : this.#lock.isHeld();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopped ??= new BeaconError('unavailable', 'the ledger is closed');
    const settled = async (): Promise<void> => {
      await this.#settler.idle();
      await this.#wal.close();
    };
    await this.#publishing(() => this.#erasing(() => this.#writing(settled))).finally(() => this.#lock.release());
  }

  async #commit(frames: readonly EncodedFrame[]): Promise<void> {
    let next = this.#size;
    for (const { bytes, records } of frames) {
      const synced = this.#wal.append(bytes, next + records.length);
      // The disk is at work: hash meanwhile. Nothing reads the tree beyond size(), which grows only below.
      const finished = records.map((record) => this.#tiles.append(prefixedLeafHash(record.prefixed)));
      await synced;
      for (const [at, record] of records.entries()) {
        this.#bundles.add(next, record, finished[at] ?? []);
        next++;
      }
    }
    this.#size = next;
    this.#settler.wake();
  }

  async #change<T>(work: Promise<T>): Promise<T> {
    return work.catch((cause) => {
      // What was read and refused (a damaged bundle) wrote nothing, so it stops nothing.
      throw cause instanceof BeaconError ? cause : this.#stop(cause);
    });
  }

  #stop(cause: unknown): BeaconError {
    this.#stopped ??= new BeaconError('unavailable', 'the ledger stopped after a failed write', { cause });
    return this.#stopped;
  }

  #requireWritable(): void {
    if (this.#stopped !== undefined) throw this.#stopped;
  }
}

/** One frame, hence one sync; several of each only for a batch larger than a WAL segment. */
function encodeBatch(firstIndex: number, records: readonly LedgerRecord[], frameMaxBytes: number): EncodedFrame[] {
  const frames: EncodedFrame[] = [];
  let start = 0;
  let body = 0;
  records.forEach((record, at) => {
    const bytes = recordBytes(record);
    if (at > start && frameBytes(body + bytes) > frameMaxBytes) {
      frames.push(encodeFrame(firstIndex + start, records.slice(start, at)));
      start = at;
      body = 0;
    }
    body += bytes;
  });
  frames.push(encodeFrame(firstIndex + start, start === 0 ? records : records.slice(start)));
  return frames;
}

/** A copy: the store's own buffers must not be within a caller's reach. */
function copyOut(record: LedgerRecord, index: number): StoredRecord {
  const { leaf, evidence, tenantId } = record;
  const copy = { leaf: new Uint8Array(leaf), tenantId, index };
  return evidence === undefined ? copy : { ...copy, evidence: new Uint8Array(evidence) };
}
