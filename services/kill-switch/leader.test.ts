// One kill switch after the other over one log: what the later counts on, and what the earlier can do no more.

import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { expect, test, vi } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';
import { ReinstateRequestSchema, RevokeRequestSchema } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { MemoryRevocationList } from '../../ports/revocation-list/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import type { LeasedSigner } from './lease.ts';
import { KillSwitch } from './service.ts';

const LEASE_MS = 900;
const context: CallContext = {
  principal: { role: 'operator', provenance: 'authenticated', subject: 'token:op' },
  deadlineMs: Number.MAX_SAFE_INTEGER,
  requestDigest: '',
  traceId: '0'.repeat(32),
};
const bus = new MemoryEventBus();

function newLog(role: string, logId: string) {
  const store = createMemoryLedger({ logId, origin: `beacon.local/${role}/${logId}` });
  const note = { vkey: '', sign: () => new Uint8Array() };
  const deps = { store, keys: memorySigningKeys(), note, bus, now: Date.now, failed: () => {} };
  return { store, signer: new ReceiptSigner(deps) };
}

function setUp() {
  const own = newLog('kill-switch', 'aaaaaaaaaaaa');
  const other = newLog('receipt-signer', 'bbbbbbbbbbbb');
  const list = new MemoryRevocationList();
  type Change = {
    signers?: readonly LeasedSigner[];
    leads?: () => Promise<boolean>;
    leaseMs?: number;
    now?: () => number;
  };
  type Named = Change & { signerNames?: readonly string[] };
  const make = ({
    signers = [other.signer],
    leads = async () => true,
    leaseMs = LEASE_MS,
    now = Date.now,
    ...named
  }: Named = {}) =>
    new KillSwitch({
      ...named,
      log: own.signer,
      list,
      signers,
      actions: new MemoryActionStore(),
      reflected: async () => true,
      bus,
      env: {
        now,
        failed: () => {},
        leads,
        leaseMs,
        randomHex: (bytes) => randomBytes(bytes).toString('hex'),
        digest: (text) => text,
        isMinted: async () => true,
        context: () => context,
        meter: { changed: () => {} },
      },
    });
  return { own, other, list, make };
}

const revoke = (on: KillSwitch, scope: string, requestId = '') =>
  on.revoke(create(RevokeRequestSchema, { scope, requestId }), context).then(({ revocation }) => revocation);
const forms = async ({ store }: ReturnType<typeof newLog>) =>
  (await store.scan(0, 100)).map(({ leaf }) => {
    const { form, operation } = readReceipt(leaf).predicate;
    return `${form} ${operation}`;
  });
const statusOf = ({ signer }: ReturnType<typeof newLog>) => signer.getStatus();
const unreachable = (real: LeasedSigner): LeasedSigner => ({
  fence: () => Promise.reject(new Error('unreachable')),
  grantLease: () => Promise.reject(new Error('unreachable')),
  getStatus: real.getStatus.bind(real),
});

test('each leader begins with an epoch of its own, and the list and the signers go with it', async () => {
  const { own, other, list, make } = setUp();
  const first = make();
  await first.start();
  await revoke(first, 'agent:t/a');
  first.stop();
  const second = make();
  await second.start();
  second.stop();
  expect(await forms(own)).toEqual(['epoch initialise', 'revocation revoke', 'barrier revoke', 'epoch lead']);
  expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 3, revoked: ['agent:t/a'] });
  expect((await statusOf(other)).epoch).toBe(3n);
});

test('a leader that has been followed prolongs no lease and is told of no fence, though it does not know it', async () => {
  const { own, other, make } = setUp();
  const deposed = make();
  await deposed.start();
  const leader = make();
  await leader.start();
  const { term } = await statusOf(other);
  leader.stop();
  await expect(revoke(deposed, 'agent:t/a')).rejects.toMatchObject({ code: 'failed_precondition' });
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 2));
  expect((await statusOf(other)).term).toBe(term);
  deposed.stop();
  expect(await forms(own)).not.toContain('barrier revoke');
  expect(await forms(other)).toEqual([]);
});

test('a leader that has been followed answers no BARRIER for a signer it cannot reach', async () => {
  const { own, other, make } = setUp();
  let leads = true;
  const deposed = make({ signers: [unreachable(other.signer)], leads: async () => leads });
  await deposed.start();
  const answer = revoke(deposed, 'agent:t/a');
  answer.catch(() => undefined);
  await vi.waitFor(async () => expect(await forms(own)).toHaveLength(2));
  leads = false;
  await expect(answer).rejects.toMatchObject({ code: 'unavailable' });
  deposed.stop();
  expect(await forms(own)).toEqual(['epoch initialise', 'revocation revoke']);
});

