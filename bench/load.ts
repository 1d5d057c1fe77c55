// Closed-loop load: so many calls under way, each followed by the next, for a stated time or number of calls.

export type Sample = {
  /** Milliseconds, one for each call. */
  readonly latenciesMs: number[];
  readonly seconds: number;
};

export type Call = () => Promise<void> | void;

export type Limit = { readonly seconds: number; readonly calls?: number; readonly while?: () => boolean };

/** A call that throws ends the run: a figure over failed calls would mean nothing. */
export async function load(call: Call, inFlight: number, limit: Limit): Promise<Sample> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  const until = start + limit.seconds * 1000;
  let left = limit.calls ?? Number.POSITIVE_INFINITY;
  const lane = async () => {
    for (;;) {
      const before = performance.now();
      if (before >= until || left-- <= 0 || limit.while?.() === false) return;
      const pending = call();
      // Awaiting what is done already would add a turn of the event loop to calls that take microseconds.
      if (pending !== undefined) await pending;
      latenciesMs.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return { latenciesMs, seconds: (performance.now() - start) / 1000 };
}

/** `q` between 0 and 1, of values sorted upwards (nearest rank). */
export function percentile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] as number;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}
