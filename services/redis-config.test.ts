import { expect, test } from 'vitest';
import { EnvReader } from '../runtime/env.ts';
import { readRedis } from './redis-config.ts';

function read(env: Readonly<Record<string, string>>) {
  const reader = new EnvReader(env, 'BEACON_');
  const place = readRedis(reader);
  return { place, faults: reader.faults };
}
const named = (env: Readonly<Record<string, string>>) => read(env).faults.map((fault) => fault.split(':')[0]);

test('one address, with what a URL may carry', () => {
  expect(read({}).place).toBeUndefined();
  expect(read({ BEACON_REDIS_URL: 'redis://h' }).place).toEqual({ address: { host: 'h', port: 6379 }, tls: false });
  const { place, faults } = read({ BEACON_REDIS_URL: 'rediss://u%40x:p%2Fw@[::1]:7000' });
  expect(faults).toEqual([]);
  expect(place).toMatchObject({ address: { host: '::1', port: 7000 }, username: 'u@x', tls: true });
  expect(place?.password?.reveal()).toBe('p/w');
  expect(`${place?.password}`).not.toContain('p/w');
});

test('sentinels, the name they know the primary by, and credentials for each', () => {
  expect(read({ BEACON_REDIS_SENTINELS: 'a:1, b,[::1]:3,[::2]' })).toEqual({
    faults: [],
    place: {
      sentinels: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26379 },
        { host: '::1', port: 3 },
        { host: '::2', port: 26379 },
      ],
      name: 'mymaster',
      tls: false,
    },
  });
  const { place, faults } = read({
    BEACON_REDIS_SENTINELS: 'a:1',
    BEACON_REDIS_SENTINEL_NAME: 'lists',
    BEACON_REDIS_SENTINEL_USERNAME: 'su',
    BEACON_REDIS_SENTINEL_PASSWORD: 'sp',
    BEACON_REDIS_URL: 'rediss://u:p@lists',
  });
  expect(faults).toEqual([]);
  expect(place).toMatchObject({ name: 'lists', sentinelUsername: 'su', username: 'u', tls: true });
  expect([place?.password?.reveal(), place?.sentinelPassword?.reveal()]).toEqual(['p', 'sp']);
});

test('what would not be used is a fault, and no fault repeats a value', () => {
  expect(named({ BEACON_REDIS_URL: 'redis://h', BEACON_REDIS_SENTINEL_NAME: 'lists' })).toEqual([
    'BEACON_REDIS_SENTINEL_NAME',
  ]);
  expect(named({ BEACON_REDIS_SENTINEL_PASSWORD: 'x' })).toEqual(['BEACON_REDIS_SENTINEL_PASSWORD']);
  for (const url of [
    'redis://elsewhere',
    'redis://mymaster:6379',
    'http://mymaster',
    'redis://mymaster/3',
    'nonsense',
  ]) {
    const { faults } = read({ BEACON_REDIS_SENTINELS: 'a:1', BEACON_REDIS_URL: url });
    expect(faults[0], url).toMatch(/^BEACON_REDIS_URL:/);
    expect(faults.join()).not.toContain('elsewhere');
  }
  expect(named({ BEACON_REDIS_SENTINELS: 'a:1', BEACON_REDIS_SENTINEL_NAME: 'a b' })).toEqual([
    'BEACON_REDIS_SENTINEL_NAME',
  ]);
});
