import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import { ExecuteRequestSchema, type Proposal } from '../gen/beacon/v1/decision_service_pb.js';
import {
  type ReportUnansweredRequest,
  ReportUnansweredResponseSchema,
} from '../gen/beacon/v1/unanswered_service_pb.js';
import { UnansweredCalls } from './unanswered-calls.ts';

const call: CallContext = {
  principal: { role: 'agent', provenance: 'asserted', subject: 'asserted' },
  deadlineMs: 0,
  requestDigest: '',
  traceId: '',
};

/** Replicas are as the wire has them: each answers, fails, or is not there. */
function world() {
  const clock = { ms: 1_000 };
  const told: [place: number, ReportUnansweredRequest][] = [];
  const away = new Set<number>();
  let ids = 0;
  const replica = (place: number) => ({
    reportUnanswered: async (request: ReportUnansweredRequest) => {
      if (away.has(place)) throw new BeaconError('unavailable', 'not there');
      told.push([place, request]);
      return create(ReportUnansweredResponseSchema);
    },
  });
  const calls = new UnansweredCalls({
    replicas: [replica(0), replica(1)],
    now: () => clock.ms,
    newActionId: () => `act_${ids++}`,
    context: () => call,
    failed: () => {},
  });
  const seen: (Proposal | undefined)[] = [];
  const failing = (code: 'unavailable' | 'permission_denied') => {
    const fail = async ({ proposal }: { proposal?: Proposal }) => {
      seen.push(proposal);
      throw new BeaconError(code, 'lost');
    };
    return calls.watching({ guard: fail, execute: fail } as never, 0) as unknown as {
      execute(request: object, context: CallContext): Promise<unknown>;
    };
  };
  return { clock, told, away, calls, seen, failing };
}

const asking = (idempotencyKey = '') => create(ExecuteRequestSchema, { proposal: { tenantId: 't', idempotencyKey } });

test('a call that ended unclear is told to the replica that took it, by the id its proposal had', async () => {
  const { told, calls, seen, failing } = world();
  await expect(failing('unavailable').execute(asking(), call)).rejects.toMatchObject({ code: 'unavailable' });
  await calls.report();
  expect(seen[0]).toMatchObject({ tenantId: 't', actionId: 'act_0' });
  expect(told).toMatchObject([[0, { replicaGone: false, calls: [{ actionId: 'act_0', askedAtMs: 1_000n }] }]]);
  expect(calls.size).toBe(0);
});

test('what was refused in clear words, or can be asked for by its key, is not told', async () => {
  const { told, calls, seen, failing } = world();
  await failing('permission_denied')
    .execute(asking(), call)
    .catch(() => {});
  await failing('unavailable')
    .execute(asking('key'), call)
    .catch(() => {});
  await calls.report();
  expect(seen[1]?.actionId).toBe('');
  expect(told).toEqual([]);
});

test('a replica that stays away is waited for, then another is told that it is gone', async () => {
  const { clock, told, away, calls, failing } = world();
  away.add(0);
  await failing('unavailable')
    .execute(asking(), call)
    .catch(() => {});
  await calls.report();
  clock.ms += 10_000;
  await calls.report();
  expect([told, calls.size]).toEqual([[], 1]);
  clock.ms += 10_000;
  await calls.report();
  expect(told).toMatchObject([[1, { replicaGone: true, calls: [{ actionId: 'act_0' }] }]]);
  expect(calls.size).toBe(0);
});
