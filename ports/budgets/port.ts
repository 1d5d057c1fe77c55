// Token buckets: how often a tenant or an agent may ask.

export type Bucket = {
  /** Such as `tenant:T` or `agent:T/A`. */
  readonly name: string;
  /** Most tokens it holds; at least 1. */
  readonly capacity: number;
  readonly refillPerSecond: number;
};

export type Budgets = {
  /** Takes `cost` from every bucket or from none, atomically. 1 to 8 buckets. */
  take(
    buckets: readonly Bucket[],
    cost: number,
    nowMs: number,
  ): Promise<{ readonly allowed: boolean; readonly exhausted: string; readonly retryAfterMs: number }>;
};
