// Decisions that nobody was answered with, because the replica that took the call is gone: each is found by the action id
// the gateway gave it, in what the signers' logs were projected to, and closed by a `void` leaf in the log it stands in.

import { create } from '@bufbuild/protobuf';
import { invalidArgument } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { GetReceiptRequestSchema, SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import {
  type ReportUnansweredRequest,
  type ReportUnansweredResponse,
  ReportUnansweredResponseSchema,
  type UnansweredService,
} from '../../gen/beacon/v1/unanswered_service_pb.js';
import type { ActionRecord, ActionStore } from '../../ports/action-store/port.ts';
import type { Service } from '../../runtime/rpc.ts';
import type { Signer } from './deps.ts';
import { laterDraft, toDraft } from './records.ts';

/** Most calls in one report. */
export const MAX_REPORTED = 256;
const TICK_MS = 500;
/** As long as what a dead replica had sent may still be sealed. */
const SETTLE_MS = 10_000;
const SEAL_MS = 5_000;
/** Drafts that a signer seals in one job at most. */
const MAX_TOGETHER = 16;
const ACTION_ID = /^act_[0-9a-f]{32}$/;

export type UnansweredDeps = {
  readonly actions: Pick<ActionStore, 'getAction' | 'position'>;
  readonly signer: Pick<Signer, 'seal' | 'getReceipt'> & { sizes(): ReadonlyMap<string, number> | undefined };
  readonly suspicions: {
    keep(id: string, about: unknown): void;
    save(): Promise<void>;
    drop(id: string): void;
  };
  readonly now: () => number;
  readonly context: () => CallContext;
  readonly told: {
    readonly voided: (reason: 'unanswered') => void;
    readonly failed: (event: string, error: unknown) => void;
  };
};

type Looked = {
  /** Since when every signer has been well. */
  sinceMs: number;
  /** How long each log was when nothing could come any more; what is not projected from below these does not exist. */
  ends: ReadonlyMap<string, number> | undefined;
};

export class Unanswered implements Service<typeof UnansweredService, CallContext> {
  readonly #deps: UnansweredDeps;
  readonly #startedMs: number;
  readonly #open = new Map<string, Looked>();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `startedMs`: when this process began. Calls made later were its own. */
  constructor(deps: UnansweredDeps, startedMs: number) {
    this.#deps = deps;
    this.#startedMs = startedMs;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.look()
        .catch((error) => this.#deps.told.failed('unanswered.failed', error))
        .finally(() => {
          this.#running = undefined;
        });
    }, TICK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async reportUnanswered({ calls, replicaGone }: ReportUnansweredRequest): Promise<ReportUnansweredResponse> {
    if (calls.length === 0 || calls.length > MAX_REPORTED)
      throw invalidArgument('calls', `must be 1 to ${MAX_REPORTED}`);
    const { suspicions } = this.#deps;
    for (const { actionId, askedAtMs } of calls) {
      if (!ACTION_ID.test(actionId)) throw invalidArgument('calls.action_id', 'is not an action id');
      // Taken by this very process, which lives: it has counted what it decided, and voids what it must by itself.
      if (!replicaGone && Number(askedAtMs) >= this.#startedMs) continue;
      suspicions.keep(nameOf(actionId), { kind: 'unanswered', action: actionId });
      this.adopt(actionId);
    }
    await suspicions.save();
    return create(ReportUnansweredResponseSchema);
  }

  /** Takes one up, its own or another replica's. */
  adopt(actionId: string): void {
    if (!this.#open.has(actionId)) this.#open.set(actionId, { sinceMs: this.#deps.now(), ends: undefined });
  }

  /** Looks once for each. */
  async look(): Promise<void> {
    for (const [actionId, looked] of this.#open) {
      const action = await this.#deps.actions.getAction(actionId);
      if (action ? await this.#close(action) : await this.#cannotCome(looked)) {
        this.#open.delete(actionId);
        this.#deps.suspicions.drop(nameOf(actionId));
      }
    }
  }

  /** Every receipt of it that no void closes yet; true when all are closed. */
  async #close(action: ActionRecord): Promise<boolean> {
    const { signer, actions, told } = this.#deps;
    const first = parseReceiptId(action.receiptIds[0] ?? '');
    const size = first && signer.sizes()?.get(first.logId);
    if (!first || size === undefined) return false;
    // What was sealed together with the decision must have been projected too.
    if ((await actions.position(first.logId)) < Math.min(size, first.index + MAX_TOGETHER)) return false;
    const receipts = await Promise.all(
      action.receiptIds.map(async (receiptId) => {
        const request = create(GetReceiptRequestSchema, { receiptId });
        return readReceipt((await signer.getReceipt(request, this.#call())).envelope);
      }),
    );
    const closed = new Set(receipts.filter(({ kind }) => kind === 'void').map(({ predicate }) => predicate.voids));
    // They are voided together or not at all.
    if (closed.has(receipts[0]?.receiptId)) return true;
    const standing = receipts.filter(({ kind }) => kind !== 'void');
    const drafts = standing.map(({ receiptId }) =>
      toDraft(laterDraft('void', action, { voids: receiptId, reason: 'unanswered' })),
    );
    await signer.seal(create(SealRequestSchema, { drafts }), this.#call());
    told.voided('unanswered');
    return true;
  }

  async #cannotCome(looked: Looked): Promise<boolean> {
    const { now, signer, actions } = this.#deps;
    const sizes = signer.sizes();
    // A signer that hangs may still find in its inbox what a dead replica sent.
    if (!sizes) looked.sinceMs = now();
    if (!sizes || now() - looked.sinceMs < SETTLE_MS) return false;
    looked.ends ??= sizes;
    for (const [logId, end] of looked.ends) if ((await actions.position(logId)) < end) return false;
    return true;
  }

  #call(): CallContext {
    return { ...this.#deps.context(), deadlineMs: this.#deps.now() + SEAL_MS };
  }
}

function nameOf(actionId: string): string {
  return `unanswered:${actionId}`;
}
