// What a decision replica may have left behind unanswered, kept where another one finds it when the first is gone.

export type Suspicion = {
  /** Two of one id are one. */
  readonly id: string;
  /** JSON, for whoever takes it up. */
  readonly about: string;
};

export type SuspicionStore = {
  /** Keeps them for the caller to work at until `untilMs`; resolves to how many of the oldest were given up for want of room. */
  keep(suspicions: readonly Suspicion[], untilMs: number): Promise<number>;
  /** Goes on working at those of these that are still kept. */
  hold(ids: readonly string[], untilMs: number): Promise<void>;
  /** At most `limit` that nobody works at any more; they are the caller's until `untilMs`, and no other's. */
  claim(nowMs: number, untilMs: number, limit: number): Promise<readonly Suspicion[]>;
  /** Whether any of these is kept, whoever works at it. */
  has(ids: readonly string[]): Promise<boolean>;
  /** They have come to an end. */
  drop(ids: readonly string[]): Promise<void>;
};

/** Most kept. */
export const MAX_SUSPICIONS = 65_536;
