import { expect, test } from 'vitest';
import { CLOCK_BOUND_MS, Fences } from './fences.ts';

const leased = () => {
  const fences = new Fences();
  fences.grant({ term: 1, notAfterMs: 10_000 }, 1, []);
  return fences;
};

test('without a lease nothing may be allowed', () => {
  expect(new Fences().refuses(['global'], 0)).toBe('no_lease');
});

test('a lease is used only until the clock bound before its end', () => {
  const fences = leased();
  expect(fences.refuses(['global'], 10_000 - CLOCK_BOUND_MS - 1)).toBeUndefined();
  expect(fences.refuses(['global'], 10_000 - CLOCK_BOUND_MS)).toBe('no_lease');
});

test('a fence stops its scope and no other', () => {
  const fences = leased();
  fences.move('agent:t/a', 'revoke', 2);
  expect(fences.refuses(['global', 'agent:t/a'], 0)).toBe('fenced');
  expect(fences.refuses(['global', 'agent:t/b'], 0)).toBeUndefined();
  fences.move('agent:t/a', 'reinstate', 3);
  expect(fences.refuses(['agent:t/a'], 0)).toBeUndefined();
});

test('a late or repeated move changes nothing', () => {
  const fences = leased();
  fences.move('global', 'revoke', 5);
  fences.move('global', 'reinstate', 4);
  fences.move('global', 'reinstate', 5);
  expect(fences.refuses(['global'], 0)).toBe('fenced');
});

test('a lease of an epoch whose fences are missing is not taken until every scope comes with it', () => {
  const fences = new Fences();
  expect(fences.grant({ term: 1, notAfterMs: 10_000 }, 7, undefined)).toBe(false);
  expect(fences.refuses([], 0)).toBe('no_lease');
  expect(fences.grant({ term: 2, notAfterMs: 10_000 }, 7, ['tool:git'])).toBe(true);
  expect(fences.refuses(['tool:git'], 0)).toBe('fenced');
});

test('an older term or epoch is refused', () => {
  const fences = leased();
  fences.move('global', 'revoke', 9);
  expect(() => fences.grant({ term: 0, notAfterMs: 99_999 }, 9, undefined)).toThrow('later lease');
  expect(() => fences.grant({ term: 2, notAfterMs: 99_999 }, 8, [])).toThrow('behind');
});
