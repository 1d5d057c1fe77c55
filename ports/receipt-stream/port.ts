// A durable stream that carries receipts to whoever wants them, at least once. Never the only copy: the ledger is, and the
// stream can be filled again from it. What comes out of it is as trustworthy as whoever may write to it: consumers verify.

export type StreamedReceipt = {
  readonly receiptId: string;
  /** 12 hex digits. */
  readonly logId: string;
  readonly index: number;
  /** Empty for receipts of no tenant. */
  readonly tenantId: string;
  /** The leaf's bytes. */
  readonly envelope: Uint8Array;
  /** W3C trace context of the request behind it, where it had one. */
  readonly traceparent?: string;
  readonly tracestate?: string;
};

export type Reach = {
  /** Names the stream's present life: another one than before means that it was made anew and lacks what it had. */
  readonly identity: string;
  /** Index of the receipt stored last; undefined when none is there (none came, all are too old). */
  readonly last: number | undefined;
};

export type Consumption = {
  /** Takes no more; what is being handled may still be acknowledged until this resolves. */
  stop(): Promise<void>;
};

export type ReceiptStream = {
  /**
   * Resolves when every receipt of the batch (1 to 512) is stored; else throws `unavailable`, and any part of it may
   * have been. A receipt published again within the deduplication window is stored once. A full stream refuses the new
   * and keeps the old.
   */
  publish(batch: readonly StreamedReceipt[]): Promise<void>;
  /** What the stream has of a log. Throws `unavailable`. */
  reach(logId: string): Promise<Reach>;
  /**
   * Hands over every receipt of one log from the stream's beginning, in the order they were stored. `durable` (letters,
   * digits, `_`, at most 32) remembers what was acknowledged, across restarts; consumptions of one name share it and at
   * most one at a time is served, another takes over when that one ends or goes silent. `handle` is called without
   * waiting for earlier calls to resolve, at most MAX_UNACKNOWLEDGED at once; what it resolves is acknowledged, what it
   * rejects comes again after a growing wait, and what is not settled in time too, though not to a consumption that still
   * handles it. Starts without the engine being there, and survives its restarts.
   */
  consume(durable: string, logId: string, handle: (receipt: StreamedReceipt) => Promise<void>): Consumption;
  /** Tells each time the engine is there again: it may have come back as an older copy of itself. Returns the end. */
  whenBack(listener: () => void): () => void;
  close(): Promise<void>;
};

/** Most receipts handed to one consumption that are not acknowledged yet. */
export const MAX_UNACKNOWLEDGED = 1_024;
export const MAX_PUBLISH_BATCH = 512;
