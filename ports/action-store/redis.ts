// Actions and approvals of many machines. Each write is one script that compares positions, puts the record and keeps
// what it is found by. Claims are keys with a bounded life that only their owner gives back.

import { randomBytes } from 'node:crypto';
import { OwnedClaims } from '../../core/owned-claims.ts';
import {
  type ActionRecord,
  type ActionStore,
  type ApprovalRecord,
  type LiveActions,
  MAX_APPROVED,
  type Position,
} from './port.ts';
import { ADVANCE, ADVANCE_FROM, PUT_ACTION, PUT_APPROVAL, RECORDED, RELEASE } from './redis-scripts.ts';
import { actionStanding, approvalStanding } from './standing.ts';

type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
type Door = {
  key(kind: string, tag: string, ...parts: readonly string[]): string;
  command(name: string, ...args: readonly (string | number)[]): Promise<unknown>;
  script(lua: string): Script;
};

/**
 * Longer than a permit lives by default, and than a log's tail takes to be replayed: when the claim of a process that
 * died ends, what it sealed is known, or can no longer be redeemed.
 */
export const CLAIM_MS = 300_000;
/** How long a record stays after its last write, if it is not open, and beyond the end of its permit or approval. */
export const RETENTION_MS = 24 * 3_600_000;
/** No clock of a replica is this far from another's. */
const CLOCK_MARGIN_MS = 3_600_000;
/** How long an approval that has ended is still listed as pending, for a reader whose clock is behind. */
const LISTED_MARGIN_MS = 60_000;
const PAGE = 500;
/** How long open actions are looked for: there may be very many, and somebody waits who has stopped something. */
export const LISTING_MS = 250;
/** The scope that is stopped most: what is open in it has an index of its own. */
const ONE_AGENT = /^agent:([^/]+)\/([^/]+)$/;
/** Rows looked up in one step: others wait for it. */
const LOOKED_UP = 128;

export type RedisActionStoreOptions = {
  readonly claimMs?: number;
  readonly retentionMs?: number;
  readonly listingMs?: number;
};

export class RedisActionStore implements ActionStore {
  readonly #door: Door;
  readonly #claimMs: number;
  readonly #retentionMs: number;
  readonly #listingMs: number;
  readonly #keys: { readonly positions: string; readonly open: string; readonly guarded: string };
  readonly #scripts: Readonly<
    Record<'advance' | 'advanceFrom' | 'recorded' | 'putAction' | 'putApproval' | 'release', Script>
  >;
  readonly #owned: OwnedClaims;

