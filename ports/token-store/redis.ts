// Minted tokens of several gateways: one hash, so that it is there whole or gone whole. Tokens follow from nothing else,
// so each gateway keeps a copy on its own disk. A hash that was flushed, or is older than what this gateway has seen in
// it, is not believed (`unavailable`) until the gateway has given back what it knows.

import { randomInt } from 'node:crypto';
import { BeaconError } from '../../core/errors.ts';
import type { TokenRecord, TokenStore } from './port.ts';
import { ADD, READ_ALL, RENEW, RESTORE } from './redis-scripts.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

/** This process's own memory of the hash, field by field. */
export type TokenCopy = {
  load(): ReadonlyMap<string, string>;
  /** Persisted (synced) before it returns. */
  save(fields: ReadonlyMap<string, string>): void;
};

const RESTORED_AT_ONCE = 500;
/** How often an idle gateway looks whether others have minted, or Redis has forgotten. */
export const TOKEN_WATCH_MS = 1_000;
const FOLLOW_PAUSE_MS = 200;
const KIND = 'tokens';
/** 2^53 of these is more changes than there will be. */
const MAX_STEP = 2 ** 22;

export class RedisTokenStore implements TokenStore {
  readonly #door: Door;
  readonly #key: string;
  readonly #copy: TokenCopy;
  readonly #known: Map<string, string>;
  readonly #failed: (error: unknown) => void;
  readonly #scripts: Readonly<Record<'add' | 'restore' | 'renew' | 'all', Script>>;
  #reconciling: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #watch: NodeJS.Timeout | undefined;

