import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, test, vi } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import {
  ReinstateRequestSchema,
  RevocationLevel,
  RevokeRequestSchema,
} from '../../gen/beacon/v1/kill_switch_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import type { ActionRecord } from '../../ports/action-store/port.ts';
import { actionRecord, LOG } from '../../ports/action-store/records.fixture.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { MemoryRevocationList } from '../../ports/revocation-list/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import type { LeasedSigner } from './lease.ts';
import { killSwitchMeter } from './meter.ts';
import { KillSwitch, MAX_LISTED_ACTIONS, WATCH_LIST_MS } from './service.ts';

const LEASE_MS = 600;
const context: CallContext = {
  principal: { role: 'operator', provenance: 'authenticated', subject: 'token:op' },
  deadlineMs: Number.MAX_SAFE_INTEGER,
  requestDigest: '',
  traceId: '0'.repeat(32),
};
const bus = new MemoryEventBus();
const metrics = createMetrics('beacon_', { processMetrics: false });
const meter = killSwitchMeter(metrics);
const now = Date.now;
const failed = () => {};

function newLog(logId: string) {
  const store = createMemoryLedger({ logId, origin: `beacon.local/test/${logId}` });
  const note = { vkey: '', sign: () => new Uint8Array() };
  return { store, signer: new ReceiptSigner({ store, keys: memorySigningKeys(), note, bus, now, failed }) };
}

type Change = {
  signers?: readonly LeasedSigner[];
  log?: ReturnType<typeof newLog>;
  leads?: () => Promise<boolean>;
  actions?: MemoryActionStore;
  reflected?: () => Promise<boolean>;
  followed?: (logId: string) => Promise<number>;
};

function setUp(change: Change = {}) {
  const own = change.log ?? newLog('aaaaaaaaaaaa');
  const first = newLog('bbbbbbbbbbbb');
  const list = new MemoryRevocationList();
  const make = (signers: readonly LeasedSigner[]) =>
    new KillSwitch({
      log: own.signer,
      list,
      signers,
      actions: change.actions ?? new MemoryActionStore(),
      reflected: change.reflected ?? (async () => true),
      ...(change.followed ? { followed: change.followed } : {}),
      bus,
      env: {
        now,
        failed,
        leaseMs: LEASE_MS,
        randomHex: (bytes) => randomBytes(bytes).toString('hex'),
        digest: (text) => Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64),
        isMinted: async () => false,
        leads: change.leads ?? (async () => true),
        context: () => context,
        meter,
      },
    });
  return { own, first, list, make, killSwitch: make(change.signers ?? [first.signer]) };
}

const revoke = (on: KillSwitch, scope: string, reason = '') =>
  on.revoke(create(RevokeRequestSchema, { scope, reason }), context).then(({ revocation }) => revocation);
const forms = async ({ store }: ReturnType<typeof newLog>) =>
  (await store.scan(0, 100)).map(({ leaf }) => {
    const { form, operation, scope } = readReceipt(leaf).predicate;
    return `${form} ${operation} ${scope}`;
  });

test('a revocation is a leaf of its own log, a fence in the signer’s, a barrier that says so, and an entry in the list', async () => {
  const { killSwitch, own, first, list } = setUp();
  await killSwitch.start();
  const revocation = await revoke(killSwitch, 'agent:t/a', 'reasons');
  killSwitch.stop();
  expect(revocation).toMatchObject({ scope: 'agent:t/a', epoch: 2n, level: RevocationLevel.DRAINED });
  expect(revocation?.logs[0]?.ended).toEqual({ case: 'fenceIndex', value: 0n });
  expect(await forms(own)).toEqual([
    'epoch initialise global',
    'revocation revoke agent:t/a',
    'barrier revoke agent:t/a',
  ]);
  expect(await forms(first)).toEqual(['fence revoke agent:t/a']);
  expect(await list.consult(['agent:t/a', 'agent:t/b'])).toEqual({ epoch: 2, revoked: ['agent:t/a'] });
});

