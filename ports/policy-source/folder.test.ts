import { execFileSync, spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MAX_POLICY_FILE_BYTES } from '../../core/policy-manifest.ts';
import { describePolicySource } from './contract.ts';
import { FolderPolicySource } from './folder.ts';

describePolicySource('folder', async () => {
  const place = mkdtempSync(join(tmpdir(), 'beacon-source-'));
  return {
    source: new FolderPolicySource(place),
    async put(files) {
      for (const name of readdirSync(place)) rmSync(join(place, name));
      for (const [name, bytes] of files) writeFileSync(join(place, name), bytes);
    },
    close: async () => rmSync(place, { recursive: true, force: true }),
  };
});

let folder: string;
let source: FolderPolicySource;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-source-'));
  source = new FolderPolicySource(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (name: string, text = name) => writeFileSync(join(folder, name), text);
const refused = (reason: string) =>
  expect(source.read()).rejects.toMatchObject({ code: 'failed_precondition', reason });

test('reads the manifest apart from the files, links followed, dot files unseen; nothing is nothing', async () => {
  expect(await source.read()).toBeUndefined();
  expect(await new FolderPolicySource(join(folder, 'absent')).read()).toBeUndefined();
  put('.hidden');
  expect(await source.read()).toBeUndefined();
  put('manifest.dsse.json');
  mkdirSync(join(folder, '..data'));
  writeFileSync(join(folder, '..data', 'data.json'), '{}');
  symlinkSync(join('..data', 'data.json'), join(folder, 'data.json'));
  const read = await source.read();
  expect(Buffer.from(read?.envelope ?? []).toString()).toBe('manifest.dsse.json');
  expect([...(read?.files.keys() ?? [])]).toEqual(['data.json']);
});

test('waits for no pipe that takes a file’s place while it is read', { timeout: 30_000 }, async () => {
  const pipes = Array.from({ length: 200 }, (_, n) => join(folder, `.pipe-${n}`));
  execFileSync('mkfifo', pipes);
  put('data.json');
  // Whoever may write the folder, without any key.
  const swap = `const { renameSync, writeFileSync } = require('node:fs');
    for (const pipe of process.argv.slice(2)) {
      writeFileSync(process.argv[1] + '.new', '{}');
      renameSync(process.argv[1] + '.new', process.argv[1]);
      renameSync(pipe, process.argv[1]);
    }`;
  let over = false;
  const swapping = spawn(process.execPath, ['-e', swap, join(folder, 'data.json'), ...pipes]);
  swapping.on('exit', () => {
    over = true;
  });
  while (!over) {
    const read = source.read().then(
      () => 'answered',
      () => 'answered',
    );
    const late = new Promise((resolve) => setTimeout(() => resolve('waits'), 3_000));
    expect(await Promise.race([read, late])).toBe('answered');
  }
});

test('waits for no pipe, reads no endless file, no folder and nothing that is no part of a bundle', async () => {
  execFileSync('mkfifo', [join(folder, 'data.json')]);
  await refused('unreadable');
  rmSync(join(folder, 'data.json'));
  mkdirSync(join(folder, 'data.json'));
  await refused('unreadable');
  rmSync(join(folder, 'data.json'), { recursive: true });
  symlinkSync('/dev/zero', join(folder, 'data.json'));
  await refused('unreadable');
  rmSync(join(folder, 'data.json'));
  put('data.json');
  truncateSync(join(folder, 'data.json'), MAX_POLICY_FILE_BYTES + 1);
  await refused('too_large');
  rmSync(join(folder, 'data.json'));
  symlinkSync('/dev/zero', join(folder, 'other.json'));
  expect((await source.read())?.files.get('other.json')).toHaveLength(0);
  for (let i = 0; i < 40; i += 1) put(`f${i}`);
  await refused('extra_file');
});

test('the stamp changes with what read() gives, even when size and time do not', async () => {
  put('data.json', 'aaaa');
  const before = await source.stamp();
  expect(await source.stamp()).toBe(before);
  put('new.json', 'bbbb');
  renameSync(join(folder, 'new.json'), join(folder, 'data.json'));
  expect(await source.stamp()).not.toBe(before);
});

test('tells of a change, of a folder that comes later too, and stops telling', async () => {
  const later = join(folder, 'later');
  const changed = vi.fn();
  const stop = new FolderPolicySource(later).watch(changed);
  mkdirSync(later);
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 5_000 });
  stop();
  changed.mockClear();
  writeFileSync(join(later, 'data.json'), '{}');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(changed).not.toHaveBeenCalled();
});
