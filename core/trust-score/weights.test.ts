import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { DAY_WEIGHTS, HORIZON_DAYS, quotient } from './weights.ts';

it('is the table that version 1 is defined by', () => {
  expect(DAY_WEIGHTS).toHaveLength(HORIZON_DAYS);
  expect([0, 1, 45, 90, 179].map((age) => DAY_WEIGHTS[age])).toMatchInlineSnapshot(`
    [
      65536,
      64534,
      32746,
      16351,
      4125,
    ]
  `);
  const digest = createHash('sha256').update(JSON.stringify(DAY_WEIGHTS)).digest('hex');
  expect(digest).toMatchInlineSnapshot(`"be1ce916b60cf05f06c37761e4d09c3378c4516483b86ca8c4d6faad283762a4"`);
});

it('divides exactly, towards zero', () => {
  expect(quotient(7, 2)).toBe(3);
  expect(quotient(-7, 2)).toBe(-3);
  expect(Object.is(quotient(-1, 2), 0)).toBe(true);
  expect(quotient(9_007_199_254_740_991, 3)).toBe(3_002_399_751_580_330);
});
