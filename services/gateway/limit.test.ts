// Who holds which share when there is not enough for all.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext, Principal } from '../../core/principal.ts';
import {
  DecisionAnswerSchema,
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  WaitForApprovalRequestSchema,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { createHttpServer, refuseOtherMethods } from '../../runtime/http.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { Access } from '../access.ts';
import { createLimit, limited, requireRoom } from './limit.ts';
import { mount } from './mount.ts';
import type { Decision } from './types.ts';

const MOST = 20;
const asserted: Principal = { role: 'agent', provenance: 'asserted', subject: 'asserted' };
const minted: Principal = {
  role: 'agent',
  provenance: 'authenticated',
  subject: 'token:1',
  tenantId: 'q',
  agentId: 'a',
};

/** A decision service that answers when told to. */
function held() {
  const metrics = createMetrics('beacon_', { processMetrics: false });
  const limit = createLimit({ maxInFlight: MOST, latencyTargetMs: 1_000 }, metrics);
  const answers: (() => void)[] = [];
  const service = {
    execute: () =>
      new Promise((resolve) => {
        answers.push(() => resolve(create(ExecuteResponseSchema, { answer: create(DecisionAnswerSchema) })));
      }),
  } as unknown as Decision;
  const decision = limited(service, limit);
  const ask = (principal: Principal, tenantId: string, idempotencyKey = '') => {
    const context: CallContext = { principal, deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' };
    const request = create(ExecuteRequestSchema, { proposal: { tenantId, agentId: 'a', idempotencyKey } });
    return decision.execute(request, context).then(
      () => 'answered',
      (error) => error.code as string,
    );
  };
  const release = () => {
    for (const answer of answers.splice(0)) answer();
  };
  return { ask, limit, metrics, release, answers };
}

test('callers without a token share one place, whatever tenants they name', async () => {
  const { ask, release, answers } = held();
  const quiet = ask(minted, 'q');
  const noisy = Array.from({ length: 5 * MOST }, (_, i) => ask(asserted, `tenant-${i}`));
  expect(answers.length).toBeLessThan(MOST);
  // What they may not take is there for another.
  const more = ask(minted, 'q');
  release();
  expect(await Promise.all([quiet, more])).toEqual(['answered', 'answered']);
  const ends = await Promise.all(noisy);
  expect(ends.filter((end) => end === 'resource_exhausted').length).toBeGreaterThan(4 * MOST);
});

test('alone, a tenant may take everything; what is refused is counted by its reason', async () => {
  const { ask, release, answers, metrics, limit } = held();
  const all = Array.from({ length: MOST + 5 }, () => ask(minted, 'q'));
  expect(answers.length).toBe(MOST);
  expect(() => requireRoom(limit, 'execute')).toThrow(/more is asked for/);
  expect(() => requireRoom(limit, 'guard')).toThrow(/more is asked for/);
  expect(() => requireRoom(limit, 'revoke')).not.toThrow();
  expect(() => requireRoom(limit, 'update_outcome')).not.toThrow();
  release();
  await Promise.all(all);
  const { text } = await metrics.expose();
  expect(text).toMatch(/beacon_sheds_total\{reason="limit"\} 7/);
  expect(text).toMatch(/beacon_concurrency_limit 20/);
});

test('copies of a call under way take no place, up to a bound', async () => {
  const { ask, release, answers } = held();
  const copies = Array.from({ length: 300 }, () => ask(minted, 'q', 'one'));
  expect(answers.length).toBeGreaterThan(256);
  expect(answers.length).toBeLessThanOrEqual(256 + MOST);
  const other = ask(minted, 'q', 'another');
  release();
  expect((await Promise.all(copies)).filter((end) => end === 'answered').length).toBeGreaterThan(256);
  expect(['answered', 'resource_exhausted']).toContain(await other);
});

test('a copy that comes when the first is answered takes a place: asking again costs work too', async () => {
  const { ask, release, answers, limit } = held();
  const ends: Promise<string>[] = [];
  const askAll = () => {
    for (let key = 0; key < MOST; key++) ends.push(ask(minted, 'q', `key-${key}`));
  };
  askAll();
  expect(() => requireRoom(limit, 'execute')).toThrow();
  askAll();
  for (const answer of answers.splice(0, MOST)) answer();
  await Promise.all(ends.slice(0, MOST));
  expect(() => requireRoom(limit, 'execute')).not.toThrow();
  // Copies are still under way, but nothing that they wait for is.
  askAll();
  expect(() => requireRoom(limit, 'execute')).toThrow();
  release();
  await Promise.all(ends);
});

test('copies without a place have one bound for each who holds a share, however many keys they name', async () => {
  const { ask, release, answers } = held();
  const noisy = Array.from({ length: 10 }, (_, key) =>
    Array.from({ length: 200 }, () => ask(minted, 'q', `key-${key}`)),
  ).flat();
  expect(answers.length).toBeLessThanOrEqual(256 + MOST);
  release();
  await Promise.all(noisy);
  const again = Array.from({ length: 256 }, () => ask(minted, 'q', 'again'));
  release();
  expect(new Set(await Promise.all(again))).toEqual(new Set(['answered']));
});

test('what is not limited is the service’s own, whatever it is made of', async () => {
  class Service {
    #closed = 0;
    async updateOutcome() {
      this.#closed += 1;
      return this.#closed;
    }
  }
  const metrics = createMetrics('beacon_', { processMetrics: false });
  const limit = createLimit({ maxInFlight: MOST, latencyTargetMs: 0 }, metrics);
  const decision = limited(new Service() as unknown as Decision, limit) as unknown as Service;
  expect(await decision.updateOutcome()).toBe(1);
});

test('over HTTP it is refused before anybody asks whose it is or reads it', async () => {
  let asked = 0;
  const full = new BeaconError('resource_exhausted', 'full', { retryAfterMs: 1_000 });
  const http = createHttpServer({
    ...{ bodyLimitBytes: 1_024, allowedHosts: [], contentTypes: ['application/json'], onError: () => {} },
  });
  const touched = async (): Promise<never> => {
    asked += 1;
    throw full;
  };
  mount(http, [{ method: 'POST', path: '/x', operation: 'execute', handle: touched }], {
    access: { authenticate: touched } as unknown as Access,
    now: Date.now,
    trace: { tracing: undefined, newTraceId: () => 'a'.repeat(32), looksSecret: () => false, residency: undefined },
    timeoutMs: 1_000,
    loopback: () => true,
    certificateOf: () => undefined,
    requireRoom: () => {
      throw full;
    },
    refuseOtherMethods,
  });
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/x`, { method: 'POST', headers, body: '{}' });
  await http.close();
  expect({ status: answer.status, retryAfter: answer.headers.get('retry-after'), asked }).toEqual({
    status: 429,
    retryAfter: '1',
    asked: 0,
  });
});

test('so many may wait for an approval, of one tenant fewer, and who does not wait is not counted', async () => {
  const metrics = createMetrics('beacon_', { processMetrics: false });
  const answers: (() => void)[] = [];
  const service = {
    waitForApproval: () => new Promise<void>((resolve) => answers.push(resolve)),
  } as unknown as Decision;
  const decision = limited(service, createLimit({ maxInFlight: MOST, latencyTargetMs: 1_000 }, metrics));
  const wait = (principal: Principal, waitMs = 60_000) =>
    decision
      .waitForApproval(create(WaitForApprovalRequestSchema, { actionId: 'act_1', waitMs }), {
        ...{ principal, deadlineMs: Number.POSITIVE_INFINITY, requestDigest: '', traceId: '' },
      })
      .then(
        () => 'answered',
        (error) => error.code as string,
      );
  const of = (tenantId: string) => ({ ...minted, tenantId });
  const noisy = Array.from({ length: 300 }, () => wait(asserted));
  const quiet = wait(of('q'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers.length).toBe(257);
  const many = Array.from({ length: 2_000 }, (_, n) => wait(of(`t${n}`)));
  const looked = wait(asserted, 0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers.length).toBe(1_025);
  for (const answer of answers.splice(0)) answer();
  expect(await Promise.all([quiet, looked])).toEqual(['answered', 'answered']);
  const refused = (await Promise.all([...noisy, ...many])).filter((end) => end === 'resource_exhausted');
  expect(refused.length).toBe(2_300 - 1_023);
  expect((await metrics.expose(undefined)).text).toContain(`beacon_sheds_total{reason="waits"} ${refused.length}`);
  // Who has been answered waits no more.
  void wait(asserted);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answers.length).toBe(1);
});
