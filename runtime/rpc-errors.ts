// BeaconError ⇄ gRPC status. The code travels in trailing metadata, because several codes share one gRPC status.
// What is not a BeaconError is INTERNAL: told to the log, never to the caller.

import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { BeaconError, ERROR_CODES, type ErrorCode } from '../core/errors.ts';

const CODE = 'beacon-code';
const FIELD = 'beacon-field';
const RETRY_AFTER_MS = 'beacon-retry-after-ms';
const MAX_DETAILS_CHARACTERS = 1000;
const CANCELLED = 1;

/** A status as grpc-js takes it from a handler. */
export type RpcStatus = { code: number; details: string; metadata: Metadata };

export function toStatus(thrown: unknown, onInternal: (error: unknown) => void): RpcStatus {
  if (!(thrown instanceof BeaconError) || thrown.code === 'internal') onInternal(thrown);
  const error = thrown instanceof BeaconError ? thrown : new BeaconError('internal', 'internal error');
  const metadata = new Metadata();
  metadata.set(CODE, error.code);
  if (error.field !== undefined) metadata.set(FIELD, printable(error.field));
  if (error.retryAfterMs !== undefined) metadata.set(RETRY_AFTER_MS, String(Math.ceil(error.retryAfterMs)));
  const details = error.code === 'internal' ? 'internal error' : error.message;
  return {
    code: ERROR_CODES[error.code].grpc,
    // grpc-js encodes this as a URI component, which throws on lone surrogates.
    details: details.slice(0, MAX_DETAILS_CHARACTERS).toWellFormed(),
    metadata,
  };
}

/** What a client makes of a failed call. A status without our trailer came from the transport itself. */
export function fromStatus(thrown: unknown): BeaconError {
  if (thrown instanceof BeaconError) return thrown;
  const { code, details, metadata } = thrown as Partial<ServiceError>;
  if (typeof code !== 'number') return new BeaconError('internal', 'internal error', { cause: thrown });
  const named = metadata?.get(CODE)[0];
  const field = metadata?.get(FIELD)[0];
  const retryAfter = Number(metadata?.get(RETRY_AFTER_MS)[0] ?? Number.NaN);
  return new BeaconError(isErrorCode(named) ? named : codeOf(code), plainly(details ?? ''), {
    ...(typeof field === 'string' ? { field } : {}),
    ...(Number.isFinite(retryAfter) ? { retryAfterMs: retryAfter } : {}),
    cause: thrown,
  });
}

/**
 * grpc-js's words for HTTP/2 REFUSED_STREAM (RFC 9113 §8.7: nothing was processed); it gives this case no other mark. Which
 * of them it says depends on whether the refusal or the failed write of a message is noticed first.
 */
const REFUSED_STREAM = /^(?:Stream refused by server|Write error: .*NGHTTP2_REFUSED_STREAM)$/;

/** True when a call failed and the server certainly saw nothing of it: its connection was just being ended. */
export function wasNeverSeen(error: BeaconError): boolean {
  return REFUSED_STREAM.test((error.cause as Partial<ServiceError> | undefined)?.details ?? '');
}

/** How grpc-js ends a call that had no connection to go out on: it was never begun. */
const NO_CONNECTION = /^No connection established\b/;
const NO_CONNECTION_WORDS = /^No connection established\. Last error: (?:Error: )?(.*?)\. Resolution note: .*$/s;

/** True when a call failed before anything of it was sent, for want of a connection; also where a stream carried it. */
export function wasNeverSent(error: BeaconError): boolean {
  let cause: unknown = error.cause;
  while (cause instanceof BeaconError) cause = cause.cause;
  const { details = '', metadata } = (cause ?? {}) as Partial<ServiceError>;
  // With our trailer it is a server's answer: it could not reach another one.
  return NO_CONNECTION.test(details) && metadata?.get(CODE).length === 0;
}

function plainly(details: string): string {
  return details.replace(NO_CONNECTION_WORDS, 'no connection ($1)');
}

function codeOf(status: number): ErrorCode {
  // Whoever cancelled does not learn whether the call took effect: the same as no answer.
  if (status === CANCELLED) return 'unavailable';
  const found = (Object.keys(ERROR_CODES) as ErrorCode[]).find((code) => ERROR_CODES[code].grpc === status);
  return found ?? 'internal';
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/** Metadata values carry printable ASCII only; a field's name may come from the caller. */
function printable(text: string): string {
  return text.slice(0, MAX_DETAILS_CHARACTERS).replace(/[^\x20-\x7e]/g, '?');
}
