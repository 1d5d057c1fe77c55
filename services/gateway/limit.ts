// Load shedding at the edge: what could not be decided in time is refused before anything is spent on it. Tenants have
// shares; callers without a token have one together, because they may name any tenant they like.

import type { CallContext, Principal } from '../../core/principal.ts';
import type { Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import { BodiesUnderWay } from '../../runtime/bodies-under-way.ts';
import { LoadLimit } from '../../runtime/load-limit.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Operation } from '../access.ts';
import { shareOf } from './share.ts';
import type { Decision } from './types.ts';
import { Waits } from './waits.ts';

const LIMITED: readonly Operation[] = ['guard', 'explain', 'execute'];
/** Copies that wait with the calls of one share, whatever their keys; more take places like anybody. */
const MAX_COPIES = 256;
const MEASURE_MS = 1_000;

export type LimitOptions = {
  readonly maxInFlight: number;
  /** 0 learns it. */
  readonly latencyTargetMs: number;
};

export type Limit = LoadLimit & { readonly waits: Waits; readonly bodies: BodiesUnderWay };

export function createLimit({ maxInFlight, latencyTargetMs }: LimitOptions, metrics: Metrics): Limit {
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
  const held = metrics.gauge('bodies_under_way_bytes', 'What is held of requests that are not whole yet.');
  const bodies = new BodiesUnderWay({ refused: () => sheds.inc({ reason: 'bodies' }) });
  const measure = () => {
    held.set(bodies.bytes);
    inFlight.set(limit.limit);
    target.set(limit.targetMs / 1_000);
  };
  measure();
  setInterval(measure, MEASURE_MS).unref();
  return Object.assign(limit, { bodies, waits: new Waits(() => sheds.inc({ reason: 'waits' })) });
}

/** Before the body of a request is read. Throws `resource_exhausted`. */
export function requireRoom(limit: LoadLimit, operation: Operation): void {
  if (LIMITED.includes(operation)) limit.requireRoom();
}

export function limited(decision: Decision, limit: Limit): Decision {
  /** Calls that hold a place, by what a copy of each is called. */
  const placed = new Set<string>();
  const copies = new Map<string, number>();
  const takePlace = <T>(key: string, name: string, work: () => Promise<T>) =>
    limit.run(key, async () => {
      placed.add(name);
      try {
        return await work();
      } finally {
        placed.delete(name);
      }
    });
  /** A copy of a call that holds a place waits for its answer and costs no decision: it takes none. */
  const run = async <T>({ principal }: CallContext, proposal: Proposal | undefined, work: () => Promise<T>) => {
    const key = keyOf(principal, proposal);
    const name = copyName(principal, proposal);
    if (name === undefined) return limit.run(key, work);
    if (!placed.has(name)) return takePlace(key, name, work);
    const held = copies.get(key) ?? 0;
    if (held >= MAX_COPIES) return limit.run(key, work);
    copies.set(key, held + 1);
    try {
      return await work();
    } finally {
      const left = (copies.get(key) ?? 1) - 1;
      if (left > 0) copies.set(key, left);
      else copies.delete(key);
    }
  };
  const own: Pick<Decision, 'guard' | 'explain' | 'execute' | 'waitForApproval'> = {
    waitForApproval(request, context) {
      const waiting = () => decision.waitForApproval(request, context);
      return request.waitMs > 0 ? limit.waits.run(shareOf(context.principal), waiting) : waiting();
    },
    guard: (request, context) => run(context, request.proposal, () => decision.guard(request, context)),
    // It looks at no idempotency key, so every copy costs what the first did. It judges many times, and gives way between:
    // how long it takes says nothing of decisions.
    explain: (request, context) =>
      limit.run(keyOf(context.principal, request.proposal), () => decision.explain(request, context), false),
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
