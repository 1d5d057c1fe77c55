// Which kill switch a signer follows, kept for its next start: what has been followed must not be believed again by a
// process that has forgotten it.

export type KnownLeader = {
  /** Origin of the kill-switch's log. */
  readonly origin: string;
  /** The epoch with which it began to lead. */
  readonly epoch: number;
  /** The highest epoch it granted a lease at, and the revocation id of the leaf that made it. */
  readonly granted?: { readonly epoch: number; readonly leafId: string } | undefined;
};

export type KnownLeaderStore = {
  /** Undefined before the first save. Throws `failed_precondition` when what was saved cannot be read. */
  load(): Promise<KnownLeader | undefined>;
  /** Durable when it resolves. Callers save one at a time. */
  save(leader: KnownLeader): Promise<void>;
};
