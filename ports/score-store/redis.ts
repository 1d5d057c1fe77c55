// Score rows of many machines. A fold is one script: rows, the two indexes they are listed by, and the position, or
// nothing. Redis is not their source: what it loses, position and all, is folded anew from the ledger.

import type { Position } from '../action-store/port.ts';
import { splitAfter } from './memory.ts';
import type { AgentKey, ScoreRow, ScoreStore } from './port.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

/** Two keys and three arguments for each row. */
const FOLD = `
local known = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if tonumber(ARGV[2]) < known then return 0 end
local at = 3
for i = 3, #KEYS, 2 do
  redis.call('SET', KEYS[i], ARGV[at])
  redis.call('ZADD', KEYS[i + 1], 0, ARGV[at + 1])
  redis.call('ZADD', KEYS[2], 0, ARGV[at + 2])
  at = at + 3
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

export class RedisScoreStore implements ScoreStore {
  readonly #door: Door;
  readonly #positions: string;
  readonly #all: string;
  readonly #fold: Script;

  constructor(door: Door) {
    this.#door = door;
    this.#positions = door.key('position', '', 'scores');
    this.#all = door.key('score-names', '');
    this.#fold = door.script(FOLD);
  }

  async position(logId: string): Promise<number> {
    return Number((await this.#door.command('HGET', this.#positions, logId)) ?? 0);
  }

  async fold(rows: readonly ScoreRow[], position: Position): Promise<void> {
    const keys = rows.flatMap((row) => [this.#row(row), this.#names(row.tenantId)]);
    const values = rows.flatMap((row) => [JSON.stringify(row), row.agentId, nameOf(row)]);
    await this.#fold([this.#positions, this.#all, ...keys], [position.logId, position.index, ...values]);
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

/** Sorts by agent, then tenant: nothing in a name sorts before NUL. */
function nameOf({ tenantId, agentId }: AgentKey): string {
  return `${agentId}\0${tenantId}`;
}

function keyOf(name: string): AgentKey {
  const end = name.indexOf('\0');
  return { agentId: name.slice(0, end), tenantId: name.slice(end + 1) };
}
