// The trace of a request that an agent makes: its own, where it gave a readable one, else a new one. With tracing on, the
// request is a span, begun when the trace is known and dated back to its arrival. Paths stand in it as patterns alone.

import type { CallContext } from '../../core/principal.ts';
import { chooseRegion, type Residency, wishInBaggage, wishInContext } from '../../core/residency.ts';
import { readTraceContext, type TraceContext } from '../../core/trace-context.ts';
import type { DecisionAnswer } from '../../gen/beacon/v1/decision_service_pb.js';
import type { Span, SpanAttributes, Tracing } from '../../runtime/tracing.ts';
import { REGION_ATTRIBUTE } from '../../runtime/tracing-attributes.ts';

/** Asked far too often to be worth a trace. */
const UNTRACED = ['health', 'metrics'];

export type TraceOptions = {
  readonly tracing: Tracing | undefined;
  readonly newTraceId: () => string;
  /** A `tracestate` goes where traces go, unread by anybody here; one that holds a secret goes nowhere. */
  readonly looksSecret: (text: string) => boolean;
  /** Where there are regions: a call's wish is passed on, and its span goes to its tenant's region. */
  readonly residency: Residency | undefined;
};

export function readCarried(
  header: (name: string) => unknown,
  { looksSecret }: Pick<TraceOptions, 'looksSecret'>,
): TraceContext | undefined {
  const carried = readTraceContext(header('traceparent'), header('tracestate'));
  return carried && carried.state !== '' && looksSecret(carried.state) ? { ...carried, state: '' } : carried;
}

/** The trace that an adapter put into a proposal's context, for callers that cannot set a header. */
export function carriedInContext(context: unknown): TraceContext | undefined {
  if (context === null || typeof context !== 'object') return undefined;
  return readTraceContext((context as { traceparent?: unknown }).traceparent);
}

/** The same, out of a context that is still text. */
export function carriedInContextJson(contextJson: string): TraceContext | undefined {
  if (!contextJson.includes('"traceparent"')) return undefined;
  try {
    return carriedInContext(JSON.parse(contextJson));
  } catch {
    // It will be refused by who reads all of it.
    return undefined;
  }
}

export function traceFields(
  carried: TraceContext | undefined,
  newTraceId: () => string,
): Pick<CallContext, 'traceId' | 'span'> {
  return carried ? { traceId: carried.traceId, span: carried } : { traceId: newTraceId() };
}

export function regionAttribute(residency: Residency, tenantId: string, wish: string | undefined): SpanAttributes {
  try {
    return { [REGION_ATTRIBUTE]: chooseRegion(residency, tenantId, wish) };
  } catch {
    return {};
  }
}

/** What makes an answer, its receipt and its trace find each other. */
export function answerIds({ receiptId, actionId }: DecisionAnswer): SpanAttributes {
  return { 'beacon.receipt_id': receiptId, 'beacon.action_id': actionId };
}

export class RequestTrace {
  readonly #options: TraceOptions;
  readonly #name: string;
  readonly #attributes: SpanAttributes;
  readonly #wish: string | undefined;
  readonly #arrivedMs = performance.now();
  #carried: TraceContext | undefined;
  #span: Span | undefined;
  #noted: SpanAttributes = {};

  constructor(
    request: { readonly method: string; readonly path: string; readonly operation: string },
    header: (name: string) => unknown,
    options: TraceOptions,
  ) {
    this.#options = UNTRACED.includes(request.operation) ? { ...options, tracing: undefined } : options;
    this.#name = `${request.method} ${request.path}`;
    this.#attributes = { 'http.request.method': request.method, 'http.route': request.path };
    this.#carried = readCarried(header, options);
    this.#wish = options.residency && wishInBaggage(header('baggage'));
  }

  /** The header goes first, and what has begun does not move. */
  adopt(carried: TraceContext | undefined): void {
    this.#carried ??= carried;
  }

  fields(): Pick<CallContext, 'traceId' | 'span' | 'region'> {
    const wish = this.#wish === undefined ? {} : { region: this.#wish };
    return { ...this.#place(), ...wish };
  }

  #place(): Pick<CallContext, 'traceId' | 'span'> {
    const { tracing, newTraceId } = this.#options;
    if (!tracing) return traceFields(this.#carried, newTraceId);
    this.#span ??= tracing.start(this.#name, {
      kind: 'server',
      parent: this.#carried,
      attributes: { ...this.#attributes, ...this.#noted },
      startedMs: this.#arrivedMs,
    });
    return { traceId: this.#span.place.traceId, span: this.#span.place };
  }

  note(attributes: SpanAttributes): void {
    if (this.#span) this.#span.set(attributes);
    else this.#noted = { ...this.#noted, ...attributes };
  }

  /** Whose call it is. A tenant or a wish that has no region leaves the span without one. */
  ofTenant(tenantId: unknown, context?: unknown): void {
    const { residency } = this.#options;
    if (residency && typeof tenantId === 'string') {
      this.note(regionAttribute(residency, tenantId, this.#wish ?? wishInContext(context)));
    }
  }

  end(status: number): void {
    if (!this.#options.tracing) return;
    this.#place();
    this.#span?.set({ 'http.response.status_code': status });
    this.#span?.end(status >= 500 ? String(status) : undefined);
  }
}
