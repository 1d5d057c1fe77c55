// Keeps the derived stores in step with the ledger: live, by projecting what was just sealed; after a crash, by
// replaying the tail. The stores' position moves only over receipts that every projection before it has finished with.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import { SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import { Behind } from './behind.ts';
import type { DecisionDeps } from './deps.ts';
import { Unrecorded } from './once.ts';
import { project, type SealedView } from './project.ts';
import { type DraftValues, toDraft } from './records.ts';
import { readView, withoutVoided } from './replay.ts';
import { viewOf } from './seal.ts';

const REPLAY_PAGE = 1_000;

/** The log whose receipts are projected; the ledger store itself where it is at hand. */
export type ReceiptSource = {
  readonly logId: string;
  size(): number;
  scan(start: number, limit: number): Promise<StoredRecord[]>;
};

export class Recorder {
  readonly #deps: DecisionDeps;
  readonly #source: ReceiptSource | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #behind = new Behind((error) => this.missed(error));

  /** Without a source, something else follows the log and moves the stores' position. */
  constructor(deps: DecisionDeps, source: ReceiptSource | undefined) {
    this.#deps = deps;
    this.#source = source;
  }

  /** Runs a piece of work that seals and then records; the position waits for it. */
  track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#underWay.add(settled);
    settled.finally(() => this.#underWay.delete(settled));
    return running;
  }

  async record(views: readonly SealedView[]): Promise<void> {
    await project(views, this.#deps);
  }

  /**
   * Records what was decided. Where something else follows the log, it is sent behind the answer: what does not arrive comes
   * by the log. Elsewhere it rejects when it could not be kept, and the decision must not be answered as ALLOW.
   */
  async recordDecided(views: readonly SealedView[]): Promise<void> {
    if (this.#source) return this.record(views);
    this.#behind.later(() => {
      this.track(() => this.record(views)).catch((error) => this.missed(error));
    });
  }

  /** For what nobody waits for. */
  later(work: () => void): void {
    this.#behind.later(work);
  }

  /** Another process is at work on what was asked last. */
  pause(): void {
    this.#behind.pause();
  }

  /** Sends what was put off, so that who asks next finds it. */
  catchUp(): void {
    this.#behind.flush();
  }

  /** Seals drafts that follow an action, and records them (or `Unrecorded`). A refused ALLOW is `failed_precondition`. */
  async seal(drafts: readonly DraftValues[], call: CallContext): Promise<readonly SealedView[]> {
    const views = await this.sealOnly(drafts, call);
    await this.record(views).catch((error) => {
      throw new Unrecorded(error);
    });
    return views;
  }

  /** Seals without recording: the stores learn of it when the log is replayed. */
  async sealOnly(drafts: readonly DraftValues[], call: CallContext): Promise<readonly SealedView[]> {
    const { signer } = this.#deps;
    const response = await signer.seal(create(SealRequestSchema, { drafts: drafts.map(toDraft) }), call);
    if (response.refused !== '') {
      const why = response.refused === 'fenced' ? 'revoked' : 'the signer holds no valid lease';
      throw new BeaconError('failed_precondition', `refused by the kill switch: ${why}`);
    }
    return response.receipts.map((receipt, i) => viewOf(receipt, drafts[i] as DraftValues, '', undefined));
  }

  /** A projection failed: what it would have written is in the log, and comes back with the next replay. */
  missed(error: unknown): void {
    this.#deps.env.failed('decision.record', error);
  }

  voided(reason: string): void {
    this.#deps.env.meter.voided(reason);
  }

  /** Resolves when what has been sealed by now is recorded. */
  async settled(): Promise<void> {
    this.#behind.flush();
    await Promise.all([...this.#underWay]);
  }

  /** Before the stores are closed: what was under way may itself have put something off. */
  async finish(): Promise<void> {
    await this.settle();
    this.#behind.flush();
    await Promise.all([...this.#underWay]);
  }

  /** Moves the stores' position to where the ledger was before the work now under way began. */
  async settle(): Promise<void> {
    const size = this.#source?.size() ?? 0;
    await this.settled();
    if (!this.#source) return;
    const at = { logId: this.#source.logId, index: size };
    await this.#deps.stores.actions.advance(at);
    await this.#deps.stores.idempotency.advance(at);
  }

  /** Projects every receipt the stores have not seen; resolves to how many. `progress` is told after each page. */
  async replay(progress: (done: number, total: number) => void): Promise<number> {
    const { actions, idempotency } = this.#deps.stores;
    if (!this.#source) return 0;
    const source = this.#source;
    const { logId } = source;
    const total = source.size();
    const from = Math.min(await actions.position(logId), await idempotency.position(logId));
    if (from > total)
      throw new BeaconError('failed_precondition', 'the derived state is ahead of the ledger it follows');
    for (let at = from; at < total; ) {
      const page = await source.scan(at, REPLAY_PAGE);
      if (page.length === 0) break;
      await project(withoutVoided(page.map(readView)), this.#deps);
      at += page.length;
      await actions.advance({ logId, index: at });
      await idempotency.advance({ logId, index: at });
      progress(at - from, total - from);
    }
    return total - from;
  }
}
