// Per agent: the tallies a score is computed from, and the last computed figures for the hot path. Derived state.

import type { Position } from '../action-store/port.ts';

export type AgentKey = { readonly tenantId: string; readonly agentId: string };

/** The tally as opaque JSON of core/trust-score; the store only keeps it. */
export type ScoreRow = AgentKey & {
  readonly tally: string;
  /** What a caller with a minted identity stands at: asserted receipts never move it. */
  readonly score: number;
  readonly totalReceipts: number;
  readonly validReceipts: number;
  /** What a caller that only asserts this name stands at. */
  readonly assertedScore: number;
  readonly assertedValidReceipts: number;
};

export type ScoreStore = {
  /** The next index of this log to fold; 0 when nothing. */
  position(logId: string): Promise<number>;
  /**
   * Rows and position in one transaction: after a crash both are there or neither. Rows are whole, not increments. A
   * position below the store's is a repeat and changes nothing; an equal one replaces rows (a new day's figures).
   */
  fold(rows: readonly ScoreRow[], position: Position): Promise<void>;
  read(key: AgentKey): Promise<ScoreRow | undefined>;
  /**
   * Ordered by agent id, then tenant, of one tenant or (empty) all; at most `limit`. `after` is an agent id, or
   * `TENANT/AGENT` where all tenants are listed.
   */
  list(tenantId: string, after: string, limit: number): Promise<readonly ScoreRow[]>;
  /**
   * Keeps a place for a name that is only asserted. False, and nothing has changed, when `limit` such names have theirs and
   * this one has none. A place stays: what was sealed under the name is scored under it. fold() gives one to each row of
   * asserted receipts alone, whatever the limit, and takes it from a row that has minted ones.
   */
  hold(key: AgentKey, limit: number): Promise<boolean>;
};

/** Whether the row is one that anybody could have brought about by making a name up. */
export function isOnlyAsserted({ validReceipts, assertedValidReceipts }: ScoreRow): boolean {
  return validReceipts === 0 && assertedValidReceipts > 0;
}

/** What a fold was computed from. */
export type FoldBase = {
  /** The log's position that was read. */
  readonly from: number;
  /** For each row, in order: the tally that was read, empty where there was no row. */
  readonly tallies: readonly string[];
};

/** A score store that several processes fold into: whoever was overtaken finds out instead of writing over the other. */
export type SharedScoreStore = ScoreStore & {
  /**
   * As `fold`, if the log's position and the tallies of all these rows are still what `base` says; else false, and
   * nothing has changed.
   */
  foldFrom(base: FoldBase, rows: readonly ScoreRow[], position: Position): Promise<boolean>;
};
