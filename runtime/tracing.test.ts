// Spans as they reach a collector: by each protocol, and each to its own region's alone.

import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { openTracing, type Tracing, type TracingSettings } from './tracing.ts';
import { REGION_ATTRIBUTE } from './tracing-attributes.ts';

const SETTINGS: TracingSettings = {
  service: 'test',
  resource: {},
  protocol: 'http/protobuf',
  sampler: 'always_on',
  samplerRatio: 1,
  queue: { maxSpans: 64, batchSpans: 16, delayMs: 10, timeoutMs: 2_000 },
  endpointGiven: false,
};
const PARENT = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), flags: 1, state: 'vendor=theirs' };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

type Received = { readonly url: string; readonly type: string[]; bytes: string };

async function httpCollector(): Promise<Received> {
  const received: Received = { url: '', type: [], bytes: '' };
  const server: HttpServer = createServer((request, response) => {
    received.type.push(`${request.url} ${request.headers['content-type']}`);
    request.on('data', (chunk: Buffer) => {
      received.bytes += chunk.toString('latin1');
    });
    request.on('end', () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return {
    ...received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    get bytes() {
      return received.bytes;
    },
  };
}

async function grpcCollector(): Promise<Received> {
  const received = { type: [] as string[], bytes: '' };
  const server = new Server();
  const same = (value: Buffer) => value;
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const plain = { requestStream: false, responseStream: false, requestSerialize: same, requestDeserialize: same };
  server.addService(
    { Export: { path, ...plain, responseSerialize: same, responseDeserialize: same } },
    {
      Export: (call: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
        received.type.push(path);
        received.bytes += call.request.toString('latin1');
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  closing.push(() => server.forceShutdown());
  return {
    url: `http://127.0.0.1:${port}`,
    type: received.type,
    get bytes() {
      return received.bytes;
    },
  };
}

function traceOne(tracing: Tracing, name: string, region?: string): void {
  const attributes: Record<string, string> = region === undefined ? {} : { [REGION_ATTRIBUTE]: region };
  const span = tracing.start(name, { kind: 'server', parent: PARENT, attributes });
  span.part(`${name}-part`, performance.now() - 1, performance.now());
  span.end('unavailable');
}

test.each([
  ['http/protobuf', httpCollector, '/v1/traces application/x-protobuf'],
  ['http/json', httpCollector, '/v1/traces application/json'],
  ['grpc', grpcCollector, '/opentelemetry.proto.collector.trace.v1.TraceService/Export'],
] as const)('%s: name, parent, state and failure arrive', async (protocol, start, type) => {
  const collector = await start();
  const tracing = await openTracing({ ...SETTINGS, protocol, regions: { eu: collector.url } });
  traceOne(tracing, 'decide', 'eu');
  await tracing.stop(2_000);
  expect(collector.type).toEqual([type]);
  for (const word of ['decide', 'decide-part', 'vendor=theirs', 'unavailable']) expect(collector.bytes).toContain(word);
  const parent = protocol === 'http/json' ? PARENT.spanId : Buffer.from(PARENT.spanId, 'hex').toString('latin1');
  expect(collector.bytes).toContain(parent);
  expect(tracing.counts()).toEqual({ ended: 2, exported: 2, failed: 0 });
});

test('a span goes to its region’s collector alone; of an unknown region, or without one, to none', async () => {
  const [eu, us] = [await httpCollector(), await httpCollector()];
  const tracing = await openTracing({ ...SETTINGS, protocol: 'http/json', regions: { eu: eu.url, us: us.url } });
  traceOne(tracing, 'european', 'eu');
  traceOne(tracing, 'american', 'us');
  traceOne(tracing, 'martian', 'mars');
  traceOne(tracing, 'nobodys');
  await tracing.stop(2_000);
  const seen = (bytes: string) => ['european', 'american', 'martian', 'nobodys'].filter((name) => bytes.includes(name));
  expect([seen(eu.bytes), seen(us.bytes)]).toEqual([['european'], ['american']]);
});

test('a queue that is full drops the newest and keeps its bound', async () => {
  const collector = await httpCollector();
  const queue = { maxSpans: 8, batchSpans: 8, delayMs: 60_000, timeoutMs: 2_000 };
  const tracing = await openTracing({ ...SETTINGS, protocol: 'http/json', queue, regions: { eu: collector.url } });
  for (let i = 0; i < 100; i += 1) tracing.start(`span-${i}`, { attributes: { [REGION_ATTRIBUTE]: 'eu' } }).end();
  await tracing.stop(2_000);
  const { ended, exported } = tracing.counts();
  expect(ended).toBe(100);
  expect(exported).toBeLessThanOrEqual(24);
});
