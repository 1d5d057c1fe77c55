// A folder that somebody else fills with a signed bundle. Read whole into memory, so that what was verified is what is
// activated whatever happens to the files meanwhile. Watched by the system and, because that misses mounts, by polling.

import { constants, type FSWatcher, watch as watchFolder } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE, MAX_POLICY_FILE_BYTES, POLICY_FILES, PolicyRefused } from '../../core/policy-manifest.ts';
import type { PolicySource, SignedFiles } from './port.ts';

/** More names than a bundle can have: not read further. */
const MAX_NAMES = 32;
/** A writer is given this long to finish after the last change that was seen. */
const QUIET_MS = 150;
const POLL_MS = 2_000;
/** A pipe that took the file's place since it was looked at is opened and refused, not waited for. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export class FolderPolicySource implements PolicySource {
  readonly kind = 'folder';
  readonly #folder: string;

  /** An absolute path; the folder need not exist yet. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async stamp(): Promise<string> {
    const lines = await Promise.all(
      (await this.#names()).map(async (name) => {
        const found = await stat(join(this.#folder, name), { bigint: true }).catch(() => undefined);
        return `${name} ${found?.ino} ${found?.size} ${found?.mtimeNs} ${found?.ctimeNs}`;
      }),
    );
    return lines.join('\n');
  }

  async read(): Promise<SignedFiles | undefined> {
    const names = await this.#names();
    if (names.length === 0) return undefined;
    const files = new Map<string, Uint8Array>();
    for (const name of names) {
      // What is no part of a bundle is refused by its name alone.
      const part = name === MANIFEST_FILE || (POLICY_FILES as readonly string[]).includes(name);
      files.set(name, part ? await readBounded(join(this.#folder, name), name) : new Uint8Array());
    }
    const envelope = files.get(MANIFEST_FILE);
    files.delete(MANIFEST_FILE);
    return { envelope, files };
  }

  watch(changed: () => void): () => void {
    let quiet: NodeJS.Timeout | undefined;
    let watcher: FSWatcher | undefined;
    const soon = () => {
      clearTimeout(quiet);
      quiet = setTimeout(changed, QUIET_MS).unref();
    };
    const watchAgain = () => {
      if (watcher) return;
      try {
        watcher = watchFolder(this.#folder, { persistent: false }, soon);
        const closed = () => {
          watcher = undefined;
        };
        watcher.on('error', closed);
        watcher.on('close', closed);
      } catch {
        // Not there yet: the poll finds it.
      }
    };
    watchAgain();
    const poll = setInterval(() => {
      watchAgain();
      changed();
    }, POLL_MS).unref();
    return () => {
      clearInterval(poll);
      clearTimeout(quiet);
      watcher?.close();
    };
  }

  /** Dot files are editors' and mounts' own, such as `..data` of a mounted ConfigMap. */
  async #names(): Promise<string[]> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new PolicyRefused('unreadable', 'the policy folder cannot be listed', error);
    }
    const shown = names.filter((name) => !name.startsWith('.')).sort();
    if (shown.length > MAX_NAMES)
      throw new PolicyRefused('extra_file', `the folder holds more than ${MAX_NAMES} files`);
    return shown;
  }
}

/** A regular file of at most MAX_POLICY_FILE_BYTES: no pipe is waited for, no endless file is read. */
async function readBounded(path: string, name: string): Promise<Uint8Array> {
  try {
    if (!(await stat(path)).isFile()) throw new PolicyRefused('unreadable', `${name} is not a file`);
    const file = await open(path, OPEN_FLAGS);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw new PolicyRefused('unreadable', `${name} is not a file`);
      if (found.size > MAX_POLICY_FILE_BYTES) {
        throw new PolicyRefused('too_large', `${name} has more than ${MAX_POLICY_FILE_BYTES} bytes`);
      }
      // One byte more than it said: a file that grows meanwhile does not pass for the shorter one.
      const bytes = Buffer.alloc(found.size + 1);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      if (bytesRead !== found.size) throw new PolicyRefused('unreadable', `${name} changed while it was read`);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof PolicyRefused) throw error;
    throw new PolicyRefused('unreadable', `${name} cannot be read`, error);
  }
}
