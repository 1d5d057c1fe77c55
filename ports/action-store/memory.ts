// Actions and approvals in one process's memory. For tests.

import {
  type ActionRecord,
  type ActionStore,
  type ApprovalRecord,
  type LiveActions,
  MAX_APPROVED,
  type Position,
} from './port.ts';
import { actionStanding, approvalStanding } from './standing.ts';

type Kept<T> = { readonly row: T; readonly at: Position };

export class MemoryActionStore implements ActionStore {
  readonly #positions = new Map<string, number>();
  readonly #actions = new Map<string, Kept<ActionRecord>>();
  readonly #permits = new Map<string, string>();
  readonly #approvals = new Map<string, Kept<ApprovalRecord>>();
  readonly #claims = new Set<string>();

  async position(logId: string): Promise<number> {
    return this.#positions.get(logId) ?? 0;
  }

  async advance(position: Position): Promise<void> {
    const known = this.#positions.get(position.logId) ?? 0;
    this.#positions.set(position.logId, Math.max(known, position.index));
  }

  async advanceFrom(from: number, position: Position): Promise<boolean> {
    if ((this.#positions.get(position.logId) ?? -1) < from) return false;
    await this.advance(position);
    return true;
  }

  async recorded(logId: string, actionIds: readonly string[]): Promise<readonly number[]> {
    return actionIds.map((actionId) => {
      const kept = this.#actions.get(actionId);
      return kept?.at.logId === logId ? kept.at.index : -1;
    });
  }

  async putAction(action: ActionRecord, at: Position): Promise<void> {
    if (!put(this.#actions, action.actionId, { row: action, at }, actionStanding)) return;
    if (action.permitId !== '') this.#permits.set(action.permitId, action.actionId);
  }

  async getAction(actionId: string): Promise<ActionRecord | undefined> {
    return this.#actions.get(actionId)?.row;
  }

  async findByPermit(permitId: string): Promise<ActionRecord | undefined> {
    const actionId = this.#permits.get(permitId);
    return actionId === undefined ? undefined : this.getAction(actionId);
  }

  async claimPermit(permitId: string): Promise<boolean> {
    return claim(this.#claims, `permit:${permitId}`);
  }

  async releasePermit(permitId: string): Promise<void> {
    this.#claims.delete(`permit:${permitId}`);
  }

  async claimClose(actionId: string): Promise<boolean> {
    return claim(this.#claims, `close:${actionId}`);
  }

  async releaseClose(actionId: string): Promise<void> {
    this.#claims.delete(`close:${actionId}`);
  }

  async overdue(nowMs: number, limit: number, passed = 0): Promise<readonly ActionRecord[]> {
    return this.#rows()
      .filter((action) => action.state === 'open' && action.deadlineMs < nowMs)
      .sort((a, b) => a.deadlineMs - b.deadlineMs)
      .slice(passed, passed + limit);
  }

  async liveInScope(scope: string, nowMs: number, limit: number): Promise<LiveActions> {
    const permitted = (action: ActionRecord) =>
      action.state === 'guarded' && action.permitId !== '' && action.permitNotAfterMs > nowMs;
    const inScope = this.#rows().filter((action) => action.scopes.includes(scope));
    const live = [...inScope.filter(permitted), ...inScope.filter(({ state }) => state === 'open')];
    return { live: live.slice(0, limit), more: live.length > limit };
  }

  async putApproval(approval: ApprovalRecord, at: Position): Promise<void> {
    put(this.#approvals, approval.actionId, { row: approval, at }, approvalStanding);
  }

  async getApproval(actionId: string): Promise<ApprovalRecord | undefined> {
    return this.#approvals.get(actionId)?.row;
  }

  async approvedFor(tenantId: string, agentId: string, nowMs: number): Promise<readonly ApprovalRecord[]> {
    return [...this.#approvals.values()]
      .map(({ row }) => row)
      .filter((row) => row.tenantId === tenantId && row.agentId === agentId)
      .filter((row) => row.status === 'approved' && row.notAfterMs > nowMs)
      .sort((a, b) => b.notAfterMs - a.notAfterMs)
      .slice(0, MAX_APPROVED);
  }

  async claimApproval(actionId: string): Promise<boolean> {
    return claim(this.#claims, `approval:${actionId}`);
  }

  async releaseApproval(actionId: string): Promise<void> {
    this.#claims.delete(`approval:${actionId}`);
  }

  async pendingApprovals(tenantId: string, nowMs: number, limit: number): Promise<readonly ApprovalRecord[]> {
    return [...this.#approvals.values()]
      .map(({ row }) => row)
      .filter((row) => row.status === 'pending' && row.notAfterMs > nowMs)
      .filter((row) => tenantId === '' || row.tenantId === tenantId)
      .sort((a, b) => a.requestedAtMs - b.requestedAtMs)
      .slice(0, limit);
  }

  #rows(): ActionRecord[] {
    return [...this.#actions.values()].map(({ row }) => row);
  }
}

function put<T>(rows: Map<string, Kept<T>>, id: string, next: Kept<T>, standing: (row: T) => number): boolean {
  const { row, at } = next;
  const known = rows.get(id);
  if (known?.at.logId === at.logId ? at.index <= known.at.index : known && standing(row) <= standing(known.row)) {
    return false;
  }
  rows.set(id, { row: structuredClone(row), at });
  return true;
}

function claim(claims: Set<string>, name: string): boolean {
  if (claims.has(name)) return false;
  claims.add(name);
  return true;
}
