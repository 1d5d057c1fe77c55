// Actions and approvals of one machine, written behind with the ledger position they reflect. A row is its record as
// JSON beside the few columns that are looked up. Claims live in memory: one process owns the file.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type ActionRecord,
  type ActionStore,
  type ApprovalRecord,
  type LiveActions,
  MAX_APPROVED,
  type Position,
} from './port.ts';
import { STEP } from './standing.ts';

type Door = { readonly db: DatabaseSync; write<T>(work: () => T): T };

const SCHEMA = `
CREATE TABLE IF NOT EXISTS action_position (log_id TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS action (
  action_id TEXT NOT NULL, log_id TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, permit_id TEXT NOT NULL,
  permit_not_after_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, record TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS action_id ON action (action_id);
CREATE INDEX IF NOT EXISTS action_permit ON action (permit_id) WHERE permit_id <> '';
CREATE INDEX IF NOT EXISTS action_open ON action (deadline_ms) WHERE state = 'open';
CREATE INDEX IF NOT EXISTS action_guarded ON action (permit_not_after_ms) WHERE state = 'guarded' AND permit_id <> '';
CREATE TABLE IF NOT EXISTS approval (
  action_id TEXT PRIMARY KEY, log_id TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL, tenant_id TEXT NOT NULL,
  agent_id TEXT NOT NULL, fingerprint TEXT NOT NULL, requested_at_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL,
  record TEXT NOT NULL
);
DROP INDEX IF EXISTS approval_approved;
CREATE INDEX IF NOT EXISTS approval_of_agent ON approval (agent_id, tenant_id, not_after_ms) WHERE status = 'approved';
CREATE INDEX IF NOT EXISTS approval_pending ON approval (requested_at_ms) WHERE status = 'pending'`;

/** Of one log the later, of two the one that has come further (standing.ts). */
const newer = (standing: (row: string) => string) =>
  `WHERE CASE WHEN excluded.log_id = action_or_approval.log_id THEN excluded.at > action_or_approval.at
    ELSE ${standing('excluded')} > ${standing('action_or_approval')} END`;
const ACTION_NEWER = newer(
  (row) => `(CASE ${row}.state WHEN 'open' THEN 1 WHEN 'closed' THEN 2 WHEN 'refused' THEN 3 ELSE 0 END) * ${STEP}
    + json_array_length(${row}.record, '$.receiptIds')`,
).replaceAll('action_or_approval', 'action');
const APPROVAL_NEWER = newer(
  (row) => `CASE ${row}.status WHEN 'pending' THEN 0 WHEN 'used' THEN 2 ELSE 1 END`,
).replaceAll('action_or_approval', 'approval');
const STATEMENTS = {
  position: 'SELECT next FROM action_position WHERE log_id = ?',
  advance: `INSERT INTO action_position VALUES (?, ?)
    ON CONFLICT (log_id) DO UPDATE SET next = excluded.next WHERE excluded.next > next`,
  putAction: `INSERT INTO action VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (action_id) DO UPDATE SET
    log_id = excluded.log_id, at = excluded.at, state = excluded.state, permit_id = excluded.permit_id,
    permit_not_after_ms = excluded.permit_not_after_ms, deadline_ms = excluded.deadline_ms,
    record = excluded.record ${ACTION_NEWER}`,
  recorded: 'SELECT at FROM action WHERE action_id = ? AND log_id = ?',
  getAction: 'SELECT record FROM action WHERE action_id = ?',
  findByPermit: "SELECT record FROM action WHERE permit_id = ? AND permit_id <> ''",
  overdue: "SELECT record FROM action WHERE state = 'open' AND deadline_ms < ? ORDER BY deadline_ms LIMIT ? OFFSET ?",
  // The needle is a quoted JSON string: a first sieve; the exact test follows on the parsed record.
  permitted: `SELECT record FROM action
    WHERE state = 'guarded' AND permit_id <> '' AND permit_not_after_ms > ?2 AND instr(record, ?1) > 0`,
  open: "SELECT record FROM action WHERE state = 'open' AND instr(record, ?1) > 0",
  putApproval: `INSERT INTO approval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (action_id) DO UPDATE SET
    log_id = excluded.log_id, at = excluded.at, status = excluded.status, tenant_id = excluded.tenant_id,
    agent_id = excluded.agent_id, fingerprint = excluded.fingerprint, requested_at_ms = excluded.requested_at_ms,
    not_after_ms = excluded.not_after_ms, record = excluded.record ${APPROVAL_NEWER}`,
  getApproval: 'SELECT record FROM approval WHERE action_id = ?',
  approvedFor: `SELECT record FROM approval WHERE status = 'approved' AND tenant_id = ? AND agent_id = ?
    AND not_after_ms > ? ORDER BY not_after_ms DESC LIMIT ${MAX_APPROVED}`,
  pending: `SELECT record FROM approval WHERE status = 'pending' AND not_after_ms > ?1 AND (?2 = '' OR tenant_id = ?2)
    ORDER BY requested_at_ms LIMIT ?3`,
} as const;

