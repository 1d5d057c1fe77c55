// A small OTLP collector (HTTP, JSON) of a test's own: keeps what it is sent, or hangs, or refuses.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ExportedSpan = {
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
};

type Json = Record<string, unknown>;
type Wire = { resourceSpans: { resource: { attributes: Json[] }; scopeSpans: { spans: Json[] }[] }[] };

export class OtlpCollector {
  /** `hang`: takes the request and never answers. `refuse`: 400. */
  mode: 'take' | 'hang' | 'refuse' = 'take';
  readonly spans: ExportedSpan[] = [];
  /** Every byte received, for looking for what must not be there. */
  readonly bodies: string[] = [];
  requests = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<OtlpCollector> {
    const server = createServer();
    const collector = new OtlpCollector(server);
    server.on('request', (request, response) => {
      collector.requests += 1;
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        if (collector.mode === 'hang') return;
        if (collector.mode === 'refuse') return response.writeHead(400).end();
        const body = Buffer.concat(chunks).toString('utf8');
        collector.#keep(body, JSON.stringify(request.headers));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a process needs to send its spans here, without waiting for a batch to fill. */
  get env(): Readonly<Record<string, string>> {
    return {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    };
  }

  ofTrace(traceId: string): readonly ExportedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #keep(body: string, headers: string): void {
    this.bodies.push(headers, body);
    for (const { resource, scopeSpans } of (JSON.parse(body) as Wire).resourceSpans) {
      const service = String(values(resource.attributes)['service.name']);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) this.spans.push(readSpan(service, span));
    }
  }
}

function readSpan(service: string, span: Json): ExportedSpan {
  const text = (name: string) => String(span[name] ?? '');
  return {
    service,
    name: text('name'),
    kind: Number(span.kind),
    traceId: text('traceId'),
    spanId: text('spanId'),
    parentSpanId: text('parentSpanId'),
    traceState: text('traceState'),
    attributes: values((span.attributes ?? []) as Json[]),
    links: (span.links ?? []) as ExportedSpan['links'],
    failed: (span.status as { code?: number } | undefined)?.code === 2,
  };
}

function values(attributes: readonly Json[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value as Json)[0]]));
}

/** What is wrong with these spans as one tree below a span of the caller's; empty when nothing is. */
export function brokenTree(spans: readonly ExportedSpan[], callerSpanId: string): readonly string[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === callerSpanId);
  const torn = spans.filter(({ parentSpanId }) => parentSpanId !== callerSpanId && !known.has(parentSpanId));
  return [
    ...(roots.length === 1 ? [] : [`${roots.length} spans hang from the caller's`]),
    ...(known.size === spans.length ? [] : ['a span was exported twice']),
    ...torn.map(({ service, name }) => `${service} ${name} hangs from nothing`),
  ];
}