test('an answer says when the barrier stood, as its leaf does, however long the answer took after it', async () => {
  const tookMs = 50;
  const reflected = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), tookMs));
  const { killSwitch, own } = setUp({ reflected });
  await killSwitch.start();
  const requestId = 'once';
  const asked = create(RevokeRequestSchema, { scope: 'agent:t/a', requestId });
  const { revocation } = await killSwitch.revoke(asked, context);
  const answeredMs = now();
  const barrierMs = revocation?.barrierAt && timestampMs(revocation.barrierAt);
  const leaves = (await own.store.scan(0, 100)).map(({ leaf }) => readReceipt(leaf).predicate);
  const sealed = leaves.find(({ form }) => form === 'barrier')?.sealed_at;
  expect(barrierMs).toBe(Date.parse(String(sealed)));
  expect(answeredMs - Number(barrierMs)).toBeGreaterThanOrEqual(tookMs - 1);
  expect((await killSwitch.revoke(asked, context)).revocation?.barrierAt).toEqual(revocation?.barrierAt);
  expect((await killSwitch.listRevocations()).revocations[0]?.barrierAt).toEqual(revocation?.barrierAt);
  killSwitch.stop();
});

test('however many actions are open, a permit that may still be redeemed is not taken for drained', async () => {
  const actions = new MemoryActionStore();
  const later = now() + 60_000;
  const put = (n: number, over: Partial<ActionRecord>) =>
    actions.putAction(actionRecord({ actionId: `act_${n}`, permitId: `p${n}`, ...over }), { logId: LOG, index: n });
  for (let n = 0; n <= MAX_LISTED_ACTIONS; n++) await put(n, { state: 'open' });
  const { killSwitch } = setUp({ actions });
  await killSwitch.start();
  const open = await revoke(killSwitch, 'agent:t/a');
  expect(open).toMatchObject({ level: RevocationLevel.DRAINED });
  expect(open?.openActions).toHaveLength(MAX_LISTED_ACTIONS);
  expect(open?.advice).toContain('More actions may be open than are listed.');
  await put(MAX_LISTED_ACTIONS + 1, { state: 'guarded', permitNotAfterMs: later });
  expect(await revoke(killSwitch, 'tool:git')).toMatchObject({ level: RevocationLevel.BARRIER });
  killSwitch.stop();
});

test.each([
  ['not known yet', async () => false],
  ['not to be learnt', () => Promise.reject(new Error('away'))],
])('not drained while what was sealed before the fences is %s', async (_, reflected) => {
  const { killSwitch } = setUp({ reflected });
  await killSwitch.start();
  const revocation = await revoke(killSwitch, 'agent:t/a');
  expect(revocation).toMatchObject({ level: RevocationLevel.BARRIER });
  expect(revocation?.advice).toContain('ask again whether it has ended');
  killSwitch.stop();
});

test('a change does not wait until it is known what was under way under the one before', async () => {
  class Slow extends MemoryActionStore {
    override liveInScope(...args: Parameters<MemoryActionStore['liveInScope']>) {
      return args[0] === 'agent:t/many' ? new Promise<never>(() => {}) : super.liveInScope(...args);
    }
  }
  const { killSwitch, own } = setUp({ actions: new Slow() });
  await killSwitch.start();
  void revoke(killSwitch, 'agent:t/many');
  void revoke(killSwitch, 'agent:t/b');
  await vi.waitFor(async () => expect((await forms(own)).at(-1)).toBe('barrier revoke agent:t/b'));
  killSwitch.stop();
});

test('what was under way is asked for by one answer at a time', async () => {
  let asking = 0;
  let most = 0;
  class Counted extends MemoryActionStore {
    override async liveInScope(...args: Parameters<MemoryActionStore['liveInScope']>) {
      most = Math.max(most, ++asking);
      await new Promise((resolve) => setTimeout(resolve, 5));
      asking -= 1;
      return super.liveInScope(...args);
    }
  }
  const { killSwitch } = setUp({ actions: new Counted() });
  await killSwitch.start();
  await Promise.all(Array.from({ length: 5 }, (_, i) => revoke(killSwitch, `agent:t/a${i}`)));
  killSwitch.stop();
  expect(most).toBe(1);
});