  /** `failed` is told of what went wrong behind the calls. */
  constructor(door: Door, copy: TokenCopy, failed: (error: unknown) => void) {
    this.#door = door;
    this.#key = door.key(KIND, '');
    this.#copy = copy;
    this.#failed = failed;
    this.#known = new Map(copy.load());
    this.#scripts = {
      add: door.script(ADD),
      restore: door.script(RESTORE),
      renew: door.script(RENEW),
      all: door.script(READ_ALL),
    };
  }

  /** To be called before the first request: an installation's first gateway makes the hash, every other one joins it. */
  async start(): Promise<void> {
    await this.#reconcile();
    this.#watch = setInterval(() => {
      this.#read().catch(this.#failed);
    }, TOKEN_WATCH_MS).unref();
  }

  /** Waits for what is under way behind the calls: the copy is written then. */
  async stop(): Promise<void> {
    clearInterval(this.#watch);
    await Promise.allSettled([this.#reconciling, this.#following]);
  }

  async put(token: TokenRecord): Promise<void> {
    const { tokenDigest, ...record } = token;
    const fresh = `token:${tokenDigest}`;
    const fields = new Map([
      [fresh, JSON.stringify(record)],
      [`id:${token.tokenId}`, tokenDigest],
      ...(token.agentId === '' ? [] : ([[nameField(token.tenantId, token.agentId), '1']] as const)),
    ]);
    if (!(await this.#add(fields, fresh))) throw new BeaconError('conflict', 'a token with this digest is kept');
  }

  async findByDigest(tokenDigest: string): Promise<TokenRecord | undefined> {
    const revoked = `revoked:${tokenDigest}`;
    const [token, isRevoked] = await this.#read(`token:${tokenDigest}`, revoked);
    // Nothing is ever taken back: what this gateway once knew holds, whatever the hash has lost meanwhile.
    if (token === undefined || isRevoked !== undefined || this.#known.has(revoked)) return undefined;
    return recordOf(tokenDigest, token);
  }

  async revoke(tokenId: string): Promise<TokenRecord | undefined> {
    const [tokenDigest] = await this.#read(`id:${tokenId}`);
    if (tokenDigest === undefined) return undefined;
    const [token] = await this.#read(`token:${tokenDigest}`);
    if (token === undefined) return undefined;
    await this.#add(new Map([[`revoked:${tokenDigest}`, '1']]));
    return recordOf(tokenDigest, token);
  }

  async claim(tenantId: string, agentId: string): Promise<void> {
    await this.#add(new Map([[nameField(tenantId, agentId), '1']]));
  }

  async isMinted(tenantId: string, agentId: string): Promise<boolean> {
    const name = nameField(tenantId, agentId);
    return (await this.#read(name))[0] !== undefined || this.#known.has(name);
  }

  get #version(): number {
    return Number(this.#known.get('version') ?? 0);
  }

  /** Throws `unavailable` where the hash is gone, or older than it was seen. */
  async #read(...fields: readonly string[]): Promise<(string | undefined)[]> {
    const seen = this.#version;
    const answer = await this.#door.command('HMGET', this.#key, 'version', ...fields);
    const [version, ...values] = answer as (string | null)[];
    if (!version || Number(version) < seen) {
      this.#reconcile().catch(this.#failed);
      throw lost();
    }
    if (Number(version) > this.#version) this.#follow();
    return values.map((value) => value ?? undefined);
  }

  /** False when `fresh` was there before. */
  async #add(fields: ReadonlyMap<string, string>, fresh = ''): Promise<boolean> {
    const answer = await this.#scripts.add([this.#key], [this.#version, step(), fresh, ...[...fields].flat()]);
    if (answer === 'kept') return false;
    if (answer === 'lost') {
      this.#reconcile().catch(this.#failed);
      throw lost();
    }
    const [before, version] = answer as [string, string];
    this.#keep(fields);
    // Somebody else's change may lie between: the version stays behind until it is here too.
    if (Number(before) === this.#version) this.#keep(new Map([['version', version]]));
    else this.#follow();
    return true;
  }

  #keep(fields: ReadonlyMap<string, string>): void {
    this.#copy.save(fields);
    for (const [field, value] of fields) this.#known.set(field, value);
  }

  /** Copies what others have added, and gives back what the hash lacks: it was lost and has grown again since. */
  #follow(): void {
    if (this.#following || this.#reconciling) return;
    const copied = async () => {
      const read = pairs(await this.#scripts.all([this.#key], []));
      const whole = [...this.#known.keys()].every((field) => read.has(field));
      // Not awaited: what is reconciled waits for what is followed.
      if (!whole || Number(read.get('version')) < this.#version) this.#reconcile().catch(this.#failed);
      else this.#keepNew(read);
    };
    this.#following = copied()
      .catch(this.#failed)
      .finally(() => {
        // The whole hash is read: a burst of changes is followed once, not change by change.
        setTimeout(() => {
          this.#following = undefined;
        }, FOLLOW_PAUSE_MS).unref();
      });
  }

  #keepNew(read: ReadonlyMap<string, string>): void {
    this.#keep(new Map([...read].filter(([field, value]) => this.#known.get(field) !== value)));
  }

  /** Gives back what this gateway knows and takes what the others do. One at a time; all who ask wait for the same. */
  #reconcile(): Promise<void> {
    this.#reconciling ??= this.#restore().finally(() => {
      this.#reconciling = undefined;
    });
    return this.#reconciling;
  }

  async #restore(): Promise<void> {
    await this.#following;
    const own = [...this.#known].filter(([field]) => field !== 'version');
    for (let at = 0; at < own.length; at += RESTORED_AT_ONCE) {
      await this.#scripts.restore([this.#key], own.slice(at, at + RESTORED_AT_ONCE).flat());
    }
    this.#keepNew(pairs(await this.#scripts.renew([this.#key], [this.#version, step()])));
  }
}

/** For a process that keeps no tokens: whether the name is taken. Throws `unavailable` where the hash is not there. */
export async function isMintedIn(door: Door, tenantId: string, agentId: string): Promise<boolean> {
  const answer = await door.command('HMGET', door.key(KIND, ''), 'version', nameField(tenantId, agentId));
  const [version, name] = answer as (string | null)[];
  if (!version) throw lost();
  return typeof name === 'string';
}

function step(): number {
  return randomInt(1, MAX_STEP);
}

/** As JSON, so that no two pairs meet in one field. */
function nameField(tenantId: string, agentId: string): string {
  return `name:${JSON.stringify([tenantId, agentId])}`;
}

function recordOf(tokenDigest: string, text: string): TokenRecord {
  return { ...(JSON.parse(text) as Omit<TokenRecord, 'tokenDigest'>), tokenDigest };
}

function pairs(answer: unknown): Map<string, string> {
  const flat = answer as string[];
  return new Map(
    Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2], flat[at * 2 + 1]] as [string, string]),
  );
}

function lost(): BeaconError {
  return new BeaconError('unavailable', 'Redis does not hold the tokens it held: nobody can be told who they are now');
}
