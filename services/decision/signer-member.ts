// One signer of the pool: its stream, how it is, which log is its own, and what it may have sealed unanswered.

import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import { logIdOf, parseReceiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  GetStatusRequestSchema,
  type GetStatusResponse,
  type ReceiptSignerService,
  type SealRequest,
  type SealResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import { inLog, type KeptOrphan, Orphans } from './orphans.ts';
import { SealFailure, type SealStream, sealStream } from './seal-stream.ts';

export type RemoteSigner = Pick<
  Service<typeof ReceiptSignerService, CallContext>,
  'seal' | 'sealStream' | 'getReceipt' | 'getStatus' | 'listReceipts'
>;

/** Longest a page of the log or a void may take. */
const REPAIR_MS = 10_000;
/** How long a void is waited for. The caller's deadline does not count: it may be why there is something to void. */
const VOID_MS = 1_000;

export type MemberDeps = {
  readonly name: string;
  readonly service: RemoteSigner;
  readonly limits: {
    readonly maxPending: number;
    readonly statusMs: number;
    readonly streamAgeMs: number;
    readonly settleMs: number;
  };
  readonly env: {
    readonly now: () => number;
    readonly context: () => CallContext;
    readonly failed: (event: string, error: unknown) => void;
    readonly voided: (reason: 'orphan') => void;
    readonly suspicions?: SuspicionSink;
  };
};

/** Where suspicions of one log are kept beyond this process. */
export type SuspicionSink = {
  keep(id: string, about: KeptOrphan & { readonly log: string }): void;
  drop(id: string): void;
};

export class SignerMember {
  readonly name: string;
  readonly service: RemoteSigner;
  readonly #deps: MemberDeps;
  readonly #stream: SealStream;
  readonly #orphans: Orphans;
  #asking: Promise<void> | undefined;
  #failures = 0;
  /** A leaf not yet answered for cannot lie below this. */
  #seenSize = 0;
  #leaseRefused = false;
  #answeredAtMs = Number.NEGATIVE_INFINITY;
  well = false;
  /** Well, but too busy to say how it is: what it said last is old, its log longer. */
  silent = false;
  status: GetStatusResponse | undefined;
  /** 12 hex digits; empty until the signer was first asked. */
  logId = '';

  constructor(deps: MemberDeps) {
    this.#deps = deps;
    this.name = deps.name;
    this.service = deps.service;
    const { limits, env, service } = deps;
    this.#stream = sealStream({
      open: (requests) => service.sealStream(requests, { ...env.context(), deadlineMs: Number.POSITIVE_INFINITY }),
      limits: { maxPending: limits.maxPending, maxAgeMs: limits.streamAgeMs },
      now: env.now,
      late: () => this.#repair(),
    });
    this.#orphans = new Orphans({
      signer: service,
      settleMs: limits.settleMs,
      now: env.now,
      context: () => ({ ...env.context(), deadlineMs: env.now() + REPAIR_MS }),
      voided: () => env.voided('orphan'),
      lost: () => env.failed('orphan.lost', new BeaconError('resource_exhausted', `${this.name}: too many suspects`)),
      keeper: {
        keep: (id, about) => env.suspicions?.keep(inLog(id, this.logId), { ...about, log: this.logId }),
        drop: (id) => env.suspicions?.drop(inLog(id, this.logId)),
      },
    });
  }

  get pending(): number {
    return this.#stream.pending;
  }

  get suspects(): number {
    return this.#orphans.size;
  }

  /** Empty where there are no regions, and until the signer was first asked. */
  get region(): string {
    return this.status?.region ?? '';
  }

  get leaseEndMs(): number {
    return this.status?.leaseNotAfter ? timestampMs(this.status.leaseNotAfter) : 0;
  }

  get leased(): boolean {
    return !this.#leaseRefused && this.leaseEndMs > this.#deps.env.now();
  }

  /** Rejects with SealFailure; what may have been sealed all the same is remembered here. */
  async seal(request: SealRequest, notAfterMs: number): Promise<SealResponse> {
    const fromIndex = this.#seenSize;
    try {
      const response = await this.#stream.ask(request, notAfterMs);
      this.#answeredAtMs = this.#deps.env.now();
      if (response.refused === 'no_lease') this.#leaseRefused = true;
      const last = parseReceiptId(response.receipts.at(-1)?.receiptId ?? '');
      // Answers come in the order of the log's batches; what was sent later lies behind.
      if (last) this.#seenSize = Math.max(this.#seenSize, last.index + 1);
      return response;
    } catch (thrown) {
      if (thrown instanceof SealFailure && thrown.unclear) {
        this.#orphans.suspect(request.drafts, fromIndex);
        this.#unwell(thrown.error);
      }
      throw thrown;
    }
  }

  /** Closes receipts of this log. What is not answered for is owed, and sealed when the signer is back; rejects all the same. */
  async void(request: SealRequest): Promise<SealResponse> {
    const { env } = this.#deps;
    try {
      return await this.#stream.ask(request, env.now() + VOID_MS);
    } catch (thrown) {
      for (const draft of request.drafts) this.#orphans.owe(draft);
      if (thrown instanceof SealFailure && thrown.unclear) this.#unwell(thrown.error);
      throw thrown instanceof SealFailure ? thrown.error : thrown;
    }
  }

  /** One question at a time. A signer that has failed since the question was put is not well by its answer. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** What another replica suspected of this log. */
  adopt(id: string, about: KeptOrphan): void {
    const log = inLog('', this.logId);
    this.#orphans.adopt(id.endsWith(log) ? id.slice(0, -log.length) : id, about);
  }

  retire(): void {
    this.#stream.retire();
  }

  async #ask(): Promise<void> {
    const { env, limits, service } = this.#deps;
    const failures = this.#failures;
    const askedAtMs = env.now();
    const question = () =>
      service.getStatus(create(GetStatusRequestSchema), { ...env.context(), deadlineMs: env.now() + limits.statusMs });
    try {
      // A connection that ended by its age may take one question with it; a signer that is gone refuses again at once.
      const status = await question().catch((error: unknown) => {
        if (asBeaconError(error).code === 'unavailable') return question();
        throw error;
      });
      if (!status.writable) throw new BeaconError('unavailable', `${this.name}: ${status.failure}`);
      this.status = status;
      this.silent = false;
      this.#seenSize = Math.max(this.#seenSize, Number(status.size));
      this.logId = logIdOf(status.origin);
      this.#leaseRefused = false;
      if (failures !== this.#failures) return;
      this.well = true;
    } catch (error) {
      // Late with this answer because it is busy sealing: who takes it for lost under load loses all of them at once.
      const isBusy = asBeaconError(error).code === 'deadline_exceeded' && this.#answeredAtMs >= askedAtMs;
      if (isBusy) {
        this.silent = true;
        this.#orphans.unsettle();
        return;
      }
      this.#unwell(error);
      // Lets a signer that is being drained finish what it has; the next request opens a new stream.
      this.#stream.retire();
      return;
    }
    this.#repair();
  }

  #unwell(error: unknown): void {
    this.#failures += 1;
    this.#orphans.unsettle();
    if (this.well) this.#deps.env.failed('signer.lost', error);
    this.well = false;
  }

  #repair(): void {
    if (this.#orphans.size === 0) return;
    this.#orphans.resolve().catch((error) => this.#deps.env.failed('orphan.resolve', error));
  }
}
