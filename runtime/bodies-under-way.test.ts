import { expect, test } from 'vitest';
import { BodiesUnderWay } from './bodies-under-way.ts';

const PIECE = 512;

function held(most: number) {
  const refused: string[] = [];
  let count = 0;
  const bodies = new BodiesUnderWay({ most: most + PIECE * 100, refused: () => void count++ });
  /** Holds exactly so many bytes beside what its piece costs, which the bound above is wide enough for. */
  const hold = (share: string, name: string, bytes: number) => {
    const body = bodies.begin(share, () => refused.push(name));
    body.add(bytes);
    return body;
  };
  return { bodies, hold, refused, count: () => count };
}

test('whoever holds the most gives way, and not who comes last', () => {
  const { bodies, hold, refused, count } = held(1_000_000);
  for (let at = 0; at < 10; at++) hold('noisy', `noisy ${at}`, 100_000 + at);
  expect(refused).toEqual([]);
  hold('quiet', 'quiet', 60_000);
  expect(refused).toEqual(['noisy 9']);
  // A share alone may have everything; who comes later still gets what is its own.
  for (let at = 0; at < 4; at++) hold('late', `late ${at}`, 90_000);
  expect(refused.every((name) => name.startsWith('noisy'))).toBe(true);
  expect(count()).toBe(refused.length);
  expect(bodies.bytes).toBeLessThanOrEqual(1_000_000 + PIECE * 100);
});

test('within a share the small bodies stay, and of equal ones the last', () => {
  const { hold, refused } = held(1_000_000);
  for (let at = 0; at < 10; at++) hold('one', `${at}`, 104_000);
  hold('one', 'small', 100_000);
  expect(refused).toEqual(['0']);
});

test('many shares cannot crowd one out', () => {
  const { hold, refused } = held(1_000_000);
  for (let at = 0; at < 500; at++) hold(`share ${at}`, `${at}`, 100_000);
  const before = refused.length;
  hold('quiet', 'quiet', 2_000);
  expect(refused.slice(before)).not.toContain('quiet');
});

test('what was held is given back once, however it ends', () => {
  const { bodies, hold, refused } = held(1_000_000);
  const whole = hold('a', 'whole', 400_000);
  const cleared = hold('a', 'cleared', 300_000);
  const ended = hold('b', 'ended', 900_000);
  expect(refused).toEqual(['ended']);
  cleared.clear();
  expect(bodies.bytes).toBe(400_000 + PIECE);
  cleared.add(5);
  for (const body of [whole, cleared, ended, whole, ended]) body.end();
  for (const body of [whole, ended]) body.add(9_000_000);
  whole.clear();
  expect(bodies.bytes).toBe(0);
  expect(refused).toEqual(['ended']);
});

test('a body that comes byte by byte counts for what its pieces cost', () => {
  const { bodies, hold } = held(1_000_000);
  const body = hold('a', 'a', 1);
  for (let at = 1; at < 100; at++) body.add(1);
  expect(bodies.bytes).toBe(100 + 100 * PIECE);
});
