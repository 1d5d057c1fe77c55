// Hands a log's leaves to the receipt stream, from the ledger and never from memory: a stream that is away delays them and
// loses none. It runs beside sealing and is never waited for. The cursor moves only after the stream has stored a batch.

import { BeaconError } from '../../core/errors.ts';
import { receiptId } from '../../core/ids.ts';
import { traceIdOf } from '../../core/own-leaf.ts';
import { unrecordedParent } from '../../core/trace-context.ts';
import type { LedgerStore, StoredRecord } from '../../ports/ledger-store/port.ts';
import type { OutboxCursor, OutboxCursorStore } from '../../ports/outbox-cursor/port.ts';
import type { ReceiptStream, StreamedReceipt } from '../../ports/receipt-stream/port.ts';
import type { Carried, SealTraces } from './traced.ts';

/** Most receipts under way to the stream. */
export const OUTBOX_BATCH = 256;
/** The saved cursor lags at most this far; after a crash so much is handed over again. */
export const SAVE_INTERVAL_MS = 500;
/** How often a quiet outbox asks whether the stream still has what it was given. */
export const COMPARE_INTERVAL_MS = 10_000;
const LEAST_WAIT_MS = 50;
const MOST_WAIT_MS = 5_000;

export type OutboxDeps = {
  readonly store: Pick<LedgerStore, 'logId' | 'size' | 'scan'>;
  readonly stream: Pick<ReceiptStream, 'publish' | 'reach' | 'whenBack'>;
  readonly cursor: OutboxCursorStore;
  /** The one the stream is of, where there are regions. */
  readonly region?: string | undefined;
  /** Under which span each leaf was sealed, as long as that is remembered. */
  readonly traces?: Pick<SealTraces, 'publishing'>;
  /** Told of each failed try; the next one follows by itself. */
  readonly failed: (error: unknown) => void;
};

export class Outbox {
  readonly #deps: OutboxDeps;
  #index = 0;
  #stream: string | undefined;
  /** True until the stream has been compared with the cursor; again after each failure and now and then. */
  #unsure = true;
  #saved: OutboxCursor | undefined;
  #failures = 0;
  #started = false;
  #stopping = false;
  #running: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #comparing: ReturnType<typeof setInterval> | undefined;
  #endBack: () => void = () => {};
  #saving: ReturnType<typeof setTimeout> | undefined;
  #save: Promise<void> = Promise.resolve();

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /**
   * Does not wait for the stream. Throws `failed_precondition` when more was handed over than the log has, and when it was
   * handed over in another region: a new stream is filled from the log's start, with receipts that may not lie there.
   */
  async start(): Promise<void> {
    const { cursor, store, region = '' } = this.#deps;
    const saved = await cursor.load();
    if (saved?.region !== undefined && saved.region !== region) {
      const told = (name: string) => (name === '' ? 'no region' : `region ${name}`);
      throw new BeaconError(
        'failed_precondition',
        `log ${store.logId} was begun in ${told(saved.region)} and is now to be in ${told(region)}: a log stays where it is`,
      );
    }
    this.#index = saved?.index ?? 0;
    this.#stream = saved?.stream;
    if (this.#index > store.size()) {
      throw new BeaconError(
        'failed_precondition',
        `the outbox handed over ${this.#index}, the log has ${store.size()}`,
      );
    }
    // Before anything is handed over, so that it holds from the first receipt on.
    if (saved?.region === undefined) await cursor.save({ index: this.#index, stream: this.#stream ?? '', region });
    this.#started = true;
    const compare = () => {
      this.#unsure = true;
      this.grown();
    };
    this.#comparing = setInterval(compare, COMPARE_INTERVAL_MS).unref();
    // Before anything new is handed over: with a later receipt in the stream nothing would show what it lost before that.
    this.#endBack = this.#deps.stream.whenBack(compare);
    this.grown();
  }

  /** Leaves that the stream has not acknowledged yet. */
  lag(): number {
    return this.#deps.store.size() - this.#index;
  }

  /** To be called after every durable batch; returns at once. */
  grown(): void {
    if (!this.#started || this.#stopping || this.#running || this.#retry) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // What was sealed while the last look was ending.
      if (this.lag() > 0 || this.#unsure) this.grown();
    });
  }

  /** Hands the whole log over once more, for a stream that lost what it had. */
  async rewind(): Promise<void> {
    while (this.#running) await this.#running;
    this.#index = 0;
    await this.#keep();
    this.grown();
  }

  /** Ends the batch under way, hands nothing further over, saves the cursor. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#retry);
    clearInterval(this.#comparing);
    this.#endBack();
    await this.#running;
    clearTimeout(this.#saving);
    await this.#keep();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        if (this.#unsure) await this.#compare();
        if (this.lag() === 0) return;
        await this.#handOver();
        this.#failures = 0;
      } catch (error) {
        this.#unsure = true;
        this.#deps.failed(error);
        this.#again();
        return;
      }
    }
  }

  async #handOver(): Promise<void> {
    const { store, stream, traces } = this.#deps;
    const records = await store.scan(this.#index, OUTBOX_BATCH);
    const first = records[0]?.index;
    if (first !== this.#index) throw new BeaconError('internal', `leaf ${this.#index} is missing from the log`);
    const publication = traces?.publishing(records.map(({ index }) => index));
    try {
      await stream.publish(
        records.map((record) => streamedReceipt(store.logId, record, publication?.of(record.index))),
      );
      publication?.ended();
    } catch (error) {
      publication?.ended(error);
      throw error;
    }
    this.#index = first + records.length;
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined;
      this.#keep().catch(this.#deps.failed);
    }, SAVE_INTERVAL_MS).unref();
  }

  /**
   * The stream may have lost what it acknowledged: all of it (another identity) or, as after a power failure, the end.
   * What it lacks is handed over again.
   */
  async #compare(): Promise<void> {
    this.#unsure = false;
    const { identity, last } = await this.#deps.stream.reach(this.#deps.store.logId);
    if (identity !== this.#stream) this.#index = 0;
    else if (last !== undefined) this.#index = Math.min(this.#index, last + 1);
    this.#stream = identity;
  }

  #again(): void {
    if (this.#stopping) return;
    const waitMs = Math.min(MOST_WAIT_MS, LEAST_WAIT_MS * 2 ** Math.min(this.#failures++, 16));
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.grown();
    }, waitMs);
    this.#retry.unref();
  }

  /** One save after the other, each of the cursor as it is then. */
  #keep(): Promise<void> {
    this.#save = this.#save
      .catch(() => undefined)
      .then(async () => {
        const stream = this.#stream;
        if (stream === undefined) return;
        const now = { index: this.#index, stream, region: this.#deps.region ?? '' };
        if (now.index === this.#saved?.index && stream === this.#saved.stream) return;
        await this.#deps.cursor.save(now);
        this.#saved = now;
      });
    return this.#save;
  }
}

function streamedReceipt(
  logId: string,
  { index, tenantId, leaf }: StoredRecord,
  carried: Carried | undefined,
): StreamedReceipt {
  const receipt = { receiptId: receiptId(logId, index), logId, index, tenantId, envelope: leaf };
  const traceparent = carried?.traceparent ?? traceparentOf(leaf);
  const tracestate = carried?.tracestate ? { tracestate: carried.tracestate } : {};
  return { ...receipt, ...(traceparent ? { traceparent } : {}), ...tracestate };
}

/** Where no span of the request is known: untraced, or sealed before a restart. */
function traceparentOf(leaf: Uint8Array): string | undefined {
  const traceId = traceIdOf(leaf);
  return traceId === undefined ? undefined : unrecordedParent(traceId);
}