test('a leader that wakes up followed by another writes nothing', async () => {
  const { own, make } = setUp();
  let leads = true;
  const deposed = make({ leads: async () => leads });
  await deposed.start();
  leads = false;
  await expect(revoke(deposed, 'agent:t/a')).rejects.toMatchObject({ code: 'unavailable' });
  deposed.stop();
  expect(await forms(own)).toEqual(['epoch initialise']);
});

test('a leader that has been followed prolongs no lease of a signer that has not heard of the other', async () => {
  const { other, make } = setUp();
  let leads = true;
  const deposed = make({ leads: async () => leads });
  await deposed.start();
  const { term } = await statusOf(other);
  leads = false;
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS));
  deposed.stop();
  expect((await statusOf(other)).term).toBe(term);
});

test('leases are counted from before the question whether they may be granted', async () => {
  const { other, make } = setUp();
  let askedMs = 0;
  const slow = async () => {
    askedMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 400));
    return true;
  };
  const killSwitch = make({ leads: slow });
  await killSwitch.start();
  killSwitch.stop();
  const { leaseNotAfter } = await statusOf(other);
  const endMs = Number(leaseNotAfter?.seconds) * 1000 + (leaseNotAfter?.nanos ?? 0) / 1e6;
  expect(endMs).toBeLessThan(askedMs + LEASE_MS + 200);
});

test('who takes over waits for leases that the one before granted, as long as that one’s were', async () => {
  const { own, other, make } = setUp();
  const first = make();
  await first.start();
  first.stop();
  const second = make({ signers: [unreachable(other.signer)], leaseMs: 50 });
  const beganMs = Date.now();
  await second.start();
  const revocation = await revoke(second, 'agent:t/a');
  second.stop();
  expect(revocation?.logs[0]?.ended.case).toBe('leaseEnd');
  expect(Date.now() - beganMs).toBeGreaterThanOrEqual(LEASE_MS + CLOCK_BOUND_MS);
  expect(await forms(own)).toContain('barrier revoke');
});

test('a change whose answer was lost with its leader is made once when it is asked again', async () => {
  const { own, other, make } = setUp();
  const stuck = { ...unreachable(other.signer), fence: () => new Promise<never>(() => {}) };
  const first = make({ signers: [stuck] });
  await first.start();
  void revoke(first, 'agent:t/a', 'request-1');
  await vi.waitFor(async () => expect(await forms(own)).toHaveLength(2));
  first.stop();
  const second = make();
  await second.start();
  const answer = await revoke(second, 'agent:t/a', 'request-1');
  const again = await revoke(second, 'agent:t/a', 'request-1');
  await expect(revoke(second, 'agent:t/b', 'request-1')).rejects.toMatchObject({ code: 'conflict' });
  second.stop();
  expect(again).toEqual(answer);
  expect(answer?.logs[0]?.ended).toEqual({ case: 'fenceIndex', value: 0n });
  expect(await forms(own)).toEqual(['epoch initialise', 'revocation revoke', 'epoch lead', 'barrier revoke']);
});

test('a signer that a later leader is not told of is outwaited, by the one after that too, until its lease has ended', async () => {
  const { own, other, make } = setUp();
  const gone = newLog('receipt-signer', 'cccccccccccc');
  const kept = { signers: [other.signer], signerNames: ['kept'] };
  const first = make({ signers: [other.signer, gone.signer], signerNames: ['kept', 'gone'] });
  await first.start();
  first.stop();
  const grantedMs = Number((await statusOf(gone)).leaseNotAfter?.seconds) * 1000;
  const second = make(kept);
  await second.start();
  second.stop();
  const third = make(kept);
  await third.start();
  const stopped = await revoke(third, 'agent:t/a');
  expect(stopped?.logs.map(({ ended }) => ended.case)).toEqual(['fenceIndex', 'leaseEnd']);
  expect(Date.now()).toBeGreaterThan(grantedMs);
  // Nobody waits for it again.
  expect((await revoke(third, 'agent:t/b'))?.logs).toHaveLength(1);
  third.stop();
  expect(await forms(own)).toContain('barrier revoke');
});

