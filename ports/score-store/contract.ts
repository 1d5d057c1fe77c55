// What every score store must do.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ScoreRow, ScoreStore, SharedScoreStore } from './port.ts';

const LOG = 'aaaaaaaaaaaa';
const at = (index: number, logId = LOG) => ({ logId, index });

export function scoreRow(over: Partial<ScoreRow> = {}): ScoreRow {
  return {
    tenantId: 't',
    agentId: 'a',
    tally: '{"v":1}',
    score: 512,
    totalReceipts: 12,
    validReceipts: 10,
    assertedScore: 300,
    assertedValidReceipts: 0,
    ...over,
  };
}

export function describeScoreStore(name: string, make: () => Promise<ScoreStore> | ScoreStore): void {
  describe(`score store: ${name}`, () => {
    let store: ScoreStore;
    beforeEach(async () => {
      store = await make();
    });

    it('folds rows and position together', async () => {
      expect(await store.position(LOG)).toBe(0);
      await store.fold([scoreRow(), scoreRow({ agentId: 'b', score: 300 })], at(20));
      expect(await store.position(LOG)).toBe(20);
      expect(await store.read({ tenantId: 't', agentId: 'a' })).toEqual(scoreRow());
      expect((await store.read({ tenantId: 't', agentId: 'b' }))?.score).toBe(300);
      expect(await store.read({ tenantId: 'u', agentId: 'a' })).toBeUndefined();
    });

    it('replaces rows, and takes a position below its own as a repeat', async () => {
      await store.fold([scoreRow()], at(20));
      await store.fold([scoreRow({ score: 600 })], at(19));
      expect((await store.read({ tenantId: 't', agentId: 'a' }))?.score).toBe(512);
      await store.fold([scoreRow({ score: 600, tally: '{"v":2}' })], at(20));
      expect(await store.read({ tenantId: 't', agentId: 'a' })).toEqual(scoreRow({ score: 600, tally: '{"v":2}' }));
      await store.fold([], at(25));
      expect(await store.position(LOG)).toBe(25);
    });

    it('keeps a position for each log', async () => {
      await store.fold([], at(20));
      await store.fold([], at(3, 'bbbbbbbbbbbb'));
      expect(await store.position(LOG)).toBe(20);
      expect(await store.position('bbbbbbbbbbbb')).toBe(3);
    });

    it('has so many places for names that are only asserted, and takes none from anybody', async () => {
      const hold = (agentId: string, tenantId = 't', limit = 3) => store.hold({ tenantId, agentId }, limit);
      const asserted = { score: 300, totalReceipts: 0, validReceipts: 0, assertedValidReceipts: 4 };
      expect([await hold('a'), await hold('b'), await hold('a', 'u')]).toEqual([true, true, true]);
      expect([await hold('c'), await hold('b', 'u')]).toEqual([false, false]);
      expect([await hold('a'), await hold('b'), await hold('a', 'u')]).toEqual([true, true, true]);
      // What was sealed has its row and its place, whatever the limit; what is known by a token needs none.
      await store.fold([scoreRow({ ...asserted, agentId: 'd' }), scoreRow({ agentId: 'e' })], at(1));
      expect([await hold('d'), await hold('e'), await hold('f', 't', 4), await hold('f', 't', 5)]).toEqual([
        ...[true, true, false, true],
      ]);
      // A token was minted for one of the names.
      await store.fold([scoreRow({ ...asserted, agentId: 'b', validReceipts: 1 })], at(2));
      expect([await hold('b'), await hold('g', 't', 4), await hold('g', 't', 5)]).toEqual([true, false, true]);
    });

    it('lists pages by agent id, of one tenant or of all', async () => {
      const pairs = ['t/a', 't/b', 't/c', 'u/b', 'u/B', 'v/b'];
      const rows = pairs.map((pair) => {
        const [tenantId = '', agentId = ''] = pair.split('/');
        return scoreRow({ tenantId, agentId });
      });
      await store.fold(rows, at(1));
      const names = async (tenant: string, after: string, limit = 10) =>
        (await store.list(tenant, after, limit)).map((row) => `${row.tenantId}/${row.agentId}`);
      expect(await names('t', '')).toEqual(['t/a', 't/b', 't/c']);
      expect(await names('t', 'a', 1)).toEqual(['t/b']);
      expect(await names('', '')).toEqual(['u/B', 't/a', 't/b', 'u/b', 'v/b', 't/c']);
      expect(await names('', 't/b', 2)).toEqual(['u/b', 'v/b']);
      expect(await names('', 'b')).toEqual(['t/c']);
      expect(await names('w', '')).toEqual([]);
    });
  });
}

