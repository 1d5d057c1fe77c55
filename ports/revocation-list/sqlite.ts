// The revocation list of one machine. Wants a synced door: a change is on disk before `apply` resolves. Consults are
// answered from a mirror in memory, read anew whenever another connection has changed the file.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isNews, MemoryRevocationList, type RevocationChange, requireNotLower } from './memory.ts';
import type { RevocationEntry, RevocationList, Survey } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

const SCHEMA = `
CREATE TABLE IF NOT EXISTS revocation_epoch (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS revocation (
  scope TEXT PRIMARY KEY, revocation_id TEXT NOT NULL, epoch INTEGER NOT NULL
) WITHOUT ROWID`;

export class SqliteRevocationList implements RevocationList {
  readonly #door: Door;
  readonly #version: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #setEpoch: StatementSync;
  #mirror = new MemoryRevocationList();
  #epoch: number | undefined;
  #mirrored: unknown;

  constructor(door: Door) {
    this.#door = door;
    const { db } = door;
    db.exec(SCHEMA);
    this.#version = db.prepare('PRAGMA data_version');
    this.#version.setReturnArrays(true);
    this.#put = db.prepare('INSERT OR REPLACE INTO revocation VALUES (?, ?, ?)');
    this.#remove = db.prepare('DELETE FROM revocation WHERE scope = ?');
    this.#setEpoch = db.prepare('INSERT OR REPLACE INTO revocation_epoch VALUES (1, ?)');
  }

  async consult(scopes: readonly string[]): Promise<{ epoch: number | undefined; revoked: readonly string[] }> {
    await this.#refresh();
    return this.#mirror.consult(scopes);
  }

  async survey(scopes: readonly string[]): Promise<Survey> {
    await this.#refresh();
    return this.#mirror.survey(scopes);
  }

  async apply(change: RevocationChange): Promise<void> {
    await this.#refresh();
    if (!isNews(change.epoch, this.#epoch)) return;
    this.#door.write(() => {
      if (change.operation === 'revoke') this.#put.run(change.scope, change.revocationId, change.epoch);
      else this.#remove.run(change.scope);
      this.#setEpoch.run(change.epoch);
    });
    this.#epoch = change.epoch;
    await this.#mirror.apply(change);
  }

  async rebuild(entries: readonly RevocationEntry[], epoch: number): Promise<void> {
    await this.#refresh();
    requireNotLower(epoch, this.#epoch);
    this.#door.write(() => {
      this.#door.db.exec('DELETE FROM revocation');
      for (const entry of entries) this.#put.run(entry.scope, entry.revocationId, entry.epoch);
      this.#setEpoch.run(epoch);
    });
    this.#mirrored = undefined;
    await this.#refresh();
  }

  async list(): Promise<readonly RevocationEntry[]> {
    await this.#refresh();
    return this.#mirror.list();
  }

  async #refresh(): Promise<void> {
    const version = (this.#version.get() as unknown as [unknown])[0];
    if (version === this.#mirrored) return;
    const { db } = this.#door;
    const mirror = new MemoryRevocationList();
    const row = db.prepare('SELECT epoch FROM revocation_epoch').get();
    const rows = db.prepare('SELECT scope, revocation_id AS revocationId, epoch FROM revocation').all();
    const epoch = row === undefined ? undefined : Number(row.epoch);
    if (epoch !== undefined) await mirror.rebuild(rows as unknown as RevocationEntry[], epoch);
    this.#mirror = mirror;
    this.#epoch = epoch;
    this.#mirrored = version;
  }
}