test('a stop that is in force is told though nobody can say what was under way, and not as drained', async () => {
  class Away extends MemoryActionStore {
    override async liveInScope(): Promise<never> {
      throw new Error('away');
    }
  }
  const { killSwitch } = setUp({ actions: new Away() });
  await killSwitch.start();
  const revocation = await revoke(killSwitch, 'agent:t/a');
  expect(revocation).toMatchObject({ level: RevocationLevel.BARRIER, openActions: [] });
  expect(revocation?.advice).toContain('More actions may be open than are listed.');
  expect(await revoke(killSwitch, 'agent:t/b')).toMatchObject({ level: RevocationLevel.BARRIER });
  killSwitch.stop();
});

test('what a person typed as a reason stands in no log', async () => {
  const { killSwitch, own } = setUp();
  await killSwitch.start();
  await revoke(killSwitch, 'global', 'the secret reason');
  killSwitch.stop();
  for (const { leaf, evidence } of await own.store.scan(0, 10)) {
    expect(Buffer.from(readReceipt(leaf).payload).toString()).not.toContain('secret reason');
    expect(evidence).toBeUndefined();
  }
});

test('concurrent changes take one epoch each, in order', async () => {
  const { killSwitch, list } = setUp();
  await killSwitch.start();
  const scopes = Array.from({ length: 10 }, (_, i) => `agent:t/a${i}`);
  const epochs = (await Promise.all(scopes.map((scope) => revoke(killSwitch, scope)))).map((one) => Number(one?.epoch));
  killSwitch.stop();
  expect(epochs).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect((await list.consult(scopes)).revoked.length).toBe(10);
});

test('reinstating needs something to reinstate', async () => {
  const { killSwitch } = setUp();
  await killSwitch.start();
  const reinstate = () => killSwitch.reinstate(create(ReinstateRequestSchema, { scope: 'agent:t/a' }), context);
  await expect(reinstate()).rejects.toMatchObject({ code: 'not_found' });
  await revoke(killSwitch, 'agent:t/a');
  expect((await reinstate()).revocation).toMatchObject({ operation: 'reinstate', epoch: 3n });
  killSwitch.stop();
});

test('a crash between the leaf and the barrier: the next start fences what was left', async () => {
  const stuck: LeasedSigner = {
    fence: () => new Promise(() => {}),
    grantLease: async () => ({ $typeName: 'beacon.v1.GrantLeaseResponse', origin: 'x', epoch: 99n, knownEpoch: 0n }),
    getStatus: () => Promise.reject(new Error('not asked')),
  };
  const { own, first, list, killSwitch, make } = setUp({ signers: [stuck] });
  await killSwitch.start();
  void revoke(killSwitch, 'agent:t/a');
  await vi.waitFor(async () => expect((await forms(own)).length).toBe(2));
  killSwitch.stop();
  const next = make([first.signer]);
  await next.start();
  next.stop();
  await vi.waitFor(async () => expect(await forms(own)).toContain('barrier revoke agent:t/a'));
  expect(await forms(first)).toEqual(['fence revoke agent:t/a']);
  expect((await list.consult(['agent:t/a'])).revoked).toEqual(['agent:t/a']);
});

test('a list that was flushed is rebuilt from the log, at the start and while running', async () => {
  const { killSwitch, list } = setUp();
  await killSwitch.start();
  await revoke(killSwitch, 'agent:t/a');
  list.flush();
  expect((await list.consult(['agent:t/a'])).epoch).toBeUndefined();
  await vi.waitFor(
    async () => expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 2, revoked: ['agent:t/a'] }),
    { timeout: 3 * WATCH_LIST_MS },
  );
  killSwitch.stop();
});

