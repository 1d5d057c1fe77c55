// A hook that cannot even be started refuses: agent clients let the tool run on any status but 0 and 2.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let clone;
beforeEach(() => {
  clone = fs.mkdtempSync(path.join(os.tmpdir(), 'beacon-clone-'));
  // Nothing that it would run is there.
  for (const name of ['beacon.mjs', 'bootstrap.mjs', 'lock.mjs']) {
    fs.cpSync(path.join(import.meta.dirname, name), path.join(clone, 'bin', name));
  }
});
afterEach(() => fs.rmSync(clone, { recursive: true, force: true }));

test.each([
  ['with somebody who reads why', (child) => child.stderr.setEncoding('utf8').resume()],
  ['with nobody who does', (child) => child.stderr.destroy()],
])('a hook of which nothing is there ends with 2, %s', async (_how, listen) => {
  const child = spawn(process.execPath, [path.join(clone, 'bin', 'beacon.mjs'), 'hook', 'codex'], { stdio: 'pipe' });
  listen(child);
  child.stdin.end('{}');
  expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(2);
});
