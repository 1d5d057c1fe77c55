// The kill-switch over real signers in memory: what its log says, what becomes of a list that forgot, what is measured.

import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { ReinstateRequestSchema, RevokeRequestSchema } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { MemoryRevocationList } from '../../ports/revocation-list/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import type { LeasedSigner } from './lease.ts';
import { killSwitchMeter } from './meter.ts';
import { KillSwitch } from './service.ts';

const LEASE_MS = 300;
const context: CallContext = {
  principal: { role: 'admin', provenance: 'authenticated', subject: 'token:test' },
  deadlineMs: Number.MAX_SAFE_INTEGER,
  requestDigest: '',
  traceId: '0'.repeat(32),
};

function openLog(role: string, logId: string) {
  const origin = `beacon.local/${role}/${logId}`;
  const store = createMemoryLedger({ logId, origin });
  const note = { vkey: '', sign: () => new Uint8Array() };
  const bus = new MemoryEventBus();
  const signer = new ReceiptSigner({ store, keys: memorySigningKeys(), note, bus, now: Date.now, failed: () => {} });
  const predicates = async () => (await store.scan(0, 100)).map(({ leaf }) => readReceipt(leaf).predicate);
  return { signer, origin, predicates };
}

async function setUp(signers?: (real: LeasedSigner) => LeasedSigner) {
  const own = openLog('kill-switch', 'aaaaaaaaaaaa');
  const other = openLog('receipt-signer', '111111111111');
  const list = new MemoryRevocationList();
  const metrics = createMetrics('beacon_', { processMetrics: false });
  const killSwitch = new KillSwitch({
    log: own.signer,
    list,
    signers: [signers?.(other.signer) ?? other.signer],
    actions: new MemoryActionStore(),
    reflected: async () => true,
    bus: new MemoryEventBus(),
    env: {
      now: Date.now,
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      leaseMs: LEASE_MS,
      digest: () => '',
      isMinted: async () => true,
      failed: () => {},
      leads: async () => true,
      context: () => context,
      meter: killSwitchMeter(metrics),
    },
  });
  await killSwitch.start();
  const revoke = (scope: string) => killSwitch.revoke(create(RevokeRequestSchema, { scope }), context);
  const reinstate = (scope: string) => killSwitch.reinstate(create(ReinstateRequestSchema, { scope }), context);
  return { killSwitch, own, other, list, metrics, revoke, reinstate };
}

test('the barrier’s leaf says where each log was fenced, and a change says which leases came before it', async () => {
  const { killSwitch, own, other, revoke } = await setUp();
  await revoke('agent:a');
  killSwitch.stop();
  const [, change, barrier] = await own.predicates();
  expect(change).toMatchObject({ form: 'revocation', scope: 'agent:a', after_term: expect.any(Number) });
  expect(change?.after_term).toBeGreaterThan(0);
  expect(barrier).toMatchObject({ form: 'barrier', logs: [{ origin: other.origin, fence_index: 0 }] });
});

test('a signer that cannot be reached is waited for until its lease has ended, and named so', async () => {
  const { killSwitch, own, other, revoke } = await setUp((real) => ({
    grantLease: (request, call) => real.grantLease(request, call),
    getStatus: (request, call) => real.getStatus(request, call),
    fence: () => Promise.reject(new Error('gone')),
  }));
  const asked = Date.now();
  await revoke('agent:a');
  killSwitch.stop();
  expect(Date.now() - asked).toBeGreaterThan(LEASE_MS / 2);
  const barrier = (await own.predicates()).at(-1);
  expect(barrier).toMatchObject({ form: 'barrier', logs: [{ origin: other.origin, lease_end: expect.any(String) }] });
});

test('a list that was put back to an older state is rebuilt whole by the next change', async () => {
  const { killSwitch, list, revoke } = await setUp();
  await revoke('agent:a');
  list.flush();
  await list.rebuild([], 1);
  await revoke('agent:b');
  killSwitch.stop();
  expect(await list.consult(['agent:a', 'agent:b'])).toEqual({ epoch: 3, revoked: ['agent:a', 'agent:b'] });
});

test('the time to stop is measured, to each level that was reached', async () => {
  const { killSwitch, metrics, revoke, reinstate } = await setUp();
  await revoke('agent:a');
  await reinstate('agent:a');
  killSwitch.stop();
  const { text } = await metrics.expose();
  expect(text).toContain('beacon_revocation_duration_seconds_count{level="BARRIER"} 1');
  expect(text).toContain('beacon_revocation_duration_seconds_count{level="DRAINED"} 1');
  expect(text).toContain('beacon_reinstatement_duration_seconds_count 1');
});
