// Per agent: the tallies a score is computed from, and the last computed figure for the hot path. Derived state.

import type { Position } from '../action-store/port.ts';

export type AgentKey = { readonly tenantId: string; readonly agentId: string };

/** The tally as opaque JSON of core/trust-score; the store only keeps it. */
export type ScoreRow = AgentKey & {
  readonly tally: string;
  readonly score: number;
  readonly totalReceipts: number;
  readonly validReceipts: number;
};

export type ScoreStore = {
  position(logId: string): Promise<number>;
  /** Rows and position in one transaction: after a crash both are there or neither. */
  fold(rows: readonly ScoreRow[], position: Position): Promise<void>;
  read(key: AgentKey): Promise<ScoreRow | undefined>;
  /** Ordered by agent id, after `after`, of one tenant or (empty) all; at most `limit`. */
  list(tenantId: string, after: string, limit: number): Promise<readonly ScoreRow[]>;
};
