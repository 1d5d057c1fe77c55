// Several signers as one: each with a log of its own. A request goes to one that is well; when that one dies it goes to
// another, and what the first may have sealed is voided once it is back, so that one receipt counts. None left is
// `unavailable`: no decision.

import { setTimeout } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  type GetReceiptRequest,
  type GetReceiptResponse,
  type GetStatusResponse,
  GetStatusResponseSchema,
  type SealRequest,
  type SealResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Signer } from './deps.ts';
import { type KeptOrphan, voidedBy } from './orphans.ts';
import { SealFailure } from './seal-stream.ts';
import { type RemoteSigner, SignerMember, type SuspicionSink } from './signer-member.ts';

export type SignerPoolDeps = {
  /** Dialed signers; a name is for logs. */
  readonly signers: readonly { readonly name: string; readonly service: RemoteSigner }[];
  readonly now: () => number;
  /** For what the pool asks on its own account; its deadline is set by the pool. */
  readonly context: () => CallContext;
  readonly failed: (event: string, error: unknown) => void;
  /** Told of each orphan closed by a void leaf. */
  readonly voided: (reason: 'orphan') => void;
  readonly suspicions?: SuspicionSink;
  /** The one region a request may be sealed in; undefined for one that may lie anywhere. Without it all may. */
  readonly regionOf?: ((request: SealRequest, context: CallContext) => string | undefined) | undefined;
  readonly limits?: Partial<PoolLimits>;
};

export type PoolLimits = {
  /** Requests without an answer, for each signer; more are shed. */
  readonly maxPending: number;
  /** After this a signer that has not answered is left for another, where there is one. */
  readonly attemptMs: number;
  /** How often each signer is asked how it is, and how long it may take to say. */
  readonly statusMs: number;
  /** How long one stream is used. */
  readonly streamAgeMs: number;
  /** See Orphans. */
  readonly settleMs: number;
};

export const POOL_LIMITS: PoolLimits = {
  maxPending: 1_024,
  attemptMs: 1_000,
  statusMs: 500,
  streamAgeMs: 4 * 60_000,
  settleMs: 10_000,
};

/** A signer that took longer is not asked again before the others. */
const SLOW_MS = 25;
/** How often a signer whose log is not known is asked about it before a reader is told so, and the pause before each. */
const MAX_ASKED_FOR_LOG = 20;
const ASK_FOR_LOG_MS = 100;

/** Codes after which another signer may do what this one did not. */
const ELSEWHERE = [
  'unavailable',
  'internal',
  'deadline_exceeded',
  'resource_exhausted',
  'unauthenticated',
  'failed_precondition',
];

