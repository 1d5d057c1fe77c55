// An agent's own Decide stream at the sidecar: each message is a proposal of its own, handed on byte for byte and answered
// in whatever order the answers come.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, invalidArgument } from '../../core/errors.ts';
import {
  type DecideRequest,
  type DecideResponse,
  DecideResponseSchema,
  ReceivedForm,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { multiplex } from '../../runtime/multiplex.ts';
import { receivedBytes } from '../../runtime/rpc-stream.ts';
import type { Decision, SidecarContext } from './service.ts';

const MAX_UNDER_WAY = 256;

export type AnswerStreamDeps = {
  readonly decision: Pick<Decision, 'guard' | 'execute'>;
  readonly now: () => number;
  readonly timeoutMs: number;
  readonly newTraceId: () => string;
  readonly failed: (method: string, error: unknown) => void;
};

export function answerStream(
  deps: AnswerStreamDeps,
  [requests, context]: readonly [AsyncIterable<DecideRequest>, SidecarContext],
): AsyncIterable<DecideResponse> {
  return multiplex(requests, (request) => answerOne(deps, request, context), MAX_UNDER_WAY);
}

/** Never rejects: whatever goes wrong is the answer to this sequence number. */
async function answerOne(
  deps: AnswerStreamDeps,
  request: DecideRequest,
  context: SidecarContext,
): Promise<DecideResponse> {
  const { sequence, proposal, open, timeoutMs } = request;
  try {
    if (request.received.length > 0) throw invalidArgument('received', 'is for sidecars');
    const own: SidecarContext = {
      principal: context.principal,
      deadlineMs: deps.now() + (timeoutMs === 0 ? deps.timeoutMs : Math.min(timeoutMs, deps.timeoutMs)),
      requestDigest: '',
      traceId: deps.newTraceId(),
      received: { bytes: receivedBytes(request) ?? new Uint8Array(), form: ReceivedForm.STREAM },
    };
    const { answer } = open
      ? await deps.decision.execute({ $typeName: 'beacon.v1.ExecuteRequest', ...(proposal ? { proposal } : {}) }, own)
      : await deps.decision.guard({ $typeName: 'beacon.v1.GuardRequest', ...(proposal ? { proposal } : {}) }, own);
    if (answer) return create(DecideResponseSchema, { sequence, result: { case: 'answer', value: answer } });
    throw new Error('no answer');
  } catch (thrown) {
    const error = asBeaconError(thrown);
    if (error.code === 'internal') deps.failed('Decide', thrown);
    const message = error.code === 'internal' ? 'internal error' : error.message.toWellFormed();
    const value = { code: error.code, message, field: (error.field ?? '').toWellFormed() };
    return create(DecideResponseSchema, { sequence, result: { case: 'failure', value } });
  }
}
