// A machine whose clock was ahead has sealed receipts on days that have not come. They must cost no agent what it stands at.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_ONE, decision, worked } from './samples.fixture.ts';
import { computeScore, standingOf } from './score.ts';
import {
  addReceipt,
  addUnqualified,
  emptyTally,
  KEPT_DAYS,
  type ReceiptView,
  readTally,
  type Tally,
  voidReceipt,
  writeTally,
} from './tally.ts';

const D = DAY_ONE;
const tallied = (receipts: readonly ReceiptView[]) => receipts.reduce(addReceipt, emptyTally());
const days = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);
const shuffled = <T>(all: readonly T[]) => fc.shuffledSubarray([...all], { minLength: all.length });

describe('receipts of days to come', () => {
  const honest = days(D - 60, 61).flatMap((day) => worked(day));
  const ahead = [...worked(D + 4_000), ...worked(D + 9_000)];

  it('change nothing today, wherever they stand among the others', () => {
    const today = computeScore(tallied(honest), D);
    expect(today.score).toBeGreaterThan(600);
    for (const receipts of [
      [...honest, ...ahead],
      [...ahead, ...honest],
    ]) {
      expect(computeScore(tallied(receipts), D)).toEqual(today);
      expect(standingOf(tallied(receipts), 'authenticated', D)).toEqual(today);
    }
    const unqualified = addUnqualified(tallied(honest), 'bad_signature', D + 4_000);
    expect(computeScore(unqualified, D)).toEqual(today);
  });

  it('count when their day has come', () => {
    expect(computeScore(tallied([...honest, ...ahead]), D + 4_000).validReceipts).toBe(honest.length + 3);
  });
});

describe('days kept apart', () => {
  const long = days(D - 400, 401).flatMap((day) => worked(day));

  it('are so many; of older ones the total is kept', () => {
    const tally = tallied(long);
    expect(Object.keys(tally.minted.days)).toHaveLength(KEPT_DAYS);
    expect(computeScore(tally, D).validReceipts).toBe(long.length);
    expect(computeScore(tally, D - 90)).toEqual(computeScore(tallied(long.filter(({ day }) => day <= D - 90)), D - 90));
    expect(() => computeScore(tally, D - 91)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'as_of' }),
    );
  });

  it('are the same in any order, with what was voided, also where a day was left with nothing', () => {
    const orphan = decision(D - 400, 'DENY');
    const deeds: ((tally: Tally) => Tally)[] = days(D - 300, 301).map((day) => (tally) => {
      return addReceipt(addUnqualified(tally, 'unsigned', day), decision(day, 'ALLOW'));
    });
    const gone = (tally: Tally) => voidReceipt(addReceipt(tally, orphan), 'l-1', orphan, D - 399);
    const inOrder = writeTally([gone, ...deeds].reduce((tally, deed) => deed(tally), emptyTally()));
    fc.assert(
      fc.property(shuffled([gone, ...deeds]), (order) => {
        expect(readTally(writeTally(order.reduce((tally, deed) => deed(tally), emptyTally())))).toEqual(
          readTally(inOrder),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('are known of a tally that was written when days ended by the newest one', () => {
    const { summedTo: _unknown, ...before } = tallied(worked(D));
    expect(readTally(JSON.stringify(before)).summedTo).toBe(-1);
    const older = { ...before, minted: { ...before.minted, old: 5 } };
    expect(readTally(JSON.stringify(older)).summedTo).toBe(D - 271);
  });
});
