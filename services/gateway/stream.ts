// The Decide stream over the unary calls: many decisions under way at once, answered in the order they finish.
// A failed decision is an answer of its own and leaves the stream open.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import { toFailure } from '../../core/failure.ts';
import type { CallContext, Principal } from '../../core/principal.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import {
  type DecideRequest,
  type DecideResponse,
  DecideResponseSchema,
  type DecisionAnswer,
  type Proposal,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { multiplex } from '../../runtime/multiplex.ts';
import { readReceived } from './received.ts';
import type { Decision } from './types.ts';

const MAX_UNDER_WAY = 1024;

export type StreamDependencies = {
  readonly decision: Pick<Decision, 'guard' | 'execute'>;
  /** Who the stream's caller is now. Throws when what let it in has ended or was revoked since. */
  readonly authenticate: () => Promise<Principal>;
  readonly now: () => number;
  readonly defaultTimeoutMs: number;
  /** The trace of each decision by itself: a header would be the whole stream's. */
  readonly traceOf: (
    carried: TraceContext | undefined,
    proposal: Proposal | undefined,
  ) => Pick<CallContext, 'traceId' | 'span'>;
  /** The stream's wish for a region. */
  readonly region: string | undefined;
  /** SHA-256 (hex) of the bytes a message was received as. */
  readonly digestOf: (message: object) => string | undefined;
  readonly onInternal: (error: unknown) => void;
};

export function decideStream(
  deps: StreamDependencies,
  requests: AsyncIterable<DecideRequest>,
): AsyncIterable<DecideResponse> {
  return multiplex(requests, (request) => decideOne(deps, request), MAX_UNDER_WAY);
}

/** Never rejects: whatever goes wrong is the answer to this sequence number. */
async function decideOne(deps: StreamDependencies, request: DecideRequest) {
  const { sequence } = request;
  try {
    const answer = await decide(deps, request);
    return create(DecideResponseSchema, { sequence, result: { case: 'answer', value: answer } });
  } catch (thrown) {
    if (asBeaconError(thrown).code === 'internal') deps.onInternal(thrown);
    return create(DecideResponseSchema, { sequence, result: { case: 'failure', value: toFailure(thrown) } });
  }
}

async function decide(deps: StreamDependencies, request: DecideRequest): Promise<DecisionAnswer> {
  const principal = await deps.authenticate();
  const timeoutMs =
    request.timeoutMs === 0 ? deps.defaultTimeoutMs : Math.min(request.timeoutMs, deps.defaultTimeoutMs);
  const deadlineMs = deps.now() + timeoutMs;
  const { proposal, digest, carried } = readReceived(request);
  const own: CallContext = {
    principal,
    deadlineMs,
    requestDigest: digest ?? deps.digestOf(request) ?? '',
    ...deps.traceOf(carried, proposal),
    ...(deps.region === undefined ? {} : { region: deps.region }),
  };
  const { answer } = request.open
    ? await deps.decision.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, own)
    : await deps.decision.guard({ $typeName: 'beacon.v1.GuardRequest', proposal }, own);
  if (answer === undefined) throw new BeaconError('internal', 'no answer');
  return answer;
}
