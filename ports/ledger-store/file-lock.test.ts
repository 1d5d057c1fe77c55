import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lockFile, waitForLock } from './file-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
let files = 0;
const path = () => join(folder, `lock-${files++}`);
afterAll(() => rmSync(folder, { recursive: true }));

test('one has it; the other is refused and told who it is', async () => {
  const at = path();
  const lock = lockFile(at);
  expect(await lock.isHeld()).toBe(true);
  expect(() => lockFile(at)).toThrow(`process ${process.pid} on `);
  lock.release();
  lockFile(at).release();
});

test('one that waits gets it when it is free, and says once that it waits', async () => {
  const at = path();
  const lock = lockFile(at);
  let waits = 0;
  const signal = new AbortController().signal;
  const standingBy = () => {
    waits += 1;
  };
  const next = waitForLock(at, { standingBy, signal });
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect(waits).toBe(1);
  lock.release();
  const got = await next;
  expect(await got.isHeld()).toBe(true);
  got.release();
});

test('one that is told to stop waiting has nothing', async () => {
  const at = path();
  const lock = lockFile(at);
  const stopping = new AbortController();
  const next = waitForLock(at, { standingBy: () => stopping.abort(), signal: stopping.signal });
  await expect(next).rejects.toMatchObject({ code: 'unavailable' });
  lock.release();
});

test('whoever had a lock whose file was removed does not have it any more once another has', async () => {
  const at = path();
  const lock = lockFile(at);
  rmSync(at);
  expect(await lock.isHeld()).toBe(true);
  const other = lockFile(at);
  expect(await lock.isHeld()).toBe(false);
  expect(await other.isHeld()).toBe(true);
  lock.release();
  other.release();
});
