// Follows one log as the receipt stream delivers it, beside other replicas that may do the same. What counts is the place
// in the log: leaves are folded in unbroken runs from the shared store's position on, and a fold is taken only if nobody
// else came first. What the stream does not bring, or brings spoiled, is asked for from the log itself.

import { BeaconError } from '../../core/errors.ts';
import { dayOf } from '../../core/trust-score/view.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { Consumption, ReceiptStream, StreamedReceipt } from '../../ports/receipt-stream/port.ts';
import type { SharedScoreStore } from '../../ports/score-store/port.ts';
import { announceTrust } from './announce.ts';
import { Fold, whyNot } from './fold.ts';
import { type Checked, checkReceipt, type ReceiptSource, type TrustedKeys } from './ledger-source.ts';
import { StreamBuffer } from './stream-buffer.ts';

/** All replicas share the durable consumers of this name. */
export const CONSUMER = 'scoring';
/** How long a missing leaf is waited for, from the stream or from another replica, before the log is asked. */
export const GAP_MS = 500;
/** How often a quiet follower compares its position with the log's size. */
export const AUDIT_INTERVAL_MS = 5_000;
/** How long deliveries are gathered into one run while nobody waits for it. */
const GATHER_MS = 100;
const BATCH = 128;
const POLL_MS = 25;
const RETRY_MS = 1_000;
const MAX_TRIES = 50;

/**
 * Keys that can be asked for again: a signer may have rotated its own. Then they are those it has when asked or later, never
 * earlier: a leaf that is counted as under an unknown key is counted so for good.
 */
export type LogKeys = TrustedKeys & { refresh?(): Promise<void> };

export type FollowedLog = { readonly source: ReceiptSource; readonly keys: LogKeys };

export type StreamFollowerDependencies = FollowedLog & {
  readonly store: SharedScoreStore;
  readonly stream: Pick<ReceiptStream, 'consume'>;
  readonly bus: EventBus;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
};

type Waiter = { readonly size: number; readonly resolve: (caughtUp: boolean) => void };
type Placed = { readonly index: number; readonly checked: Checked };

export class StreamFollower {
  /** Folds that another replica was faster with; leaves asked for from the log. */
  readonly counts = { overtaken: 0, askedFor: 0 };
  readonly #d: StreamFollowerDependencies;
  readonly #buffer = new StreamBuffer();
  readonly #waiters = new Set<Waiter>();
  #consumption: Consumption | undefined;
  #position = 0;
  /** The log is known to have at least so many leaves. */
  #known = 0;
  #stuckSince = 0;
  #filling = false;
  #stopped = true;
  #awake = false;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #audit: ReturnType<typeof setInterval> | undefined;

  constructor(dependencies: StreamFollowerDependencies) {
    this.#d = dependencies;
  }

  get logId(): string {
    return this.#d.source.logId;
  }

  /** Neither the stream nor the log needs to be there yet. */
  start(): void {
    this.#stopped = false;
    this.#consumption = this.#d.stream.consume(CONSUMER, this.logId, (receipt) => this.#take(receipt));
    this.#audit = setInterval(() => void this.#compare().catch(this.#d.onFault), AUDIT_INTERVAL_MS).unref();
    void this.#compare().catch(this.#d.onFault);
  }

  /** Resolves when the batch under way is kept; what is not folded is delivered to another. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#audit);
    clearTimeout(this.#timer);
    await this.#running;
    await this.#consumption?.stop();
    this.#buffer.reject(new BeaconError('unavailable', 'stopped'));
    for (const waiter of this.#waiters) waiter.resolve(false);
  }

  /** True once every leaf the log has at the time of the call is folded; false if that takes longer, or cannot be known. */
  async upToDate(timeoutMs: number): Promise<boolean> {
    const until = performance.now() + timeoutMs;
    try {
      const size = await this.#d.source.size();
      return await this.caughtUp(size, until - performance.now());
    } catch (fault) {
      this.#d.onFault(fault);
      return false;
    }
  }

  caughtUp(size: number, timeoutMs: number): Promise<boolean> {
    if (this.#stopped) return Promise.resolve(false);
    return new Promise((settle) => {
      const waiter: Waiter = {
        size,
        resolve: (caughtUp) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          settle(caughtUp);
        },
      };
      const timer = setTimeout(() => waiter.resolve(false), timeoutMs);
      this.#waiters.add(waiter);
      this.#known = Math.max(this.#known, size);
      this.#wake();
    });
  }

  /** Resolves, and so acknowledges, when the place is folded. */
  #take({ index, envelope }: StreamedReceipt): Promise<void> {
    if (this.#stopped) return Promise.reject(new BeaconError('unavailable', 'stopped'));
    if (index < this.#position) return Promise.resolve();
    const folded = this.#buffer.add({ index, leaf: envelope });
    this.#wake();
    return folded;
  }

  async #compare(): Promise<void> {
    this.#known = await this.#d.source.size();
    this.#wake();
  }

