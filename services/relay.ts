// The hot path between gateway and decision service, both ends of it: what Guard and Execute do, for many callers over one
// long stream. Who asks travels in each message, and is believed because only a gateway may open the stream.

import { create, toBinary } from '@bufbuild/protobuf';
import { BeaconError } from '../core/errors.ts';
import { fromFailure, toFailure } from '../core/failure.ts';
import type { CallContext } from '../core/principal.ts';
import {
  type DecisionAnswer,
  type DecisionRelayService,
  type DecisionService,
  ExecuteResponseSchema,
  GuardResponseSchema,
  type Proposal,
  type RelayRequest,
  RelayRequestSchema,
  type RelayResponse,
  RelayResponseSchema,
} from '../gen/beacon/v1/decision_service_pb.js';
import { Exchange, ExchangeFailure } from '../runtime/exchange.ts';
import { multiplex } from '../runtime/multiplex.ts';
import type { Service } from '../runtime/rpc.ts';
import { authorize } from './access.ts';
import {
  callerOf,
  principalOf,
  readRegion,
  readRequestDigest,
  readTraceFields,
  traceFieldsOf,
} from './call-metadata.ts';

/** Decisions of one stream under way at once; more wait unread. */
const MAX_UNDER_WAY = 4_096;
/** Renewed so that connections can end; far shorter than they may grow old. */
const STREAM_AGE_MS = 5 * 60_000;
/** No request has this number: an answer to it asks for another stream. */
const RETIRE = 0n;
const MAX_TIMEOUT_MS = 86_400_000;
/** Of a message as both ends take it, less its sequence. A longer one would end the stream, and everybody's calls on it. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024 - 64;

type Decision = Service<typeof DecisionService, CallContext>;
type Relay = Service<typeof DecisionRelayService, CallContext>;

export type RelayServed = {
  readonly now: () => number;
  readonly newTraceId: () => string;
  readonly onInternal: (error: unknown) => void;
};

/** The decision service's end. `drain` asks the other ends to send on nothing more here; what was sent is answered. */
export function serveRelay(decision: Pick<Decision, 'guard' | 'execute'>, served: RelayServed) {
  const streams = new Set<(message: RelayResponse) => void>();
  const open = (send: (message: RelayResponse) => void) => {
    streams.add(send);
    return () => streams.delete(send);
  };
  const answer = async (request: RelayRequest): Promise<RelayResponse> => {
    const { sequence } = request;
    try {
      const { answer: value } = await decideOne(decision, request, served);
      if (value === undefined) throw new BeaconError('internal', 'no answer');
      return { $typeName: 'beacon.v1.RelayResponse', sequence, result: { case: 'answer', value } };
    } catch (thrown) {
      const value = toFailure(thrown);
      if (value.code === 'internal') served.onInternal(thrown);
      return create(RelayResponseSchema, { sequence, result: { case: 'failure', value } });
    }
  };
  const service: Relay = { relay: (requests) => multiplex(requests, answer, MAX_UNDER_WAY, open) };
  const drain = () => {
    for (const send of streams) send(create(RelayResponseSchema, { sequence: RETIRE }));
  };
  return { service, drain };
}

function decideOne(
  decision: Pick<Decision, 'guard' | 'execute'>,
  request: RelayRequest,
  { now, newTraceId }: RelayServed,
): Promise<{ readonly answer?: DecisionAnswer }> {
  const { open, proposal, requestDigest, timeoutMs } = request;
  const principal = principalOf(request.caller, 'service:gateway');
  authorize(principal, open ? 'execute' : 'guard');
  const call: CallContext = {
    principal,
    deadlineMs: now() + timeoutMs,
    requestDigest: readRequestDigest(requestDigest) ?? '',
    ...readRegion(request.region),
    ...readTraceFields(request, newTraceId),
  };
  return open
    ? decision.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, call)
    : decision.guard({ $typeName: 'beacon.v1.GuardRequest', proposal }, call);
}

export type RelayOptions = {
  readonly relay: Relay;
  readonly now: () => number;
  /** What the stream is opened as. */
  readonly context: () => CallContext;
  /** Most decisions without an answer; beyond it they are shed. */
  readonly maxPending: number;
};

/** The gateway's end: `guard` and `execute` as the service has them. Each ends at its caller's deadline. */
export function dialRelay({ relay, now, context, maxPending }: RelayOptions) {
  const exchange = new Exchange<RelayRequest, DecisionAnswer, RelayRequest, RelayResponse>({
    open: (requests) => relay.relay(requests, { ...context(), deadlineMs: Number.POSITIVE_INFINITY }),
    write: (sequence, asked) => ({ ...asked, sequence }),
    read({ sequence, result }) {
      if (sequence === RETIRE) exchange.retire();
      if (result.case === 'answer') return { sequence, response: result.value };
      return {
        sequence,
        error: result.case === 'failure' ? fromFailure(result.value) : new BeaconError('internal', ''),
      };
    },
    limits: { maxPending, maxAgeMs: STREAM_AGE_MS },
    now,
    late: () => {},
  });
  const ask = async (open: boolean, proposal: Proposal | undefined, call: CallContext): Promise<DecisionAnswer> => {
    if (!proposal) throw new BeaconError('invalid_argument', 'proposal: is missing', { field: 'proposal' });
    const timeoutMs = Math.min(MAX_TIMEOUT_MS, Math.max(0, Math.ceil(call.deadlineMs - now())));
    const { requestDigest } = call;
    const caller = callerOf(call.principal);
    const { region } = call;
    const trace = traceFieldsOf(call);
    const asked = create(RelayRequestSchema, { open, proposal, requestDigest, timeoutMs, caller, region, ...trace });
    requireOneMessage(asked);
    try {
      return await exchange.ask(asked, call.deadlineMs);
    } catch (thrown) {
      throw thrown instanceof ExchangeFailure ? thrown.error : thrown;
    }
  };
  const decision: Pick<Decision, 'guard' | 'execute'> = {
    guard: async ({ proposal }, call) => create(GuardResponseSchema, { answer: await ask(false, proposal, call) }),
    execute: async ({ proposal }, call) => create(ExecuteResponseSchema, { answer: await ask(true, proposal, call) }),
  };
  return { decision, retire: () => exchange.retire() };
}

function requireOneMessage(asked: RelayRequest): void {
  // Written out only where it might be too long.
  if (mostBytes(asked) <= MAX_MESSAGE_BYTES) return;
  if (toBinary(RelayRequestSchema, asked).length <= MAX_MESSAGE_BYTES) return;
  throw new BeaconError('payload_too_large', 'proposal: is too large', { field: 'proposal' });
}

/** No fewer than it takes on the wire. */
function mostBytes(value: unknown): number {
  const overhead = 16;
  if (typeof value === 'string') return overhead + 3 * value.length;
  if (typeof value !== 'object' || value === null) return overhead;
  if (value instanceof Uint8Array) return overhead + value.length;
  let sum = overhead;
  for (const name of Object.keys(value)) sum += 3 * name.length + mostBytes((value as Record<string, unknown>)[name]);
  return sum;
}
