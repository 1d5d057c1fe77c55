// Load shedding at the edge: what could not be decided in time is refused before anything is spent on it. Tenants have
// shares; callers without a token have one together, because they may name any tenant they like.

import type { CallContext, Principal } from '../../core/principal.ts';
import type { Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import { LoadLimit } from '../../runtime/load-limit.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Operation } from '../access.ts';
import type { Decision } from './types.ts';

const LIMITED: readonly Operation[] = ['guard', 'execute'];
/** Copies of one call that wait with it; more take places like anybody. */
const MAX_COPIES = 256;
const MEASURE_MS = 1_000;

export type LimitOptions = {
  readonly maxInFlight: number;
  /** 0 learns it. */
  readonly latencyTargetMs: number;
};

export function createLimit({ maxInFlight, latencyTargetMs }: LimitOptions, metrics: Metrics): LoadLimit {
  const sheds = metrics.counter('sheds_total', 'Requests refused because more was asked for than can be decided.', [
    'reason',
  ]);
  const limit = new LoadLimit({
    most: maxInFlight,
    targetMs: latencyTargetMs,
    now: () => performance.now(),
    refused: (reason) => sheds.inc({ reason }),
  });
  const inFlight = metrics.gauge('concurrency_limit', 'Decisions that may be under way at once now.');
  const target = metrics.gauge('latency_target_seconds', 'What nine in ten decisions under load may take.');
  const measure = () => {
    inFlight.set(limit.limit);
    target.set(limit.targetMs / 1_000);
  };
  measure();
  setInterval(measure, MEASURE_MS).unref();
  return limit;
}

/** Before the body of a request is read. Throws `resource_exhausted`. */
export function requireRoom(limit: LoadLimit, operation: Operation): void {
  if (LIMITED.includes(operation)) limit.requireRoom();
}

export function limited(decision: Decision, limit: LoadLimit): Decision {
  const underWay = new Map<string, number>();
  /** A copy of a call under way waits for its answer and costs no decision: it takes no place. */
  const run = async <T>({ principal }: CallContext, proposal: Proposal | undefined, work: () => Promise<T>) => {
    const name = copyName(principal, proposal);
    if (name === undefined) return limit.run(keyOf(principal, proposal), work);
    const copies = underWay.get(name) ?? 0;
    underWay.set(name, copies + 1);
    try {
      return await (copies > 0 && copies < MAX_COPIES ? work() : limit.run(keyOf(principal, proposal), work));
    } finally {
      const left = (underWay.get(name) ?? 1) - 1;
      if (left > 0) underWay.set(name, left);
      else underWay.delete(name);
    }
  };
  const own: Pick<Decision, 'guard' | 'execute'> = {
    guard: (request, context) => run(context, request.proposal, () => decision.guard(request, context)),
    execute: (request, context) => run(context, request.proposal, () => decision.execute(request, context)),
  };
  return new Proxy(decision, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function copyName({ subject }: Principal, proposal: Proposal | undefined): string | undefined {
  if (!proposal || proposal.idempotencyKey === '') return undefined;
  return [subject, proposal.tenantId, proposal.agentId, proposal.idempotencyKey].join('\n');
}

function keyOf({ provenance }: Principal, proposal: Proposal | undefined): string {
  // No tenant is named with a space.
  return provenance === 'asserted' ? 'without a token' : (proposal?.tenantId ?? '');
}
