// What every outbox cursor must do.

import { describe, expect, it } from 'vitest';
import type { OutboxCursorStore } from './port.ts';

/** `open` opens the same place again. */
export function describeOutboxCursor(name: string, make: () => Promise<{ open: () => OutboxCursorStore }>): void {
  describe(`outbox cursor: ${name}`, () => {
    it('has nothing at first, then what was saved last, also when opened again', async () => {
      const { open } = await make();
      const cursor = open();
      expect(await cursor.load()).toBeUndefined();
      await cursor.save({ index: 3, stream: 'a' });
      await cursor.save({ index: 4_000_000_000, stream: '2026-01-01T00:00:00.123456789Z' });
      expect(await open().load()).toEqual({ index: 4_000_000_000, stream: '2026-01-01T00:00:00.123456789Z' });
      await cursor.save({ index: 5, stream: 'a', region: 'eu' });
      expect(await open().load()).toEqual({ index: 5, stream: 'a', region: 'eu' });
      await cursor.save({ index: 0, stream: 'a' });
      expect(await cursor.load()).toEqual({ index: 0, stream: 'a' });
    });
  });
}
