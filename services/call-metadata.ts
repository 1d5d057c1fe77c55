// What travels beside a request between services: who asks, the digest of what was received, the trace. The deadline is
// gRPC's own. Written by every service, believed only from those the table of peers trusts to speak for others.

import { create } from '@bufbuild/protobuf';
import { BeaconError } from '../core/errors.ts';
import type { CallContext, Principal, Provenance, Role } from '../core/principal.ts';
import { isRegion } from '../core/residency.ts';
import { isTraceId, readTraceContext, writeTraceparent } from '../core/trace-context.ts';
import { type Caller, CallerSchema } from '../gen/beacon/v1/decision_service_pb.js';

export const PRINCIPAL_HEADER = 'beacon-principal';
export const REQUEST_DIGEST_HEADER = 'beacon-request-digest';
export const TRACE_HEADER = 'traceparent';
export const TRACE_STATE_HEADER = 'tracestate';
/** The id of a trace that has no span: a `traceparent` names one that exists. */
export const TRACE_ID_HEADER = 'beacon-trace-id';
export const REGION_HEADER = 'beacon-region';

/** Longer deadlines are none: gRPC cannot carry them. */
const MAX_TIMEOUT_MS = 86_400_000;
const MAX_PRINCIPAL_CHARACTERS = 2_048;
const ROLES: readonly Role[] = ['agent', 'auditor', 'operator', 'admin'];
const PROVENANCES: readonly Provenance[] = ['asserted', 'authenticated', 'attested'];
const FIELDS = ['role', 'provenance', 'subject', 'tenantId', 'agentId', 'expiresAtMs'];
const DIGEST = /^[0-9a-f]{64}$/;

export function contextHeaders(context: CallContext): Record<string, string> {
  const { principal, requestDigest } = context;
  return {
    [PRINCIPAL_HEADER]: Buffer.from(JSON.stringify(principal)).toString('base64url'),
    ...(requestDigest === '' ? {} : { [REQUEST_DIGEST_HEADER]: requestDigest }),
    ...(context.region === undefined ? {} : { [REGION_HEADER]: headerText(context.region) }),
    ...traceHeaders(context),
  };
}

/** A wish is the caller's text; one that is no region's name is refused where it is read, whatever is left of it here. */
function headerText(wish: string): string {
  return isRegion(wish) ? wish : '-';
}

export function readRegion(header: string | undefined): Pick<CallContext, 'region'> {
  return header === undefined ? {} : { region: header };
}

function traceHeaders({ span, traceId }: CallContext): Record<string, string> {
  if (span === undefined) return isTraceId(traceId) ? { [TRACE_ID_HEADER]: traceId } : {};
  return { [TRACE_HEADER]: writeTraceparent(span), ...(span.state === '' ? {} : { [TRACE_STATE_HEADER]: span.state }) };
}

/** The same as the header, as a message of a stream carries it. */
export function callerOf({
  role,
  provenance,
  subject,
  tenantId = '',
  agentId = '',
  expiresAtMs = 0,
}: Principal): Caller {
  return create(CallerSchema, { role, provenance, subject, tenantId, agentId, expiresAtMs: BigInt(expiresAtMs) });
}

/** Throws `unauthenticated` for nobody, for what cannot be a principal, and for another service than `own`. */
export function principalOf(caller: Caller | undefined, own: string): Principal {
  if (!caller) throw unreadable();
  const { role, provenance, subject, tenantId, agentId, expiresAtMs } = caller;
  const principal: Named = { role, provenance, subject };
  if (tenantId !== '') principal.tenantId = tenantId;
  if (agentId !== '') principal.agentId = agentId;
  if (expiresAtMs !== 0n) principal.expiresAtMs = Number(expiresAtMs);
  if (!holds(principal)) throw unreadable();
  if (subject.startsWith('service:') && subject !== own) throw unreadable();
  return principal;
}

/** The trace as a message of a stream carries it. */
export function traceFieldsOf({ span, traceId }: Pick<CallContext, 'span' | 'traceId'>) {
  if (span) return { traceparent: writeTraceparent(span), tracestate: span.state, traceId: '' };
  return { traceparent: '', tracestate: '', traceId: isTraceId(traceId) ? traceId : '' };
}

export function readTraceFields(
  { traceparent, tracestate, traceId }: ReturnType<typeof traceFieldsOf>,
  newTraceId: () => string,
): Pick<CallContext, 'traceId' | 'span'> {
  return traceOf(traceparent, tracestate, traceId, newTraceId);
}

/** Undefined when the call has no deadline that gRPC could carry. */
export function wireDeadline(context: CallContext, nowMs: number): number | undefined {
  return context.deadlineMs - nowMs > MAX_TIMEOUT_MS ? undefined : context.deadlineMs;
}

/**
 * The caller a trusted peer names; undefined when it names nobody. Throws `unauthenticated` for what cannot be read, and
 * for the name of another service than `own`: services speak for people and agents, never for each other.
 */
export function readPrincipal(header: string | undefined, own: string): Principal | undefined {
  if (header === undefined) return undefined;
  if (header.length > MAX_PRINCIPAL_CHARACTERS) throw unreadable();
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    throw unreadable();
  }
  if (!isPrincipal(value)) throw unreadable();
  if (value.subject.startsWith('service:') && value.subject !== own) throw unreadable();
  return value;
}

export function readRequestDigest(header: string | undefined): string | undefined {
  return header !== undefined && DIGEST.test(header) ? header : undefined;
}

/** What cannot be read starts a new trace. */
export function readTrace(
  header: (name: string) => string | undefined,
  newTraceId: () => string,
): Pick<CallContext, 'traceId' | 'span'> {
  return traceOf(header(TRACE_HEADER), header(TRACE_STATE_HEADER), header(TRACE_ID_HEADER), newTraceId);
}

function traceOf(
  traceparent: string | undefined,
  tracestate: string | undefined,
  traceId: string | undefined,
  newTraceId: () => string,
): Pick<CallContext, 'traceId' | 'span'> {
  // Most calls carry no span, and a field of a message that is not there is empty.
  const span = traceparent ? readTraceContext(traceparent, tracestate) : undefined;
  if (span) return { traceId: span.traceId, span };
  return { traceId: isTraceId(traceId) ? traceId : newTraceId() };
}

function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).every((name) => FIELDS.includes(name)) && holds(value);
}

type Named = { -readonly [name in keyof Principal]?: unknown };

function holds(named: Named): named is Principal {
  const { role, provenance, subject, tenantId, agentId, expiresAtMs } = named;
  if (!ROLES.includes(role as Role) || !PROVENANCES.includes(provenance as Provenance)) return false;
  if (typeof subject !== 'string' || subject === '') return false;
  if (expiresAtMs !== undefined && !Number.isSafeInteger(expiresAtMs)) return false;
  // An agent whose token names it is bound to that name; half a binding would be none.
  if (typeof tenantId !== typeof agentId) return false;
  if (tenantId !== undefined && typeof tenantId !== 'string') return false;
  return role !== 'agent' || provenance === 'asserted' || tenantId !== undefined;
}

function unreadable(): BeaconError {
  return new BeaconError('unauthenticated', 'who is asking cannot be read');
}
