import { chmod, chown, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readOrCreateSecretFile, readSecretFile } from './secret-file.ts';

const folder = () => mkdtemp(join(tmpdir(), 'beacon-secret-'));

test('is made once, for its owner alone, and stays', async () => {
  const path = join(await folder(), 'token');
  let made = 0;
  const make = () => `secret-${++made}`;
  expect((await readOrCreateSecretFile(path, make)).reveal()).toBe('secret-1');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readOrCreateSecretFile(path, make)).reveal()).toBe('secret-1');
  expect(await readdir(join(path, '..'))).toEqual(['token']);
});

test('one that others can read, or that is empty, is refused', async () => {
  const path = join(await folder(), 'token');
  await readOrCreateSecretFile(path, () => 'x');
  await chmod(path, 0o640);
  await expect(readOrCreateSecretFile(path, () => 'y')).rejects.toMatchObject({ code: 'failed_precondition' });
  const empty = join(await folder(), 'token');
  await writeFile(empty, '\n', { mode: 0o600 });
  await expect(readOrCreateSecretFile(empty, () => 'y')).rejects.toMatchObject({ code: 'failed_precondition' });
});

test.skipIf(process.getuid?.() !== 0)(
  'one of another user is refused, also by root (only root can give a file away)',
  async () => {
    const path = join(await folder(), 'token');
    await writeFile(path, 'planted', { mode: 0o600 });
    await chown(path, 65_534, 65_534);
    await expect(readOrCreateSecretFile(path, () => 'y')).rejects.toMatchObject({ code: 'failed_precondition' });
  },
);

test('many who start at once agree on one', async () => {
  const path = join(await folder(), 'token');
  let made = 0;
  const all = await Promise.all(Array.from({ length: 20 }, () => readOrCreateSecretFile(path, () => `s-${++made}`)));
  expect(new Set(all.map((secret) => secret.reveal())).size).toBe(1);
  expect(await readdir(join(path, '..'))).toEqual(['token']);
});

test('one that somebody else put there is read by owner and group alone, and must be long enough', async () => {
  const path = join(await folder(), 'token');
  const refused = { code: 'failed_precondition' };
  await expect(readSecretFile(path, 8)).rejects.toMatchObject(refused);
  await writeFile(path, 'long-enough\n', { mode: 0o440 });
  expect((await readSecretFile(path, 8)).reveal()).toBe('long-enough');
  await expect(readSecretFile(path, 12)).rejects.toMatchObject(refused);
  for (const mode of [0o444, 0o620, 0o601]) {
    await chmod(path, mode);
    await expect(readSecretFile(path, 8), mode.toString(8)).rejects.toMatchObject(refused);
  }
});
