// The cursor in one process's memory. For tests, and for logs that are in memory themselves.

import type { OutboxCursor, OutboxCursorStore } from './port.ts';

export class MemoryOutboxCursor implements OutboxCursorStore {
  #cursor: OutboxCursor | undefined;

  async load(): Promise<OutboxCursor | undefined> {
    return this.#cursor;
  }

  async save(cursor: OutboxCursor): Promise<void> {
    this.#cursor = cursor;
  }
}
