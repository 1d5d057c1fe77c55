// Budgets of one machine. Levels live in memory; each bucket is written at most once in PERSIST_MS and by every sweep, so a
// crash gives back at most what was taken since, and an agent gains little by making Beacon restart.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fullAtMs, giveAll, type Level, type Taken, takeAll } from './bucket.ts';
import type { Bucket, Budgets } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };
type Held = Level & { readonly writtenAtMs: number; readonly fullAtMs: number };

export const MAX_LEVELS = 100_000;
export const PERSIST_MS = 1_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS budget (name TEXT PRIMARY KEY, tokens REAL NOT NULL, at_ms INTEGER NOT NULL,
  full_at_ms INTEGER NOT NULL) WITHOUT ROWID`;

export class SqliteBudgets implements Budgets {
  readonly #door: Door;
  readonly #read: StatementSync;
  readonly #put: StatementSync;
  readonly #full: StatementSync;
  readonly #forget: StatementSync;
  readonly #levels = new Map<string, Held>();
  /** Taken from since they were written. */
  readonly #behind = new Set<string>();

  constructor(door: Door) {
    this.#door = door;
    door.db.exec(SCHEMA);
    this.#read = door.db.prepare('SELECT tokens, at_ms AS atMs FROM budget WHERE name = ?');
    this.#put = door.db.prepare('INSERT OR REPLACE INTO budget VALUES (?, ?, ?, ?)');
    this.#full = door.db.prepare('SELECT name FROM budget WHERE full_at_ms <= ? LIMIT ?');
    this.#forget = door.db.prepare('DELETE FROM budget WHERE name = ?');
  }

  async take(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<Taken> {
    return takeAll(buckets, cost, nowMs, this.#levelsAt(nowMs));
  }

  async give(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<void> {
    giveAll(buckets, cost, nowMs, this.#levelsAt(nowMs));
  }

  async sweep(nowMs: number, limit: number): Promise<number> {
    this.#catchUp();
    const names = this.#full.all(nowMs, limit) as { readonly name: string }[];
    if (names.length === 0) return 0;
    this.#door.write(() => {
      for (const { name } of names) this.#forget.run(name);
    });
    for (const { name } of names) this.#levels.delete(name);
    return names.length;
  }

  #levelsAt(nowMs: number) {
    return {
      read: (name: string) => this.#levels.get(name) ?? (this.#read.get(name) as Level | undefined),
      keep: (name: string, level: Level, bucket: Bucket) => this.#keep(name, level, bucket, nowMs),
    };
  }

  #keep(name: string, level: Level, bucket: Bucket, nowMs: number): void {
    const held = this.#levels.get(name);
    const due = held === undefined || nowMs - held.writtenAtMs >= PERSIST_MS;
    this.#levels.delete(name);
    const full = fullAtMs(bucket, level);
    this.#levels.set(name, { ...level, writtenAtMs: due ? nowMs : held.writtenAtMs, fullAtMs: full });
    if (due) {
      this.#door.write(() => this.#put.run(name, level.tokens, level.atMs, full));
      this.#behind.delete(name);
    } else this.#behind.add(name);
    if (this.#levels.size > MAX_LEVELS) this.#forgetOldest();
  }

  #catchUp(): void {
    if (this.#behind.size === 0) return;
    this.#door.write(() => {
      for (const name of this.#behind) {
        const held = this.#levels.get(name);
        if (held !== undefined) this.#put.run(name, held.tokens, held.atMs, held.fullAtMs);
      }
    });
    this.#behind.clear();
  }

  #forgetOldest(): void {
    // What goes is written first.
    if (this.#behind.size > 0) this.#catchUp();
    this.#levels.delete(this.#levels.keys().next().value as string);
  }
}
