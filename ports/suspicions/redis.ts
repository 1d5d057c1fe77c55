// Suspicions shared by every decision replica: what each is about in a hash, until when somebody works at it in a sorted
// set. Written when something went wrong, never for a decision that was answered.

import { MAX_SUSPICIONS, type Suspicion, type SuspicionStore } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  script(lua: string): Script;
};

/** Most at once in one script: each is short, and so is the time others wait. */
const MAX_AT_ONCE = 256;

const KEEP = `
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i])
end
local lost = 0
while #redis.call('ZRANGE', KEYS[2], ARGV[2], ARGV[2]) > 0 do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  redis.call('ZREM', KEYS[2], oldest)
  redis.call('HDEL', KEYS[1], oldest)
  lost = lost + 1
end
return lost`;

const HOLD = `
for i = 2, #ARGV do redis.call('ZADD', KEYS[2], 'XX', ARGV[1], ARGV[i]) end
return 0`;

const CLAIM = `
local found = {}
local due = redis.call('ZRANGE', KEYS[2], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, id in ipairs(due) do
  local about = redis.call('HGET', KEYS[1], id)
  if about then
    redis.call('ZADD', KEYS[2], ARGV[2], id)
    found[#found + 1] = id
    found[#found + 1] = about
  else
    redis.call('ZREM', KEYS[2], id)
  end
end
return found`;

const HAS = `
for i = 1, #ARGV do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return 1 end
end
return 0`;

const DROP = `
for i = 1, #ARGV do
  redis.call('ZREM', KEYS[2], ARGV[i])
  redis.call('HDEL', KEYS[1], ARGV[i])
end
return 0`;

export class RedisSuspicions implements SuspicionStore {
  readonly #keys: readonly string[];
  readonly #keep: Script;
  readonly #hold: Script;
  readonly #claim: Script;
  readonly #has: Script;
  readonly #drop: Script;

  constructor(door: Door) {
    this.#keys = [door.key('suspicions', ''), door.key('suspicions-due', '')];
    this.#keep = door.script(KEEP);
    this.#hold = door.script(HOLD);
    this.#claim = door.script(CLAIM);
    this.#has = door.script(HAS);
    this.#drop = door.script(DROP);
  }

  async keep(suspicions: readonly Suspicion[], untilMs: number): Promise<number> {
    let lost = 0;
    for (const some of chunks(suspicions)) {
      const args = some.flatMap(({ id, about }) => [id, about]);
      lost += Number(await this.#keep(this.#keys, [untilMs, MAX_SUSPICIONS, ...args]));
    }
    return lost;
  }

  async hold(ids: readonly string[], untilMs: number): Promise<void> {
    for (const some of chunks(ids)) await this.#hold(this.#keys, [untilMs, ...some]);
  }

  async claim(nowMs: number, untilMs: number, limit: number): Promise<readonly Suspicion[]> {
    const found = (await this.#claim(this.#keys, [nowMs, untilMs, limit])) as string[];
    return Array.from({ length: found.length / 2 }, (_, i) => ({
      id: found[2 * i] as string,
      about: found[2 * i + 1] as string,
    }));
  }

  async has(ids: readonly string[]): Promise<boolean> {
    return Number(await this.#has(this.#keys, ids)) === 1;
  }

  async drop(ids: readonly string[]): Promise<void> {
    for (const some of chunks(ids)) await this.#drop(this.#keys, some);
  }
}

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MAX_AT_ONCE) yield all.slice(at, at + MAX_AT_ONCE);
}
