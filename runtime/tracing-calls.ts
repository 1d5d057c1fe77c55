// The methods of a service as spans. Whoever is wrapped need not know of it.

import { BeaconError } from '../core/errors.ts';
import type { Span, SpanAttributes, SpanKind, SpanPlace, Tracing } from './tracing.ts';

export type TracedMethod = {
  readonly name: string;
  readonly kind?: SpanKind;
  /** What is known before the method runs. Nothing a caller wrote freely: it has not been looked at yet. */
  before?(request: never, context: never): SpanAttributes;
  after?(response: never, request: never): SpanAttributes;
};

type Context = {
  readonly traceId: string;
  readonly span?: SpanPlace;
  readonly traced?: Pick<Span, 'part' | 'set'>;
};
type Method = (request: unknown, context: Context) => Promise<unknown>;

/**
 * The same object; calls of the methods named in `table` are spans under the call's own. A call without a span is left
 * alone, unless `roots` has it begin a trace.
 */
export function tracedMethods<S extends object>(
  service: S,
  tracing: Tracing | undefined,
  table: Readonly<Partial<Record<keyof S, TracedMethod>>>,
  { roots = false } = {},
): S {
  if (!tracing) return service;
  const wrapped = new Map<PropertyKey, unknown>();
  for (const [name, traced] of Object.entries(table) as [keyof S, TracedMethod][]) {
    const method = (service[name] as Method).bind(service);
    wrapped.set(name, (request: unknown, context: Context) => {
      if (context.span === undefined && !roots) return method(request, context);
      return callTraced(method, traced, tracing, request, context);
    });
  }
  return new Proxy(service, {
    get(target, name) {
      const own = wrapped.get(name);
      if (own !== undefined) return own;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function callTraced(method: Method, traced: TracedMethod, tracing: Tracing, request: unknown, context: Context) {
  const {
    name,
    kind = 'internal',
    before,
    after,
  } = traced as TracedMethod & {
    before?: (request: unknown, context: Context) => SpanAttributes;
    after?: (response: unknown, request: unknown) => SpanAttributes;
  };
  const attributes = before?.(request, context);
  const span = tracing.start(name, { kind, parent: context.span, ...(attributes ? { attributes } : {}) });
  return endedWith(span, async () => {
    const { place } = span;
    const response = await method(request, { ...context, traceId: place.traceId, span: place, traced: span });
    if (after) span.set(after(response, request));
    return response;
  });
}

/** Ends the span with the work, and with the code of what it threw. */
export async function endedWith<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end(failureOf(error));
    throw error;
  }
}

export function failureOf(error: unknown): string {
  return error instanceof BeaconError ? error.code : 'internal';
}
