// Token buckets: how often an agent may ask, and how much it may do in one turn or session.

export type Bucket = {
  /** Such as `tenant:T`, `agent:T/A` or `turn:T/A/O`. */
  readonly name: string;
  /** Most tokens it holds; at least 1. */
  readonly capacity: number;
  /** 0 where it does not refill but is full again all at once. */
  readonly refillPerSecond: number;
  /** From the first token taken until it is full again; given exactly where `refillPerSecond` is 0. */
  readonly windowMs?: number;
};

export type Budgets = {
  /** Takes `cost` from every bucket or from none, atomically. 1 to 8 buckets. */
  take(
    buckets: readonly Bucket[],
    cost: number,
    nowMs: number,
  ): Promise<{ readonly allowed: boolean; readonly exhausted: string; readonly retryAfterMs: number }>;
  /** Gives back what was taken for nothing: to each bucket, as far as it holds and as long as what was taken counts. */
  give(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<void>;
  /**
   * Forgets up to `limit` buckets that are full again; resolves to how many, 0 where they go by themselves. What was taken
   * before is kept over a restart after it.
   */
  sweep(nowMs: number, limit: number): Promise<number>;
};
