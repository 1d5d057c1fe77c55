// The last activated bundle as one synced file in the data folder, replaced whole. One file, so that version and bundle cannot come from two moments.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import { replaceFile } from '../synced-file.ts';
import type { KeptPolicy, PolicyKeep } from './port.ts';

export class FilePolicyKeep implements PolicyKeep {
  readonly #path: string;

  /** In a folder that only this process writes; it is made when it is missing. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Throws `failed_precondition` for a file that is not one of ours: starting as if there were none would be a rollback. */
  async load(): Promise<KeptPolicy | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const { version, id, envelope, files } = JSON.parse(text);
      if (!Number.isSafeInteger(version) || typeof id !== 'string') throw new Error('no version or id');
      const decoded = Object.entries(files as Record<string, string>).map(([name, base64]) => {
        return [name, new Uint8Array(Buffer.from(base64, 'base64'))] as const;
      });
      return { version, id, envelope: Buffer.from(envelope, 'base64'), files: new Map(decoded) };
    } catch (cause) {
      throw new BeaconError('failed_precondition', `${this.#path} is not what Beacon wrote there`, { cause });
    }
  }

  async save({ version, id, envelope, files }: KeptPolicy): Promise<void> {
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const kept = {
      version,
      id,
      envelope: base64(envelope ?? new Uint8Array()),
      files: Object.fromEntries([...files].map(([name, bytes]) => [name, base64(bytes)])),
    };
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await replaceFile(this.#path, `${JSON.stringify(kept)}\n`);
  }
}