  #wake(afterMs = 0): void {
    if (afterMs > 0) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#wake(), afterMs);
      return;
    }
    this.#awake = true;
    if (this.#stopped || this.#running) return;
    this.#running = this.#loop().finally(() => {
      this.#running = undefined;
      if (this.#awake) this.#wake();
    });
  }

  async #loop(): Promise<void> {
    while (this.#awake && !this.#stopped) {
      // The longer the run, the less each leaf costs; somebody who waits is not kept waiting for it.
      if (this.#waiters.size === 0) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      this.#awake = false;
      try {
        while (!this.#stopped && (await this.#round()));
      } catch (fault) {
        this.#d.onFault(fault);
        if (!this.#stopped) this.#wake(RETRY_MS);
        return;
      }
    }
  }

  /** Folds one batch; false when there is nothing to fold now. */
  async #round(): Promise<boolean> {
    const position = await this.#d.store.position(this.logId);
    this.#moved(position);
    const batch = await this.#next(position);
    if (batch.length === 0) return false;
    const checked = await Promise.all(batch.map(({ index, leaf }) => this.#check(index, leaf)));
    // A row of another log's may be what was overtaken; then the same leaves are folded again, from the new rows.
    for (let tries = 1; !this.#stopped; tries++) {
      if (await this.#fold(position, checked)) return true;
      this.counts.overtaken += 1;
      if ((await this.#d.store.position(this.logId)) !== position) return true;
      if (tries === MAX_TRIES) throw new BeaconError('unavailable', 'other folds were always first');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(tries, 20)));
    }
    return false;
  }

  async #fold(from: number, leaves: readonly Placed[]): Promise<boolean> {
    const { store, source, bus, now } = this.#d;
    const fold = new Fold(this.#d);
    for (const { index, checked } of leaves) await fold.addChecked(index, checked);
    const rows = fold.rows(dayOf(now()));
    const next = from + leaves.length;
    const base = { from, tallies: rows.map(({ before }) => before?.tally ?? '') };
    const taken = await store.foldFrom(
      base,
      rows.map(({ row }) => row),
      { logId: source.logId, index: next },
    );
    if (!taken) return false;
    this.#moved(next);
    for (const { row, before } of rows) announceTrust(bus, row, before);
    return true;
  }

  #moved(position: number): void {
    if (position !== this.#position) this.#stuckSince = 0;
    this.#position = position;
    this.#buffer.folded(position);
    for (const waiter of this.#waiters) if (waiter.size <= position) waiter.resolve(true);
  }

  /** What the stream brought, else, after GAP_MS without progress, what the log has. */
  async #next(position: number): Promise<readonly { readonly index: number; readonly leaf: Uint8Array }[]> {
    const run = this.#buffer.run(position, BATCH);
    if (run.length > 0) {
      this.#filling = false;
      return run;
    }
    const { first, end } = this.#buffer.bounds();
    if (position >= Math.max(end, this.#known)) {
      this.#filling = false;
      return [];
    }
    if (this.#stuckSince === 0) this.#stuckSince = performance.now();
    if (!this.#filling && performance.now() - this.#stuckSince < GAP_MS) {
      this.#wake(POLL_MS);
      return [];
    }
    this.#filling = true;
    const leaves = await this.#d.source.scan(position, Math.min(BATCH, first - position));
    if (leaves.length === 0) {
      // A leaf beyond the log's end was published by somebody else than its outbox.
      this.#known = 0;
      this.#stuckSince = 0;
      this.#filling = false;
      this.#buffer.reject(new BeaconError('failed_precondition', `the log ends at ${position}`));
    }
    leaves.forEach(({ index }, at) => {
      if (index !== position + at) throw new BeaconError('internal', `leaf ${position + at} is missing from the log`);
    });
    this.counts.askedFor += leaves.length;
    return leaves;
  }

  /**
   * The stream is not the log: a leaf that does not verify in its place is asked for from the log, and what the log has
   * is what counts, qualified or not.
   */
  async #check(index: number, leaf: Uint8Array): Promise<Placed> {
    const { source, keys } = this.#d;
    const streamed = await checkReceipt(leaf, keys.all());
    if (streamed.qualified && whyNot(streamed, source.logId, index) === undefined) return { index, checked: streamed };
    const [stored] = await source.scan(index, 1);
    if (stored?.index !== index) throw new BeaconError('internal', `leaf ${index} is missing from the log`);
    this.counts.askedFor += 1;
    let checked = await checkReceipt(stored.leaf, keys.all());
    // Asked for what the log has alone: anybody who may publish can name keys that nobody knows.
    if (!checked.qualified && checked.code === 'unknown_key' && keys.refresh) {
      await keys.refresh();
      checked = await checkReceipt(stored.leaf, keys.all());
    }
    return { index, checked };
  }
}
