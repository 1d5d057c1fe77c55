// Nobody but one store writes a ledger folder. Node has no flock; an exclusive SQLite transaction is one that the kernel
// drops with the process, however it ends, and that refuses a second opener in the same process too.

import { DatabaseSync } from 'node:sqlite';
import { BeaconError } from '../../core/errors.ts';

/** Returns the release. Throws `failed_precondition` when somebody else holds the lock. */
export function lockFile(path: string): () => void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const why = `another Beacon has this ledger open: ${path} is locked; stop that one or use another BEACON_DATA_DIR`;
    throw new BeaconError('failed_precondition', why, { cause });
  }
  return () => database.close();
}
