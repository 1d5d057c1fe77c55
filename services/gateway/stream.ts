// The Decide stream over the unary calls: many decisions under way at once, answered in the order they finish.
// A failed decision is an answer of its own and leaves the stream open.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  type DecideRequest,
  type DecideResponse,
  DecideResponseSchema,
  type DecisionAnswer,
  type Proposal,
} from '../../gen/beacon/v1/decision_service_pb.js';
import type { Decision } from './types.ts';

const MAX_UNDER_WAY = 1024;

export type StreamDependencies = {
  readonly decision: Pick<Decision, 'guard' | 'execute'>;
  readonly now: () => number;
  readonly defaultTimeoutMs: number;
  /** The trace of each decision by itself: a header would be the whole stream's. */
  readonly traceOf: (proposal: Proposal | undefined) => Pick<CallContext, 'traceId' | 'span'>;
  /** SHA-256 (hex) of the bytes a message was received as. */
  readonly digestOf: (message: object) => string | undefined;
  readonly onInternal: (error: unknown) => void;
};

export async function* decideStream(
  deps: StreamDependencies,
  requests: AsyncIterable<DecideRequest>,
  context: CallContext,
): AsyncGenerator<DecideResponse> {
  const finished: DecideResponse[] = [];
  let underWay = 0;
  let reading = true;
  let left = false;
  let failure: unknown;
  let wake = () => {};
  let room = () => {};
  const read = async () => {
    for await (const request of requests) {
      if (left) return;
      underWay++;
      decideOne(deps, request, context).then((response) => {
        finished.push(response);
        underWay--;
        room();
        wake();
      });
      if (underWay + finished.length >= MAX_UNDER_WAY) {
        await new Promise<void>((resolve) => {
          room = resolve;
        });
      }
    }
  };
  read()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      reading = false;
      wake();
    });
  try {
    for (;;) {
      while (finished.length > 0) yield finished.shift() as DecideResponse;
      room();
      if (failure !== undefined) throw failure;
      if (!reading && underWay === 0 && finished.length === 0) return;
      if (finished.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    left = true;
    room();
  }
}

/** Never rejects: whatever goes wrong is the answer to this sequence number. */
async function decideOne(deps: StreamDependencies, request: DecideRequest, context: CallContext) {
  const { sequence } = request;
  try {
    const answer = await decide(deps, request, context);
    return create(DecideResponseSchema, { sequence, result: { case: 'answer', value: answer } });
  } catch (thrown) {
    const error = asBeaconError(thrown);
    if (error.code === 'internal') deps.onInternal(thrown);
    const message = error.code === 'internal' ? 'internal error' : error.message.toWellFormed();
    const value = { code: error.code, message, field: (error.field ?? '').toWellFormed() };
    return create(DecideResponseSchema, { sequence, result: { case: 'failure', value } });
  }
}

async function decide(deps: StreamDependencies, request: DecideRequest, context: CallContext): Promise<DecisionAnswer> {
  // The stream was let in once; a token that has ended since lets nothing more through.
  if ((context.principal.expiresAtMs ?? Number.POSITIVE_INFINITY) <= deps.now()) {
    throw new BeaconError('unauthenticated', 'the token has expired');
  }
  const timeoutMs =
    request.timeoutMs === 0 ? deps.defaultTimeoutMs : Math.min(request.timeoutMs, deps.defaultTimeoutMs);
  const own: CallContext = {
    principal: context.principal,
    deadlineMs: deps.now() + timeoutMs,
    requestDigest: deps.digestOf(request) ?? '',
    ...deps.traceOf(request.proposal),
    ...(context.region === undefined ? {} : { region: context.region }),
  };
  const proposal: Proposal | undefined = request.proposal;
  const { answer } = request.open
    ? await deps.decision.execute({ $typeName: 'beacon.v1.ExecuteRequest', proposal }, own)
    : await deps.decision.guard({ $typeName: 'beacon.v1.GuardRequest', proposal }, own);
  if (answer === undefined) throw new BeaconError('internal', 'no answer');
  return answer;
}
