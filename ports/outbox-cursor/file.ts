// The cursor as a small file beside the ledger: written whole under another name, synced, then renamed.

import { open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OutboxCursor, OutboxCursorStore } from './port.ts';

export class FileOutboxCursor implements OutboxCursorStore {
  readonly #path: string;

  /** In an existing folder that only this process writes. */
  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<OutboxCursor | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return parse(text);
  }

  async save({ index, stream }: OutboxCursor): Promise<void> {
    const next = `${this.#path}.next`;
    await synced(next, 'w', `${JSON.stringify({ index, stream })}\n`);
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

function parse(text: string): OutboxCursor | undefined {
  try {
    const { index, stream } = JSON.parse(text) as Partial<OutboxCursor>;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || typeof stream !== 'string') return undefined;
    return { index: index as number, stream };
  } catch {
    return undefined;
  }
}
