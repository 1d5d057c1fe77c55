// What every keeper of the known leader must do.

import { describe, expect, it } from 'vitest';
import type { KnownLeaderStore } from './port.ts';

/** `open` opens the same place again. */
export function describeKnownLeader(name: string, make: () => Promise<{ open: () => KnownLeaderStore }>): void {
  describe(`known leader: ${name}`, () => {
    it('has nothing at first, then what was saved last, also when opened again', async () => {
      const { open } = await make();
      const store = open();
      expect(await store.load()).toBeUndefined();
      await store.save({ origin: 'beacon.local/kill-switch/aaaaaaaaaaaa', epoch: 3 });
      await store.save({ origin: 'beacon.local/kill-switch/aaaaaaaaaaaa', epoch: 7 });
      expect(await open().load()).toEqual({ origin: 'beacon.local/kill-switch/aaaaaaaaaaaa', epoch: 7 });
      const granted = { epoch: 9, leafId: 'rev_1' };
      await store.save({ origin: 'beacon.local/kill-switch/aaaaaaaaaaaa', epoch: 7, granted });
      expect(await open().load()).toEqual({ origin: 'beacon.local/kill-switch/aaaaaaaaaaaa', epoch: 7, granted });
    });
  });
}
