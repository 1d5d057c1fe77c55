// Follows several logs of one stream into one shared store, and refreshes the figures of agents at rest.

import type { PublicKey } from '../../core/jwk.ts';
import { readTally } from '../../core/trust-score/tally.ts';
import { dayOf } from '../../core/trust-score/view.ts';
import { scoreRow } from './fold.ts';
import { type FollowedLog, StreamFollower, type StreamFollowerDependencies } from './follow-stream.ts';
import type { ReceiptSource } from './ledger-source.ts';

const REFRESH_INTERVAL_MS = 60_000;
const REFRESH_BATCH = 50;
/** Tries for one page, while other folds come in between. */
const REFRESH_TRIES = 8;

export type StreamScoringDependencies = Omit<StreamFollowerDependencies, keyof FollowedLog> & {
  /** At least one; others are added by follow(). */
  readonly logs: readonly FollowedLog[];
  /** How many logs there are in all. */
  readonly expected: number;
};

export class StreamScoring {
  readonly #d: StreamScoringDependencies;
  readonly #logs: FollowedLog[] = [];
  readonly #followers: StreamFollower[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #figuresDay = -1;
  #refreshing: Promise<void> | undefined;
  #stopped = false;

  constructor(dependencies: StreamScoringDependencies) {
    this.#d = dependencies;
  }

  start(): void {
    for (const log of this.#d.logs) this.follow(log);
    this.#timer = setInterval(() => void this.refresh(), REFRESH_INTERVAL_MS).unref();
    void this.refresh();
  }

  /** Adds a log whose signer was away when this started. */
  follow(log: FollowedLog): void {
    if (this.#stopped) return;
    const { logs: _, ...shared } = this.#d;
    const follower = new StreamFollower({ ...shared, ...log });
    this.#logs.push(log);
    this.#followers.push(follower);
    follower.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#refreshing;
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }

  /** Waits at most `timeoutMs`; false when a log is behind, cannot be asked or is away, and the figures may lack its newest leaves. */
  async upToDate(timeoutMs: number): Promise<boolean> {
    const caughtUp = await Promise.all(this.#followers.map((follower) => follower.upToDate(timeoutMs)));
    return caughtUp.every(Boolean) && this.#followers.length >= this.#d.expected;
  }

  sourceOf(logId: string): ReceiptSource | undefined {
    return this.#logs.find(({ source }) => source.logId === logId)?.source;
  }

  /** The keys of all logs. */
  all(): readonly PublicKey[] {
    return this.#logs.flatMap(({ keys }) => keys.all());
  }

  counts(): { readonly overtaken: number; readonly askedFor: number } {
    const sum = (name: 'overtaken' | 'askedFor') => this.#followers.reduce((n, { counts }) => n + counts[name], 0);
    return { overtaken: sum('overtaken'), askedFor: sum('askedFor') };
  }

  /** A new day changes every figure; agents at rest get theirs here, from whichever replica comes first. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh()
      .catch(this.#d.onFault)
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const day = dayOf(this.#d.now());
    if (day === this.#figuresDay) return;
    let after = '';
    while (!this.#stopped) {
      const next = await this.#refreshPage(after, day);
      if (next === undefined) break;
      after = next;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (!this.#stopped) this.#figuresDay = day;
  }

  /** Where the next page starts; undefined after the last. */
  async #refreshPage(after: string, day: number): Promise<string | undefined> {
    const { store } = this.#d;
    const logId = this.#logs[0]?.source.logId ?? '';
    for (let tries = 1; ; tries++) {
      const index = await store.position(logId);
      const page = await store.list('', after, REFRESH_BATCH);
      const last = page.at(-1);
      if (last === undefined) return undefined;
      const changed = page.flatMap((row) => {
        const fresh = scoreRow(row, readTally(row.tally), day);
        return fresh.score === row.score && fresh.assertedScore === row.assertedScore ? [] : [{ row, fresh }];
      });
      const base = { from: index, tallies: changed.map(({ row }) => row.tally) };
      const rows = changed.map(({ fresh }) => fresh);
      // Who is folded in between has its new figures from that.
      if (rows.length === 0 || tries > REFRESH_TRIES || (await store.foldFrom(base, rows, { logId, index }))) {
        return `${last.tenantId}/${last.agentId}`;
      }
    }
  }
}
