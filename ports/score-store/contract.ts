// What every score store must do.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ScoreRow, ScoreStore } from './port.ts';

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
