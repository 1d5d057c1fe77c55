// The revocation list of many machines: one hash, so that epoch and entries are there, or gone, together, and one HMGET
// sees both as they were at one moment. What Redis loses it loses with the epoch; the ledger is the source.

import { invalidArgument } from '../../core/errors.ts';
import { isNews, MAX_CONSULTED_SCOPES, MAX_SURVEYED_TOOLS, type RevocationChange, requireNotLower } from './memory.ts';
import type { RevocationEntry, RevocationList, Survey } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

const EPOCH = 'epoch';
const TOOLS = 'tools';

/**
 * The field that names every revoked tool, one to a line, behind the epoch it was written at: with another epoch beside it
 * somebody else has written since, who does not keep it, and it says nothing. Without names where there are too many.
 */
const NAME_TOOLS = `
local function nameTools(key, epoch)
  local tools = {epoch}
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if string.sub(name, 1, 11) == 'scope:tool:' then tools[#tools + 1] = string.sub(name, 7) end
  end
  if #tools > ${MAX_SURVEYED_TOOLS + 1} then tools = {''} end
  redis.call('HSET', key, '${TOOLS}', table.concat(tools, '\\n'))
end`;
/** Both answer the epoch before the change, or false. */
const APPLY = `${NAME_TOOLS}
local known = redis.call('HGET', KEYS[1], '${EPOCH}')
if not known or tonumber(ARGV[1]) ~= tonumber(known) + 1 then return known end
if ARGV[2] == 'revoke' then
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
else
  redis.call('HDEL', KEYS[1], ARGV[3])
end
local named = redis.call('HGET', KEYS[1], '${TOOLS}')
local at = named and string.match(named, '^%d*')
if string.sub(ARGV[3], 1, 11) == 'scope:tool:' or at ~= '' and at ~= known then
  nameTools(KEYS[1], ARGV[1])
elseif at ~= '' then
  redis.call('HSET', KEYS[1], '${TOOLS}', ARGV[1] .. string.sub(named, #at + 1))
end
redis.call('HSET', KEYS[1], '${EPOCH}', ARGV[1])
return known`;
/** The epoch is written last: a list that could not be written whole has none, and everybody denies. */
const REBUILD = `${NAME_TOOLS}
local known = redis.call('HGET', KEYS[1], '${EPOCH}')
if known and tonumber(ARGV[1]) < tonumber(known) then return known end
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
nameTools(KEYS[1], ARGV[1])
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
    requireConsultable(scopes);
    const answer = (await this.#door.command('HMGET', this.#key, EPOCH, ...scopes.map(field))) as (string | null)[];
    const revoked = scopes.filter((_, at) => answer[at + 1] !== null);
    return { epoch: readEpoch(answer[0]), revoked };
  }

  async survey(scopes: readonly string[]): Promise<Survey> {
    requireConsultable(scopes);
    const fields = [EPOCH, TOOLS, ...scopes.map(field)];
    const answer = (await this.#door.command('HMGET', this.#key, ...fields)) as (string | null)[];
    const [epoch, named, ...entries] = answer;
    return {
      epoch: readEpoch(epoch),
      revoked: scopes.filter((_, at) => entries[at] !== null),
      tools: readTools(named, epoch),
    };
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

function requireConsultable(scopes: readonly string[]): void {
  if (scopes.length < 1 || scopes.length > MAX_CONSULTED_SCOPES) {
    throw invalidArgument('scopes', `must be 1 to ${MAX_CONSULTED_SCOPES}`);
  }
}

/** Undefined where the list does not say, or said it at another epoch. */
function readTools(named: string | null | undefined, epoch: string | null | undefined): readonly string[] | undefined {
  const [at, ...tools] = (named ?? '').split('\n');
  return at !== '' && at === epoch ? tools : undefined;
}

/** A scope can never be the epoch's field. */
function field(scope: string): string {
  return `scope:${scope}`;
}

/** What is no epoch is none, and denies. */
function readEpoch(value: unknown): number | undefined {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}
