// Budgets in one process's memory: at most MAX_LEVELS buckets, the least recently used forgotten first (a forgotten
// bucket is a full one).

import { fullAtMs, giveAll, type Level, type Taken, takeAll } from './bucket.ts';
import type { Bucket, Budgets } from './port.ts';

export const MAX_LEVELS = 100_000;

export class MemoryBudgets implements Budgets {
  readonly #levels = new Map<string, Level & { readonly fullAtMs: number }>();
  readonly #door = {
    read: (name: string) => this.#levels.get(name),
    keep: (name: string, level: Level, bucket: Bucket) => {
      this.#levels.delete(name);
      this.#levels.set(name, { ...level, fullAtMs: fullAtMs(bucket, level) });
      if (this.#levels.size > MAX_LEVELS) this.#levels.delete(this.#levels.keys().next().value as string);
    },
  };

  async take(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<Taken> {
    return takeAll(buckets, cost, nowMs, this.#door);
  }

  async give(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<void> {
    giveAll(buckets, cost, nowMs, this.#door);
  }

  async sweep(nowMs: number, limit: number): Promise<number> {
    const full = [...this.#levels].filter(([, level]) => level.fullAtMs <= nowMs).slice(0, limit);
    for (const [name] of full) this.#levels.delete(name);
    return full.length;
  }
}
