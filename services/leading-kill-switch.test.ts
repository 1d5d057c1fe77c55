// Who leads is found behind connections that end: what may be asked twice is, and what nobody can answer is refused soon.

import { expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import { type LeadingDeps, leadingKillSwitch } from './leading-kill-switch.ts';

type Replica = LeadingDeps['replicas'][number];

const call = (timeoutMs: number): CallContext => ({
  principal: { role: 'auditor', provenance: 'authenticated', subject: 'service:gateway' },
  deadlineMs: Date.now() + timeoutMs,
  requestDigest: '',
  traceId: '',
});
const unavailable = () => Promise.reject(new BeaconError('unavailable', 'stands by'));

function pair(...answers: readonly (() => Promise<unknown>)[]) {
  const asked = answers.map(() => 0);
  const replicas = answers.map((answer, at) => {
    const getKeys = () => {
      asked[at] = (asked[at] ?? 0) + 1;
      return answer();
    };
    return { killSwitch: {}, log: { getKeys } } as unknown as Replica;
  });
  const { log } = leadingKillSwitch({ replicas, now: Date.now, newRequestId: () => 'id' });
  return { asked, keys: (timeoutMs = 5_000) => log.getKeys({} as never, call(timeoutMs)) };
}

test('a leader whose connection has just ended is asked once more', async () => {
  let calls = 0;
  const { keys, asked } = pair(() => (++calls === 1 ? unavailable() : Promise.resolve('keys')), unavailable);
  expect(await keys()).toBe('keys');
  expect(asked).toEqual([2, 1]);
  expect(await keys()).toBe('keys');
  expect(asked).toEqual([3, 1]);
});

test('with nobody that leads, a question is refused soon, and at once when its caller cannot wait', async () => {
  const { keys, asked } = pair(unavailable, unavailable);
  await expect(keys()).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual([2, 2]);
  await expect(keys(50)).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual([3, 3]);
});

test('what is refused for another reason is not asked of the other', async () => {
  const { keys, asked } = pair(() => Promise.reject(new BeaconError('permission_denied', 'no')), unavailable);
  await expect(keys()).rejects.toMatchObject({ code: 'permission_denied' });
  expect(asked).toEqual([1, 0]);
});
