// Prometheus metrics. Names begin with the product's prefix, times are seconds, labels are bounded lists.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

export type Metrics = {
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string>(name: string, help: string, labels?: readonly L[]): Gauge<L>;
  /** `buckets` in seconds; the default runs from 100 µs to 10 s. */
  histogram<L extends string>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** The text exposition and its content type. */
  expose(): Promise<{ contentType: string; text: string }>;
};

const SECONDS_BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** One registry for the process. `prefix` such as `beacon_` is put before each name. */
export function createMetrics(prefix: string, options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry, prefix });
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
    async expose() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
