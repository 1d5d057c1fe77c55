// Score rows of one machine, written behind with the ledger position they reflect.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Position } from '../action-store/port.ts';
import { splitAfter } from './memory.ts';
import { type AgentKey, type FoldBase, isOnlyAsserted, type ScoreRow, type SharedScoreStore } from './port.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

const SCHEMA = `
CREATE TABLE IF NOT EXISTS score_position (log_id TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS score (
  agent_id TEXT NOT NULL, tenant_id TEXT NOT NULL, tally TEXT NOT NULL, score INTEGER NOT NULL,
  total_receipts INTEGER NOT NULL, valid_receipts INTEGER NOT NULL, asserted_score INTEGER NOT NULL,
  asserted_valid_receipts INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS score_agent ON score (agent_id, tenant_id);
CREATE INDEX IF NOT EXISTS score_tenant ON score (tenant_id, agent_id);
CREATE TABLE IF NOT EXISTS asserted_name (agent_id TEXT, tenant_id TEXT, PRIMARY KEY (agent_id, tenant_id)) WITHOUT ROWID`;
const COLUMNS = `tenant_id AS tenantId, agent_id AS agentId, tally, score, total_receipts AS totalReceipts,
  valid_receipts AS validReceipts, asserted_score AS assertedScore, asserted_valid_receipts AS assertedValidReceipts`;

export class SqliteScoreStore implements SharedScoreStore {
  readonly #door: Door;
  readonly #position: StatementSync;
  readonly #advance: StatementSync;
  readonly #putRow: StatementSync;
  readonly #read: StatementSync;
  readonly #place: StatementSync;
  readonly #unplace: StatementSync;
  readonly #placed: StatementSync;
  readonly #places: StatementSync;
  readonly #listTenant: StatementSync;
  readonly #listAll: StatementSync;

  constructor(door: Door) {
    this.#door = door;
    const { db } = door;
    db.exec(SCHEMA);
    this.#position = db.prepare('SELECT next FROM score_position WHERE log_id = ?');
    this.#advance = db.prepare('INSERT OR REPLACE INTO score_position VALUES (?, ?)');
    this.#putRow = db.prepare(
      `INSERT INTO score VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (agent_id, tenant_id) DO UPDATE SET
       tally = excluded.tally, score = excluded.score, total_receipts = excluded.total_receipts,
       valid_receipts = excluded.valid_receipts, asserted_score = excluded.asserted_score,
       asserted_valid_receipts = excluded.asserted_valid_receipts`,
    );
    this.#read = db.prepare(`SELECT ${COLUMNS} FROM score WHERE agent_id = ? AND tenant_id = ?`);
    this.#place = db.prepare('INSERT OR IGNORE INTO asserted_name VALUES (?, ?)');
    this.#unplace = db.prepare('DELETE FROM asserted_name WHERE agent_id = ? AND tenant_id = ?');
    this.#placed = db.prepare('SELECT 1 FROM asserted_name WHERE agent_id = ? AND tenant_id = ?');
    this.#places = db.prepare('SELECT count(*) AS n FROM asserted_name');
    this.#listTenant = db.prepare(
      `SELECT ${COLUMNS} FROM score WHERE tenant_id = ? AND agent_id > ? ORDER BY agent_id LIMIT ?`,
    );
    this.#listAll = db.prepare(
      `SELECT ${COLUMNS} FROM score WHERE (agent_id, tenant_id) > (?, ?) ORDER BY agent_id, tenant_id LIMIT ?`,
    );
  }

  async position(logId: string): Promise<number> {
    return this.#positionOf(logId);
  }

  async fold(rows: readonly ScoreRow[], position: Position): Promise<void> {
    this.#door.write(() => this.#put(rows, position));
  }

  async foldFrom(base: FoldBase, rows: readonly ScoreRow[], position: Position): Promise<boolean> {
    return this.#door.write(() => {
      const same = (row: ScoreRow, at: number) => this.#tallyOf(row) === base.tallies[at];
      if (this.#positionOf(position.logId) !== base.from || !rows.every(same)) return false;
      this.#put(rows, position);
      return true;
    });
  }

  async read(key: AgentKey): Promise<ScoreRow | undefined> {
    const row = this.#read.get(key.agentId, key.tenantId);
    return row === undefined ? undefined : ({ ...row } as ScoreRow);
  }

  async list(tenantId: string, after: string, limit: number): Promise<readonly ScoreRow[]> {
    const from = splitAfter(after);
    const rows =
      tenantId === ''
        ? this.#listAll.all(from.agentId, from.tenantId, limit)
        : this.#listTenant.all(tenantId, from.agentId, limit);
    return rows.map((row) => ({ ...row }) as ScoreRow);
  }

  async hold({ agentId, tenantId }: AgentKey, limit: number): Promise<boolean> {
    if (this.#placed.get(agentId, tenantId) ?? this.#read.get(agentId, tenantId)) return true;
    if (Number(this.#places.get()?.n) >= limit) return false;
    this.#door.write(() => this.#place.run(agentId, tenantId));
    return true;
  }

  #put(rows: readonly ScoreRow[], position: Position): void {
    if (position.index < this.#positionOf(position.logId)) return;
    for (const row of rows) {
      const { agentId, tenantId, tally, score, totalReceipts, validReceipts } = row;
      const { assertedScore, assertedValidReceipts } = row;
      const figures = [score, totalReceipts, validReceipts, assertedScore, assertedValidReceipts];
      this.#putRow.run(agentId, tenantId, tally, ...figures);
      (isOnlyAsserted(row) ? this.#place : this.#unplace).run(agentId, tenantId);
    }
    this.#advance.run(position.logId, position.index);
  }

  #tallyOf({ agentId, tenantId }: AgentKey): string {
    return String(this.#read.get(agentId, tenantId)?.tally ?? '');
  }

  #positionOf(logId: string): number {
    return Number(this.#position.get(logId)?.next ?? 0);
  }
}
