// The leader as a small file beside the ledger: written whole under another name, synced, then renamed.

import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import type { KnownLeader, KnownLeaderStore } from './port.ts';

export class FileKnownLeader implements KnownLeaderStore {
  readonly #path: string;

  /** In an existing folder that only this process writes. */
  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<KnownLeader | undefined> {
    try {
      return parse(await readFile(this.#path, 'utf8'));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new BeaconError('failed_precondition', `${this.#path} cannot be read`, { cause });
    }
  }

  async save({ origin, epoch, granted }: KnownLeader): Promise<void> {
    const next = `${this.#path}.next`;
    await synced(next, 'w', `${JSON.stringify({ origin, epoch, granted })}\n`);
    await rename(next, this.#path);
    await synced(dirname(this.#path), 'r');
  }
}

async function synced(path: string, flags: string, text?: string): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    if (text !== undefined) await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function parse(text: string): KnownLeader {
  const { origin, epoch, granted } = JSON.parse(text) as Partial<KnownLeader>;
  if (typeof origin !== 'string' || !Number.isSafeInteger(epoch)) throw new Error('is not a leader');
  if (granted === undefined) return { origin, epoch: epoch as number };
  if (!Number.isSafeInteger(granted.epoch) || typeof granted.leafId !== 'string') throw new Error('is not a leader');
  return { origin, epoch: epoch as number, granted: { epoch: granted.epoch, leafId: granted.leafId } };
}
