import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('how late the event loop is stands there once, in seconds, and a process held up for long says so', async () => {
  const metrics = createMetrics('x_');
  const quantiles = async () => {
    const { text } = await metrics.expose();
    expect(text).toContain('x_nodejs_eventloop_lag_seconds ');
    expect(text).not.toContain('nodejs_eventloop_lag_p');
    return [...text.matchAll(/^x_event_loop_delay_seconds\{quantile="([\d.]+)"\} (\S+)$/gm)].map(
      ([, quantile, seconds]) => [Number(quantile), Number(seconds)] as const,
    );
  };
  await expect.poll(quantiles, { timeout: 5_000 }).toHaveLength(2);
  const until = performance.now() + 400;
  while (performance.now() < until);
  const seen = async () => Math.max(...(await quantiles()).map(([, seconds]) => seconds));
  await expect.poll(seen, { timeout: 5_000 }).toBeGreaterThan(0.25);
  await expect.poll(seen, { timeout: 5_000 }).toBeLessThan(0.25);
});
