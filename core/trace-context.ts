// W3C trace context: where in a caller's trace something hangs. What cannot be read starts a new trace, as the
// specification has it; a trace decides nothing and stands in a receipt by its id alone.

/** A span as others name it. */
export type TraceContext = {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  /** Bit 0: the caller records this trace. */
  readonly flags: number;
  /** `tracestate` as received, '' without one. The caller's words: to be passed on, never to be read. */
  readonly state: string;
};

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const TRACE_ID = /^[0-9a-f]{32}$/;
/** What the specification has every participant pass on. */
const MAX_STATE_CHARACTERS = 512;
const MAX_STATE_MEMBERS = 32;
const STATE_MEMBER =
  /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** Undefined for what names no span. A `tracestate` that is malformed or too long is dropped, its parent is kept. */
export function readTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  // Only versions to come may say more than this one; ff is no version.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) & 1, state: readState(tracestate) };
}

export function writeTraceparent({ traceId, spanId, flags }: Omit<TraceContext, 'state'>): string {
  return `00-${traceId}-${spanId}-${(flags & 1) === 1 ? '01' : '00'}`;
}

export function isTraceId(text: unknown): text is string {
  return typeof text === 'string' && TRACE_ID.test(text) && text !== NO_TRACE;
}

/**
 * For a trace that has an id and no span: consumers of a standard header must still find the id. The span is made of the
 * trace and is said not to be recorded.
 */
export function unrecordedParent(traceId: string): string | undefined {
  if (!isTraceId(traceId)) return undefined;
  const half = traceId.slice(16);
  return writeTraceparent({ traceId, spanId: half === NO_SPAN ? traceId.slice(0, 16) : half, flags: 0 });
}

function readState(tracestate: unknown): string {
  if (typeof tracestate !== 'string' || tracestate.length > MAX_STATE_CHARACTERS) return '';
  const members = tracestate.split(',').map((member) => member.trim());
  const valid = members.length <= MAX_STATE_MEMBERS && members.every((member) => STATE_MEMBER.test(member));
  return valid ? members.join(',') : '';
}
