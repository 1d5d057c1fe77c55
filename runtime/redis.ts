// One connection to Redis, for all stores of a process. Everything asked in one turn of the event loop leaves in one
// write. What cannot be answered now is refused now (`unavailable`): nothing waits for a lost connection, nothing is sent
// twice, and a server that might forget what it was told is not used at all.

import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import { BeaconError } from '../core/errors.ts';
import { Overdue } from './overdue.ts';

export const LEAST_VERSION = 7;
const CONNECT_TIMEOUT_MS = 2_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;
const REFUSED_RETRY_MS = 1_000;
/** Commands that time out stay in the client's queue until a reply comes; a silent connection is therefore given up. */
const SILENT_COMMANDS = 4;

export type RedisConnectionOptions = {
  readonly host?: string;
  readonly port?: number;
  /** Sentinels to ask for the primary of `name`; in place of `host` and `port`. */
  readonly sentinels?: readonly { readonly host: string; readonly port: number }[];
  readonly name?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  /** ACL user; without one, `default`. */
  readonly username?: string;
  readonly password?: string;
  /** Given, the connection (to the sentinels too) is TLS. */
  readonly tls?: ConnectionOptions;
  /** First part of every key; two installations on one server must differ in it. */
  readonly prefix: string;
  /** Longest wait for a reply. */
  readonly commandTimeoutMs: number;
  /** Told of each change of state. `refused`: the server answers, but is not one that may be used. */
  readonly onState?: (state: 'ready' | 'lost' | 'refused', cause: unknown) => void;
};

export type RedisScript = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

export class RedisConnection {
  readonly #client: Redis;
  readonly #prefix: string;
  readonly #onState: NonNullable<RedisConnectionOptions['onState']>;
  readonly #scripts = new Set<string>();
  readonly #overdue: Overdue;
  #session = 0;
  #usable = false;
  /** Nothing had been asked and not answered when this turn's first question was. */
  #alone = false;
  #lastFault: unknown;

