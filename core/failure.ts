// No decision, as a message of a stream: the code and words of the error, and nothing of what is ours alone.

import { create } from '@bufbuild/protobuf';
import { type Failure, FailureSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { asBeaconError, BeaconError, ERROR_CODES, type ErrorCode } from './errors.ts';

export function toFailure(thrown: unknown): Failure {
  const { code, message, field = '', retryAfterMs = 0 } = asBeaconError(thrown);
  return create(FailureSchema, {
    code,
    message: code === 'internal' ? 'internal error' : message.toWellFormed(),
    field: field.toWellFormed(),
    retryAfterMs: Math.ceil(retryAfterMs),
  });
}

/** A code nobody knows is `internal`. */
export function fromFailure({ code, message, field, retryAfterMs }: Failure): BeaconError {
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'internal';
  return new BeaconError(known, message, {
    ...(field === '' ? {} : { field }),
    ...(retryAfterMs === 0 ? {} : { retryAfterMs }),
  });
}
