// How many calls may be under way at once, learnt from how long they take: the surplus is refused before it can wait. Bound
// by latency rather than by number, because what a number means depends on the machine. Shares are held per key, so that
// one noisy key leaves room for the others.

import { BeaconError } from '../core/errors.ts';

/** Calls let in after a quiet time, before anything is known of the load. */
export const REST_LIMIT = 128;
/** Never fewer where a target is set. */
export const LEAST_LIMIT = 8;
/** Never fewer where it is learnt: on a slow machine many may well wait a little, and none be refused. */
export const LEAST_LEARNT_LIMIT = 64;
/** Of the limit, kept for keys that hold less than their share. */
export const RESERVED_SHARE = 0.25;
/** Without a target of its own, nine in ten calls under load may take so many times what nine in ten idle ones take. */
const IDLE_FACTOR = 4;
const LEAST_TARGET_MS = 20;
const MOST_TARGET_MS = 250;
/** Calls count as idle when no more than this many were under way at any time of their window, and none was refused. */
const IDLE_CALLS = 2;
const IDLE_SAMPLES = 512;
const LEAST_IDLE_SAMPLES = 32;
const WINDOW_MS = 100;
const LEAST_WINDOW_SAMPLES = 8;
const MOST_WINDOW_SAMPLES = 1_024;
/** A key that has asked for nothing so long has no share. */
const KEY_IDLE_MS = 5_000;
/** More keys than this share one. */
const MAX_KEYS = 4_096;
const RETRY_AFTER_MS = 1_000;

export type LoadLimitOptions = {
  /** Never more under way at once. */
  readonly most: number;
  /** Accepted time of nine in ten calls under load; 0 learns it from idle calls. */
  readonly targetMs: number;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  readonly refused?: (reason: 'limit' | 'share') => void;
};

type Holder = { underWay: number; seenMs: number };

export class LoadLimit {
  readonly #options: LoadLimitOptions;
  readonly #holders = new Map<string, Holder>();
  readonly #idle: number[] = [];
  #idleAt = 0;
  readonly #least: number;
  #limit: number;
  #targetMs: number;
  #underWay = 0;
  #peak = 0;
  #window: number[] = [];
  #windowStartMs: number;

  constructor(options: LoadLimitOptions) {
    this.#options = options;
    this.#limit = Math.min(REST_LIMIT, options.most);
    this.#least = options.targetMs > 0 ? LEAST_LIMIT : LEAST_LEARNT_LIMIT;
    this.#targetMs = options.targetMs || LEAST_TARGET_MS;
    this.#windowStartMs = options.now();
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get targetMs(): number {
    return this.#targetMs;
  }

  /** Throws `resource_exhausted` when nobody would be let in: to be asked before anything is spent on a request. */
  requireRoom(): void {
    if (this.#underWay >= this.limit) this.#refuse('limit');
  }

  /** Runs `work`, or throws `resource_exhausted` without starting it. What is not measured says nothing of how long calls take. */
  async run<T>(key: string, work: () => Promise<T>, isMeasured = true): Promise<T> {
    this.requireRoom();
    const startedMs = this.#options.now();
    const holder = this.#holderOf(key, startedMs);
    const crowded = this.#underWay >= this.#limit * (1 - RESERVED_SHARE);
    if (crowded && this.#holders.size > 1 && holder.underWay >= this.#limit / this.#holders.size) {
      this.#refuse('share');
    }
    holder.underWay += 1;
    this.#underWay += 1;
    this.#peak = Math.max(this.#peak, this.#underWay);
    try {
      return await work();
    } finally {
      holder.underWay -= 1;
      this.#underWay -= 1;
      if (isMeasured) this.#ended(startedMs);
    }
  }

  #refuse(reason: 'limit' | 'share'): never {
    this.#options.refused?.(reason);
    this.#peak = Math.max(this.#peak, this.limit);
    throw new BeaconError('resource_exhausted', 'more is asked for than can be decided in time', {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  #holderOf(key: string, nowMs: number): Holder {
    const name = this.#holders.has(key) || this.#holders.size < MAX_KEYS ? key : '';
    const holder = this.#holders.get(name) ?? { underWay: 0, seenMs: nowMs };
    holder.seenMs = nowMs;
    this.#holders.set(name, holder);
    return holder;
  }

  #ended(startedMs: number): void {
    const nowMs = this.#options.now();
    const tookMs = nowMs - startedMs;
    // Few under way is not enough: a busy moment may leave few behind, and what it did to them.
    if (this.#peak <= IDLE_CALLS && startedMs >= this.#windowStartMs) this.#learn(tookMs);
    if (this.#window.length < MOST_WINDOW_SAMPLES) this.#window.push(tookMs);
    if (nowMs - this.#windowStartMs >= WINDOW_MS && this.#window.length >= LEAST_WINDOW_SAMPLES) this.#adapt(nowMs);
  }

  /** Additive in growth, multiplicative in retreat; towards its rest while nobody asks for as much. */
  #adapt(nowMs: number): void {
    const { most } = this.#options;
    const p90 = quantile(this.#window, 0.9);
    if (p90 > this.#targetMs) this.#limit = Math.max(this.#least, Math.min(this.#limit, this.#peak) * 0.7);
    else if (this.#peak >= this.#limit * 0.8 && p90 < this.#targetMs * 0.7) this.#limit = this.#limit * 1.1 + 1;
    else if (this.#peak < this.#limit * 0.5) this.#limit += (REST_LIMIT - this.#limit) * 0.05;
    this.#limit = Math.min(this.#limit, most);
    this.#window = [];
    this.#windowStartMs = nowMs;
    this.#peak = this.#underWay;
    for (const [key, { underWay, seenMs }] of this.#holders) {
      if (underWay === 0 && nowMs - seenMs > KEY_IDLE_MS) this.#holders.delete(key);
    }
  }

  #learn(tookMs: number): void {
    this.#idle[this.#idleAt % IDLE_SAMPLES] = tookMs;
    this.#idleAt += 1;
    if (this.#options.targetMs > 0 || this.#idleAt < LEAST_IDLE_SAMPLES || this.#idleAt % LEAST_IDLE_SAMPLES > 0)
      return;
    const target = IDLE_FACTOR * quantile(this.#idle, 0.9);
    this.#targetMs = Math.min(MOST_TARGET_MS, Math.max(LEAST_TARGET_MS, target));
  }
}

/** Nearest rank. */
function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
