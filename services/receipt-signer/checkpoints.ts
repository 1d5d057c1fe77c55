// Publishes a signed checkpoint soon after the log has grown, and tells whoever waits for one.

import { formatCheckpoint } from '../../core/ledger/checkpoint.ts';
import type { LedgerStore } from '../../ports/ledger-store/port.ts';

/** Longest time a durable leaf stays without a checkpoint that covers it, when the disk answers; a second is promised. */
export const CHECKPOINT_DELAY_MS = 400;
/** For whoever waits: how soon after one checkpoint began the next may. */
export const LEAST_BETWEEN_MS = 200;

export type CheckpointDeps = {
  readonly store: LedgerStore;
  /** Makes a C2SP signed note of a checkpoint's body. */
  readonly signNote: (body: string) => Uint8Array;
  readonly failed: (error: unknown) => void;
};

export class CheckpointPublisher {
  readonly #deps: CheckpointDeps;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;
  #beganMs = Number.NEGATIVE_INFINITY;
  #underWay: Promise<void> | undefined;
  #waiting: { readonly size: number; readonly wake: () => void }[] = [];

  constructor(deps: CheckpointDeps) {
    this.#deps = deps;
  }

  /** Called after every durable batch. */
  grown(): void {
    this.#within(CHECKPOINT_DELAY_MS);
    if (this.#waiting.length > 0) this.#soon();
  }

  /** Publishes a checkpoint over every durable leaf; does nothing when the last one already covers them. */
  async publish(): Promise<void> {
    while (this.#underWay) await this.#underWay;
    if ((this.#deps.store.checkpoint()?.size ?? -1) >= this.#deps.store.size()) return;
    this.#underWay = this.#publishOnce().finally(() => {
      this.#underWay = undefined;
    });
    await this.#underWay;
  }

  /** Resolves to whether a checkpoint covering `size` leaves is there within `waitMs`. */
  async covers(size: number, waitMs: number): Promise<boolean> {
    const has = () => (this.#deps.store.checkpoint()?.size ?? 0) >= size;
    if (has() || waitMs <= 0) return has();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#waiting.push({
        size,
        wake: () => {
          clearTimeout(timer);
          resolve();
        },
      });
      this.#soon();
    });
    return has();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { wake } of this.#waiting.splice(0)) wake();
  }

  #soon(): void {
    this.#within(Math.max(0, this.#beganMs + LEAST_BETWEEN_MS - performance.now()));
  }

  #within(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.publish().catch(this.#deps.failed);
    }, delayMs).unref();
  }

  async #publishOnce(): Promise<void> {
    this.#beganMs = performance.now();
    const { store, signNote } = this.#deps;
    const size = store.size();
    const root = await store.root(size);
    await store.publish({ note: signNote(formatCheckpoint({ origin: store.origin, size, root })), size, root });
    const ready = this.#waiting.filter((waiter) => waiter.size <= size);
    this.#waiting = this.#waiting.filter((waiter) => waiter.size > size);
    for (const { wake } of ready) wake();
  }
}
