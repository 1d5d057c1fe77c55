// Idempotency keys of one machine. Records are written behind, with the ledger position they reflect; claims live in
// memory, since one process owns the file and a claim must not outlive it.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Position } from '../action-store/port.ts';
import { keyName } from './memory.ts';
import type { Idempotency, IdempotencyClaim, IdempotencyKey, IdempotencyRecord } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

const SCHEMA = `
CREATE TABLE IF NOT EXISTS idempotency_position (log_id TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS idempotency (
  name TEXT PRIMARY KEY, proposal_digest TEXT NOT NULL, receipt_id TEXT NOT NULL, action_id TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL, log_id TEXT NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_expiry ON idempotency (expires_at_ms)`;

export class SqliteIdempotency implements Idempotency {
  readonly #door: Door;
  readonly #pending = new Map<string, string>();
  readonly #position: StatementSync;
  readonly #advance: StatementSync;
  readonly #recorded: StatementSync;
  readonly #find: StatementSync;
  readonly #put: StatementSync;
  readonly #sweep: StatementSync;

  constructor(door: Door) {
    this.#door = door;
    const { db } = door;
    db.exec(SCHEMA);
    this.#position = db.prepare('SELECT next FROM idempotency_position WHERE log_id = ?');
    this.#advance = db.prepare(
      `INSERT INTO idempotency_position VALUES (?, ?)
       ON CONFLICT (log_id) DO UPDATE SET next = excluded.next WHERE excluded.next > next`,
    );
    this.#recorded = db.prepare('SELECT at FROM idempotency WHERE name = ? AND log_id = ?');
    this.#find = db.prepare(
      `SELECT proposal_digest AS proposalDigest, receipt_id AS receiptId, action_id AS actionId,
       expires_at_ms AS expiresAtMs FROM idempotency WHERE name = ?`,
    );
    this.#put = db.prepare(
      `INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET proposal_digest = excluded.proposal_digest, receipt_id = excluded.receipt_id,
       action_id = excluded.action_id, expires_at_ms = excluded.expires_at_ms, log_id = excluded.log_id, at = excluded.at
       WHERE excluded.log_id <> log_id OR excluded.at > at`,
    );
    this.#sweep = db.prepare(
      `DELETE FROM idempotency WHERE name IN (SELECT name FROM idempotency WHERE expires_at_ms <= ? LIMIT ?)`,
    );
  }

  async position(logId: string): Promise<number> {
    return Number(this.#position.get(logId)?.next ?? 0);
  }

  async advance(position: Position): Promise<void> {
    this.#door.write(() => this.#advance.run(position.logId, position.index));
  }

  async advanceFrom(from: number, position: Position): Promise<boolean> {
    const known = this.#position.get(position.logId)?.next;
    if (known === undefined || Number(known) < from) return false;
    await this.advance(position);
    return true;
  }

  async recorded(logId: string, keys: readonly IdempotencyKey[]): Promise<readonly number[]> {
    return keys.map((key) => Number(this.#recorded.get(keyName(key), logId)?.at ?? -1));
  }

  async claim(key: IdempotencyKey, proposalDigest: string, nowMs: number): Promise<IdempotencyClaim> {
    const name = keyName(key);
    const pending = this.#pending.get(name);
    if (pending !== undefined) return { kind: 'pending', proposalDigest: pending };
    const record = this.#find.get(name) as IdempotencyRecord | undefined;
    if (record !== undefined && record.expiresAtMs > nowMs) return { kind: 'done', record: { ...record } };
    this.#pending.set(name, proposalDigest);
    return { kind: 'fresh' };
  }

  async complete(key: IdempotencyKey, record: IdempotencyRecord, at: Position): Promise<void> {
    const name = keyName(key);
    const { proposalDigest, receiptId, actionId, expiresAtMs } = record;
    this.#door.write(() => this.#put.run(name, proposalDigest, receiptId, actionId, expiresAtMs, at.logId, at.index));
    this.#pending.delete(name);
  }

  async abandon(key: IdempotencyKey): Promise<void> {
    this.#pending.delete(keyName(key));
  }

  async sweep(nowMs: number, limit: number): Promise<number> {
    return this.#door.write(() => Number(this.#sweep.run(nowMs, limit).changes));
  }
}