test('a request asked again after its scope was changed back is a conflict: what it answered then no longer holds', async () => {
  const { make } = setUp();
  const killSwitch = make();
  await killSwitch.start();
  const reinstate = (scope: string, requestId: string) =>
    killSwitch.reinstate(create(ReinstateRequestSchema, { scope, requestId }), context);
  await revoke(killSwitch, 'agent:t/a', 'stop');
  await reinstate('agent:t/a', 'go-on');
  const conflict = { code: 'conflict', field: 'request_id' };
  await expect(revoke(killSwitch, 'agent:t/a', 'stop')).rejects.toMatchObject(conflict);
  await revoke(killSwitch, 'agent:t/a', 'stop-again');
  await expect(reinstate('agent:t/a', 'go-on')).rejects.toMatchObject(conflict);
  await expect(revoke(killSwitch, 'agent:t/a', 'stop')).rejects.toMatchObject(conflict);
  await revoke(killSwitch, 'agent:t/a', 'stop-again');
  killSwitch.stop();
});

test('a request asked again with another reason is a conflict, with the same one it is the first change', async () => {
  const { make } = setUp();
  const killSwitch = make();
  await killSwitch.start();
  const because = (reason: string) =>
    killSwitch.revoke(create(RevokeRequestSchema, { scope: 'agent:t/a', requestId: 'once', reason }), context);
  const { revocation } = await because('first');
  expect((await because('first')).revocation?.revocationId).toBe(revocation?.revocationId);
  for (const other of ['second', ''])
    await expect(because(other)).rejects.toMatchObject({ code: 'conflict', field: 'request_id' });
  killSwitch.stop();
});

test('a signer whose answers to grants were lost while scopes changed is granted leases again', async () => {
  const { other, make } = setUp();
  let lost = false;
  const losing: LeasedSigner = {
    fence: (request) => (lost ? Promise.reject(new Error('lost')) : other.signer.fence(request)),
    getStatus: other.signer.getStatus.bind(other.signer),
    async grantLease(request) {
      const answer = await other.signer.grantLease(request);
      if (lost) throw new Error('lost');
      return answer;
    },
  };
  const killSwitch = make({ signers: [losing] });
  await killSwitch.start();
  lost = true;
  await revoke(killSwitch, 'agent:t/a');
  await revoke(killSwitch, 'agent:t/b');
  lost = false;
  await revoke(killSwitch, 'agent:t/c');
  const { term } = await statusOf(other);
  await vi.waitFor(async () => expect((await statusOf(other)).term).toBeGreaterThan(term), { timeout: 3_000 });
  expect((await statusOf(other)).epoch).toBe(4n);
  killSwitch.stop();
});

test('a scope that is reinstated while a lease is granted is not lifted under the epoch before', async () => {
  const { other, make } = setUp();
  const granted: { epoch: number; scopes: readonly string[] }[] = [];
  let hold: Promise<unknown> | undefined;
  const slow: LeasedSigner = {
    fence: (request) => other.signer.fence(request),
    getStatus: other.signer.getStatus.bind(other.signer),
    async grantLease(request) {
      if (request.complete) granted.push({ epoch: Number(request.epoch), scopes: request.revokedScopes });
      const answer = await other.signer.grantLease(request);
      if (!request.complete) await hold;
      return answer;
    },
  };
  const killSwitch = make({ signers: [slow] });
  await killSwitch.start();
  await revoke(killSwitch, 'agent:t/a');
  const gate = Promise.withResolvers<void>();
  hold = gate.promise;
  // A renewal asks at epoch 2, and its answer is under way.
  await new Promise((resolve) => setTimeout(resolve, LEASE_MS / 3 + 50));
  await killSwitch.reinstate(create(ReinstateRequestSchema, { scope: 'agent:t/a' }), context);
  gate.resolve();
  await vi.waitFor(() => expect(granted.some(({ epoch }) => epoch === 2)).toBe(true), { timeout: 3_000 });
  killSwitch.stop();
  for (const { epoch, scopes } of granted) expect(scopes).toEqual(epoch === 2 ? ['agent:t/a'] : []);
});

test('a kill switch whose clock is ahead of a signer’s gives it no lease that would outlive a barrier', async () => {
  const { other, make } = setUp();
  const ahead = (ms: number) => make({ now: () => Date.now() + ms });
  const within = ahead(CLOCK_BOUND_MS / 2);
  await within.start();
  within.stop();
  const { term } = await statusOf(other);
  expect(term).toBeGreaterThan(0n);
  const beyond = ahead(10 * CLOCK_BOUND_MS);
  await beyond.start();
  beyond.stop();
  expect((await statusOf(other)).term).toBe(term);
});
