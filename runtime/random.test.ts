import { expect, test } from 'vitest';
import { MAX_RANDOM_BYTES, randomHex } from './random.ts';

test('gives as many bytes as asked for, none twice, over many pages', () => {
  const given = new Set<string>();
  for (let i = 0; i < 2_000; i++) {
    const hex = randomHex(10);
    expect(hex).toMatch(/^[0-9a-f]{20}$/);
    given.add(hex);
  }
  expect(given.size).toBe(2_000);
  expect(randomHex(MAX_RANDOM_BYTES)).toHaveLength(2 * MAX_RANDOM_BYTES);
  expect(randomHex(0)).toBe('');
});

test('more than a page holds is refused', () => {
  expect(() => randomHex(MAX_RANDOM_BYTES + 1)).toThrow(RangeError);
  expect(() => randomHex(Number.NaN)).toThrow(RangeError);
});