/** `other` sees the same rows, as a second process does. */
export function describeSharedScoreStore(
  name: string,
  make: () => Promise<{ store: SharedScoreStore; other: SharedScoreStore }>,
): void {
  describe(`shared score store: ${name}`, () => {
    let store: SharedScoreStore;
    let other: SharedScoreStore;
    beforeEach(async () => {
      ({ store, other } = await make());
    });
    const key = { tenantId: 't', agentId: 'a' };

    it('folds from what was read', async () => {
      const first = scoreRow({ tally: '{"v":1}' });
      expect(await store.foldFrom({ from: 0, tallies: [''] }, [first], at(5))).toBe(true);
      const second = scoreRow({ tally: '{"v":1,"n":2}', score: 600 });
      expect(await other.foldFrom({ from: 5, tallies: ['{"v":1}'] }, [second], at(7))).toBe(true);
      expect(await store.read(key)).toEqual(second);
      expect(await store.position(LOG)).toBe(7);
      expect(await store.foldFrom({ from: 7, tallies: [] }, [], at(9))).toBe(true);
      expect(await other.position(LOG)).toBe(9);
      expect((await store.list('t', '', 10)).map((row) => row.agentId)).toEqual(['a']);
    });

    it('changes nothing when another was there first: the same place, a row of another log, a row that is new', async () => {
      await other.foldFrom({ from: 0, tallies: [''] }, [scoreRow()], at(5));
      const mine = [scoreRow({ agentId: 'b' }), scoreRow({ tally: '{"mine":1}' })];
      const refused = [
        [{ from: 0, tallies: ['', '{"v":1}'] }, at(9)],
        [{ from: 6, tallies: ['', '{"v":1}'] }, at(9)],
        [{ from: 0, tallies: ['', ''] }, at(9, 'bbbbbbbbbbbb')],
        [{ from: 0, tallies: ['', '{"v":2}'] }, at(9, 'bbbbbbbbbbbb')],
        [{ from: 0, tallies: ['{"v":1}', '{"v":1}'] }, at(9, 'bbbbbbbbbbbb')],
      ] as const;
      for (const [base, position] of refused) expect(await store.foldFrom(base, mine, position)).toBe(false);
      expect(await store.read(key)).toEqual(scoreRow());
      expect(await store.read({ tenantId: 't', agentId: 'b' })).toBeUndefined();
      expect(await store.position(LOG)).toBe(5);
      expect(await store.position('bbbbbbbbbbbb')).toBe(0);
    });

    it('counts the places of all', async () => {
      const tries = Array.from({ length: 40 }, (_, n) =>
        (n % 2 ? store : other).hold({ tenantId: 't', agentId: `a${n}` }, 7),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(7);
      await store.foldFrom(
        { from: 0, tallies: [''] },
        [scoreRow({ agentId: 'x', validReceipts: 0, assertedValidReceipts: 1 })],
        at(1),
      );
      expect(await other.hold({ tenantId: 't', agentId: 'y' }, 8)).toBe(false);
    });

    it('lets exactly one of many have a place', async () => {
      const tries = Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? store : other).foldFrom({ from: 0, tallies: [''] }, [scoreRow({ score: 300 + n })], at(1)),
      );
      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    });
  });
}
