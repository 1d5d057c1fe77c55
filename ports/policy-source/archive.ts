// A bundle as one file: tar, gzipped, as `tar -czf bundle.tar.gz -C FOLDER .` makes it. Read into memory and never onto a
// disk; what an attacker may have written there is bounded before it is unpacked, and no name leads anywhere.

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  MANIFEST_FILE,
  MAX_POLICY_FILE_BYTES,
  POLICY_FILES,
  type PolicyRefusal,
  PolicyRefused,
} from '../../core/policy-manifest.ts';
import type { SignedFiles } from './port.ts';
import { type TarEntry, tarEntries } from './tar.ts';

/** Packed. */
export const MAX_ARCHIVE_BYTES = 16 * 1_048_576;
/** Unpacked, all files and their headers together. */
export const MAX_UNPACKED_BYTES = 64 * 1_048_576;
/** More entries than a bundle can have. */
const MAX_ENTRIES = 32;

const NAMES: readonly string[] = [MANIFEST_FILE, ...POLICY_FILES];
const unzip = promisify(gunzip);

/** Throws PolicyRefused: `unreadable`, `too_large`, `bad_file_name`, `extra_file`. */
export async function readArchive(archive: Uint8Array): Promise<SignedFiles> {
  const tar = await unpacked(archive);
  const files = new Map<string, Uint8Array>();
  const wanted = entryCheck();
  try {
    for (const entry of tarEntries(tar)) {
      if (!wanted(entry)) continue;
      const content = tar.subarray(entry.at, entry.at + entry.size);
      // A copy: what is kept shall not hold the whole archive in memory.
      files.set(plainName(entry.name), new Uint8Array(content));
    }
  } catch (error) {
    if (error instanceof PolicyRefused) throw error;
    throw new PolicyRefused('unreadable', 'what the source gave is no tar archive, or only a part of one', error);
  }
  const envelope = files.get(MANIFEST_FILE);
  files.delete(MANIFEST_FILE);
  return { envelope, files };
}

async function unpacked(archive: Uint8Array): Promise<Buffer> {
  if (archive.length > MAX_ARCHIVE_BYTES) throw tooLarge('the archive', MAX_ARCHIVE_BYTES);
  try {
    return await unzip(archive, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge('the unpacked archive', MAX_UNPACKED_BYTES);
    }
    throw new PolicyRefused('unreadable', 'what the source gave is not gzip, or only a part of it', error);
  }
}

/** Sees each entry before its content; false passes over it. */
function entryCheck() {
  const seen = new Set<string>();
  let entries = 0;
  return ({ name, size, type }: TarEntry) => {
    entries += 1;
    if (entries > MAX_ENTRIES) throw refused('extra_file', `it holds more than ${MAX_ENTRIES} entries`);
    // It could only name or measure anew what follows, which no bundle needs.
    if (type === 'extended') return false;
    if (type === 'directory' && (name === './' || name === '.')) return false;
    const plain = plainName(name);
    if (!NAMES.includes(plain)) {
      const harmless = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(plain);
      throw harmless
        ? refused('extra_file', `it has ${plain}, which is no part of a bundle`)
        : refused('bad_file_name', 'it names a file that cannot be in a bundle');
    }
    if (type !== 'file') throw refused('bad_file_name', `${plain} is not a file`);
    if (seen.has(plain)) throw refused('extra_file', `it has ${plain} twice`);
    seen.add(plain);
    if (size > MAX_POLICY_FILE_BYTES) throw tooLarge(plain, MAX_POLICY_FILE_BYTES);
    return true;
  };
}

function plainName(name: string): string {
  return name.startsWith('./') ? name.slice(2) : name;
}

function tooLarge(what: string, bytes: number): PolicyRefused {
  return new PolicyRefused('too_large', `${what} has more than ${bytes} bytes`);
}

function refused(reason: PolicyRefusal, message: string): PolicyRefused {
  return new PolicyRefused(reason, `the archive is no bundle: ${message}`);
}
