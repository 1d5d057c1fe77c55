// A log that was put back to an older copy gives new receipts the ids of those that stood there, which have been answered.
// From within nothing shows it; the shared stores have followed the log and say how far it had come.

import { BeaconError } from '../../core/errors.ts';

type Log = { readonly logId: string; size(): number };
type Follower = { position(logId: string): Promise<number> };

/** Throws `failed_precondition` when a store reflects more than the log has. Before the log is written. */
export async function requireNotOlder(log: Log, stores: readonly Follower[]): Promise<void> {
  const followed = Math.max(...(await Promise.all(stores.map((store) => store.position(log.logId)))));
  if (followed <= log.size()) return;
  throw new BeaconError(
    'failed_precondition',
    `log ${log.logId} is an older copy: the stores reflect ${followed} receipts, the log has ${log.size()}`,
  );
}
