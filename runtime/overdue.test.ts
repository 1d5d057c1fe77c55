// That what has arrived is read first is shown on a real server: redis.test.ts.

import { expect, test } from 'vitest';
import { Overdue } from './overdue.ts';

const TIMEOUT_MS = 60;

test('gives up what does not come in time, each when it is due', async () => {
  const overdue = new Overdue(TIMEOUT_MS);
  const never = () => new Promise<never>(() => {});
  const started = performance.now();
  const first = overdue.watch(never()).catch((error: Error) => [error.message, performance.now() - started] as const);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const second = overdue.watch(never()).catch(() => performance.now() - started);
  const [message, afterMs] = (await first) as readonly [string, number];
  expect(message).toBe('no reply within 60 ms');
  expect(afterMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 2);
  expect(await second).toBeGreaterThanOrEqual(TIMEOUT_MS + 28);
});

test('passes on what comes, good or bad, and watches again afterwards', async () => {
  const overdue = new Overdue(TIMEOUT_MS);
  expect(await overdue.watch(Promise.resolve(1))).toBe(1);
  await expect(overdue.watch(Promise.reject(new Error('away')))).rejects.toThrow('away');
  await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS));
  await expect(overdue.watch(new Promise(() => {}))).rejects.toThrow('no reply');
});
