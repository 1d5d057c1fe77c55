// The bus inside one process. Listeners run after the publisher's turn, so a slow or throwing one costs the publisher
// nothing; when more than MAX_QUEUED events wait, the oldest are dropped (the ledger, not the bus, is the record).

import type { BusEvent, EventBus } from './port.ts';

const MAX_QUEUED = 65_536;

type Listener = (event: BusEvent) => void;

export class MemoryEventBus implements EventBus {
  /** Events dropped because listeners did not keep up. */
  dropped = 0;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #onFault: (fault: unknown, event: BusEvent) => void;
  #queue: BusEvent[] = [];
  #scheduled = false;
  #closed = false;

  constructor(onFault: (fault: unknown, event: BusEvent) => void = () => {}) {
    this.#onFault = onFault;
  }

  publish(event: BusEvent): void {
    if (this.#closed || !this.#listeners.has(event.name)) return;
    if (this.#queue.length >= MAX_QUEUED) {
      this.#queue.shift();
      this.dropped += 1;
    }
    this.#queue.push(event);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#deliver());
  }

  subscribe(name: string, listener: Listener): () => void {
    const own: Listener = (event) => listener(event);
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(own);
    this.#listeners.set(name, listeners);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name);
    };
  }

  /** Delivers what waits, then nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deliver();
    this.#listeners.clear();
  }

  #deliver(): void {
    const events = this.#queue;
    this.#queue = [];
    this.#scheduled = false;
    for (const event of events) {
      for (const listener of [...(this.#listeners.get(event.name) ?? [])]) {
        try {
          listener(event);
        } catch (fault) {
          this.#onFault(fault, event);
        }
      }
    }
  }
}
