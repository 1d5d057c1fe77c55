// Budgets of many machines: the arithmetic of bucket.ts as a script, so that all replicas take from one bucket. A bucket
// that has had the time to fill up is forgotten. Callers' clocks count; one that lags gives nothing and takes nothing.

import { requireBuckets, type Taken } from './bucket.ts';
import type { Bucket, Budgets } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  script(lua: string): Script;
};

/** Redis turns fractions in an answer into whole numbers, and Lua prints 14 digits: levels are kept as text of 17. */
const TAKE = `
local cost, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local levels, exhausted, wait = {}, 0, 0
for i, key in ipairs(KEYS) do
  local capacity, rate, window = tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1]), tonumber(ARGV[i * 3 + 2])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  local tokens, at = capacity, now
  if kept[1] then
    local was = tonumber(kept[2])
    if window == 0 then
      tokens = math.min(capacity, tonumber(kept[1]) + math.max(0, now - was) * rate / 1000)
      at = math.max(now, was)
    elseif was + window > now then
      tokens, at = tonumber(kept[1]), was
    end
  end
  levels[i] = {tokens, at}
  if tokens < cost then
    local ms = window > 0 and at + window - now or math.ceil((cost - tokens) * 1000 / rate)
    if exhausted == 0 or ms > wait then exhausted = i end
    wait = math.max(wait, ms)
  end
end
if exhausted > 0 then return {exhausted, string.format('%.0f', wait)} end
for i, key in ipairs(KEYS) do
  local capacity, rate, window = tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 1]), tonumber(ARGV[i * 3 + 2])
  local left, at = levels[i][1] - cost, levels[i][2]
  redis.call('HSET', key, 'tokens', string.format('%.17g', left), 'at', string.format('%.17g', at))
  local wait = window > 0 and at + window - now or math.ceil((capacity - left) * 1000 / rate)
  local full = math.min(1e13, wait + 1000)
  redis.call('PEXPIRE', key, string.format('%.0f', full))
end
return {0, '0'}`;

const GIVE = `
local cost, now = tonumber(ARGV[1]), tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  local capacity, window = tonumber(ARGV[i * 3]), tonumber(ARGV[i * 3 + 2])
  local kept = redis.call('HMGET', key, 'tokens', 'at')
  if kept[1] and (window == 0 or tonumber(kept[2]) + window > now) then
    redis.call('HSET', key, 'tokens', string.format('%.17g', math.min(capacity, tonumber(kept[1]) + cost)))
  end
end
return 1`;

export class RedisBudgets implements Budgets {
  readonly #door: Door;
  readonly #take: Script;
  readonly #give: Script;

  constructor(door: Door) {
    this.#door = door;
    this.#take = door.script(TAKE);
    this.#give = door.script(GIVE);
  }

  async take(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<Taken> {
    requireBuckets(buckets, cost);
    const [at, waitMs] = (await this.#take(this.#keys(buckets), [cost, nowMs, ...sizes(buckets)])) as [number, string];
    return { allowed: at === 0, exhausted: buckets[at - 1]?.name ?? '', retryAfterMs: Number(waitMs) };
  }

  async give(buckets: readonly Bucket[], cost: number, nowMs: number): Promise<void> {
    requireBuckets(buckets, cost);
    await this.#give(this.#keys(buckets), [cost, nowMs, ...sizes(buckets)]);
  }

  /** Redis forgets them by itself. */
  async sweep(): Promise<number> {
    return 0;
  }

  #keys(buckets: readonly Bucket[]): string[] {
    return buckets.map(({ name }) => this.#door.key('budget', tenantOf(name), name));
  }
}

function sizes(buckets: readonly Bucket[]): number[] {
  return buckets.flatMap(({ capacity, refillPerSecond, windowMs = 0 }) => [capacity, refillPerSecond, windowMs]);
}

/** `tenant:T`, `agent:T/A` and `turn:T/A/O` lie in one slot. */
function tenantOf(name: string): string {
  return (name.slice(name.indexOf(':') + 1).split('/', 1) as [string])[0];
}
