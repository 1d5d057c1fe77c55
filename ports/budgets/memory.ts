// Budgets in one process's memory: at most MAX_LEVELS buckets, the least recently used forgotten first (a forgotten
// bucket is a full one).

import { type Level, type Taken, takeAll } from './bucket.ts';
import type { Bucket, Budgets } from './port.ts';

export const MAX_LEVELS = 100_000;

export class MemoryBudgets implements Budgets {
  readonly #levels = new Map<string, Level>();

  async take(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<Taken> {
    return takeAll(buckets, cost, nowMs, {
      read: (name) => this.#levels.get(name),
      keep: (name, level) => {
        this.#levels.delete(name);
        this.#levels.set(name, level);
        if (this.#levels.size > MAX_LEVELS) this.#levels.delete(this.#levels.keys().next().value as string);
      },
    });
  }
}
