import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRfc3339, rfc3339 } from './rfc3339.ts';

const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

describe('times', () => {
  test('are written as toISOString writes them, also before 1970 and with parts of a millisecond', () => {
    fc.assert(
      fc.property(fc.double({ min: -LATEST_MS / 4, max: LATEST_MS, noNaN: true }), (ms) => {
        expect(rfc3339(ms)).toBe(new Date(ms).toISOString());
        expect(isRfc3339(rfc3339(Math.abs(ms)))).toBe(true);
      }),
    );
    for (const ms of [-1, 0, 1, 999, 1_000]) expect(rfc3339(ms)).toBe(new Date(ms).toISOString());
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])('%d is none', (ms) => {
    expect(() => rfc3339(ms)).toThrow(RangeError);
  });

  test.each([
    '2026-02-30T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.0000Z',
    '2026-01-01T00:00:00.000+00:00',
    ' 2026-01-01T00:00:00.000Z',
  ])('%s is no time, also after a sound one of that second', (text) => {
    isRfc3339('2026-01-01T00:00:00.000Z');
    expect(isRfc3339(text)).toBe(false);
  });
});
