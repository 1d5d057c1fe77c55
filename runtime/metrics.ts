// Prometheus metrics. Names begin with the product's prefix, times are seconds, labels are bounded lists.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { watchEventLoop } from './event-loop.ts';

export type { Counter, Gauge, Histogram } from 'prom-client';

export type Metrics = {
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  /** One whose latest example is kept for OpenMetrics. */
  exemplarCounter<L extends string>(name: string, help: string, labels: readonly L[]): ExemplarCounter<L>;
  exemplarHistogram<L extends string>(name: string, help: string, labels: readonly L[]): ExemplarHistogram<L>;
  gauge<L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `buckets` in seconds; the default runs from 100 µs to 10 s. */
  histogram<L extends string>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** The text exposition and its content type: OpenMetrics, with exemplars, for who accepts that. */
  expose(accept?: string): Promise<{ contentType: string; text: string }>;
};

/** What a figure's latest example was: ids alone, at most 128 characters with their names. */
export type Exemplar = Readonly<Record<string, string>>;
export type ExemplarCounter<L extends string> = { inc(labels: Partial<Record<L, string>>, exemplar: Exemplar): void };
export type ExemplarHistogram<L extends string> = {
  observe(labels: Partial<Record<L, string>>, value: number, exemplar: Exemplar): void;
};

const SECONDS_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The library's types do not know that a registry is told its type. */
const OpenRegistry = Registry as unknown as new (contentType: string) => Registry;

/** One registry for the process. `prefix` such as `beacon_` is put before each name. */
export function createMetrics(prefix: string, options: { processMetrics?: boolean } = {}): Metrics {
  // Metrics with exemplars cannot be made on any other.
  const registry = new OpenRegistry(Registry.OPENMETRICS_CONTENT_TYPE);
  let last: Promise<unknown> = Promise.resolve();
  if (options.processMetrics ?? true) watchProcess(registry, prefix);
  const common = <L extends string>(name: string, help: string, labels: readonly L[] = []) => ({
    name: `${prefix}${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (name, help, labels) => new Counter(common(name, help, labels)),
    gauge: (name, help, labels) => new Gauge(common(name, help, labels)),
    histogram: (name, help, labels, buckets = SECONDS_BUCKETS) =>
      new Histogram({ ...common(name, help, labels), buckets: [...buckets] }),
    exemplarCounter(name, help, labels) {
      const counter = new Counter({ ...common(name, help, labels), enableExemplars: true });
      // The library's types know two forms of this call, of which only the second is there with exemplars.
      return { inc: (given, exemplarLabels) => counter.inc({ labels: given, exemplarLabels } as never) };
    },
    exemplarHistogram(name, help, labels) {
      const buckets = [...SECONDS_BUCKETS];
      const histogram = new Histogram({ ...common(name, help, labels), buckets, enableExemplars: true });
      return {
        observe: (given, value, exemplarLabels) => histogram.observe({ labels: given, value, exemplarLabels } as never),
      };
    },
    expose(accept = '') {
      const exposed = last.then(() => exposeAs(registry, wantsOpenMetrics(accept)));
      last = exposed.catch(() => undefined);
      return exposed;
    },
  };
}

/** The library's own quantiles of the event loop's delay wake the process every ten milliseconds: ours are there instead. */
const LIBRARY_DELAYS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];
const NEVER_MS = 2 ** 31 - 1;

function watchProcess(registry: Registry, prefix: string): void {
  collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of LIBRARY_DELAYS) registry.removeSingleMetric(`${prefix}nodejs_eventloop_lag_${name}_seconds`);
  const delay = new Gauge({
    name: `${prefix}event_loop_delay_seconds`,
    help: 'How late the event loop was in the last second.',
    labelNames: ['quantile'],
    registers: [registry],
  });
  watchEventLoop((quantile, seconds) => delay.set({ quantile: String(quantile) }, seconds));
}

function wantsOpenMetrics(accept: string): boolean {
  return accept
    .split(',')
    .some((type) => /^\s*application\/openmetrics-text\s*(;|$)/.test(type) && !/;\s*q=0(\.0*)?\s*(;|$)/.test(type));
}

/** One at a time: the library's registry has one type for everything it writes, and in OpenMetrics renames its counters. */
async function exposeAs(registry: Registry, openMetrics: boolean): Promise<{ contentType: string; text: string }> {
  const contentType = openMetrics ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  // Types of the library: the setter takes only the type the registry was made with.
  (registry as { setContentType(type: string): void }).setContentType(contentType);
  const metrics = registry.getMetricsAsArray() as unknown as { name: string }[];
  const names = metrics.map(({ name }) => name);
  try {
    return { contentType, text: await registry.metrics() };
  } finally {
    metrics.forEach((metric, i) => {
      metric.name = names[i] as string;
    });
  }
}
