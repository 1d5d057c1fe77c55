// The stores of one machine: derived state in SQLite, written behind, because the ledger is its source; tokens and the
// revocation list in files of their own, synced before they answer.

import { join } from 'node:path';
import { SqliteActionStore } from '../ports/action-store/sqlite.ts';
import { SqliteBudgets } from '../ports/budgets/sqlite.ts';
import { SqliteIdempotency } from '../ports/idempotency/sqlite.ts';
import { SqliteRevocationList } from '../ports/revocation-list/sqlite.ts';
import { SqliteScoreStore } from '../ports/score-store/sqlite.ts';
import type { TokenStore } from '../ports/token-store/port.ts';
import { SqliteTokenStore } from '../ports/token-store/sqlite.ts';
import { SqliteFile } from '../runtime/sqlite.ts';
import type { Stores } from './decision/deps.ts';

export type EmbeddedStores = Stores & {
  readonly tokens: TokenStore;
  close(): void;
};

/** `dataDir`: an existing folder of mode 0700. `failed` is told when a commit fails; later writes are then refused. */
export function openEmbeddedStores(dataDir: string, failed: (error: unknown) => void): EmbeddedStores {
  const open = (name: string, synced: boolean) =>
    new SqliteFile({ path: join(dataDir, name), synced, onFailure: failed });
  const state = open('state.db', false);
  const revocations = open('revocations.db', true);
  const tokens = open('tokens.db', true);
  return {
    actions: new SqliteActionStore(state),
    idempotency: new SqliteIdempotency(state),
    scores: new SqliteScoreStore(state),
    budgets: new SqliteBudgets(state),
    revocations: new SqliteRevocationList(revocations),
    tokens: new SqliteTokenStore(tokens),
    writable: () => [state, revocations, tokens].every((file) => file.writable),
    close() {
      for (const file of [state, revocations, tokens]) file.close();
    },
  };
}
