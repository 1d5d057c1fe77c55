// The ledger in memory: for tests and for trying things out. Same answers as the file store, nothing survives the process.

import { BeaconError } from '../../core/errors.ts';
import { TreeEdge } from '../../core/ledger/edge.ts';
import { encodeEntries, TILE_WIDTH, tileWidth } from '../../core/ledger/tiles.ts';
import { HASH_BYTES, leafHash } from '../../core/ledger/tree.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import { type PublishRequest, requireBatch, requireLeafOf, requireOwnCheckpoint, requireTree } from './checks.ts';
import type { LedgerRecord, LedgerStore, StoredRecord } from './port.ts';
import { readConsistencyProof, readInclusionProof, readRoot } from './proofs.ts';

export type MemoryLedgerOptions = { readonly logId: string; readonly origin: string };

export function createMemoryLedger(options: MemoryLedgerOptions): LedgerStore {
  return new MemoryLedger(options);
}

class MemoryLedger implements LedgerStore {
  readonly origin: string;
  readonly logId: string;
  readonly durability = 'memory';
  readonly #records: LedgerRecord[] = [];
  readonly #tiles = new Map<string, Uint8Array>();
  readonly #edge = new TreeEdge();
  #checkpoint: { note: Uint8Array; size: number } | undefined;
  #appending = false;
  #closed = false;

  constructor(options: MemoryLedgerOptions) {
    this.origin = options.origin;
    this.logId = options.logId;
  }

  size(): number {
    return this.#records.length;
  }

  async append(records: readonly LedgerRecord[]): Promise<void> {
    if (this.#closed) throw new BeaconError('unavailable', 'the ledger is closed');
    if (this.#appending) throw new BeaconError('failed_precondition', 'an append is already under way');
    requireBatch(records);
    this.#appending = true;
    const copies = records.map(copyRecord);
    // As in the file store, nothing is visible before the caller could have awaited it.
    await Promise.resolve();
    for (const record of copies) {
      this.#edge.append(leafHash(record.leaf), (tile) => this.#tiles.set(`${tile.level}/${tile.index}`, tile.hashes));
      this.#records.push(record);
    }
    this.#appending = false;
  }

  async read(index: number): Promise<StoredRecord | undefined> {
    const record = this.#records[index];
    return record === undefined ? undefined : { ...copyRecord(record), index };
  }

  async scan(start: number, limit: number): Promise<StoredRecord[]> {
    const records = this.#records.slice(start, start + limit);
    return records.map((record, offset) => ({ ...copyRecord(record), index: start + offset }));
  }

  async root(size = this.size()): Promise<Uint8Array> {
    requireTree('size', size, this.size());
    return readRoot(size, this.#readTile);
  }

  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    requireTree('size', size, this.size());
    requireLeafOf(index, size);
    return readInclusionProof(index, size, this.#readTile);
  }

  async consistencyProof(from: number, to: number): Promise<Uint8Array[]> {
    requireTree('to', to, this.size());
    requireTree('from', from, to);
    return readConsistencyProof(from, to, this.#readTile);
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array | undefined> {
    if (width < 1 || width > tileWidth(level, index, this.size())) return undefined;
    return new Uint8Array((await this.#readTile(level, index)).subarray(0, width * HASH_BYTES));
  }

  async entries(index: number, width: number): Promise<Uint8Array | undefined> {
    if (width < 1 || width > tileWidth(0, index, this.size())) return undefined;
    const start = index * TILE_WIDTH;
    return encodeEntries(this.#records.slice(start, start + width).map((record) => record.leaf));
  }

  checkpoint(): { note: Uint8Array; size: number } | undefined {
    return this.#checkpoint;
  }

  async publish(request: PublishRequest): Promise<void> {
    requireOwnCheckpoint(this.origin, request);
    requireTree('size', request.size, this.size());
    if (request.size < (this.#checkpoint?.size ?? 0)) {
      throw new BeaconError('failed_precondition', 'a checkpoint must not shrink');
    }
    if (!sameBytes(await this.root(request.size), request.root)) {
      throw new BeaconError('failed_precondition', 'the root is not that of this log');
    }
    this.#checkpoint = { note: new Uint8Array(request.note), size: request.size };
  }

  async eraseEvidence(tenantId: string, below: number): Promise<number> {
    let erased = 0;
    for (let index = 0; index < Math.min(below, this.size()); index++) {
      const record = this.#records[index] as LedgerRecord;
      if (record.tenantId !== tenantId || record.evidence === undefined) continue;
      this.#records[index] = { leaf: record.leaf, tenantId };
      erased++;
    }
    return erased;
  }

  writable(): boolean {
    return !this.#closed;
  }

  async isOnlyWriter(): Promise<boolean> {
    return !this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  readonly #readTile = async (level: number, index: number): Promise<Uint8Array> => {
    const hashes = this.#tiles.get(`${level}/${index}`) ?? this.#edge.tile(level, index);
    if (hashes === undefined) throw new BeaconError('internal', `tile ${level}/${index} does not exist`);
    return hashes;
  };
}

function copyRecord(record: LedgerRecord): LedgerRecord {
  const { leaf, evidence, tenantId } = record;
  return {
    leaf: new Uint8Array(leaf),
    tenantId,
    ...(evidence === undefined ? {} : { evidence: new Uint8Array(evidence) }),
  };
}
