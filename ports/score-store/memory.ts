// Score rows in one process's memory. For tests.

import type { Position } from '../action-store/port.ts';
import { type AgentKey, type FoldBase, isOnlyAsserted, type ScoreRow, type SharedScoreStore } from './port.ts';

export class MemoryScoreStore implements SharedScoreStore {
  readonly #positions = new Map<string, number>();
  readonly #rows = new Map<string, ScoreRow>();
  readonly #places = new Set<string>();

  async position(logId: string): Promise<number> {
    return this.#positions.get(logId) ?? 0;
  }

  async fold(rows: readonly ScoreRow[], position: Position): Promise<void> {
    if (position.index < (this.#positions.get(position.logId) ?? 0)) return;
    for (const row of rows) {
      const name = `${row.tenantId}/${row.agentId}`;
      this.#rows.set(name, { ...row });
      if (isOnlyAsserted(row)) this.#places.add(name);
      else this.#places.delete(name);
    }
    this.#positions.set(position.logId, position.index);
  }

  async foldFrom(base: FoldBase, rows: readonly ScoreRow[], position: Position): Promise<boolean> {
    const same = (row: ScoreRow, at: number) =>
      (this.#rows.get(`${row.tenantId}/${row.agentId}`)?.tally ?? '') === base.tallies[at];
    if ((this.#positions.get(position.logId) ?? 0) !== base.from || !rows.every(same)) return false;
    await this.fold(rows, position);
    return true;
  }

  async read(key: AgentKey): Promise<ScoreRow | undefined> {
    return this.#rows.get(`${key.tenantId}/${key.agentId}`);
  }

  async list(tenantId: string, after: string, limit: number): Promise<readonly ScoreRow[]> {
    const from = splitAfter(after);
    return [...this.#rows.values()]
      .filter((row) => tenantId === '' || row.tenantId === tenantId)
      .filter((row) => row.agentId > from.agentId || (row.agentId === from.agentId && row.tenantId > from.tenantId))
      .sort((a, b) => compare(a.agentId, b.agentId) || compare(a.tenantId, b.tenantId))
      .slice(0, limit);
  }

  async hold({ tenantId, agentId }: AgentKey, limit: number): Promise<boolean> {
    const name = `${tenantId}/${agentId}`;
    if (this.#places.has(name) || this.#rows.has(name)) return true;
    if (this.#places.size >= limit) return false;
    this.#places.add(name);
    return true;
  }
}

/** Where a page starts. An agent id alone is after that agent in every tenant. */
export function splitAfter(after: string): AgentKey {
  const slash = after.indexOf('/');
  if (slash === -1) return { agentId: after, tenantId: '\u{10ffff}' };
  return { tenantId: after.slice(0, slash), agentId: after.slice(slash + 1) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
