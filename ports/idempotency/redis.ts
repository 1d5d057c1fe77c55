// Idempotency keys of many machines. A claim is a key of its own with a bounded life: a process that dies gives its claims
// back when that has passed, and not before, so that what it may have sealed is found first.

import { randomBytes } from 'node:crypto';
import { OwnedClaims } from '../../core/owned-claims.ts';
import type { Position } from '../action-store/port.ts';
import { keyName } from './memory.ts';
import type { Idempotency, IdempotencyClaim, IdempotencyKey, IdempotencyRecord } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

/** Far longer than a decision may take, and than the tail of a log takes to be replayed by those who live on. */
export const CLAIM_MS = 60_000;
/** Of who follows a log and has decided nothing itself. */
const NO_OWNER = '-';

const CLAIM = `
local kept = redis.call('HMGET', KEYS[1], 'expires', 'record')
local done = kept[2] and tonumber(kept[1]) > tonumber(ARGV[3])
local pending
if done then
  pending = redis.call('GET', KEYS[2])
else
  pending = redis.call('SET', KEYS[2], ARGV[1] .. ':' .. ARGV[2], 'NX', 'GET', 'PX', ARGV[4])
end
if pending then return {'pending', pending} end
return done and {'done', kept[2]} or {'fresh'}`;
/**
 * A repeat (an old receipt replayed) ends no claim but the caller's own. What another log tells of the decision that is kept
 * is an orphan, unless who decided tells it: only that process knows which of the two it answered with.
 * The index is read before anything is written: Redis undoes nothing when it turns out to be of another type.
 */
const COMPLETE = `
redis.call('ZRANGE', KEYS[3], 0, 0)
local kept = redis.call('HMGET', KEYS[1], 'log', 'at', 'record')
local repeated = kept[1] == ARGV[1] and tonumber(ARGV[2]) <= tonumber(kept[2])
if kept[1] and kept[1] ~= ARGV[1] and ARGV[5] == '${NO_OWNER}' then
  repeated = cjson.decode(kept[3]).actionId == cjson.decode(ARGV[4]).actionId
end
if not repeated then
  redis.call('HSET', KEYS[1], 'log', ARGV[1], 'at', ARGV[2], 'expires', ARGV[3], 'record', ARGV[4])
  redis.call('ZADD', KEYS[3], ARGV[3], KEYS[1])
end
local pending = redis.call('GET', KEYS[2])
if pending and (not repeated or string.sub(pending, 1, #ARGV[5]) == ARGV[5]) then redis.call('DEL', KEYS[2]) end
return 1`;
const ABANDON = `
local pending = redis.call('GET', KEYS[1])
if pending and string.sub(pending, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;
const SWEEP = `
local names = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
local removed = 0
for _, name in ipairs(names) do
  removed = removed + redis.call('DEL', name)
  redis.call('ZREM', KEYS[1], name)
end
return removed`;
const ADVANCE = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(ARGV[2]) > tonumber(known) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1`;
const ADVANCE_FROM = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known or tonumber(known) < tonumber(ARGV[3]) then return 0 end
if tonumber(ARGV[2]) > tonumber(known) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1`;
const RECORDED = `
local found = {}
for i, row in ipairs(KEYS) do
  local kept = redis.call('HMGET', row, 'log', 'at')
  found[i] = kept[1] == ARGV[1] and tonumber(kept[2]) or -1
end
return found`;
/** Records looked up in one step: others wait for it. */
const LOOKED_UP = 128;

export class RedisIdempotency implements Idempotency {
  readonly #door: Door;
  readonly #claimMs: number;
  /** No two processes alike; with the number of the claim, no two claims. */
  readonly #self = randomBytes(12).toString('hex');
  #claims = 0;
  readonly #owned: OwnedClaims;
  readonly #positions: string;
  readonly #expiry: string;
  readonly #scripts: Readonly<
    Record<'claim' | 'complete' | 'abandon' | 'sweep' | 'advance' | 'advanceFrom' | 'recorded', Script>
  >;

  constructor(door: Door, options: { readonly claimMs?: number } = {}) {
    this.#door = door;
    this.#claimMs = options.claimMs ?? CLAIM_MS;
    this.#owned = new OwnedClaims(this.#claimMs, () => performance.now());
    this.#positions = door.key('position', '', 'idempotency');
    this.#expiry = door.key('idempotency-expiry', '');
    this.#scripts = {
      claim: door.script(CLAIM),
      complete: door.script(COMPLETE),
      abandon: door.script(ABANDON),
      sweep: door.script(SWEEP),
      advance: door.script(ADVANCE),
      advanceFrom: door.script(ADVANCE_FROM),
      recorded: door.script(RECORDED),
    };
  }

  async position(logId: string): Promise<number> {
    return Number((await this.#door.command('HGET', this.#positions, logId)) ?? 0);
  }

  async advance(position: Position): Promise<void> {
    await this.#scripts.advance([this.#positions], [position.logId, position.index]);
  }

  async advanceFrom(from: number, { logId, index }: Position): Promise<boolean> {
    return (await this.#scripts.advanceFrom([this.#positions], [logId, index, from])) === 1;
  }

  async recorded(logId: string, keys: readonly IdempotencyKey[]): Promise<readonly number[]> {
    const found: number[] = [];
    for (let from = 0; from < keys.length; from += LOOKED_UP) {
      const records = keys.slice(from, from + LOOKED_UP).map((key) => this.#record(key));
      found.push(...((await this.#scripts.recorded(records, [logId])) as number[]));
    }
    return found;
  }

  async claim(key: IdempotencyKey, proposalDigest: string, nowMs: number): Promise<IdempotencyClaim> {
    const name = keyName(key);
    this.#claims += 1;
    const owner = `${this.#self}-${this.#claims}`;
    const keys = [this.#record(key), this.#pending(key)];
    const answer = await this.#scripts.claim(keys, [owner, proposalDigest, nowMs, this.#claimMs]).catch((fault) => {
      // It may have been made all the same, and nobody decides under it: sent behind it, this ends it.
      this.#scripts.abandon([this.#pending(key)], [owner]).catch(() => undefined);
      throw fault;
    });
    const [kind, value = ''] = answer as [string, string?];
    if (kind === 'done') return { kind: 'done', record: JSON.parse(value) as IdempotencyRecord };
    if (kind === 'pending') return { kind: 'pending', proposalDigest: value.slice(value.indexOf(':') + 1) };
    this.#owned.keep(name, owner);
    return { kind: 'fresh' };
  }

  async complete(key: IdempotencyKey, record: IdempotencyRecord, at: Position): Promise<void> {
    const owner = this.#release(key);
    const keys = [this.#record(key), this.#pending(key), this.#expiry];
    const args = [at.logId, at.index, record.expiresAtMs, JSON.stringify(record), owner];
    await this.#scripts.complete(keys, args);
  }

  async abandon(key: IdempotencyKey): Promise<void> {
    await this.#scripts.abandon([this.#pending(key)], [this.#release(key)]);
  }

  async sweep(nowMs: number, limit: number): Promise<number> {
    return Number(await this.#scripts.sweep([this.#expiry], [nowMs, limit]));
  }

  #release(key: IdempotencyKey): string {
    return this.#owned.take(keyName(key)) ?? NO_OWNER;
  }

  #record({ tenantId, agentId, key }: IdempotencyKey): string {
    return this.#door.key('idempotency', tenantId, agentId, key);
  }

  #pending({ tenantId, agentId, key }: IdempotencyKey): string {
    return this.#door.key('idempotency-claim', tenantId, agentId, key);
  }
}
