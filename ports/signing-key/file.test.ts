// The file implementation keeps the contract, keeps its secrets, and says so when it cannot.

import { chmod, mkdtemp, readdir, readFile, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signingKeysContract } from './contract.ts';
import { openFileSigningKeys } from './file.ts';

const newFolder = async () => join(await mkdtemp(join(tmpdir(), 'beacon-keys-')), 'keys');

signingKeysContract('file signing keys', async () => {
  const folder = await newFolder();
  return { open: () => openFileSigningKeys(folder), reopen: () => openFileSigningKeys(folder) };
});

const refusedBy = (folder: string) =>
  expect(openFileSigningKeys(folder)).rejects.toMatchObject({ code: 'failed_precondition' });

test('folder 0700, keys 0600; of a succeeded key only the public half is left', async () => {
  const folder = await newFolder();
  const keys = await openFileSigningKeys(folder);
  await keys.rotate();
  expect((await readdir(folder)).sort()).toEqual(['00001.pub.pem', '00002.key.pem']);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

test.each([0o640, 0o604, 0o660])('a key of mode %o is not loaded', async (mode) => {
  const folder = await newFolder();
  await openFileSigningKeys(folder);
  await chmod(join(folder, '00001.key.pem'), mode);
  await refusedBy(folder);
});

test('a folder others can enter is not used, nor a key behind a link', async () => {
  const folder = await newFolder();
  await openFileSigningKeys(folder);
  await chmod(folder, 0o750);
  await refusedBy(folder);
  await chmod(folder, 0o700);
  await rename(join(folder, '00001.key.pem'), join(folder, 'elsewhere'));
  await symlink('elsewhere', join(folder, '00001.key.pem'));
  await refusedBy(folder);
});

test('a missing or unreadable key is never silently replaced by a new one', async () => {
  const folder = await newFolder();
  const keys = await openFileSigningKeys(folder);
  await keys.rotate();
  await keys.rotate();
  await rename(join(folder, '00001.pub.pem'), join(folder, 'kept'));
  await refusedBy(folder);
  await rename(join(folder, 'kept'), join(folder, '00001.pub.pem'));
  await writeFile(join(folder, '00003.key.pem'), 'not a key');
  await refusedBy(folder);
  await unlink(join(folder, '00003.key.pem'));
  await refusedBy(folder);
});

test('an empty folder is refused where keys are expected', async () => {
  const folder = await newFolder();
  await expect(openFileSigningKeys(folder, { create: false })).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('a rotation cut short is finished at the next start', async () => {
  const folder = await newFolder();
  const keys = await openFileSigningKeys(folder);
  const old = await readFile(join(folder, '00001.key.pem'));
  await keys.rotate();
  // As if the process had died after the new key was durable and before the old one was retired.
  await unlink(join(folder, '00001.pub.pem'));
  await writeFile(join(folder, '00001.key.pem'), old, { mode: 0o600 });
  await writeFile(join(folder, '.new-half'), 'half', { mode: 0o600 });
  const again = await openFileSigningKeys(folder);
  expect(again.all()).toEqual(keys.all());
  expect((await readdir(folder)).sort()).toEqual(['00001.pub.pem', '00002.key.pem']);
});

test('a rotation that could not retire the old key has made the new one current, as the next start will', async () => {
  const folder = await newFolder();
  const keys = await openFileSigningKeys(folder);
  const before = keys.current().publicKey;
  await writeFile(join(folder, '00001.pub.pem'), 'in the way', { mode: 0o600 });
  await expect(keys.rotate()).rejects.toMatchObject({ code: 'failed_precondition' });
  await unlink(join(folder, '00001.pub.pem'));
  expect(keys.all()).toEqual([keys.current().publicKey, before]);
  expect((await openFileSigningKeys(folder)).all()).toEqual(keys.all());
  await keys.rotate();
});