  constructor(client: Redis, { prefix, onState, commandTimeoutMs }: RedisConnectionOptions) {
    this.#overdue = new Overdue(commandTimeoutMs);
    this.#client = client;
    this.#prefix = prefix;
    this.#onState = onState ?? (() => {});
    client.on('error', (fault) => {
      this.#lastFault = fault;
    });
    client.on('close', () => this.#lost());
  }

  /** False from the moment the connection is lost until a server that may be used is back. */
  get usable(): boolean {
    return this.#usable;
  }

  /** `prefix:kind:{tag}:part:…`; an empty tag is left out. Keys of one tag lie in one slot. */
  key(kind: string, tag: string, ...parts: readonly string[]): string {
    const named = parts.map(escaped);
    return [this.#prefix, kind, ...(tag === '' ? [] : [`{${escaped(tag)}}`]), ...named].join(':');
  }

  /** Throws `unavailable` when there is no reply in time, no connection, or an error for a reply. */
  async command(name: string, ...args: readonly (string | number)[]): Promise<unknown> {
    if (!this.#usable) throw new BeaconError('unavailable', 'Redis is not connected', { cause: this.#lastFault });
    this.#cork();
    try {
      return await this.#overdue.watch(this.#client.call(name, ...args));
    } catch (fault) {
      throw unavailable(fault);
    }
  }

  /** Done when what was asked in this turn of the event loop has been handed to the socket. */
  left(): Promise<void> | undefined {
    const { stream } = this.#client;
    if (!this.#alone || stream.writableCorked === 0) return new Promise((resolve) => setImmediate(resolve));
    // Nothing else is under way, so there is nothing to wait for that would leave with it.
    stream.uncork();
    return undefined;
  }

  /** A script that runs whole or, refused before its first write, not at all. One round trip, once the server has it. */
  script(lua: string): RedisScript {
    const sha = createHash('sha1').update(lua).digest('hex');
    this.#scripts.add(lua);
    if (this.#usable) this.#client.script('LOAD', lua).catch(() => {});
    return async (keys, args) => {
      const operands = [keys.length, ...keys, ...args];
      try {
        return await this.command('EVALSHA', sha, ...operands);
      } catch (fault) {
        if (!isReply(fault, 'NOSCRIPT')) throw fault;
        return this.command('EVAL', lua, ...operands);
      }
    };
  }

  /** What every server must be before it is used, at the start and after each loss. For `openRedis`. */
  async begin(): Promise<void> {
    const session = this.#session;
    requireServer(parseInfo(await this.#client.info()));
    await Promise.all([...this.#scripts].map((lua) => this.#client.script('LOAD', lua)));
    if (session !== this.#session) throw new BeaconError('unavailable', 'Redis was lost again');
    this.#usable = true;
    this.#onState('ready', undefined);
  }

  /** After a loss; a server that may not be used is looked at again after a while. */
  resume(): void {
    const session = this.#session;
    this.begin().catch((fault) => {
      if (session !== this.#session) return;
      this.#lastFault = fault;
      this.#onState('refused', fault);
      setTimeout(() => {
        if (session === this.#session) this.#client.disconnect(true);
      }, REFUSED_RETRY_MS).unref();
    });
  }

  close(): void {
    this.#usable = false;
    this.#session += 1;
    this.#client.disconnect();
  }

  /**
   * One write for a turn. The client's own pipelining would send a turn's commands only when those of the turn before are
   * answered, so that a decision's question waits for the last one's record.
   */
  #cork(): void {
    const { stream } = this.#client;
    if (stream.writableCorked > 0) return;
    this.#alone = this.#overdue.size === 0;
    stream.cork();
    setImmediate(() => stream.uncork());
  }

  #lost(): void {
    this.#session += 1;
    if (!this.#usable) return;
    this.#usable = false;
    this.#onState('lost', this.#lastFault);
  }
}

/**
 * Resolves when the server is connected and fit: `failed_precondition` when it is not (older than 7, evicting, a
 * replica, a cluster node), `unavailable` when it cannot be reached or does not let this user in.
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  const client = new Redis(clientOptions(options));
  const connection = new RedisConnection(client, options);
  try {
    await client.connect();
    await connection.begin();
  } catch (fault) {
    connection.close();
    throw fault instanceof BeaconError ? fault : unavailable(fault);
  }
  client.on('ready', () => connection.resume());
  return connection;
}

function clientOptions(options: RedisConnectionOptions): RedisOptions {
  const { host, port, sentinels, name, sentinelUsername, sentinelPassword, username, password, tls } = options;
  return {
    ...(sentinels
      ? { sentinels: [...sentinels], name, sentinelUsername, sentinelPassword, updateSentinels: false }
      : { host, port }),
    ...(tls ? { tls, ...(sentinels ? { sentinelTLS: tls, enableTLSForSentinelMode: true } : {}) } : {}),
    username,
    password,
    protocol: 2,
    disableClientInfo: true,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: options.commandTimeoutMs * SILENT_COMMANDS,
    retryStrategy: retryAfterMs,
    sentinelRetryStrategy: retryAfterMs,
    // A primary that has become a replica: go and find the new one. The command itself is not sent again.
    reconnectOnError: (fault) => (fault.message.startsWith('READONLY') ? 1 : false),
  };
}

/** Doubles up to a limit; half of it by chance, so that many processes do not come back at once. */
function retryAfterMs(attempt: number): number {
  const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
  return longest / 2 + Math.random() * (longest / 2);
}

function parseInfo(info: string): ReadonlyMap<string, string> {
  return new Map(info.split('\r\n').map((line) => line.split(/:(.*)/s, 2) as [string, string]));
}

function requireServer(info: ReadonlyMap<string, string>): void {
  const version = info.get('redis_version') ?? '';
  const faults = [
    Number.parseInt(version, 10) >= LEAST_VERSION ? '' : `is version ${version}, not ${LEAST_VERSION} or later`,
    info.get('maxmemory_policy') === 'noeviction'
      ? ''
      : `has maxmemory-policy ${info.get('maxmemory_policy')}, not noeviction: it may forget what it was told`,
    info.get('cluster_enabled') === '0' ? '' : 'is a node of a cluster, which is not supported',
    info.get('role') === 'master' ? '' : `is a ${info.get('role')}, not the primary`,
  ].filter((fault) => fault !== '');
  if (faults.length > 0) throw new BeaconError('failed_precondition', `Redis ${faults.join('; ')}`);
}

/** The command stays out of the error: its arguments are somebody's data. */
function unavailable(fault: unknown): BeaconError {
  if (fault instanceof Error) delete (fault as { command?: unknown }).command;
  return new BeaconError('unavailable', 'Redis gave no answer', { cause: fault });
}

function isReply(fault: unknown, kind: string): boolean {
  const cause = fault instanceof BeaconError ? fault.cause : fault;
  return cause instanceof Error && cause.message.startsWith(kind);
}

/** What separates the parts of a key cannot be part of one. */
function escaped(part: string): string {
  return part.replace(/[%:{}]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