export class SignerPool implements Signer {
  readonly #deps: SignerPoolDeps;
  readonly #limits: PoolLimits;
  readonly #members: readonly SignerMember[];
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  constructor(deps: SignerPoolDeps) {
    this.#deps = deps;
    this.#limits = { ...POOL_LIMITS, ...deps.limits };
    const { now, context, failed, voided, suspicions } = deps;
    const env = { now, context, failed, voided, ...(suspicions ? { suspicions } : {}) };
    this.#members = deps.signers.map(
      ({ name, service }) => new SignerMember({ name, service, limits: this.#limits, env }),
    );
  }

  /** Asks every signer once; goes on asking until stop(). */
  async start(): Promise<void> {
    await this.#askAll();
    this.#timer = setInterval(() => void this.#askAll(), this.#limits.statusMs).unref();
  }

  /** Ends the streams when their last answers are there. */
  stop(): void {
    clearInterval(this.#timer);
    for (const member of this.#members) member.retire();
  }

  /** True while at least one signer can seal: the pool's part of readiness. */
  ready(): boolean {
    return this.#members.some((member) => member.well);
  }

  /** Takes up what another replica suspected; false while it is not known whose log that is. */
  adopt(id: string, log: string, about: KeptOrphan): boolean {
    const home = this.#members.find(({ logId }) => logId === log);
    home?.adopt(id, about);
    return home !== undefined;
  }

  /** Every log with its size as last heard; undefined while one signer is away or does not say. */
  sizes(): ReadonlyMap<string, number> | undefined {
    if (this.#members.some(({ well, silent, logId }) => !well || silent || logId === '')) return undefined;
    return new Map(this.#members.map(({ logId, status }) => [logId, Number(status?.size ?? 0)]));
  }

  /** How each signer is, for readiness and metrics. */
  members(): readonly { name: string; well: boolean; leased: boolean; pending: number; suspects: number }[] {
    return this.#members.map(({ name, well, leased, pending, suspects }) => ({
      name,
      well,
      leased,
      pending,
      suspects,
    }));
  }

  async seal(request: SealRequest, context: CallContext): Promise<SealResponse> {
    const home = this.#homeOf(request);
    if (home) return home.void(request);
    const region = this.#deps.regionOf?.(request, context);
    const tried = new Set<SignerMember>();
    let refused: SealResponse | undefined;
    let last: BeaconError | undefined;
    for (;;) {
      const member = this.#pick(tried, region);
      if (!member) break;
      tried.add(member);
      const nowMs = this.#deps.now();
      if (nowMs >= context.deadlineMs) break;
      const isLast = this.#pick(tried, region) === undefined;
      const notAfterMs = isLast ? context.deadlineMs : Math.min(context.deadlineMs, nowMs + this.#limits.attemptMs);
      try {
        const response = await member.seal(request, notAfterMs);
        this.#answered(member, this.#deps.now() - nowMs);
        // Another signer may hold a lease where this one does not; a fence holds everywhere.
        if (response.refused !== 'no_lease') return response;
        refused = response;
      } catch (thrown) {
        const failure = thrown as SealFailure;
        last = failure instanceof SealFailure ? failure.error : asBeaconError(thrown);
        this.#answered(member, Number.POSITIVE_INFINITY);
        if (!ELSEWHERE.includes(last.code)) throw last;
      }
    }
    if (refused) return refused;
    if (this.#deps.now() >= context.deadlineMs) {
      throw new BeaconError('deadline_exceeded', 'no signer answered in time', { cause: last });
    }
    if (last?.code === 'resource_exhausted') throw last;
    throw new BeaconError('unavailable', 'no signer can seal now', { retryAfterMs: 1_000, cause: last });
  }

  /** From the log the id names. `unavailable` while that signer, or one whose log is not known yet, cannot be asked. */
  async getReceipt(request: GetReceiptRequest, context: CallContext): Promise<GetReceiptResponse> {
    const parsed = parseReceiptId(request.receiptId);
    if (!parsed) throw new BeaconError('invalid_argument', 'receipt_id: is not a receipt id', { field: 'receipt_id' });
    const member = await this.#holder(parsed.logId, context);
    if (member) return member.service.getReceipt(request, context);
    if (this.#members.some(({ logId }) => logId === '')) {
      throw new BeaconError('unavailable', 'a signer has not said yet which log is its own', { retryAfterMs: 1_000 });
    }
    throw new BeaconError('not_found', 'no such receipt in any log', { field: 'receipt_id' });
  }

  /** The pool's state: writable while one signer is, the highest epoch of all, the longest lease. */
  async getStatus(): Promise<GetStatusResponse> {
    await this.#askAll();
    const known = this.#members.flatMap(({ well, status }) => (well && status ? [status] : []));
    if (known.length === 0) throw new BeaconError('unavailable', 'no signer can be reached', { retryAfterMs: 1_000 });
    const most = (of: (status: GetStatusResponse) => bigint) =>
      BigInt(Math.max(...known.map((one) => Number(of(one)))));
    const leaseEndMs = Math.max(...this.#members.filter(({ well }) => well).map((member) => member.leaseEndMs));
    return create(GetStatusResponseSchema, {
      origin: known.map(({ origin }) => origin).join(' '),
      size: known.reduce((sum, { size }) => sum + size, 0n),
      epoch: most(({ epoch }) => epoch),
      term: most(({ term }) => term),
      leaseNotAfter: timestampFromMs(leaseEndMs),
      writable: true,
    });
  }

  /** A signer that has not said yet which log is its own, because it or we just started, is asked again, not long. */
  async #holder(logId: string, { deadlineMs }: CallContext): Promise<SignerMember | undefined> {
    for (let asked = 0; ; asked += 1) {
      const member = this.#members.find((one) => one.logId === logId);
      const unknown = this.#members.filter((one) => one.logId === '');
      if (member || unknown.length === 0) return member;
      if (asked === MAX_ASKED_FOR_LOG || this.#deps.now() >= deadlineMs) return undefined;
      await setTimeout(ASK_FOR_LOG_MS);
      await Promise.all(unknown.map((one) => one.ask()));
    }
  }

  /** A void counts in the log of what it voids, and nowhere else; the drafts of one request are about one decision. */
  #homeOf({ drafts }: SealRequest): SignerMember | undefined {
    const place = parseReceiptId(drafts[0] ? voidedBy(drafts[0]) : '');
    return place && this.#members.find(({ logId }) => logId === place.logId);
  }

  async #askAll(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.ask()));
  }

  /** One that failed or was slow is not stayed with: alone, no caller would ever learn that another is better. */
  #answered(member: SignerMember, tookMs: number): void {
    this.#last = this.#members.indexOf(member) + (tookMs < SLOW_MS ? 0 : 1);
  }

  /**
   * The least busy that holds a lease; without one, the least busy that is well: it can still seal a DENY. Among equals the
   * one that answered last, whose caches are warm.
   */
  #pick(tried: ReadonlySet<SignerMember>, region?: string): SignerMember | undefined {
    let best: SignerMember | undefined;
    for (let i = 0; i < this.#members.length; i += 1) {
      const member = this.#members[(i + this.#last) % this.#members.length] as SignerMember;
      if (!member.well || tried.has(member)) continue;
      if (region !== undefined && member.region !== region) continue;
      if (!best || rank(member) < rank(best)) best = member;
    }
    return best;
  }
}

function rank(member: SignerMember): number {
  return (member.leased ? 0 : Number.MAX_SAFE_INTEGER / 2) + member.pending;
}
