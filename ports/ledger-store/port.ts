// Where a log's leaves and the evidence beside them are kept. One writer for each log.
// The store knows bytes and the RFC 6962 tree over them; it never looks inside a leaf.

export type LedgerRecord = {
  /** The exact DSSE bytes; 1 to 65,535 of them (C2SP entry bundles carry a uint16 length). */
  readonly leaf: Uint8Array;
  /** Kept in the same group commit; at most 1 MiB; absent when none was given or it was erased. */
  readonly evidence?: Uint8Array;
  readonly tenantId: string;
};

export type StoredRecord = LedgerRecord & { readonly index: number };

export type LedgerStore = {
  /** C2SP origin of this log. */
  readonly origin: string;
  /** 12 hex digits; the part of a receipt id that names the log. */
  readonly logId: string;
  readonly durability: 'memory' | 'fdatasync';
  /** Count of durable leaves; the index the next append gives to its first record. */
  size(): number;
  /**
   * Appends 1 to 4,096 records as one group commit and resolves once their bytes are synced. Callers append one batch
   * at a time (a second call while one is under way is an error). After a failed write or sync every later call fails
   * with `unavailable`: nothing is believed that was not read back.
   */
  append(records: readonly LedgerRecord[]): Promise<void>;
  /** One durable record, or undefined when the index is not below size(). Corruption is an error, never an answer. */
  read(index: number): Promise<StoredRecord | undefined>;
  /** Durable records from `start` on, at most `limit`, in order; fewer only at the end of the log. */
  scan(start: number, limit: number): Promise<StoredRecord[]>;
  /** RFC 6962 root over the first `size` leaves (default all durable ones). */
  root(size?: number): Promise<Uint8Array>;
  /** Inclusion path for `index` in the tree of the first `size` leaves. */
  inclusionProof(index: number, size: number): Promise<Uint8Array[]>;
  consistencyProof(from: number, to: number): Promise<Uint8Array[]>;
  /** Hash tile of C2SP tlog-tiles: `width` hashes of 32 bytes, or undefined where it does not exist. */
  tile(level: number, index: number, width: number): Promise<Uint8Array | undefined>;
  /** Entry bundle of C2SP tlog-tiles, or undefined where it does not exist. */
  entries(index: number, width: number): Promise<Uint8Array | undefined>;
  /** The last published checkpoint (a C2SP signed note), or undefined before the first. */
  checkpoint(): { readonly note: Uint8Array; readonly size: number } | undefined;
  /** Makes a checkpoint durable, then visible. Its size must be durable and not below the last one's. */
  publish(checkpoint: { readonly note: Uint8Array; readonly size: number; readonly root: Uint8Array }): Promise<void>;
  /** Erases evidence (never leaves) of a tenant below an index; resolves to the number of objects erased. */
  eraseEvidence(tenantId: string, below: number): Promise<number>;
  /** True until a write or sync failed. */
  writable(): boolean;
  /** False once another store has taken this log over, or this one was closed. What was synced before is in the log. */
  isOnlyWriter(): Promise<boolean>;
  close(): Promise<void>;
};
