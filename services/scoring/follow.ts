// Follows a log from the score store's position on, forever one batch after the other: every leaf is verified, rows and
// position are kept together. One loop, woken by `receipt.appended`; a fault ends the round, the next wake-up retries it.

import { BeaconError } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import { readTally } from '../../core/trust-score/tally.ts';
import { dayOf } from '../../core/trust-score/view.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { ScoreStore } from '../../ports/score-store/port.ts';
import { announceTrust } from './announce.ts';
import { Fold, scoreRow } from './fold.ts';
import type { ReceiptSource, TrustedKeys } from './ledger-source.ts';

const BATCH = 128;
const REFRESH_BATCH = 50;
const RETRY_MS = 1_000;
/** While nobody waits for a score, leaves gather: a round costs much the same for one leaf as for many. */
export const GATHER_MS = 100;

export type FollowerDependencies = {
  readonly store: ScoreStore;
  readonly source: ReceiptSource;
  readonly keys: TrustedKeys;
  readonly bus: EventBus;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
  /** Told of each batch that is kept, where somebody traces it; `startedMs` from `performance.now()`. */
  readonly folded?: (from: number, next: number, startedMs: number) => void;
};

type Waiter = { readonly size: number; readonly resolve: (caughtUp: boolean) => void };

export class ScoreFollower {
  readonly #d: FollowerDependencies;
  readonly #waiters = new Set<Waiter>();
  #position = 0;
  #figuresDay = -1;
  #running: Promise<void> | undefined;
  #awake = false;
  #stopped = true;
  #unsubscribe: () => void = () => {};
  #retry: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;

  constructor(dependencies: FollowerDependencies) {
    this.#d = dependencies;
  }

  /**
   * Reads where the store stands and follows from there; does not wait until it has caught up. Throws
   * `failed_precondition` when the store knows more leaves than the log has: its figures could not be recomputed.
   */
  async start(): Promise<void> {
    const { source, store, bus } = this.#d;
    const size = await source.size();
    this.#position = await store.position(source.logId);
    if (this.#position > size) {
      throw new BeaconError('failed_precondition', `scores reflect ${this.#position} receipts, the log has ${size}`);
    }
    this.#stopped = false;
    this.#unsubscribe = bus.subscribe(EVENTS.receiptAppended, (event) => {
      if ((event.data.log_id ?? source.logId) === source.logId) this.#wakeSoon();
    });
    this.#wake();
  }

  /** Resolves when the batch under way is kept. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    clearTimeout(this.#retry);
    clearTimeout(this.#soon);
    await this.#running;
    for (const waiter of this.#waiters) waiter.resolve(false);
  }

  /** True once every leaf there is at the time of the call is folded, false if that takes longer than `timeoutMs`. */
  async upToDate(timeoutMs: number): Promise<boolean> {
    return this.caughtUp(await this.#d.source.size(), timeoutMs);
  }

  /** True once every leaf below `size` is folded, false if that takes longer than `timeoutMs`. */
  caughtUp(size: number, timeoutMs: number): Promise<boolean> {
    if (this.#position >= size) return Promise.resolve(true);
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
      this.#wake();
    });
  }

  #wakeSoon(): void {
    if (this.#waiters.size > 0) this.#wake();
    else this.#soon ??= setTimeout(() => this.#wake(), GATHER_MS).unref();
  }

  #wake(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#awake = true;
    if (this.#stopped || this.#running || this.#retry) return;
    this.#running = this.#loop().finally(() => {
      this.#running = undefined;
      if (this.#awake) this.#wake();
    });
  }

  async #loop(): Promise<void> {
    while (this.#awake && !this.#stopped) {
      this.#awake = false;
      try {
        await this.#follow();
        await this.#refresh();
      } catch (fault) {
        this.#d.onFault(fault);
        if (this.#stopped) return;
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#wake();
        }, RETRY_MS);
        this.#retry.unref();
        return;
      }
    }
  }

  async #follow(): Promise<void> {
    const { source, store } = this.#d;
    while (!this.#stopped) {
      const leaves = await source.scan(this.#position, BATCH);
      if (leaves.length === 0) return;
      const fold = new Fold(this.#d);
      const startedMs = performance.now();
      const from = this.#position;
      let next = from;
      for (const { index, leaf } of leaves) {
        if (index !== next) throw new BeaconError('internal', `leaf ${next} is missing from the log`);
        await fold.add(index, leaf);
        next += 1;
      }
      const rows = fold.rows(dayOf(this.#d.now()));
      await store.fold(
        rows.map(({ row }) => row),
        { logId: source.logId, index: next },
      );
      this.#position = next;
      this.#d.folded?.(from, next, startedMs);
      for (const { row, before } of rows) announceTrust(this.#d.bus, row, before);
      for (const waiter of this.#waiters) if (waiter.size <= next) waiter.resolve(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A new day changes every figure; agents at rest get theirs here. */
  async #refresh(): Promise<void> {
    const { source, store } = this.#d;
    const day = dayOf(this.#d.now());
    if (day === this.#figuresDay) return;
    let after = '';
    while (!this.#stopped) {
      const page = await store.list('', after, REFRESH_BATCH);
      const last = page.at(-1);
      if (last === undefined) break;
      const changed = page.flatMap((row) => {
        const fresh = scoreRow(row, readTally(row.tally), day);
        return fresh.score === row.score && fresh.assertedScore === row.assertedScore ? [] : [fresh];
      });
      if (changed.length > 0) await store.fold(changed, { logId: source.logId, index: this.#position });
      after = `${last.tenantId}/${last.agentId}`;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!this.#stopped) this.#figuresDay = day;
  }
}
