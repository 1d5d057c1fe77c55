// Which calls to a decision replica nobody was answered to. The gateway gives each proposal the id of its action, so that it
// can name what a replica that dies may have sealed and never told. It alone knows: what it did not pass on, nobody heard.

import { create } from '@bufbuild/protobuf';
import { BeaconError, type ErrorCode } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import type { DecisionService, Proposal } from '../gen/beacon/v1/decision_service_pb.js';
import {
  ReportUnansweredRequestSchema,
  type UnansweredCall,
  UnansweredCallSchema,
  type UnansweredService,
} from '../gen/beacon/v1/unanswered_service_pb.js';
import type { Service } from '../runtime/rpc.ts';

/** Most remembered for one replica; beyond it the oldest is given up, and told. */
export const MAX_UNANSWERED = 65_536;
const REPORT_MS = 1_000;
/** Most calls in one report, as the decision service takes them. */
const MAX_REPORTED = 256;
/** How long a replica is waited for before another is told that it is gone. */
const GONE_MS = 15_000;
/** Codes after which the replica may have sealed something all the same. */
const UNCLEAR: readonly ErrorCode[] = ['unavailable', 'internal', 'deadline_exceeded'];

type Decision = Service<typeof DecisionService, CallContext>;
type Reports = Service<typeof UnansweredService, CallContext>;
type Asking = { readonly proposal?: Proposal };

export type UnansweredDeps = {
  /** In the order of `watching`'s places. */
  readonly replicas: readonly Reports[];
  readonly now: () => number;
  readonly newActionId: () => string;
  readonly context: () => CallContext;
  readonly failed: (event: string, error: unknown) => void;
};

export class UnansweredCalls {
  readonly #deps: UnansweredDeps;
  /** For each replica, oldest first. */
  readonly #calls: UnansweredCall[][];
  #reporting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: UnansweredDeps) {
    this.#deps = deps;
    this.#calls = deps.replicas.map(() => []);
  }

  get size(): number {
    return this.#calls.reduce((sum, { length }) => sum + length, 0);
  }

  start(): void {
    this.#timer = setInterval(() => void this.report(), REPORT_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.report();
  }

  /**
   * The replica at this place, its proposals named. One with an idempotency key is not: what was sealed for it is the
   * answer to whoever asks again.
   */
  watching<D extends Pick<Decision, 'guard' | 'execute'>>(replica: D, place: number): D {
    const named = <R extends Asking, A>(call: (request: R, context: CallContext) => Promise<A>) => {
      return async (request: R, context: CallContext): Promise<A> => {
        const { proposal } = request;
        if (proposal?.idempotencyKey !== '') return call(request, context);
        const actionId = this.#deps.newActionId();
        const askedMs = this.#deps.now();
        try {
          return await call({ ...request, proposal: { ...proposal, actionId } }, context);
        } catch (error) {
          if (error instanceof BeaconError && UNCLEAR.includes(error.code)) this.#note(place, actionId, askedMs);
          throw error;
        }
      };
    };
    return { ...replica, guard: named(replica.guard), execute: named(replica.execute) };
  }

  /** One report after the other; what cannot be told now is told later. */
  report(): Promise<void> {
    this.#reporting ??= Promise.all(this.#calls.map((_, place) => this.#reportOf(place)))
      .then(() => undefined)
      .finally(() => {
        this.#reporting = undefined;
      });
    return this.#reporting;
  }

  #note(place: number, actionId: string, askedMs: number): void {
    const calls = this.#calls[place] as UnansweredCall[];
    const isFull = calls.length >= MAX_UNANSWERED;
    if (isFull)
      this.#deps.failed('unanswered.lost', new BeaconError('resource_exhausted', 'too many unanswered calls'));
    const call = create(UnansweredCallSchema, { actionId, askedAtMs: BigInt(askedMs) });
    if (isFull) calls.shift();
    calls.push(call);
  }

  async #reportOf(place: number): Promise<void> {
    const { replicas, now } = this.#deps;
    for (;;) {
      const some = this.#calls[place]?.slice(0, MAX_REPORTED) ?? [];
      if (some.length === 0) return;
      const own = replicas[place] as Reports;
      const others = replicas.filter((_, other) => other !== place);
      const isGone = now() - Number(some[0]?.askedAtMs) > GONE_MS;
      const told = (await this.#tell(own, some, false)) || (isGone && (await this.#tellAny(others, some)));
      if (!told) return;
      const reported = new Set(some);
      this.#calls[place] = (this.#calls[place] ?? []).filter((call) => !reported.has(call));
    }
  }

  async #tellAny(others: readonly Reports[], calls: UnansweredCall[]): Promise<boolean> {
    for (const other of others) if (await this.#tell(other, calls, true)) return true;
    return false;
  }

  async #tell(replica: Reports, calls: UnansweredCall[], replicaGone: boolean): Promise<boolean> {
    const request = create(ReportUnansweredRequestSchema, { calls, replicaGone });
    return replica.reportUnanswered(request, this.#deps.context()).then(
      () => true,
      () => false,
    );
  }
}
