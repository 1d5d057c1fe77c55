// Traces are off unless they are asked for, and a value that cannot be meant stops the start.

import { expect, test } from 'vitest';
import { EnvReader } from './env.ts';
import { readTracing } from './tracing-settings.ts';

function read(env: Record<string, string>) {
  const reader = new EnvReader(env, 'BEACON_');
  return { settings: readTracing(reader, env, 'beacon-test'), faults: reader.faults };
}
const FAR = 'http://collector:4318';

test.each<Record<string, string>>([
  {},
  { OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' },
  { OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: FAR },
  { OTEL_SDK_DISABLED: 'true', OTEL_TRACES_EXPORTER: 'otlp' },
  { OTEL_TRACES_EXPORTER: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' },
])('off: %j', (env) => {
  expect(read(env)).toEqual({ settings: undefined, faults: [] });
});

test.each<Record<string, string>>([
  { OTEL_TRACES_EXPORTER: 'otlp' },
  { OTEL_EXPORTER_OTLP_ENDPOINT: FAR },
  { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: FAR },
])('on: %j', (env) => {
  expect(read(env).settings).toMatchObject({
    service: 'beacon-test',
    protocol: 'http/protobuf',
    sampler: 'parentbased_always_on',
    queue: { maxSpans: 2048, batchSpans: 512, delayMs: 5000, timeoutMs: 30000 },
  });
});

test('every variable is taken', () => {
  const { settings, faults } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: FAR,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'gate',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=prod, team=a%2Cb',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_MAX_QUEUE_SIZE: '10',
    OTEL_METRICS_EXPORTER: 'not ours',
  });
  expect(faults).toEqual([]);
  expect(settings).toMatchObject({
    service: 'gate',
    protocol: 'http/json',
    sampler: 'parentbased_traceidratio',
    samplerRatio: 0.25,
    resource: { 'deployment.environment.name': 'prod', team: 'a,b' },
    queue: { maxSpans: 10 },
  });
});

test('what cannot be meant is named', () => {
  const wrong = {
    OTEL_SDK_DISABLED: 'perhaps',
    OTEL_TRACES_EXPORTER: 'console',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http',
    OTEL_TRACES_SAMPLER: 'some',
    OTEL_BSP_SCHEDULE_DELAY: '-1',
    OTEL_RESOURCE_ATTRIBUTES: 'novalue',
  };
  const { faults } = read(wrong);
  expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual(Object.keys(wrong).sort());
  const ratio = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' };
  expect(read(ratio).faults).toHaveLength(1);
});
