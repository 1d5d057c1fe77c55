// The lock really excludes, and a dead holder does not block the next one.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from './lock.mjs';

let scratch;
beforeEach(() => {
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'beacon-lock-'));
});
afterEach(() => fs.rmSync(scratch, { recursive: true, force: true }));

/** A process that counts in and out of the locked part, leaving `<in> <out>` lines in `log`. */
function contender(log) {
  const code = `
    import fs from 'node:fs';
    import { withLock } from ${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)};
    await withLock(${JSON.stringify(path.join(scratch, 'lock'))}, { limitMs: 30_000 }, async () => {
      fs.appendFileSync(${JSON.stringify(log)}, 'in\\n');
      await new Promise((resolve) => setTimeout(resolve, 20));
      fs.appendFileSync(${JSON.stringify(log)}, 'out\\n');
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  return new Promise((resolve) => child.on('close', resolve));
}

function deadProcessId() {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test('five processes, also over a dead holder, are never inside together', async () => {
  const lock = path.join(scratch, 'lock');
  fs.mkdirSync(lock);
  fs.writeFileSync(path.join(lock, 'pid'), String(deadProcessId()));
  const log = path.join(scratch, 'log');
  const codes = await Promise.all([1, 2, 3, 4, 5].map(() => contender(log)));
  expect(codes).toEqual([0, 0, 0, 0, 0]);
  expect(fs.readFileSync(log, 'utf8')).toBe('in\nout\n'.repeat(5));
  expect(fs.readdirSync(scratch)).toEqual(['log']);
});

test('a living holder is waited for, and not for ever', async () => {
  const lock = path.join(scratch, 'lock');
  fs.mkdirSync(lock);
  fs.writeFileSync(path.join(lock, 'pid'), String(process.pid));
  await expect(withLock(lock, { limitMs: 300 }, () => 'inside')).rejects.toThrow('still held');
});

test('the lock is given back when the work throws', async () => {
  const lock = path.join(scratch, 'lock');
  const failing = withLock(lock, { limitMs: 300 }, () => Promise.reject(new Error('broken')));
  await expect(failing).rejects.toThrow('broken');
  expect(await withLock(lock, { limitMs: 300 }, () => 'inside')).toBe('inside');
});
