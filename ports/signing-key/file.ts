// Signing keys in a folder of their own (0700): NNNNN.key.pem (PKCS #8, 0600) for the current one, NNNNN.pub.pem for those
// before it. A key is on disk before it signs, is never written over, and its private half goes when it is succeeded.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { link, lstat, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import { publicKeyFrom, signerOf } from '../../core/jwk.ts';
import { syncFolder } from '../synced-file.ts';
import type { PublicKey, SigningKey, SigningKeys } from './port.ts';

const NAME = /^(\d{5})\.(key|pub)\.pem$/;
const SCRATCH = '.new-';

/**
 * Opens the folder, making it and a first key when it holds none (unless `create` is false). Throws `failed_precondition`
 * when anyone but its owner can look into folder or key, when it is not this user's, or when a key in the row is missing.
 * One process at a time: the caller holds the data folder's lock.
 */
export async function openFileSigningKeys(folder: string, options: { create?: boolean } = {}): Promise<SigningKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await requirePrivate(folder, 'folder');
  await sweep(folder);
  let { current, older, number } = await load(folder);
  if (!current) {
    if (options.create === false) throw refused(`${folder} holds no signing key`);
    current = await create(folder, 1);
    number = 1;
    await syncFolder(dirname(folder));
  }
  let active: SigningKey = current;
  const rotate = async () => {
    const next = await create(folder, number + 1);
    // Once durable it is the current one, here as at the next start, even if its predecessor cannot be retired now.
    older = [active.publicKey, ...older];
    active = next;
    number += 1;
    await retire(folder, number - 1);
  };
  let rotating: Promise<void> = Promise.resolve();
  return {
    current: () => active,
    all: () => [active.publicKey, ...older],
    rotate: () => {
      const mine = rotating.then(rotate);
      rotating = mine.catch(() => undefined);
      return mine;
    },
  };
}

type Loaded = { current: SigningKey | undefined; older: PublicKey[]; number: number };

async function load(folder: string): Promise<Loaded> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  const numbers = [...new Set(names.map((name) => Number(name.slice(0, 5))))];
  if (numbers.some((number, at) => number !== at + 1)) {
    throw refused(`a signing key is missing from ${folder}: receipts under it could no longer be verified`);
  }
  const last = numbers.length;
  if (last === 0) return { current: undefined, older: [], number: 0 };
  const older: PublicKey[] = [];
  for (const number of numbers.slice(0, -1).reverse()) {
    // Both halves are there only when a rotation was cut short after the new key was durable: finish it.
    if (names.includes(fileName(number, 'key'))) await retire(folder, number);
    older.push(await readPublic(join(folder, fileName(number, 'pub'))));
  }
  if (!names.includes(fileName(last, 'key'))) throw refused(`the newest signing key in ${folder} has no private half`);
  return { current: signerOf(await readPrivate(join(folder, fileName(last, 'key')))), older, number: last };
}

async function create(folder: string, number: number): Promise<SigningKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeDurably(folder, fileName(number, 'key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
  // Signing starts with what was read back, not with what was meant to be written.
  return signerOf(await readPrivate(join(folder, fileName(number, 'key'))));
}

/** Keeps the public half, then removes the private one. */
async function retire(folder: string, number: number): Promise<void> {
  const path = join(folder, fileName(number, 'key'));
  const pem = createPublicKey(await readPrivate(path)).export({ format: 'pem', type: 'spki' });
  await writeDurably(folder, fileName(number, 'pub'), pem).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'EEXIST') throw thrown;
  });
  await readPublic(join(folder, fileName(number, 'pub')));
  await unlink(path);
  await syncFolder(folder);
}

async function readPrivate(path: string): Promise<KeyObject> {
  await requirePrivate(path, 'file');
  const key = parsePem(path, await readFile(path), createPrivateKey);
  return key;
}

async function readPublic(path: string): Promise<PublicKey> {
  await requirePrivate(path, 'file');
  const key = parsePem(path, await readFile(path), createPublicKey);
  return publicKeyFrom(new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url')));
}

function parsePem(path: string, pem: Buffer, read: (pem: Buffer) => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read(pem);
  } catch {
    // The parser's own message could quote the key.
  }
  if (key?.asymmetricKeyType !== 'ed25519') throw refused(`${path} is not an Ed25519 key in PEM form`);
  return key;
}

/** All of the bytes and their name are on disk when this resolves. Never replaces a file (EEXIST). */
async function writeDurably(folder: string, name: string, content: string | Buffer): Promise<void> {
  const scratch = join(folder, SCRATCH + randomBytes(8).toString('hex'));
  const file = await open(scratch, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(scratch, join(folder, name));
  } finally {
    await unlink(scratch);
  }
  await syncFolder(folder);
}

/** A key half written when the process died never signed anything. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (name.startsWith(SCRATCH)) await unlink(join(folder, name));
}

async function requirePrivate(path: string, what: 'folder' | 'file'): Promise<void> {
  const found = await lstat(path);
  if (what === 'folder' ? !found.isDirectory() : !found.isFile()) throw refused(`${path} is not a ${what}`);
  if ((found.mode & 0o077) !== 0) throw refused(`${path} can be reached by other users: chmod go= it`);
  if (found.uid !== process.getuid?.()) throw refused(`${path} belongs to another user`);
}

function fileName(number: number, half: 'key' | 'pub'): string {
  return `${String(number).padStart(5, '0')}.${half}.pem`;
}

function refused(message: string): BeaconError {
  return new BeaconError('failed_precondition', message);
}
