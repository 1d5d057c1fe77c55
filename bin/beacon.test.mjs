// A hook that cannot even be started refuses: agent clients let the tool run on any status but 0 and 2. A first start
// says nothing that is not so.

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

test('the first installation is not told that the Node which only starts it is too old for what runs under another', async () => {
  const npm = path.join(clone, 'tools', 'npm');
  fs.mkdirSync(path.dirname(npm));
  fs.writeFileSync(npm, `#!/bin/sh\n[ "$1" = --version ] && echo 11.0.0 || echo "$@"\n`, { mode: 0o755 });
  const lock = { packages: { '': {}, 'node_modules/missing': { version: '1.0.0' } } };
  fs.writeFileSync(path.join(clone, 'package-lock.json'), JSON.stringify(lock));
  const script = `const { ensureInstalled } = await import(${JSON.stringify(path.join(clone, 'bin', 'bootstrap.mjs'))});
    await ensureInstalled();`;
  const env = { ...process.env, PATH: `${path.dirname(npm)}${path.delimiter}${process.env.PATH}` };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await new Promise((resolve) => child.on('close', resolve));
  // npm's EBADENGINE is a warning, some twenty of them under Node 20.
  expect(said).toMatch(/^ci .*--loglevel=error/m);
});
