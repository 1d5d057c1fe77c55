// Whoever reads the folder while bundles change sees a whole bundle each time.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MANIFEST_FILE, POLICY_FILES } from '../../core/policy-manifest.ts';
import { FolderPolicySource } from '../../ports/policy-source/folder.ts';
import { placeBundle } from './policy-place.ts';

const NAMES = [...POLICY_FILES, MANIFEST_FILE];
let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'beacon-place-'));
  folder = join(home, 'watched');
});
afterEach(() => rmSync(home, { recursive: true }));

const bundle = (word: string) => new Map(NAMES.map((name) => [name, new Uint8Array(Buffer.from(`${word} ${name}`))]));
const words = () => [...new Set(NAMES.map((name) => readFileSync(join(folder, name), 'utf8').split(' ')[0]))];
const shown = () => readdirSync(folder).filter((name) => !name.startsWith('.'));

test('into no folder, an empty one, and one that somebody filled by hand', async () => {
  await placeBundle(folder, bundle('one'));
  expect([shown().sort(), words()]).toEqual([[...NAMES].sort(), ['one']]);
  folder = join(home, 'empty');
  mkdirSync(folder);
  await placeBundle(folder, bundle('two'));
  expect(words()).toEqual(['two']);
  folder = join(home, 'filled');
  mkdirSync(folder);
  for (const [name, bytes] of bundle('hand')) writeFileSync(join(folder, name), bytes);
  const placed = await placeBundle(folder, bundle('three'));
  expect(words()).toEqual(['three']);
  await placed.undo();
  expect(words()).toEqual(['hand']);
  // Beacon may run as another user.
  expect(statSync(join(folder, 'policy.wasm')).mode & 0o444).toBe(0o444);
});

test('what was there is put back; where nothing was, nothing is', async () => {
  await placeBundle(folder, bundle('one'));
  const second = await placeBundle(folder, bundle('two'));
  await second.undo();
  expect(words()).toEqual(['one']);
  await placeBundle(folder, bundle('three'));
  expect(words()).toEqual(['three']);
  // Of the bundles before, only the last is kept.
  expect(readdirSync(join(folder, '.bundles'))).toHaveLength(2);
  folder = join(home, 'other');
  const only = await placeBundle(folder, bundle('one'));
  await only.undo();
  expect(shown()).toEqual([]);
  expect(await new FolderPolicySource(folder).read()).toBeUndefined();
});

test('half a bundle of before is put back as half a bundle', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'policy.wasm'), 'hand policy.wasm');
  const { undo } = await placeBundle(folder, bundle('one'));
  expect(words()).toEqual(['one']);
  await undo();
  await expect(new FolderPolicySource(folder).read()).rejects.toMatchObject({ reason: 'unreadable' });
  await placeBundle(folder, bundle('two'));
  expect(words()).toEqual(['two']);
});

test('a folder of something else is left alone', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await expect(placeBundle(folder, bundle('one'))).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(readdirSync(folder)).toEqual(['notes.txt']);
});

test('at no look are there files of two bundles', async () => {
  mkdirSync(folder);
  for (const [name, bytes] of bundle('hand')) writeFileSync(join(folder, name), bytes);
  let over = false;
  let looks = 0;
  const torn: string[] = [];
  const pointer = () => existsSync(join(folder, '.current')) && readlinkSync(join(folder, '.current'));
  const look = async () => {
    while (!over) {
      // Six files are not read at one moment: only what `.current` did not move under counts.
      const before = pointer();
      const found = words();
      if (found.length !== 1 && pointer() === before) torn.push(found.join());
      looks += 1;
      await new Promise((done) => setImmediate(done));
    }
  };
  const looking = look();
  for (let i = 0; i < 40; i += 1) {
    const { undo } = await placeBundle(folder, bundle(`b${i}`));
    if (i % 3 === 0) await undo();
  }
  over = true;
  await looking;
  expect(torn).toEqual([]);
  expect(looks).toBeGreaterThan(40);
});
