// Budgets of one machine. Levels live in memory; each bucket is written at most once in PERSIST_MS, so a restart gives
// back at most what was taken in that time, and an agent gains little by making Beacon restart.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Level, type Taken, takeAll } from './bucket.ts';
import type { Bucket, Budgets } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };
type Held = Level & { readonly writtenAtMs: number };

export const MAX_LEVELS = 100_000;
export const PERSIST_MS = 1_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS budget (name TEXT PRIMARY KEY, tokens REAL NOT NULL, at_ms INTEGER NOT NULL,
  full_at_ms INTEGER NOT NULL) WITHOUT ROWID`;

export class SqliteBudgets implements Budgets {
  readonly #door: Door;
  readonly #read: StatementSync;
  readonly #put: StatementSync;
  readonly #levels = new Map<string, Held>();

  constructor(door: Door) {
    this.#door = door;
    door.db.exec(SCHEMA);
    this.#read = door.db.prepare('SELECT tokens, at_ms AS atMs FROM budget WHERE name = ?');
    this.#put = door.db.prepare('INSERT OR REPLACE INTO budget VALUES (?, ?, ?, ?)');
  }

  async take(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<Taken> {
    return takeAll(buckets, cost, nowMs, {
      read: (name) => this.#levels.get(name) ?? (this.#read.get(name) as Level | undefined),
      keep: (name, level, bucket) => this.#keep(name, level, bucket, nowMs),
    });
  }

  /** Forgets buckets that have filled up again; resolves to the number forgotten. */
  async sweep(nowMs: number): Promise<number> {
    return this.#door.write(() =>
      Number(this.#door.db.prepare('DELETE FROM budget WHERE full_at_ms < ?').run(nowMs).changes),
    );
  }

  #keep(name: string, level: Level, bucket: Bucket, nowMs: number): void {
    const held = this.#levels.get(name);
    const due = held === undefined || nowMs - held.writtenAtMs >= PERSIST_MS;
    this.#levels.delete(name);
    this.#levels.set(name, { ...level, writtenAtMs: due ? nowMs : held.writtenAtMs });
    if (due) this.#persist(name, level, bucket);
    if (this.#levels.size > MAX_LEVELS) this.#forgetOldest();
  }

  #persist(name: string, level: Level, bucket: Bucket): void {
    const fullAtMs = Math.ceil(level.atMs + ((bucket.capacity - level.tokens) * 1000) / bucket.refillPerSecond);
    this.#door.write(() => this.#put.run(name, level.tokens, level.atMs, fullAtMs));
  }

  #forgetOldest(): void {
    this.#levels.delete(this.#levels.keys().next().value as string);
  }
}
