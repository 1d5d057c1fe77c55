import { describe, expect, it } from 'vitest';
import type { EarlyReceipts } from './port.ts';

export function describeEarlyReceipts(name: string, early: () => EarlyReceipts): void {
  describe(`early receipts: ${name}`, () => {
    it('keeps each receipt of an action once, until they are dropped, and mixes no two actions', async () => {
      const kept = early();
      await kept.keep(
        'act_1',
        new Map([
          ['r1', 'a'],
          ['r2', 'b'],
        ]),
      );
      await kept.keep(
        'act_1',
        new Map([
          ['r2', 'b'],
          ['r3', 'c'],
        ]),
      );
      await kept.keep('act_2', new Map([['r4', 'd']]));
      expect([...(await kept.of('act_1'))].sort()).toEqual(['a', 'b', 'c']);
      await kept.drop('act_1');
      expect([await kept.of('act_1'), await kept.of('act_2'), await kept.of('act_3')]).toEqual([[], ['d'], []]);
    });
  });
}
