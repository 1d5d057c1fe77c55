// The cursor as a small file beside the ledger, replaced whole and synced.

import { readFile } from 'node:fs/promises';
import { replaceFile } from '../synced-file.ts';
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

  async save({ index, stream, region }: OutboxCursor): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify({ index, stream, region })}\n`);
  }
}

function parse(text: string): OutboxCursor | undefined {
  try {
    const { index, stream, region } = JSON.parse(text) as Partial<OutboxCursor>;
    if (!Number.isSafeInteger(index) || (index as number) < 0 || typeof stream !== 'string') return undefined;
    return { index: index as number, stream, ...(typeof region === 'string' ? { region } : {}) };
  } catch {
    return undefined;
  }
}
