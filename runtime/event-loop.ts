// How late the event loop is. Each look at it wakes the process, so an idle one is looked at seldom: what holds it up for a
// tenth of a second is always seen, what is shorter in proportion. (The histogram of perf_hooks loses what follows a reset.)

const LOOK_MS = 100;
const LOOKS = 10;
const QUANTILES = [0.5, 0.99] as const;

/** Tells each quantile of the last ten delays, in seconds. Runs as long as the process, which it keeps from no end. */
export function watchEventLoop(tell: (quantile: number, seconds: number) => void): void {
  const delays: number[] = [];
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    delays.push(Math.max(0, now - last - LOOK_MS));
    last = now;
    if (delays.length < LOOKS) return;
    delays.sort((a, b) => a - b);
    for (const quantile of QUANTILES) {
      const at = Math.ceil(quantile * LOOKS) - 1;
      tell(quantile, (delays[at] as number) / 1_000);
    }
    delays.length = 0;
  }, LOOK_MS).unref();
}
