import { expect, test } from 'vitest';
import { OwnedClaims } from './owned-claims.ts';

test('a claim is given back once, by the owner it was last made for', () => {
  const claims = new OwnedClaims(1_000, () => 0);
  claims.keep('a', 'first');
  claims.keep('a', 'second');
  expect(claims.take('a')).toBe('second');
  expect(claims.take('a')).toBeUndefined();
});

test('what has ended elsewhere is forgotten, however many there were', () => {
  let nowMs = 0;
  const claims = new OwnedClaims(1_000, () => nowMs);
  for (let i = 0; i < 10_000; i += 1) {
    nowMs = i;
    claims.keep(`claim ${i}`, 'me');
  }
  expect(claims.size).toBe(1_000);
  expect(claims.take('claim 8999')).toBeUndefined();
  expect(claims.take('claim 9000')).toBe('me');
});
