import { expect, test } from 'vitest';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';
import { Fences } from './fences.ts';

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

test('a fence that skips an epoch stops its scope, but no lease is taken until what was missed has come', () => {
  const fences = leased();
  fences.move('agent:t/c', 'revoke', 4);
  expect(fences.refuses(['agent:t/c'], 0)).toBe('fenced');
  expect(fences.epoch).toBe(1);
  expect(fences.grant({ term: 2, notAfterMs: 20_000 }, 4, undefined)).toBe(false);
  expect(() => fences.grant({ term: 3, notAfterMs: 20_000 }, 3, ['agent:t/b'])).toThrow('behind');
  expect(fences.grant({ term: 4, notAfterMs: 20_000 }, 4, ['agent:t/b', 'agent:t/c'])).toBe(true);
  expect(fences.refuses(['agent:t/b'], 0)).toBe('fenced');
});

test('a fence that reaches a signer before its first lease does not pass for all of them', () => {
  const fences = new Fences();
  fences.move('agent:t/c', 'revoke', 4);
  expect(fences.grant({ term: 1, notAfterMs: 10_000 }, 4, undefined)).toBe(false);
  expect(fences.epoch).toBe(0);
});

test('a reinstatement that skips an epoch reinstates nothing yet', () => {
  const fences = leased();
  fences.move('agent:t/a', 'revoke', 2);
  fences.move('agent:t/a', 'reinstate', 4);
  expect(fences.refuses(['agent:t/a'], 0)).toBe('fenced');
});
