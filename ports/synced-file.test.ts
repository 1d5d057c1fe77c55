import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile, syncFolder } from './synced-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-synced-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('replaces whole, for its owner alone, and leaves nothing beside', async () => {
  const path = join(folder, 'state');
  for (const text of ['long and longer', 'short', '']) {
    await replaceFile(path, text);
    expect(readFileSync(path, 'utf8')).toBe(text);
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['state']);
});

test('what cannot be written whole leaves what was there, and is told', async () => {
  const path = join(folder, 'state');
  writeFileSync(path, 'before');
  // Stands where the new file is to be written aside: a writer that wrote in place would not notice.
  mkdirSync(`${path}.next`);
  await expect(replaceFile(path, 'after')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(readFileSync(path, 'utf8')).toBe('before');
  await expect(replaceFile(join(folder, 'absent', 'state'), 'x')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(syncFolder(join(folder, 'absent'))).rejects.toMatchObject({ code: 'ENOENT' });
});
