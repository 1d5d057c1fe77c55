// The stores of one machine: derived state in SQLite, written behind, because the ledger is its source; tokens and the
// revocation list in files of their own, synced before they answer.

import { join } from 'node:path';
import { BeaconError } from '../core/errors.ts';
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

const AGAIN = 'move it away with what SQLite keeps beside it (-wal, -shm), and it is made again from';
/** What there is to be done about a file that cannot be used. */
const ADVICE = {
  'state.db': `${AGAIN} the ledger`,
  'revocations.db': `${AGAIN} the kill switch's log`,
  'tokens.db': 'put back a copy of it: without it no minted token is known, and their names are open to anybody',
} as const;

/**
 * `dataDir`: an existing folder of mode 0700. `failed` is told when a commit fails; later writes are then refused. Throws
 * `failed_precondition` for a file that is damaged, or of a Beacon that keeps other columns.
 */
export function openEmbeddedStores(dataDir: string, failed: (error: unknown) => void): EmbeddedStores {
  const files: SqliteFile[] = [];
  const open = <T>(name: keyof typeof ADVICE, synced: boolean, use: (file: SqliteFile) => T): T => {
    const path = join(dataDir, name);
    try {
      const file = new SqliteFile({ path, synced, onFailure: failed });
      files.push(file);
      return use(file);
    } catch (fault) {
      const { message } = ((fault as Error).cause ?? fault) as Error;
      const why = `${path} cannot be used (${message}): ${ADVICE[name]}`;
      throw new BeaconError('failed_precondition', why, { cause: fault });
    }
  };
  const state = open('state.db', false, (file) => ({
    actions: new SqliteActionStore(file),
    idempotency: new SqliteIdempotency(file),
    scores: new SqliteScoreStore(file),
    budgets: new SqliteBudgets(file),
  }));
  const revocations = open('revocations.db', true, (file) => new SqliteRevocationList(file));
  const tokens = open('tokens.db', true, (file) => new SqliteTokenStore(file));
  return {
    ...state,
    revocations,
    tokens,
    writable: () => files.every((file) => file.writable),
    close() {
      for (const file of files) file.close();
    },
  };
}
