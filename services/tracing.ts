// Opens tracing for a process where it is asked for, and says how its spans fare.

import type { Metrics } from '../runtime/metrics.ts';
import type { Tracing, TracingSettings } from '../runtime/tracing.ts';

/** Longest the last spans are waited for when the process ends. */
const LAST_SPANS_MS = 2_000;
const READ_EVERY_MS = 1_000;

type Opened = {
  readonly settings: TracingSettings | undefined;
  readonly metrics: Metrics;
  readonly closers: (() => Promise<void> | void)[];
};

/** To be opened first, so that it is closed last. Without settings nothing is loaded. */
export async function openProcessTracing({ settings, metrics, closers }: Opened): Promise<Tracing | undefined> {
  if (!settings) return undefined;
  const { openTracing } = await import('../runtime/tracing.ts');
  const tracing = await openTracing(settings);
  const spans = metrics.gauge('trace_spans', 'Recorded spans, those a collector took, those it did not.', ['state']);
  const read = () => {
    for (const [state, count] of Object.entries(tracing.counts())) spans.set({ state }, count);
  };
  const reading = setInterval(read, READ_EVERY_MS).unref();
  closers.push(async () => {
    clearInterval(reading);
    await tracing.stop(LAST_SPANS_MS);
  });
  return tracing;
}
