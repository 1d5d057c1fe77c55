// What every keeper of suspicions must do.

import { describe, expect, it } from 'vitest';
import { MAX_SUSPICIONS, type SuspicionStore } from './port.ts';

export function describeSuspicions(name: string, make: () => Promise<SuspicionStore> | SuspicionStore): void {
  const one = { id: 'a', about: '{"kind":"x","n":1}' };
  const two = { id: 'b', about: '{}' };

  describe(`suspicions: ${name}`, () => {
    it('gives what nobody works at any more to one caller alone', async () => {
      const store = await make();
      expect(await store.keep([one, two], 100)).toBe(0);
      expect(await store.claim(99, 200, 10)).toEqual([]);
      const claims = await Promise.all([store.claim(100, 200, 10), store.claim(100, 200, 10)]);
      expect(claims.flat().toSorted((a, b) => a.id.localeCompare(b.id))).toEqual([one, two]);
      expect(await store.claim(199, 300, 10)).toEqual([]);
      expect(await store.claim(200, 300, 1)).toHaveLength(1);
    });

    it('leaves what is held to who holds it, and keeps nothing that was dropped', async () => {
      const store = await make();
      await store.keep([one, two], 100);
      await store.hold(['a', 'gone'], 500);
      expect(await store.claim(499, 600, 10)).toEqual([two]);
      expect([await store.has(['gone', 'b']), await store.has(['gone']), await store.has([])]).toEqual([
        true,
        false,
        false,
      ]);
      await store.drop(['a', 'b', 'gone']);
      expect(await store.has(['a', 'b'])).toBe(false);
      await store.hold(['a'], 500);
      expect(await store.claim(9_999, 10_000, 10)).toEqual([]);
    });

    it('keeps one of each id', async () => {
      const store = await make();
      await store.keep([one], 100);
      await store.keep([{ ...one, about: '{"n":2}' }], 200);
      expect(await store.claim(199, 300, 10)).toEqual([]);
      expect(await store.claim(200, 300, 10)).toEqual([{ id: 'a', about: '{"n":2}' }]);
    });

    it('gives up the oldest when there are too many, and says how many', async () => {
      const store = await make();
      await store.keep([one], 1);
      const many = Array.from({ length: MAX_SUSPICIONS + 2 }, (_, n) => ({ id: `n${n}`, about: '{}' }));
      expect(await store.keep(many, 5)).toBe(3);
      expect((await store.claim(1, 9, 10)).map(({ id }) => id)).toEqual([]);
    });
  });
}
