// Any thrown value as an RFC 9457 problem.

import { BeaconError, ERROR_CODES, type ErrorCode } from '../core/errors.ts';

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly field?: string;
};

/** For errors that say nothing themselves about when to come back. */
const RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = { resource_exhausted: 1000, unavailable: 1000 };

/** `internal` tells that the thrown value is for the log and its words were not sent. */
export function problemOf(thrown: unknown): { problem: Problem; headers: Record<string, string>; internal: boolean } {
  const error = thrown instanceof BeaconError ? thrown : fromFramework(thrown);
  const { http, title } = ERROR_CODES[error.code];
  const headers: Record<string, string> = {};
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer';
  const retryAfterMs = error.retryAfterMs ?? RETRY_AFTER_MS[error.code];
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const internal = error.code === 'internal';
  return {
    problem: {
      type: `urn:beacon:problem:${error.code}`,
      title,
      status: http,
      detail: internal ? 'internal error' : error.message.toWellFormed(),
      code: error.code,
      ...(error.field === undefined ? {} : { field: error.field.toWellFormed() }),
    },
    headers,
    internal,
  };
}

export function problemText(problem: Problem): string {
  return JSON.stringify(problem);
}

/** The framework's refusals carry a status; everything else is ours to hide. */
function fromFramework(thrown: unknown): BeaconError {
  const { statusCode, code, message } = (thrown ?? {}) as { statusCode?: unknown; code?: unknown; message?: unknown };
  if (typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500) {
    if (statusCode === 413) return new BeaconError('payload_too_large', 'the body is too large', { field: 'body' });
    if (statusCode === 415) return new BeaconError('unsupported_media_type', 'send application/json');
    if (statusCode === 404) return new BeaconError('not_found', 'there is nothing at this address');
    return new BeaconError('invalid_argument', String(message));
  }
  // The caller went away in the middle of its body: nobody is left to answer, and nothing of ours is broken.
  if (code === 'ECONNRESET') return new BeaconError('invalid_argument', 'body: was cut off', { field: 'body' });
  if (statusCode === 503) return new BeaconError('unavailable', 'shutting down', { retryAfterMs: 1000 });
  return new BeaconError('internal', 'internal error', { cause: thrown });
}
