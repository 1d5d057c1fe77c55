// The stream in one process's memory, with the same deduplication, redelivery and hand-over. For tests.

import { BeaconError } from '../../core/errors.ts';
import { type Consumption, MAX_UNACKNOWLEDGED, type Reach, type ReceiptStream, type StreamedReceipt } from './port.ts';

const REDELIVERY_MS = 20;

type Handle = (receipt: StreamedReceipt) => Promise<void>;
type Consumer = { readonly handle: Handle; stopped: boolean };
type Durable = {
  readonly logId: string;
  readonly acknowledged: Set<number>;
  readonly underWay: Set<number>;
  readonly consumers: Consumer[];
};

export class MemoryReceiptStream implements ReceiptStream {
  /** What is stored, in order. */
  stored: StreamedReceipt[] = [];
  /** While false, publishing fails as if the engine were away. */
  up = true;
  #life = 1;
  readonly #ids = new Set<string>();
  readonly #durables = new Map<string, Durable>();

  async publish(batch: readonly StreamedReceipt[]): Promise<void> {
    if (!this.up) throw new BeaconError('unavailable', 'the stream is away');
    for (const receipt of batch) {
      if (this.#ids.has(receipt.receiptId)) continue;
      this.#ids.add(receipt.receiptId);
      this.stored.push(receipt);
    }
    for (const durable of this.#durables.values()) this.#deliver(durable);
  }

  async reach(logId: string): Promise<Reach> {
    if (!this.up) throw new BeaconError('unavailable', 'the stream is away');
    const last = this.stored.findLast((receipt) => receipt.logId === logId)?.index;
    return { identity: `life-${this.#life}`, last };
  }

  consume(durable: string, logId: string, handle: Handle): Consumption {
    const name = `${durable}-${logId}`;
    const kept = this.#durables.get(name) ?? { logId, acknowledged: new Set(), underWay: new Set(), consumers: [] };
    this.#durables.set(name, kept);
    const consumer: Consumer = { handle, stopped: false };
    kept.consumers.push(consumer);
    this.#deliver(kept);
    return {
      stop: async () => {
        consumer.stopped = true;
        if (kept.consumers[0] === consumer) kept.underWay.clear();
        kept.consumers.splice(kept.consumers.indexOf(consumer), 1);
        this.#deliver(kept);
      },
    };
  }

  /** As after a power failure: what was stored last is gone, acknowledged or not. */
  forgetLast(count: number): void {
    for (const { receiptId } of this.stored.splice(-count)) this.#ids.delete(receiptId);
  }

  /** As after the loss of the engine's disk. */
  wipe(): void {
    this.#life += 1;
    this.stored = [];
    this.#ids.clear();
    for (const { acknowledged, underWay } of this.#durables.values()) {
      acknowledged.clear();
      underWay.clear();
    }
  }

  /** Nothing that is in this process goes away unnoticed. */
  whenBack(): () => void {
    return () => {};
  }

  async close(): Promise<void> {
    this.#durables.clear();
  }

  #deliver(durable: Durable): void {
    const consumer = durable.consumers[0];
    if (!consumer) return;
    this.stored.forEach((receipt, place) => {
      if (receipt.logId !== durable.logId || durable.underWay.size >= MAX_UNACKNOWLEDGED) return;
      if (durable.acknowledged.has(place) || durable.underWay.has(place)) return;
      durable.underWay.add(place);
      setImmediate(() => void this.#handOver(durable, consumer, place));
    });
  }

  async #handOver(durable: Durable, consumer: Consumer, place: number): Promise<void> {
    const receipt = this.stored[place];
    if (consumer.stopped || !receipt) return;
    try {
      await consumer.handle(receipt);
      durable.acknowledged.add(place);
      durable.underWay.delete(place);
      this.#deliver(durable);
    } catch {
      setTimeout(() => {
        durable.underWay.delete(place);
        this.#deliver(durable);
      }, REDELIVERY_MS);
    }
  }
}
