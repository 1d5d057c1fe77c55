import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { ReportUnansweredRequestSchema } from '../../gen/beacon/v1/unanswered_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import { callAs } from './decision.fixture.ts';
import { Projector } from './projector.ts';
import { Unanswered } from './unanswered.ts';

const LOG_ID = '0123456789ab';
const ACTION = `act_${'1'.repeat(32)}`;
const STARTED_MS = 1_000;

function world() {
  const store = createMemoryLedger({ logId: LOG_ID, origin: `beacon.local/receipt-signer/${LOG_ID}` });
  const clock = { ms: STARTED_MS };
  const note = { vkey: '', sign: () => new Uint8Array() };
  const deps = { store, keys: memorySigningKeys(), note, bus: new MemoryEventBus(), now: () => clock.ms };
  const signer = new ReceiptSigner({ ...deps, failed: () => {} });
  const stores = { actions: new MemoryActionStore(), idempotency: new MemoryIdempotency() };
  const reach = { leaves: Number.MAX_SAFE_INTEGER };
  const source = {
    logId: LOG_ID,
    size: () => Math.min(store.size(), reach.leaves),
    scan: (start: number, limit: number) => store.scan(start, limit),
  };
  const projector = new Projector(source, { stores, settings: { idempotencyTtlMs: 1_000 } }, () => {});
  const kept = new Set<string>();
  const voided: string[] = [];
  let isWell = true;
  const unanswered = new Unanswered(
    {
      actions: stores.actions,
      signer: {
        seal: (request) => signer.seal(request),
        getReceipt: (request) => signer.getReceipt(request),
        sizes: () => (isWell ? new Map([[LOG_ID, store.size()]]) : undefined),
      },
      suspicions: { keep: (id) => void kept.add(id), save: async () => {}, drop: (id) => void kept.delete(id) },
      now: () => clock.ms,
      context: () => callAs(),
      told: { voided: (reason) => void voided.push(reason), failed: () => {} },
    },
    STARTED_MS,
  );
  const look = async () => {
    await projector.follow();
    await unanswered.look();
  };
  const report = (askedAtMs: number, replicaGone = false) =>
    unanswered.reportUnanswered(
      create(ReportUnansweredRequestSchema, {
        calls: [{ actionId: ACTION, askedAtMs: BigInt(askedAtMs) }],
        replicaGone,
      }),
    );
  const leaves = async () => (await store.scan(0, 100)).map(({ leaf }) => readReceipt(leaf));
  return { reach, signer, clock, kept, voided, look, report, leaves, well: (now: boolean) => (isWell = now) };
}

const draft = (kind: string, actionId: string, predicate: object) =>
  create(pb.DraftSchema, {
    kind,
    actionId,
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from(JSON.stringify({ tenant_id: 't', agent_id: 'a', ...predicate })),
  });
/** Two leaves of one job; what else is sealed with a decision needs a lease. */
const decided = (actionId = ACTION) =>
  create(pb.SealRequestSchema, {
    drafts: [draft('decision', actionId, { decision: 'DENY', route: 'DENY' }), draft('assumption', actionId, {})],
  });
const closedIn = (leaves: Awaited<ReturnType<ReturnType<typeof world>['leaves']>>) =>
  leaves.filter(({ kind }) => kind === 'void').map(({ predicate }) => [predicate.voids, predicate.reason]);

test('everything that was sealed for a call nobody was answered to is voided, once', async () => {
  const { signer, look, report, leaves, kept, voided } = world();
  await signer.seal(decided());
  await signer.seal(decided(`act_${'2'.repeat(32)}`));
  await report(STARTED_MS - 1);
  expect(kept.size).toBe(1);
  await look();
  await report(STARTED_MS - 1);
  await look();
  expect(closedIn(await leaves())).toEqual([
    [`${LOG_ID}-0`, 'unanswered'],
    [`${LOG_ID}-1`, 'unanswered'],
  ]);
  expect([kept.size, voided]).toEqual([0, ['unanswered']]);
});

test('what was sealed together is voided together, though it is projected in parts', async () => {
  const { reach, signer, look, report, leaves, kept } = world();
  await signer.seal(decided());
  await report(STARTED_MS - 1);
  reach.leaves = 1;
  await look();
  expect([kept.size, closedIn(await leaves())]).toEqual([1, []]);
  reach.leaves = 2;
  await look();
  expect([kept.size, closedIn(await leaves()).length]).toEqual([0, 2]);
});

test('a call that this very process took is its own to answer for', async () => {
  const { signer, look, report, leaves, kept } = world();
  await signer.seal(decided());
  await report(STARTED_MS);
  await look();
  expect([kept.size, closedIn(await leaves())]).toEqual([0, []]);
  await report(STARTED_MS, true);
  await look();
  expect(closedIn(await leaves())).toHaveLength(2);
});

test('what is sealed late is found, also by a signer that hung; what can no longer come is forgotten', async () => {
  const { signer, clock, look, report, leaves, kept, well } = world();
  await report(STARTED_MS - 1);
  well(false);
  clock.ms += 60_000;
  await look();
  well(true);
  await look();
  clock.ms += 5_000;
  await signer.seal(decided());
  await look();
  expect(closedIn(await leaves())).toHaveLength(2);
  expect(kept.size).toBe(0);
  const other = world();
  await other.report(STARTED_MS - 1);
  for (const ms of [0, 9_000, 2_000]) {
    other.clock.ms += ms;
    expect(other.kept.size).toBe(1);
    await other.look();
  }
  expect(other.kept.size).toBe(0);
});
