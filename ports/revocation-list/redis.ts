// The revocation list of many machines: one hash, so that epoch and entries are there, or gone, together, and one HMGET
// sees both as they were at one moment. What Redis loses it loses with the epoch; the ledger is the source.

import { invalidArgument } from '../../core/errors.ts';
import { isNews, MAX_CONSULTED_SCOPES, type RevocationChange, requireNotLower } from './memory.ts';
import type { RevocationEntry, RevocationList } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

const EPOCH = 'epoch';

/** Both answer the epoch before the change, or false. */
const APPLY = `
local known = redis.call('HGET', KEYS[1], '${EPOCH}')
if not known or tonumber(ARGV[1]) ~= tonumber(known) + 1 then return known end
if ARGV[2] == 'revoke' then
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
else
  redis.call('HDEL', KEYS[1], ARGV[3])
end
redis.call('HSET', KEYS[1], '${EPOCH}', ARGV[1])
return known`;
/** The epoch is written last: a list that could not be written whole has none, and everybody denies. */
const REBUILD = `
local known = redis.call('HGET', KEYS[1], '${EPOCH}')
if known and tonumber(ARGV[1]) < tonumber(known) then return known end
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], '${EPOCH}', ARGV[1])
return known`;

export class RedisRevocationList implements RevocationList {
  readonly #door: Door;
  readonly #key: string;
  readonly #apply: Script;
  readonly #rebuild: Script;

  constructor(door: Door) {
    this.#door = door;
    this.#key = door.key('revocations', '');
    this.#apply = door.script(APPLY);
    this.#rebuild = door.script(REBUILD);
  }

  async consult(scopes: readonly string[]): Promise<{ epoch: number | undefined; revoked: readonly string[] }> {
    if (scopes.length < 1 || scopes.length > MAX_CONSULTED_SCOPES) {
      throw invalidArgument('scopes', `must be 1 to ${MAX_CONSULTED_SCOPES}`);
    }
    const answer = (await this.#door.command('HMGET', this.#key, EPOCH, ...scopes.map(field))) as (string | null)[];
    const revoked = scopes.filter((_, at) => answer[at + 1] !== null);
    return { epoch: readEpoch(answer[0]), revoked };
  }

  async apply(change: RevocationChange): Promise<void> {
    const { operation, ...entry } = change;
    const args = [entry.epoch, operation, field(entry.scope), JSON.stringify(entry)];
    const known = await this.#apply([this.#key], args);
    isNews(entry.epoch, readEpoch(known));
  }

  async rebuild(entries: readonly RevocationEntry[], epoch: number): Promise<void> {
    const fields = entries.flatMap((entry) => [field(entry.scope), JSON.stringify(entry)]);
    const known = await this.#rebuild([this.#key], [epoch, ...fields]);
    requireNotLower(epoch, readEpoch(known));
  }

  async list(): Promise<readonly RevocationEntry[]> {
    const values = (await this.#door.command('HVALS', this.#key)) as string[];
    return values.filter((value) => value.startsWith('{')).map((value) => JSON.parse(value) as RevocationEntry);
  }
}

/** A scope can never be the epoch's field. */
function field(scope: string): string {
  return `scope:${scope}`;
}

/** What is no epoch is none, and denies. */
function readEpoch(value: unknown): number | undefined {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}
