// The one error that crosses a door. `code` is a closed union; the table below gives what each door makes of it.
// Anything that is not a BeaconError is `internal`: logged, never sent.

/** Code → gRPC status number, HTTP status, CLI exit status, RFC 9457 title. */
export const ERROR_CODES = {
  invalid_argument: { grpc: 3, http: 400, exit: 2, title: 'The request is not valid' },
  payload_too_large: { grpc: 3, http: 413, exit: 2, title: 'The request is too large' },
  unsupported_media_type: { grpc: 3, http: 415, exit: 2, title: 'The content type is not supported' },
  unauthenticated: { grpc: 16, http: 401, exit: 1, title: 'No valid credential' },
  permission_denied: { grpc: 7, http: 403, exit: 1, title: 'Not permitted for this caller' },
  not_found: { grpc: 5, http: 404, exit: 1, title: 'Not found' },
  conflict: { grpc: 6, http: 409, exit: 1, title: 'In conflict with what is recorded' },
  failed_precondition: { grpc: 9, http: 409, exit: 1, title: 'Not possible in the present state' },
  resource_exhausted: { grpc: 8, http: 429, exit: 3, title: 'Too many requests' },
  deadline_exceeded: { grpc: 4, http: 504, exit: 3, title: 'The deadline passed before a decision was sealed' },
  unavailable: { grpc: 14, http: 503, exit: 3, title: 'No decision can be given now' },
  internal: { grpc: 13, http: 500, exit: 3, title: 'Internal error' },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export type ErrorDetail = { field?: string; retryAfterMs?: number; cause?: unknown };

export class BeaconError extends Error {
  readonly code: ErrorCode;
  /** Dotted path of the offending field, such as `action.command`. */
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'BeaconError';
    this.code = code;
    this.field = detail.field;
    this.retryAfterMs = detail.retryAfterMs;
  }
}

export function invalidArgument(field: string, message: string): BeaconError {
  return new BeaconError('invalid_argument', `${field}: ${message}`, { field });
}

/** Any thrown value as a BeaconError; what is not one becomes `internal` with the original as cause. */
export function asBeaconError(thrown: unknown): BeaconError {
  if (thrown instanceof BeaconError) return thrown;
  return new BeaconError('internal', 'internal error', { cause: thrown });
}