test('a list that was flushed comes back when the stores beside it have, not before', async () => {
  let reached = 0;
  const { killSwitch, list } = setUp({ followed: async () => reached });
  await killSwitch.start();
  expect((await list.consult(['global'])).epoch, 'where nothing was lost').toBe(1);
  await revoke(killSwitch, 'agent:t/a');
  list.flush();
  await new Promise((resolve) => setTimeout(resolve, 1.5 * WATCH_LIST_MS));
  await revoke(killSwitch, 'agent:t/b');
  expect((await list.consult(['global'])).epoch).toBeUndefined();
  reached = 1;
  const both = ['agent:t/a', 'agent:t/b'];
  await vi.waitFor(async () => expect(await list.consult(both)).toEqual({ epoch: 3, revoked: both }), {
    timeout: 3 * WATCH_LIST_MS,
  });
  killSwitch.stop();
});

test('a signer that cannot be reached is fenced by the end of its lease, not before', async () => {
  const { first, make } = setUp();
  const deaf: LeasedSigner = {
    fence: () => Promise.reject(new Error('unreachable')),
    grantLease: (request) => first.signer.grantLease(request),
    getStatus: () => first.signer.getStatus(),
  };
  const killSwitch = make([deaf]);
  await killSwitch.start();
  const revocation = await revoke(killSwitch, 'agent:t/a');
  killSwitch.stop();
  expect(revocation?.logs[0]?.ended.case).toBe('leaseEnd');
  const end = revocation?.logs[0]?.ended.value as { seconds: bigint; nanos: number };
  expect(Date.now()).toBeGreaterThanOrEqual(Number(end.seconds) * 1000 + end.nanos / 1e6);
});

test('a change that the list missed is not forgotten when the next one reaches it', async () => {
  const { killSwitch, list } = setUp();
  await killSwitch.start();
  const apply = list.apply.bind(list);
  list.apply = () => Promise.reject(new Error('connection lost'));
  await revoke(killSwitch, 'agent:t/a');
  list.apply = apply;
  await revoke(killSwitch, 'agent:t/b');
  killSwitch.stop();
  expect((await list.consult(['agent:t/a', 'agent:t/b'])).revoked).toEqual(['agent:t/a', 'agent:t/b']);
});

test('a list that was put back to an older state is rebuilt whole by the next change', async () => {
  const { killSwitch, list } = setUp();
  await killSwitch.start();
  await revoke(killSwitch, 'agent:t/a');
  list.flush();
  await list.rebuild([], 1);
  await revoke(killSwitch, 'agent:t/b');
  killSwitch.stop();
  expect(await list.consult(['agent:t/a', 'agent:t/b'])).toEqual({ epoch: 3, revoked: ['agent:t/a', 'agent:t/b'] });
});

test('the barrier’s leaf says how each log was stopped, and a change says which leases came before it', async () => {
  const { killSwitch, own, first } = setUp();
  await killSwitch.start();
  await revoke(killSwitch, 'agent:t/a');
  killSwitch.stop();
  const [, change, barrier] = (await own.store.scan(0, 3)).map(({ leaf }) => readReceipt(leaf).predicate);
  expect(change?.after_term).toBeGreaterThan(0);
  expect(barrier?.logs).toEqual([{ origin: first.store.origin, fence_index: 0 }]);
});

test('a log stopped by the end of its lease is named in the barrier too', async () => {
  const { own, first, make } = setUp();
  const killSwitch = make([
    {
      fence: () => Promise.reject(new Error('unreachable')),
      grantLease: (request) => first.signer.grantLease(request),
      getStatus: () => first.signer.getStatus(),
    },
  ]);
  await killSwitch.start();
  await revoke(killSwitch, 'agent:t/a');
  killSwitch.stop();
  const barrier = readReceipt((await own.store.scan(2, 1))[0]?.leaf as Uint8Array).predicate;
  expect(barrier.logs).toEqual([{ origin: first.store.origin, lease_end: expect.any(String) }]);
});

test('the time to stop is measured, by the level answered', async () => {
  const { killSwitch } = setUp();
  await killSwitch.start();
  const counted = async () =>
    /revocation_duration_seconds_count\{level="DRAINED"\} (\d+)/.exec((await metrics.expose()).text);
  const before = Number((await counted())?.[1] ?? 0);
  await revoke(killSwitch, 'agent:t/a');
  killSwitch.stop();
  expect(Number((await counted())?.[1])).toBe(before + 1);
});
