// What one log told of an action before another log has told of its decision: kept until then. So it comes after Redis
// has forgotten everything and each log is followed from its start by itself.

export type EarlyReceipts = {
  /** By receipt id; the same one again changes nothing. */
  keep(actionId: string, receipts: ReadonlyMap<string, string>): Promise<void>;
  /** In no order. */
  of(actionId: string): Promise<readonly string[]>;
  drop(actionId: string): Promise<void>;
};
