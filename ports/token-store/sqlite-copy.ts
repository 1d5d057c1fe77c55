// A gateway's own copy of the tokens that are shared through Redis. Wants a synced door: when Redis has forgotten, the
// gateways' copies are all there is.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TokenCopy } from './redis.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

export class SqliteTokenCopy implements TokenCopy {
  readonly #door: Door;
  readonly #put: StatementSync;

  constructor(door: Door) {
    this.#door = door;
    door.db.exec('CREATE TABLE IF NOT EXISTS shared_token (field TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID');
    this.#put = door.db.prepare('INSERT OR REPLACE INTO shared_token VALUES (?, ?)');
  }

  load(): ReadonlyMap<string, string> {
    const rows = this.#door.db.prepare('SELECT field, value FROM shared_token').all();
    return new Map(rows.map(({ field, value }) => [field as string, value as string]));
  }

  save(fields: ReadonlyMap<string, string>): void {
    if (fields.size === 0) return;
    this.#door.write(() => {
      for (const [field, value] of fields) this.#put.run(field, value);
    });
  }
}
