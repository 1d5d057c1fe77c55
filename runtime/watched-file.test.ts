import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { BeaconError } from '../core/errors.ts';
import { watchFile } from './watched-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'watched-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const parse = (bytes: Uint8Array) => {
  const number = Number(Buffer.from(bytes).toString());
  if (!Number.isInteger(number)) throw new Error('no number');
  return number;
};

async function watched(name: string, text: string, secret = false) {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  const refused: string[] = [];
  let changes = 0;
  const file = await watchFile({
    ...{ path, secret, parse },
    everyMs: 60_000,
    refused: (error: BeaconError) => refused.push(error.message),
    changed: () => {
      changes += 1;
    },
  });
  return { path, file, refused, changes: () => changes };
}

test('what is put in its place is taken up; what cannot be used is told once and changes nothing', async () => {
  const { path, file, refused, changes } = await watched('a', '1');
  expect(file.current()).toBe(1);
  writeFileSync(`${path}.new`, '2');
  renameSync(`${path}.new`, path);
  await file.reload();
  await file.reload();
  expect([file.current(), changes()]).toEqual([2, 1]);
  writeFileSync(path, 'two');
  await file.reload();
  await file.reload();
  expect(refused).toEqual([expect.stringContaining('no number')]);
  rmSync(path);
  await file.reload();
  expect(refused).toHaveLength(2);
  expect(file.current()).toBe(2);
  writeFileSync(path, '3');
  await file.reload();
  expect(file.current()).toBe(3);
  file.close();
});

test('a secret that others can read is none, at the start and later', async () => {
  const { path, file, refused } = await watched('b', '1', true);
  writeFileSync(path, '2');
  chmodSync(path, 0o604);
  await file.reload();
  expect(file.current()).toBe(1);
  expect(refused).toEqual([expect.stringContaining('open to others')]);
  const again = watchFile({ path, everyMs: 60_000, secret: true, parse, refused: () => {} });
  await expect(again).rejects.toMatchObject({ code: 'failed_precondition' });
  file.close();
});

test('a file that cannot be used stops the start', async () => {
  await expect(watched('c', 'three')).rejects.toMatchObject({ code: 'failed_precondition' });
});
