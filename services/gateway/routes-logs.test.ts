// A key set that lacks a log's keys is not kept by anyone on the way.

import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import { createLogs } from './logs.ts';
import { logRoutes } from './routes-logs.ts';
import type { Call, LogReader } from './types.ts';

test('the keys of a log that is away are missing for a moment, not for a minute', async () => {
  let away = true;
  const reader = (name: string, isAway: () => boolean) =>
    ({
      async getKeys() {
        if (isAway()) throw new BeaconError('unavailable', 'away');
        return { origin: `beacon.local/${name}`, vkey: name, jwksJson: JSON.stringify({ keys: [{ kid: name }] }) };
      },
    }) as unknown as LogReader;
  const readers = [reader('a', () => false), reader('b', () => away)];
  const context = () => ({}) as CallContext;
  const route = logRoutes(createLogs(readers, context)).find(({ operation }) => operation === 'get_keys');
  const ask = async () => {
    const answer = await route?.handle({ context: context() } as Call);
    const { bytes, headers } = answer as { bytes: string; headers: Record<string, string> };
    return [JSON.parse(bytes).keys.map(({ kid }: { kid: string }) => kid), headers['cache-control']];
  };
  expect(await ask()).toEqual([['a'], 'no-store']);
  away = false;
  expect(await ask()).toEqual([['a', 'b'], 'public, max-age=60']);
  away = true;
  expect(await ask()).toEqual([['a', 'b'], 'public, max-age=60']);
});
