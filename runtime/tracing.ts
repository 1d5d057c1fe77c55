// OpenTelemetry traces over OTLP. Its packages are loaded when tracing is opened and never before: off costs nothing.
// Spans wait in bounded queues and are dropped when those are full; a collector that is away, slow or refusing is noticed
// by nobody but whoever reads `counts()`. Parents are handed over by hand, so nothing is paid for following calls about.

import type { Attributes, Link, Span as OtelSpan, SpanKind as OtelSpanKind } from '@opentelemetry/api';
import type { BatchSpanProcessor, ReadableSpan, Sampler, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

import { REGION_ATTRIBUTE } from './tracing-attributes.ts';

/** A span as others name it: `core/trace-context.ts`. */
export type SpanPlace = {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly state: string;
};
export type SpanKind = 'server' | 'client' | 'internal' | 'producer' | 'consumer';
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export type SpanOptions = {
  readonly kind?: SpanKind;
  /** Without one a new trace begins. */
  readonly parent?: SpanPlace | undefined;
  readonly attributes?: SpanAttributes;
  /** Beside the parent: what a message was made by. */
  readonly link?: SpanPlace;
  /** From `performance.now()`; now, when it is left out. */
  readonly startedMs?: number;
};

export type Span = {
  readonly place: SpanPlace;
  set(attributes: SpanAttributes): void;
  /** A part of it that is over; both times from `performance.now()`. */
  part(name: string, startedMs: number, endedMs: number): void;
  /** With the code of what went wrong, if anything did. Never with words: they may quote the caller. */
  end(failure?: string): void;
};

export type Tracing = {
  start(name: string, options?: SpanOptions): Span;
  /** Since the start: recorded, taken by a collector, refused by or lost on the way to one. The rest waits or was dropped. */
  counts(): { readonly ended: number; readonly exported: number; readonly failed: number };
  /** Sends what waits, for at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
};

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';
export type TracingSettings = {
  readonly service: string;
  /** Of this process: `service.instance.id` and what the operator added. */
  readonly resource: Readonly<Record<string, string>>;
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  readonly sampler: SamplerName;
  readonly samplerRatio: number;
  readonly queue: {
    readonly maxSpans: number;
    readonly batchSpans: number;
    readonly delayMs: number;
    readonly timeoutMs: number;
  };
  /** Whether OTEL_EXPORTER_OTLP_* says where spans go; without it and without regions they go to its default, this machine. */
  readonly endpointGiven: boolean;
  /** Region → collector, for spans that say their region and no others. */
  readonly regions?: Readonly<Record<string, string>>;
};

const SCOPE = 'beacon';

/** The exporters read endpoint, headers, timeout, compression and certificates from OTEL_EXPORTER_OTLP_* themselves. */
export async function openTracing(settings: TracingSettings): Promise<Tracing> {
  const [api, sdk, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
  ]);
  const makeExporter = await exporterFor(settings.protocol);
  const { maxSpans, batchSpans, delayMs, timeoutMs } = settings.queue;
  const counts = { ended: 0, exported: 0, failed: 0 };
  const queueFor = (url?: string) =>
    new sdk.BatchSpanProcessor({
      exporter: counting(makeExporter(url), counts),
      maxQueueSize: maxSpans,
      maxExportBatchSize: Math.min(batchSpans, maxSpans),
      scheduledDelayMillis: delayMs,
      exportTimeoutMillis: timeoutMs,
    });
  const router = new RegionRouter(queueFor, settings, counts);
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': settings.service, ...settings.resource }),
    sampler: samplerOf(sdk, settings),
    spanProcessors: [router],
  });
  const tracer = provider.getTracer(SCOPE);
  const kinds: Readonly<Record<SpanKind, OtelSpanKind>> = {
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    internal: api.SpanKind.INTERNAL,
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
  };
  const contextOf = ({ traceId, spanId, flags, state }: SpanPlace) => ({
    traceId,
    spanId,
    traceFlags: flags,
    isRemote: true,
    ...(state === '' ? {} : { traceState: api.createTraceState(state) }),
  });
  const under = (parent: SpanPlace | undefined) =>
    parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, contextOf(parent));
  const start = (name: string, options: SpanOptions = {}): Span => {
    const { kind = 'internal', parent, attributes, link, startedMs } = options;
    const links: Link[] = link === undefined ? [] : [{ context: contextOf(link) }];
    const otel = tracer.startSpan(
      name,
      {
        kind: kinds[kind],
        links,
        ...(attributes ? { attributes: attributes as Attributes } : {}),
        ...(startedMs === undefined ? {} : { startTime: startedMs }),
      },
      under(parent),
    );
    let region = attributes?.[REGION_ATTRIBUTE];
    return {
      place: placeOf(otel),
      set(more) {
        region = more[REGION_ATTRIBUTE] ?? region;
        otel.setAttributes(more as Attributes);
      },
      part(part, from, to) {
        const own = region === undefined ? {} : { attributes: { [REGION_ATTRIBUTE]: region } };
        tracer.startSpan(part, { startTime: from, ...own }, api.trace.setSpan(api.ROOT_CONTEXT, otel)).end(to);
      },
      end(failure) {
        if (failure !== undefined)
          otel.setStatus({ code: api.SpanStatusCode.ERROR }).setAttribute('error.type', failure);
        otel.end();
      },
    };
  };
  return {
    start,
    counts: () => counts,
    async stop(limitMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      // A collector that hangs must not hold up the end of the process.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function placeOf(otel: OtelSpan): SpanPlace {
  const { traceId, spanId, traceFlags, traceState } = otel.spanContext();
  return { traceId, spanId, flags: traceFlags, state: traceState?.serialize() ?? '' };
}

type Counts = { ended: number; exported: number; failed: number };

function counting(exporter: SpanExporter, counts: Counts): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        counts[result.code === 0 ? 'exported' : 'failed'] += spans.length;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** A span goes to the collector of its region and to no other; one without a region to the process's own, if it has one. */
class RegionRouter implements SpanProcessor {
  readonly #own: BatchSpanProcessor | undefined;
  readonly #regions = new Map<string, BatchSpanProcessor>();
  readonly #strict: boolean;
  readonly #counts: Counts;

  constructor(
    queueFor: (url?: string) => BatchSpanProcessor,
    { regions, endpointGiven }: TracingSettings,
    counts: Counts,
  ) {
    this.#counts = counts;
    this.#strict = regions !== undefined;
    this.#own = endpointGiven || !this.#strict ? queueFor() : undefined;
    for (const [region, url] of Object.entries(regions ?? {})) this.#regions.set(region, queueFor(url));
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & 1) === 1) this.#counts.ended += 1;
    const region = span.attributes[REGION_ATTRIBUTE];
    const queue = region === undefined || !this.#strict ? this.#own : this.#regions.get(String(region));
    // The spans of a region nobody gave a collector stay here.
    queue?.onEnd(span);
  }

  async forceFlush(): Promise<void> {
    await Promise.allSettled(this.#all().map((queue) => queue.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.allSettled(this.#all().map((queue) => queue.shutdown()));
  }

  #all(): readonly BatchSpanProcessor[] {
    return [...(this.#own ? [this.#own] : []), ...this.#regions.values()];
  }
}

async function exporterFor(protocol: TracingSettings['protocol']) {
  const { OTLPTraceExporter } = await {
    grpc: () => import('@opentelemetry/exporter-trace-otlp-grpc'),
    'http/protobuf': () => import('@opentelemetry/exporter-trace-otlp-proto'),
    'http/json': () => import('@opentelemetry/exporter-trace-otlp-http'),
  }[protocol]();
  return (url?: string) => new OTLPTraceExporter(url === undefined ? {} : { url });
}

function samplerOf(sdk: typeof import('@opentelemetry/sdk-trace'), settings: TracingSettings): Sampler {
  const { sampler, samplerRatio } = settings;
  const ratio = () => new sdk.TraceIdRatioBasedSampler(samplerRatio);
  const make: Readonly<Record<SamplerName, () => Sampler>> = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: ratio,
    parentbased_always_on: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    parentbased_always_off: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOffSampler() }),
    parentbased_traceidratio: () => new sdk.ParentBasedSampler({ root: ratio() }),
  };
  return make[sampler]();
}
