// Who is asking, as established by the transport. Never built from a request body.

import type { TraceContext } from './trace-context.ts';

export type Role = 'agent' | 'auditor' | 'operator' | 'admin';
export type Provenance = 'asserted' | 'authenticated' | 'attested';

export type Principal = {
  readonly role: Role;
  readonly provenance: Provenance;
  /** Stable name for records: `token:<id>`, `certificate:<tenant>/<agent>`, `asserted`, or `service:<name>`. */
  readonly subject: string;
  /** Bound by an agent's token; absent for asserted callers and for people. */
  readonly tenantId?: string;
  readonly agentId?: string;
  /** When the credential ends, for what outlives one request; absent when it does not. */
  readonly expiresAtMs?: number;
};

/** What travels beside every request, in process or over the wire. */
export type CallContext = {
  readonly principal: Principal;
  /** Milliseconds since the epoch after which no ALLOW may be answered. */
  readonly deadlineMs: number;
  /** SHA-256 (hex) of the request's bytes as received, where a transport received any. */
  readonly requestDigest: string;
  /** 32 hex digits (W3C trace context). */
  readonly traceId: string;
  /** The span of that trace which this call hangs from, where there is one. */
  readonly span?: TraceContext;
  /** The region that what is sealed for this call is to lie in: a wish until residency has been asked. */
  readonly region?: string;
  /** That span, while it is this process's own: told of each beat (times from `performance.now()`) and of what is learnt. */
  readonly traced?: {
    part(name: string, startedMs: number, endedMs: number): void;
    set(attributes: Readonly<Record<string, string | number | boolean>>): void;
  };
};
