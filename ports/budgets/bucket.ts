// Token-bucket arithmetic, apart from where levels are kept.

import { invalidArgument } from '../../core/errors.ts';
import type { Bucket } from './port.ts';

export const MAX_BUCKETS_PER_TAKE = 8;

/** Tokens held at `atMs`. */
export type Level = { readonly tokens: number; readonly atMs: number };
export type Taken = { readonly allowed: boolean; readonly exhausted: string; readonly retryAfterMs: number };

/** A clock that goes back gives nothing and takes nothing. The level of a window is as of its beginning. */
export function refilled(bucket: Bucket, level: Level | undefined, nowMs: number): Level {
  if (level === undefined || endsAtMs(bucket, level) <= nowMs) return { tokens: bucket.capacity, atMs: nowMs };
  if (bucket.windowMs !== undefined) return level;
  const elapsedMs = Math.max(0, nowMs - level.atMs);
  const tokens = Math.min(bucket.capacity, level.tokens + (elapsedMs * bucket.refillPerSecond) / 1000);
  return { tokens, atMs: Math.max(nowMs, level.atMs) };
}

function endsAtMs({ windowMs }: Bucket, { atMs }: Level): number {
  return windowMs === undefined ? Number.POSITIVE_INFINITY : atMs + windowMs;
}

/** When it will be full again, so that it may be forgotten. */
export function fullAtMs(bucket: Bucket, level: Level): number {
  if (bucket.windowMs !== undefined) return endsAtMs(bucket, level);
  return Math.ceil(level.atMs + ((bucket.capacity - level.tokens) * 1000) / bucket.refillPerSecond);
}

function waitMs(bucket: Bucket, level: Level, cost: number, nowMs: number): number {
  if (bucket.windowMs !== undefined) return endsAtMs(bucket, level) - nowMs;
  return Math.ceil(((cost - level.tokens) * 1000) / bucket.refillPerSecond);
}

/** Takes from all or from none; `keep` is called with each new level only when all gave. */
export function takeAll(
  buckets: readonly Bucket[],
  cost: number,
  nowMs: number,
  door: { read(name: string): Level | undefined; keep(name: string, level: Level, bucket: Bucket): void },
): Taken {
  requireBuckets(buckets, cost);
  const levels: Level[] = [];
  let exhausted = '';
  let retryAfterMs = 0;
  for (const bucket of buckets) {
    const level = refilled(bucket, door.read(bucket.name), nowMs);
    levels.push(level);
    if (level.tokens >= cost) continue;
    const wait = waitMs(bucket, level, cost, nowMs);
    if (exhausted === '' || wait > retryAfterMs) exhausted = bucket.name;
    retryAfterMs = Math.max(retryAfterMs, wait);
  }
  if (exhausted !== '') return { allowed: false, exhausted, retryAfterMs };
  for (const [at, bucket] of buckets.entries()) {
    const level = levels[at] as Level;
    door.keep(bucket.name, { tokens: level.tokens - cost, atMs: level.atMs }, bucket);
  }
  return { allowed: true, exhausted: '', retryAfterMs: 0 };
}

export function giveAll(
  buckets: readonly Bucket[],
  cost: number,
  nowMs: number,
  door: { read(name: string): Level | undefined; keep(name: string, level: Level, bucket: Bucket): void },
): void {
  requireBuckets(buckets, cost);
  for (const bucket of buckets) {
    const level = door.read(bucket.name);
    if (level === undefined || endsAtMs(bucket, level) <= nowMs) continue;
    door.keep(bucket.name, { tokens: Math.min(bucket.capacity, level.tokens + cost), atMs: level.atMs }, bucket);
  }
}

/** Throws `invalid_argument` for what no take can be. */
export function requireBuckets(buckets: readonly Bucket[], cost: number): void {
  if (buckets.length < 1 || buckets.length > MAX_BUCKETS_PER_TAKE) {
    throw invalidArgument('buckets', `must be 1 to ${MAX_BUCKETS_PER_TAKE}`);
  }
  for (const bucket of buckets) {
    const { capacity, refillPerSecond, windowMs } = bucket;
    const comesBack = windowMs === undefined ? refillPerSecond > 0 : refillPerSecond === 0 && windowMs >= 1;
    if (!(capacity >= 1) || !comesBack) throw invalidArgument('buckets', 'must hold and refill');
    if (!(cost >= 0 && cost <= bucket.capacity)) throw invalidArgument('cost', 'must fit every bucket');
  }
  if (new Set(buckets.map((bucket) => bucket.name)).size !== buckets.length) {
    throw invalidArgument('buckets', 'must not name one bucket twice');
  }
}