  constructor(door: Door, options: RedisActionStoreOptions = {}) {
    this.#door = door;
    this.#claimMs = options.claimMs ?? CLAIM_MS;
    this.#owned = new OwnedClaims(this.#claimMs, () => performance.now());
    this.#retentionMs = options.retentionMs ?? RETENTION_MS;
    this.#listingMs = options.listingMs ?? LISTING_MS;
    this.#keys = {
      positions: door.key('position', '', 'actions'),
      open: door.key('actions-open', ''),
      guarded: door.key('actions-guarded', ''),
    };
    this.#scripts = {
      advance: door.script(ADVANCE),
      advanceFrom: door.script(ADVANCE_FROM),
      recorded: door.script(RECORDED),
      putAction: door.script(PUT_ACTION),
      putApproval: door.script(PUT_APPROVAL),
      release: door.script(RELEASE),
    };
  }

  async position(logId: string): Promise<number> {
    return Number((await this.#door.command('HGET', this.#keys.positions, logId)) ?? 0);
  }

  async advance(position: Position): Promise<void> {
    await this.#scripts.advance([this.#keys.positions], [position.logId, position.index]);
  }

  async advanceFrom(from: number, { logId, index }: Position): Promise<boolean> {
    return (await this.#scripts.advanceFrom([this.#keys.positions], [logId, index, from])) === 1;
  }

  async recorded(logId: string, actionIds: readonly string[]): Promise<readonly number[]> {
    const found: number[] = [];
    for (let from = 0; from < actionIds.length; from += LOOKED_UP) {
      const rows = actionIds.slice(from, from + LOOKED_UP).map((actionId) => this.#action(actionId));
      found.push(...((await this.#scripts.recorded(rows, [logId])) as number[]));
    }
    return found;
  }

  async putAction(action: ActionRecord, at: Position): Promise<void> {
    const { actionId, tenantId, agentId, state, permitId, permitNotAfterMs, decidedAtMs, deadlineMs } = action;
    const { open, guarded } = this.#keys;
    const lifeMs = state === 'open' ? 0 : this.#retentionMs + Math.max(0, permitNotAfterMs - decidedAtMs);
    const keys = [this.#action(actionId), open, guarded, this.#permit(permitId), this.#openOf(tenantId, agentId)];
    const row = [at.logId, at.index, JSON.stringify(action)];
    const forgetBeforeMs = decidedAtMs - CLOCK_MARGIN_MS;
    const found = [state, permitId, permitNotAfterMs, deadlineMs, lifeMs, forgetBeforeMs, actionStanding(action)];
    await this.#scripts.putAction(keys, [...row, ...found]);
  }

  async getAction(actionId: string): Promise<ActionRecord | undefined> {
    return this.#read(this.#action(actionId));
  }

  async findByPermit(permitId: string): Promise<ActionRecord | undefined> {
    if (permitId === '') return undefined;
    const row = (await this.#door.command('GET', this.#permit(permitId))) as string | null;
    return row === null ? undefined : this.#read(row);
  }

  claimPermit(permitId: string): Promise<boolean> {
    return this.#claim('permit', permitId);
  }

  releasePermit(permitId: string): Promise<void> {
    return this.#release('permit', permitId);
  }

  claimClose(actionId: string): Promise<boolean> {
    return this.#claim('close', actionId);
  }

  releaseClose(actionId: string): Promise<void> {
    return this.#release('close', actionId);
  }

  /** Rows that are listed and gone, or closed, are taken off the list: so many of them would hide all others. */
  async overdue(nowMs: number, limit: number, passed = 0): Promise<readonly ActionRecord[]> {
    const range = ['-inf', `(${nowMs}`, 'BYSCORE', 'LIMIT', passed, limit] as const;
    const rows = (await this.#door.command('ZRANGE', this.#keys.open, ...range)) as string[];
    const actions = await Promise.all(rows.map((row) => this.#read<ActionRecord>(row)));
    const ended = rows.filter((_, n) => actions[n]?.state !== 'open');
    if (ended.length > 0) await this.#door.command('ZREM', this.#keys.open, ...ended);
    return actions.filter((action) => action?.state === 'open' && action.deadlineMs < nowMs) as ActionRecord[];
  }

  /** Guarded ones are read before open ones: what is opened in between is found in one place or in both. */
  async liveInScope(scope: string, nowMs: number, limit: number): Promise<LiveActions> {
    const { open, guarded } = this.#keys;
    const [, tenantId, agentId] = ONE_AGENT.exec(scope) ?? [];
    const index = tenantId && agentId ? this.#openOf(tenantId, agentId) : open;
    const permitted = (await this.#door.command('ZRANGE', guarded, `(${nowMs}`, '+inf', 'BYSCORE')) as string[];
    const live = new Map<string, ActionRecord>();
    const take = async (rows: readonly string[], state: ActionRecord['state']): Promise<boolean> => {
      const found = await this.#readAll<ActionRecord>(rows);
      for (const action of found) {
        // What was opened since its row was listed is met again among the open ones.
        if (action.state !== state || !isLive(action, nowMs) || !action.scopes.includes(scope)) continue;
        if (live.size >= limit && !live.has(action.actionId)) return false;
        live.set(action.actionId, action);
      }
      return true;
    };
    const answer = (more: boolean): LiveActions => ({ live: [...live.values()], more });
    for (let from = 0; from < permitted.length; from += PAGE) {
      if (!(await take(permitted.slice(from, from + PAGE), 'guarded'))) return answer(true);
    }
    const untilMs = performance.now() + this.#listingMs;
    for await (const rows of this.#pages(index)) {
      if (performance.now() > untilMs || !(await take(rows, 'open'))) return answer(true);
    }
    return answer(false);
  }

  /** An index from its lowest score on. What leaves it meanwhile hides none of the others, unless one score fills pages. */
  async *#pages(index: string): AsyncGenerator<readonly string[]> {
    let lowest = '-inf';
    let seen = 0;
    for (;;) {
      const range = [lowest, '+inf', 'BYSCORE', 'LIMIT', seen, PAGE, 'WITHSCORES'] as const;
      const page = (await this.#door.command('ZRANGE', index, ...range)) as string[];
      if (page.length === 0) return;
      yield page.filter((_, at) => at % 2 === 0);
      const last = page.at(-1) as string;
      // Those of the last score are looked at once more, unless they fill whole pages by themselves.
      seen = last === lowest ? seen + PAGE : 0;
      if (page.length < 2 * PAGE) return;
      lowest = last;
    }
  }

  async putApproval(approval: ApprovalRecord, at: Position): Promise<void> {
    const { actionId, tenantId, agentId, status, requestedAtMs, notAfterMs } = approval;
    const keys = [
      this.#approval(actionId),
      this.#approved(tenantId, agentId),
      this.#pending(tenantId),
      this.#pending(''),
    ];
    const lifeMs = this.#retentionMs + Math.max(0, notAfterMs - requestedAtMs);
    const row = [at.logId, at.index, JSON.stringify(approval)];
    await this.#scripts.putApproval(keys, [
      ...row,
      status,
      requestedAtMs,
      lifeMs,
      approvalStanding(approval),
      MAX_APPROVED,
      notAfterMs,
      requestedAtMs - LISTED_MARGIN_MS,
    ]);
  }

  async getApproval(actionId: string): Promise<ApprovalRecord | undefined> {
    return this.#read(this.#approval(actionId));
  }

  async approvedFor(tenantId: string, agentId: string, nowMs: number): Promise<readonly ApprovalRecord[]> {
    const records = (await this.#door.command('HVALS', this.#approved(tenantId, agentId))) as string[];
    return records
      .map((record) => JSON.parse(record) as ApprovalRecord)
      .filter((approval) => approval.notAfterMs > nowMs)
      .sort((a, b) => b.notAfterMs - a.notAfterMs);
  }

  claimApproval(actionId: string): Promise<boolean> {
    return this.#claim('approval', actionId);
  }

  releaseApproval(actionId: string): Promise<void> {
    return this.#release('approval', actionId);
  }

  /** Those that nobody answered in time are taken off the list: an agent may have left any number of them. */
  async pendingApprovals(tenantId: string, nowMs: number, limit: number): Promise<readonly ApprovalRecord[]> {
    const index = this.#pending(tenantId);
    const found = new Map<string, ApprovalRecord>();
    const ended: string[] = [];
    for await (const rows of this.#pages(index)) {
      const records = await Promise.all(rows.map((row) => this.#read<ApprovalRecord>(row)));
      for (const [n, record] of records.entries()) {
        const endsMs = record?.notAfterMs ?? 0;
        if (record?.status === 'pending' && endsMs > nowMs) found.set(record.actionId, record);
        else if (endsMs < nowMs - LISTED_MARGIN_MS) ended.push(rows[n] as string);
      }
      if (found.size >= limit) break;
    }
    for (let from = 0; from < ended.length; from += PAGE) {
      await this.#door.command('ZREM', index, ...ended.slice(from, from + PAGE));
    }
    return [...found.values()].slice(0, limit);
  }

  async #claim(kind: string, id: string): Promise<boolean> {
    const key = this.#door.key('claim', '', kind, id);
    const owner = randomBytes(16).toString('hex');
    const answer = await this.#door.command('SET', key, owner, 'NX', 'PX', this.#claimMs).catch((fault) => {
      // It may have been made all the same, and nobody would know of it: sent behind it, this ends it.
      this.#scripts.release([key], [owner]).catch(() => undefined);
      throw fault;
    });
    if (answer === null) return false;
    this.#owned.keep(key, owner);
    return true;
  }

  async #release(kind: string, id: string): Promise<void> {
    const key = this.#door.key('claim', '', kind, id);
    const owner = this.#owned.take(key);
    if (owner !== undefined) await this.#scripts.release([key], [owner]);
  }

  async #read<T>(row: string): Promise<T | undefined> {
    const record = (await this.#door.command('HGET', row, 'record')) as string | null;
    return record === null ? undefined : (JSON.parse(record) as T);
  }

  /** In the order asked for, without those that have ended since; one write to Redis. */
  async #readAll<T>(rows: readonly string[]): Promise<T[]> {
    const read = await Promise.all(rows.map((row) => this.#read<T>(row)));
    return read.filter((row) => row !== undefined) as T[];
  }

  #action(actionId: string): string {
    return this.#door.key('action', '', actionId);
  }

  #openOf(tenantId: string, agentId: string): string {
    return this.#door.key('actions-open', tenantId, agentId);
  }

  #permit(permitId: string): string {
    return this.#door.key('permit', '', permitId);
  }

  #approval(actionId: string): string {
    return this.#door.key('approval', '', actionId);
  }

  #approved(tenantId: string, agentId: string): string {
    return this.#door.key('approved', tenantId, agentId);
  }

  #pending(tenantId: string): string {
    return this.#door.key('approvals-pending', tenantId);
  }
}

function isLive(action: ActionRecord, nowMs: number): boolean {
  if (action.state === 'open') return true;
  return action.state === 'guarded' && action.permitId !== '' && action.permitNotAfterMs > nowMs;
}
