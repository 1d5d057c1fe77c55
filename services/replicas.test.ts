// One that hangs costs the calls it holds and no more; equals take turns; one that was lost is left alone for a moment.

import { create } from '@bufbuild/protobuf';
import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import { GetScoreRequestSchema, ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { dial } from '../runtime/rpc-dial.ts';
import { fromStatus } from '../runtime/rpc-errors.ts';
import { leastBusy, madeBlind } from './replicas.ts';

type Service = { ask(): Promise<string> };

function world(...answers: readonly (() => Promise<string>)[]) {
  const clock = { ms: 0 };
  const asked = answers.map(() => 0);
  const services = answers.map(
    (answer, at): Service => ({
      ask: () => {
        asked[at] = (asked[at] ?? 0) + 1;
        return answer();
      },
    }),
  );
  return { clock, asked, one: leastBusy(services, () => clock.ms) };
}
const well = async () => 'well';

test('equals take turns', async () => {
  const { one, asked } = world(well, well, well);
  for (let i = 0; i < 9; i += 1) await one.ask();
  expect(asked).toEqual([3, 3, 3]);
});

test('one that hangs gets no second call while another is free', async () => {
  const { one, asked } = world(() => new Promise<string>(() => {}), well);
  const calls = Array.from({ length: 2 }, () => one.ask());
  await Promise.race(calls);
  for (let i = 0; i < 20; i += 1) await one.ask();
  expect(asked[0]).toBe(1);
});

test.each(['unavailable', 'deadline_exceeded'] as const)('after %s it is left alone for a moment', async (code) => {
  const { one, asked, clock } = world(() => Promise.reject(new BeaconError(code, '')), well);
  const ask = () => one.ask().catch(() => 'failed');
  for (let i = 0; i < 10; i += 1) await ask();
  expect(asked).toEqual([1, 9]);
  clock.ms += 1_000;
  for (let i = 0; i < 10; i += 1) await ask();
  expect(asked).toEqual([2, 18]);
});

test('one that nothing listens at costs no call: what was never sent goes to the next', async () => {
  const dead = dial(ScoringService, 'unix:/nowhere/there.sock');
  const asked = [0, 0];
  const clock = { ms: 0 };
  type Scoring = { getScore(): Promise<unknown> };
  const gone: Scoring = {
    getScore() {
      asked[0] = (asked[0] ?? 0) + 1;
      return dead.service.getScore(create(GetScoreRequestSchema), {});
    },
  };
  const there: Scoring = {
    async getScore() {
      asked[1] = (asked[1] ?? 0) + 1;
      return 'well';
    },
  };
  const one = leastBusy([gone, there], () => clock.ms);
  for (let i = 0; i < 4; i += 1) {
    clock.ms += 2_000;
    expect(await one.getScore()).toBe('well');
  }
  expect(asked[0]).toBeGreaterThan(0);
  expect(asked[1]).toBe(4);
  await expect(leastBusy([gone, gone], () => clock.ms).getScore()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/^no connection \(connect ENOENT \/nowhere\/there\.sock/),
  });
  dead.close();
});

test('a server that says it has no connection itself was reached: its call is not sent again', async () => {
  const answered = { code: 14, details: 'No connection established', metadata: new Metadata() };
  answered.metadata.set('beacon-code', 'unavailable');
  const { one, asked } = world(() => Promise.reject(fromStatus(answered)), well);
  for (let i = 0; i < 10; i += 1) await one.ask().catch(() => 'failed');
  expect(asked).toEqual([1, 9]);
});

test('a refusal says nothing about the replica; with all of them lost one is asked all the same', async () => {
  const refused = world(() => Promise.reject(new BeaconError('permission_denied', '')), well);
  for (let i = 0; i < 10; i += 1) await refused.one.ask().catch(() => '');
  expect(refused.asked).toEqual([5, 5]);
  const lost = () => Promise.reject(new BeaconError('unavailable', ''));
  const none = world(lost, lost);
  for (let i = 0; i < 10; i += 1) await expect(none.one.ask()).rejects.toMatchObject({ code: 'unavailable' });
  expect(none.asked).toEqual([5, 5]);
});

test('a repeat of what was once decided without the list says nothing of the replica, unless that is so now', () => {
  const reason = (rule: string) => ({ rule, code: 'revocation_unknown' });
  const repeat = (...rules: string[]) => ({ answer: { repeatedAnswer: true, reasons: rules.map(reason) } });
  expect(madeBlind(repeat('beacon.revocation'))).toBe(false);
  expect(madeBlind(repeat('beacon.repeat', 'beacon.revocation'))).toBe(true);
});

test('a replica that decides without the revocation list is left alone for a moment, unless all of them do', async () => {
  const asked = [0, 0];
  const clock = { ms: 0 };
  const deciding = (at: number, code: string) => ({
    async execute() {
      asked[at] = (asked[at] ?? 0) + 1;
      return { answer: { reasons: [{ code }] } };
    },
  });
  const one = leastBusy([deciding(0, 'revocation_unknown'), deciding(1, 'ok')], () => clock.ms, madeBlind);
  for (let i = 0; i < 10; i += 1) await one.execute();
  expect(asked).toEqual([1, 9]);
  clock.ms += 1_000;
  for (let i = 0; i < 10; i += 1) await one.execute();
  expect(asked).toEqual([2, 18]);
  const blind = [deciding(0, 'revocation_unknown'), deciding(1, 'revocation_unknown')];
  const all = leastBusy(blind, () => clock.ms, madeBlind);
  for (let i = 0; i < 10; i += 1) await all.execute();
  expect(asked).toEqual([7, 23]);
});
