// Score rows of many machines. A fold is one script: rows, the two indexes they are listed by, and the position, or
// nothing. Redis is not their source: what it loses, position and all, is folded anew from the ledger.

import type { Position } from '../action-store/port.ts';
import { splitAfter } from './memory.ts';
import { type AgentKey, type FoldBase, isOnlyAsserted, type ScoreRow, type SharedScoreStore } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

/** Of a row of asserted receipts alone its name has a place in KEYS[3]; of any other it needs none. */
const PLACE = `
local function place(name, asserted)
  if asserted == '1' then redis.call('HSET', KEYS[3], name, '') else redis.call('HDEL', KEYS[3], name) end
end`;

/**
 * A key of another type fails the script here, before it writes: Redis undoes nothing, and rows without their position
 * would be folded into once more with each repeat.
 */
const INDEXES = `
redis.call('HLEN', KEYS[3])
redis.call('ZRANGE', KEYS[2], 0, 0)
for i = 5, #KEYS, 2 do redis.call('ZRANGE', KEYS[i], 0, 0) end`;

/** Two keys and four arguments for each row. */
const FOLD = `${PLACE}
${INDEXES}
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[2]) < known then return 0 end
local at = 3
for i = 4, #KEYS, 2 do
  redis.call('SET', KEYS[i], ARGV[at])
  redis.call('ZADD', KEYS[i + 1], 0, ARGV[at + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[at + 2])
  place(ARGV[at + 2], ARGV[at + 3])
  at = at + 4
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

/** As FOLD; ARGV[3] is the position that was read, and before each row's four arguments stands the tally that was read. */
const FOLD_FROM = `${PLACE}
${INDEXES}
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[3] then return 0 end
local at = 4
for i = 4, #KEYS, 2 do
  local row = redis.call('GET', KEYS[i])
  if (row and cjson.decode(row).tally or '') ~= ARGV[at] then return 0 end
  at = at + 5
end
at = 4
for i = 4, #KEYS, 2 do
  redis.call('SET', KEYS[i], ARGV[at + 1])
  redis.call('ZADD', KEYS[i + 1], 0, ARGV[at + 2])
  redis.call('ZADD', KEYS[2], 0, ARGV[at + 3])
  place(ARGV[at + 3], ARGV[at + 4])
  at = at + 5
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

/** A row that is there already, of whatever standing, needs no new place. */
const HOLD = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 or redis.call('EXISTS', KEYS[2]) == 1 then return 1 end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], '')
return 1`;

export class RedisScoreStore implements SharedScoreStore {
  readonly #door: Door;
  readonly #positions: string;
  readonly #all: string;
  readonly #asserted: string;
  readonly #fold: Script;
  readonly #foldFrom: Script;
  readonly #hold: Script;

  constructor(door: Door) {
    this.#door = door;
    this.#positions = door.key('position', '', 'scores');
    this.#all = door.key('score-names', '');
    this.#asserted = door.key('asserted-names', '');
    this.#fold = door.script(FOLD);
    this.#foldFrom = door.script(FOLD_FROM);
    this.#hold = door.script(HOLD);
  }

  async position(logId: string): Promise<number> {
    return Number((await this.#door.command('HGET', this.#positions, logId)) ?? 0);
  }

  async fold(rows: readonly ScoreRow[], position: Position): Promise<void> {
    const keys = rows.flatMap((row) => [this.#row(row), this.#names(row.tenantId)]);
    const values = rows.flatMap(written);
    await this.#fold(
      [this.#positions, this.#all, this.#asserted, ...keys],
      [position.logId, position.index, ...values],
    );
  }

  async foldFrom({ from, tallies }: FoldBase, rows: readonly ScoreRow[], position: Position): Promise<boolean> {
    const keys = rows.flatMap((row) => [this.#row(row), this.#names(row.tenantId)]);
    const values = rows.flatMap((row, at) => [tallies[at] ?? '', ...written(row)]);
    const place = [position.logId, position.index, from];
    return (await this.#foldFrom([this.#positions, this.#all, this.#asserted, ...keys], [...place, ...values])) === 1;
  }

  async read(key: AgentKey): Promise<ScoreRow | undefined> {
    const row = (await this.#door.command('GET', this.#row(key))) as string | null;
    return row === null ? undefined : (JSON.parse(row) as ScoreRow);
  }

  async list(tenantId: string, after: string, limit: number): Promise<readonly ScoreRow[]> {
    const from = splitAfter(after);
    const keys = (tenantId === '' ? await this.#page(this.#all, nameOf(from), limit) : []).map(keyOf);
    if (tenantId !== '') {
      const names = await this.#page(this.#names(tenantId), from.agentId, limit);
      keys.push(...names.map((agentId) => ({ tenantId, agentId })));
    }
    if (keys.length === 0) return [];
    const rows = (await this.#door.command('MGET', ...keys.map((key) => this.#row(key)))) as (string | null)[];
    return rows.filter((row) => row !== null).map((row) => JSON.parse(row) as ScoreRow);
  }

  async hold(key: AgentKey, limit: number): Promise<boolean> {
    return (await this.#hold([this.#asserted, this.#row(key)], [nameOf(key), limit])) === 1;
  }

  async #page(key: string, after: string, limit: number): Promise<string[]> {
    return (await this.#door.command('ZRANGE', key, `(${after}`, '+', 'BYLEX', 'LIMIT', 0, limit)) as string[];
  }

  #row({ tenantId, agentId }: AgentKey): string {
    return this.#door.key('score', tenantId, agentId);
  }

  #names(tenantId: string): string {
    return this.#door.key('score-names', tenantId);
  }
}

/** A row as the scripts take it. */
function written(row: ScoreRow): string[] {
  return [JSON.stringify(row), row.agentId, nameOf(row), isOnlyAsserted(row) ? '1' : '0'];
}

/** Sorts by agent, then tenant: nothing in a name sorts before NUL. */
function nameOf({ tenantId, agentId }: AgentKey): string {
  return `${agentId}\0${tenantId}`;
}

function keyOf(name: string): AgentKey {
  const end = name.indexOf('\0');
  return { agentId: name.slice(0, end), tenantId: name.slice(end + 1) };
}
