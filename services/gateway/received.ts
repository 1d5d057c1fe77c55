// A request that a sidecar hands on exactly as its agent sent it: read here by the same readers as if it had come here,
// and hashed as the agent hashes it.

import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { sha256Hex } from '../../core/canonical-json.ts';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { refuseNul } from '../../core/nul.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { readTraceContext, type TraceContext } from '../../core/trace-context.ts';
import {
  type DecideRequest,
  DecideRequestSchema,
  ExecuteRequestSchema,
  GuardRequestSchema,
  type Proposal,
  ReceivedForm,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { readExecute, readGuard } from './read-proposal.ts';

export type Received = {
  readonly proposal: Proposal | undefined;
  /** SHA-256 (hex) of what the agent sent; undefined when that is the message of the stream itself. */
  readonly digest: string | undefined;
  /** The caller's trace, where it named one. */
  readonly carried: TraceContext | undefined;
};

export function readReceived(request: DecideRequest): Received {
  const { received, receivedForm, proposal } = request;
  const carried = readTraceContext(request.traceparent);
  if (received.length === 0) return { proposal, digest: undefined, carried };
  // Two readings of one request would be a choice left to whoever reads it next.
  if (proposal !== undefined) throw invalidArgument('received', 'stands in place of a proposal, not beside one');
  const digest = sha256Hex(received);
  if (receivedForm !== ReceivedForm.JSON) return { proposal: readMessage(request), digest, carried };
  const body = parseStrictJson(received);
  refuseNul(body);
  const read = request.open ? readExecute(body) : readGuard(body);
  const { traceparent } = (body as { context?: { traceparent?: unknown } }).context ?? {};
  return { proposal: read, digest, carried: carried ?? readTraceContext(traceparent) };
}

function readMessage({ received, receivedForm, open }: DecideRequest): Proposal | undefined {
  if (receivedForm === ReceivedForm.UNARY) {
    return decode(open ? ExecuteRequestSchema : GuardRequestSchema, received).proposal;
  }
  if (receivedForm !== ReceivedForm.STREAM) throw invalidArgument('received_form', 'is not one of the forms');
  const inner = decode(DecideRequestSchema, received);
  if (inner.open !== open) throw invalidArgument('open', 'is not what was received');
  if (inner.received.length > 0) throw invalidArgument('received', 'holds what another sidecar received');
  return inner.proposal;
}

function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new BeaconError('invalid_argument', `received: the bytes are not a ${schema.typeName}`, {
      field: 'received',
      cause,
    });
  }
}
