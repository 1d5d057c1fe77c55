// What a hook looks at on the machine is the agent's to write: it must cost the hook neither time nor memory, or the client
// kills it and runs the tool.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { surroundings } from './surroundings.ts';

let repository: string;
let head: string;
beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'beacon-surroundings-'));
  mkdirSync(join(repository, '.git'));
  head = join(repository, '.git', 'HEAD');
});
afterEach(() => rmSync(repository, { recursive: true }));

const around = () => surroundings({ cwd: repository, attended: undefined }, undefined);

test('the branch, and none where none is named', async () => {
  writeFileSync(head, 'ref: refs/heads/feature/x\n');
  expect(await around()).toMatchObject({ workspace: repository, git: { branch: 'feature/x' } });
  for (const text of ['', '0123456789abcdef0123456789abcdef01234567\n', `ref: refs/heads/${'x'.repeat(256)}\n`]) {
    writeFileSync(head, text);
    expect(await around()).not.toHaveProperty('git');
  }
});

test('a HEAD that is a pipe is not read, whatever stands in it', async () => {
  execFileSync('mkfifo', [head]);
  const pipe = openSync(head, 'r+');
  writeSync(pipe, 'ref: refs/heads/feature/x\n');
  expect(await around()).not.toHaveProperty('git');
  closeSync(pipe);
});

test.each([
  ['has no end', () => symlinkSync('/dev/zero', head)],
  ['is a pipe nobody writes to', () => execFileSync('mkfifo', [head])],
])(
  'a HEAD that %s is not read',
  async (_what, make) => {
    make();
    const before = process.memoryUsage().rss;
    expect(await around()).toMatchObject({ workspace: repository });
    expect(await around()).not.toHaveProperty('git');
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
  },
  3_000,
);
