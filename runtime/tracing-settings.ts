// The standard OTEL_* variables, as far as traces need them. Nothing set means off. Names of OpenTelemetry that are not
// read here or by its exporters are let be, since one environment often serves many programs; a value that cannot be
// meant stops the start.

import { randomUUID } from 'node:crypto';
import { EnvReader } from './env.ts';
import type { SamplerName, TracingSettings } from './tracing.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;
const SAMPLERS: readonly SamplerName[] = [
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'always_on',
  'always_off',
  'traceidratio',
];
const HOUR_MS = 3_600_000;
const MAX_QUEUE = 65_536;

/** Undefined when traces are off. Faults and knobs are added to `reader`. */
export function readTracing(reader: EnvReader, env: Environment, service: string): TracingSettings | undefined {
  // The specification has an empty value mean none at all.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim() !== ''));
  const otel = new EnvReader(given, 'OTEL_');
  const disabled = otel.flag('OTEL_SDK_DISABLED', false, { doc: 'true switches traces off, whatever else is set.' });
  const exporter = otel.choice('OTEL_TRACES_EXPORTER', ['none', 'otlp'], hasEndpoint(given) ? 'otlp' : 'none', {
    doc: 'otlp sends traces; without it they are sent when an OTLP endpoint is set.',
  });
  const settings: TracingSettings = {
    service: otel.text('OTEL_SERVICE_NAME', service, { doc: 'service.name of the traces.' }),
    resource: readResource(otel),
    endpointGiven: hasEndpoint(given),
    ...readExport(otel),
    ...readSampler(otel),
    queue: readQueue(otel),
  };
  reader.faults.push(...otel.faults);
  reader.knobs.push(...otel.knobs);
  return disabled || exporter === 'none' ? undefined : settings;
}

function hasEndpoint(env: Environment): boolean {
  return (env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined;
}

/** The exporters read the endpoint and the headers themselves; one that is no URL is found here, before the first span. */
function readExport(otel: EnvReader): Pick<TracingSettings, 'protocol'> {
  const names = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const;
  for (const name of names) {
    const url = otel.text(name, '', { doc: 'Where the collector listens.' });
    if (url !== '' && !/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
      otel.fault(name, 'must be an http or https URL');
  }
  const common = otel.choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS, 'http/protobuf', {
    doc: 'What the collector speaks; beside it the headers, timeout, compression and certificate variables hold.',
  });
  const protocol = otel.choice('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOLS, common, {
    doc: 'The same, for traces.',
  });
  return { protocol };
}

function readSampler(otel: EnvReader): Pick<TracingSettings, 'sampler' | 'samplerRatio'> {
  const sampler = otel.choice('OTEL_TRACES_SAMPLER', SAMPLERS, 'parentbased_always_on', {
    doc: 'Which traces are recorded. Receipts do not depend on it.',
  });
  const given = otel.text('OTEL_TRACES_SAMPLER_ARG', '1', { doc: 'The ratio, 0 to 1, of the traceidratio samplers.' });
  const samplerRatio = Number(given);
  if (sampler.endsWith('traceidratio') && !(samplerRatio >= 0 && samplerRatio <= 1)) {
    otel.fault('OTEL_TRACES_SAMPLER_ARG', 'must be a number from 0 to 1');
  }
  return { sampler, samplerRatio };
}

function readQueue(otel: EnvReader): TracingSettings['queue'] {
  return {
    maxSpans: otel.integer('OTEL_BSP_MAX_QUEUE_SIZE', 2_048, {
      min: 1,
      max: MAX_QUEUE,
      doc: 'Spans that wait for the collector; more are dropped.',
    }),
    batchSpans: otel.integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, {
      min: 1,
      max: MAX_QUEUE,
      doc: 'Spans sent at once.',
    }),
    delayMs: otel.integer('OTEL_BSP_SCHEDULE_DELAY', 5_000, {
      min: 1,
      max: HOUR_MS,
      doc: 'Longest wait for a batch, ms.',
    }),
    timeoutMs: otel.integer('OTEL_BSP_EXPORT_TIMEOUT', 30_000, {
      min: 1,
      max: HOUR_MS,
      doc: 'Longest a batch may take to be sent, ms.',
    }),
  };
}

/** `key=value,…`, percent-encoded. */
function readResource(otel: EnvReader): Readonly<Record<string, string>> {
  const name = 'OTEL_RESOURCE_ATTRIBUTES';
  const given = otel.text(name, '', { doc: 'More attributes of this process, key=value, comma-separated.' });
  const resource: Record<string, string> = { 'service.instance.id': randomUUID() };
  for (const pair of given === '' ? [] : given.split(',')) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair.trim()) ?? [];
    const read = decode(value.trim());
    if (key.trim() === '' || read === undefined)
      otel.fault(name, 'must be key=value, comma-separated, percent-encoded');
    else resource[key.trim()] = read;
  }
  return resource;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