export class SqliteActionStore implements ActionStore {
  readonly #door: Door;
  readonly #sql: { readonly [name in keyof typeof STATEMENTS]: StatementSync };
  readonly #claims = new Set<string>();

  constructor(door: Door) {
    this.#door = door;
    door.db.exec(SCHEMA);
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, door.db.prepare(sql)]);
    this.#sql = Object.fromEntries(prepared);
  }

  async position(logId: string): Promise<number> {
    return Number(this.#sql.position.get(logId)?.next ?? 0);
  }

  async advance(position: Position): Promise<void> {
    this.#door.write(() => this.#sql.advance.run(position.logId, position.index));
  }

  async advanceFrom(from: number, position: Position): Promise<boolean> {
    const known = this.#sql.position.get(position.logId)?.next;
    if (known === undefined || Number(known) < from) return false;
    await this.advance(position);
    return true;
  }

  async recorded(logId: string, actionIds: readonly string[]): Promise<readonly number[]> {
    return actionIds.map((actionId) => Number(this.#sql.recorded.get(actionId, logId)?.at ?? -1));
  }

  async putAction(action: ActionRecord, at: Position): Promise<void> {
    const { actionId, state, permitId, permitNotAfterMs, deadlineMs } = action;
    const record = JSON.stringify(action);
    this.#door.write(() =>
      this.#sql.putAction.run(actionId, at.logId, at.index, state, permitId, permitNotAfterMs, deadlineMs, record),
    );
  }

  async getAction(actionId: string): Promise<ActionRecord | undefined> {
    return parsed(this.#sql.getAction.get(actionId));
  }

  async findByPermit(permitId: string): Promise<ActionRecord | undefined> {
    return parsed(this.#sql.findByPermit.get(permitId));
  }

  async claimPermit(permitId: string): Promise<boolean> {
    return this.#claim(`permit:${permitId}`);
  }

  async releasePermit(permitId: string): Promise<void> {
    this.#claims.delete(`permit:${permitId}`);
  }

  async claimClose(actionId: string): Promise<boolean> {
    return this.#claim(`close:${actionId}`);
  }

  async releaseClose(actionId: string): Promise<void> {
    this.#claims.delete(`close:${actionId}`);
  }

  async overdue(nowMs: number, limit: number, passed = 0): Promise<readonly ActionRecord[]> {
    return this.#sql.overdue.all(nowMs, limit, passed).map((row) => parsed(row) as ActionRecord);
  }

  async liveInScope(scope: string, nowMs: number, limit: number): Promise<LiveActions> {
    const live: ActionRecord[] = [];
    const quoted = JSON.stringify(scope);
    for (const rows of [this.#sql.permitted.iterate(quoted, nowMs), this.#sql.open.iterate(quoted)]) {
      for (const row of rows) {
        const action = parsed(row) as ActionRecord;
        if (!action.scopes.includes(scope)) continue;
        if (live.length >= limit) return { live, more: true };
        live.push(action);
      }
    }
    return { live, more: false };
  }

  async putApproval(approval: ApprovalRecord, at: Position): Promise<void> {
    const { actionId, status, tenantId, agentId, fingerprint, requestedAtMs, notAfterMs } = approval;
    const record = JSON.stringify(approval);
    const { logId, index } = at;
    const columns = [actionId, logId, index, status, tenantId, agentId, fingerprint, requestedAtMs, notAfterMs, record];
    this.#door.write(() => this.#sql.putApproval.run(...columns));
  }

  async getApproval(actionId: string): Promise<ApprovalRecord | undefined> {
    return parsed(this.#sql.getApproval.get(actionId));
  }

  async approvedFor(tenantId: string, agentId: string, nowMs: number): Promise<readonly ApprovalRecord[]> {
    return this.#sql.approvedFor.all(tenantId, agentId, nowMs).map((row) => parsed(row) as ApprovalRecord);
  }

  async claimApproval(actionId: string): Promise<boolean> {
    return this.#claim(`approval:${actionId}`);
  }

  async releaseApproval(actionId: string): Promise<void> {
    this.#claims.delete(`approval:${actionId}`);
  }

  async pendingApprovals(tenantId: string, nowMs: number, limit: number): Promise<readonly ApprovalRecord[]> {
    return this.#sql.pending.all(nowMs, tenantId, limit).map((row) => parsed(row) as ApprovalRecord);
  }

  #claim(name: string): boolean {
    if (this.#claims.has(name)) return false;
    this.#claims.add(name);
    return true;
  }
}

function parsed<T>(row: { readonly [column: string]: unknown } | undefined): T | undefined {
  return row === undefined ? undefined : (JSON.parse(row.record as string) as T);
}
