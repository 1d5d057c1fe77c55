// Several kill switches, of which one leads, as one. Asks the one that led last; when that one is lost or stands by, finds
// out who leads and asks again. A change carries an id, so that one whose answer was lost is made once.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import type { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { GetStatusRequestSchema, type ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../runtime/rpc.ts';

/** How long a change waits for one that leads. */
export const FIND_LEADER_MS = 15_000;
const PROBE_MS = 1_000;
const PAUSE_MS = 100;
/** How often all are asked what may be asked twice. */
const ASK_ROUNDS = 2;

type KillSwitch = Service<typeof KillSwitchService, CallContext>;
type Log = Service<typeof ReceiptSignerService, CallContext>;
type Replica = { readonly killSwitch: KillSwitch; readonly log: Log };
/** When somebody last said that it leads. */
type Seen = { ledMs: number };
type Ask<T> = (replica: Replica, context: CallContext) => Promise<T>;

export type LeadingDeps = {
  readonly replicas: readonly Replica[];
  readonly now: () => number;
  readonly newRequestId: () => string;
};

export function leadingKillSwitch(deps: LeadingDeps): Replica {
  const finder = new Leader(deps);
  const named = <R extends { readonly requestId: string }>(request: R): R =>
    request.requestId === '' ? { ...request, requestId: deps.newRequestId() } : request;
  return {
    killSwitch: {
      revoke(request, context) {
        const once = named(request);
        return finder.insist(({ killSwitch }, call) => killSwitch.revoke(once, call), context);
      },
      reinstate(request, context) {
        const once = named(request);
        return finder.insist(({ killSwitch }, call) => killSwitch.reinstate(once, call), context);
      },
      listRevocations: (request, context) =>
        finder.ask(({ killSwitch }, call) => killSwitch.listRevocations(request, call), context),
    },
    log: new Proxy({} as Log, {
      get: (_, name) => (request: unknown, context: CallContext) =>
        finder.ask(({ log }, call) => {
          const method = Reflect.get(log, name) as (request: unknown, call: CallContext) => Promise<unknown>;
          return method(request, call);
        }, context),
    }),
  };
}

class Leader {
  readonly #deps: LeadingDeps;
  /** Where one led last. */
  #at = 0;

  constructor(deps: LeadingDeps) {
    this.#deps = deps;
  }

  /** Each replica in turn, beginning with the one that led last; all of them once more, for a connection may just have ended. */
  async ask<T>(work: Ask<T>, context: CallContext): Promise<T> {
    const { replicas, now } = this.#deps;
    const first = this.#at;
    let last: unknown;
    for (let i = 0; i < ASK_ROUNDS * replicas.length; i += 1) {
      if (i > 0 && i % replicas.length === 0) {
        if (now() + PAUSE_MS >= context.deadlineMs) break;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      const at = (first + i) % replicas.length;
      try {
        const answer = await work(replicas[at] as Replica, context);
        this.#at = at;
        return answer;
      } catch (error) {
        last = error;
        if (!isUnavailable(error)) throw error;
      }
    }
    throw last;
  }

  /**
   * Until one that leads has answered, for as long as a take-over may take. Only for what may be asked twice. A leader
   * that falls silent with the call under way is not waited for once another one leads.
   */
  async insist<T>(work: Ask<T>, context: CallContext): Promise<T> {
    const { replicas, now } = this.#deps;
    if (replicas.length === 1) return work(replicas[0] as Replica, context);
    const seen: Seen = { ledMs: now() };
    for (;;) {
      const at = this.#at;
      try {
        return await this.#unlessFollowed(at, work(replicas[at] as Replica, context), seen);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        const leader = await this.#find();
        if (leader !== undefined) seen.ledMs = now();
        this.#at = leader ?? (at + 1) % replicas.length;
        if (now() >= context.deadlineMs || now() - seen.ledMs >= FIND_LEADER_MS) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  async #unlessFollowed<T>(at: number, answer: Promise<T>, seen: Seen): Promise<T> {
    const { now } = this.#deps;
    let timer: NodeJS.Timeout | undefined;
    const followed = new Promise<never>((_, reject) => {
      timer = setInterval(async () => {
        const leader = await this.#find();
        if (leader !== undefined) seen.ledMs = now();
        if (leader !== undefined && leader !== at) reject(lost('another kill switch leads now'));
        // What became of the change stands in the kill-switch's log, or will.
        if (now() - seen.ledMs >= FIND_LEADER_MS) reject(lost('no kill switch says that it leads'));
      }, PROBE_MS).unref();
    });
    try {
      return await Promise.race([answer, followed]);
    } finally {
      clearInterval(timer);
      answer.catch(() => undefined);
    }
  }

  /** Which replica leads; undefined when none says so. */
  async #find(): Promise<number | undefined> {
    const { replicas, now } = this.#deps;
    const leads = await Promise.all(
      replicas.map(({ log }) =>
        log.getStatus(create(GetStatusRequestSchema), probe(now() + PROBE_MS)).then(
          () => true,
          () => false,
        ),
      ),
    );
    const at = leads.indexOf(true);
    return at < 0 ? undefined : at;
  }
}

function probe(deadlineMs: number): CallContext {
  const principal = { role: 'auditor', provenance: 'authenticated', subject: 'service:gateway' } as const;
  return { principal, deadlineMs, requestDigest: '', traceId: '' };
}

function lost(message: string): BeaconError {
  return new BeaconError('unavailable', message, { retryAfterMs: 1_000 });
}

function isUnavailable(error: unknown): boolean {
  return error instanceof BeaconError && error.code === 'unavailable';
}
