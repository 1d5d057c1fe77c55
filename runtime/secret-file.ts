// A secret that lives in a file only its owner reads.

import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { BeaconError } from '../core/errors.ts';
import { Secret } from './log.ts';

/**
 * The file's content, made by `make` and written (0600, synced) when there is none. A file that others can read is
 * `failed_precondition`: the secret may be known already. So is one of another user.
 */
export async function readOrCreateSecretFile(path: string, make: () => string): Promise<Secret> {
  await createOnce(path, make);
  const { mode, uid } = await stat(path);
  if ((mode & 0o077) !== 0) {
    throw new BeaconError('failed_precondition', `${path} is open to others (mode ${(mode & 0o777).toString(8)})`);
  }
  // Root reads what anybody wrote, and who wrote it knows it.
  if (isOfAnother(uid)) throw new BeaconError('failed_precondition', `${path} belongs to another user`);
  const text = (await readFile(path, 'utf8')).trim();
  if (text === '') throw new BeaconError('failed_precondition', `${path} is empty`);
  return new Secret(text);
}

/**
 * The content of a file that somebody else put there, such as a mounted secret: its group may read it, others may not.
 * Throws `failed_precondition` for one that is missing, open, or shorter than `leastCharacters`.
 */
export async function readSecretFile(path: string, leastCharacters: number): Promise<Secret> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new BeaconError('failed_precondition', `${path} is no file that can be read`);
  if ((found.mode & 0o027) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    throw new BeaconError('failed_precondition', `${path} is open to others (mode ${mode})`);
  }
  const text = (await readFile(path, 'utf8')).trim();
  if (text.length < leastCharacters || !/^[!-~]*$/.test(text)) {
    throw new BeaconError('failed_precondition', `${path} holds no secret of ${leastCharacters} characters or more`);
  }
  return new Secret(text);
}

/** Why others reach into the folder at `path`, as what is needed instead; undefined for one of mode 0700 and this user. */
export async function whyFolderIsOpen(path: string): Promise<string | undefined> {
  const folder = await stat(path).catch(() => undefined);
  if (!folder?.isDirectory()) return 'needs a folder that exists';
  if ((folder.mode & 0o077) !== 0) return 'needs a folder of mode 0700';
  return isOfAnother(folder.uid) ? 'needs a folder of this user' : undefined;
}

function isOfAnother(uid: number): boolean {
  return process.getuid !== undefined && uid !== process.getuid();
}

/** Complete or absent, whoever else starts at the same moment: written aside, then linked into place. */
async function createOnce(path: string, make: () => string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  // Process ids repeat: each of several containers on one volume is 1.
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(aside, 'wx', 0o600);
  try {
    await file.writeFile(`${make()}\n`);
    await file.sync();
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}
