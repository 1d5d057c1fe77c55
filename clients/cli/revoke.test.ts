// A signer that cannot be reached is stopped by the end of its lease, up to ten minutes on: the answer is waited for as long.

import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const TEN_MINUTES_MS = 600_000;
let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => stub.reset());

test.each(['revoke', 'reinstate'])('%s waits for the longest lease, and says what it waits for', async (verb) => {
  const timeout = vi.spyOn(AbortSignal, 'timeout');
  stub.answers['POST /api/revocations'] = { body: { revocation_id: 'rev_1', level: 'BARRIER' }, afterMs: 2_300 };
  const { exit, out, err } = await stub.beacon([verb, 'agent:a', '--json']);
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ level: 'BARRIER' });
  expect(err).toMatch(/^beacon: waiting: .*lease.*\n$/);
  expect(timeout.mock.calls.at(-1)?.[0]).toBeGreaterThan(TEN_MINUTES_MS);
  timeout.mockRestore();
});

test('an answer that comes at once is not waited for', async () => {
  stub.answers['POST /api/revocations'] = { body: { revocation_id: 'rev_1', level: 'BARRIER' } };
  expect(await stub.beacon(['revoke', 'agent:a'])).toMatchObject({ exit: 0, err: '' });
});
