import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import { callAs } from './decision.fixture.ts';
import { inLog, type OrphanKeeper, type OrphanSigner, Orphans, suspicionsOf } from './orphans.ts';

const LOG_ID = '0123456789ab';

function world(loseAnswers = 0, keeper?: OrphanKeeper) {
  const store = createMemoryLedger({ logId: LOG_ID, origin: `beacon.local/receipt-signer/${LOG_ID}` });
  const clock = { ms: 0 };
  const failed = () => undefined;
  const note = { vkey: '', sign: () => new Uint8Array() };
  const bus = new MemoryEventBus();
  const real = new ReceiptSigner({ store, keys: memorySigningKeys(), note, bus, now: () => clock.ms, failed });
  let lose = loseAnswers;
  const signer: OrphanSigner = {
    listReceipts: (request) => real.listReceipts(request),
    async seal(request) {
      const response = await real.seal(request);
      lose -= 1;
      if (lose >= 0) throw new BeaconError('unavailable', 'the answer was lost');
      return response;
    },
  };
  let voided = 0;
  const orphans = new Orphans({
    signer,
    settleMs: 1_000,
    now: () => clock.ms,
    context: () => callAs(),
    voided: () => {
      voided += 1;
    },
    lost: () => undefined,
    ...(keeper ? { keeper } : {}),
  });
  const kinds = async () => (await store.scan(0, 100)).map(({ leaf }) => readReceipt(leaf));
  return { orphans, real, clock, kinds, voided: () => voided };
}

const outcome = (actionId: string, status = 'succeeded') =>
  create(pb.DraftSchema, {
    kind: 'outcome',
    actionId,
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from(JSON.stringify({ status, tenant_id: 't', agent_id: 'a' })),
  });
const sealing = (...drafts: pb.Draft[]) => create(pb.SealRequestSchema, { drafts });

test('what stands in the log is voided, with its tenant and agent; the same action’s other receipts stay', async () => {
  const { orphans, real, kinds, voided } = world();
  await real.seal(sealing(outcome('act_1'), outcome('act_2', 'failed')));
  orphans.suspect([outcome('act_2')], 0);
  orphans.suspect([outcome('act_1')], 0);
  await orphans.resolve();
  const voids = (await kinds()).filter(({ kind }) => kind === 'void');
  expect(voids.map(({ predicate }) => predicate)).toEqual([
    expect.objectContaining({ voids: `${LOG_ID}-0`, reason: 'orphan', tenant_id: 't', agent_id: 'a' }),
  ]);
  expect(voided()).toBe(1);
  expect(orphans.size).toBe(1);
});

test('a receipt is found under what its request or its void is kept as, and not that of the same request in another log', async () => {
  const kept: string[] = [];
  const { orphans, real, kinds } = world(0, {
    keep: (id) => kept.push(inLog(id, LOG_ID)),
    drop: () => undefined,
  });
  await real.seal(sealing(outcome('act_1'), outcome('act_2')));
  const [first, second] = (await kinds()) as [Receipt, Receipt];
  orphans.suspect([outcome('act_1'), outcome('act_2')], 0);
  expect(suspicionsOf(first)).toContain(kept[0]);
  expect(suspicionsOf({ ...first, logId: 'ffffffffffff' })).not.toContain(kept[0]);
  expect(suspicionsOf(second)).not.toContain(kept[0]);
  const voids = Buffer.from(JSON.stringify({ voids: second.receiptId }));
  orphans.owe(create(pb.DraftSchema, { kind: 'void', predicateJson: voids }));
  expect(suspicionsOf(second)).toContain(kept[1]);
});

test('a leaf before the request was sent cannot be its own', async () => {
  const { orphans, real, voided } = world();
  await real.seal(sealing(outcome('act_1')));
  orphans.suspect([outcome('act_1')], 1);
  await orphans.resolve();
  expect(voided()).toBe(0);
});

test('a void whose answer was lost is not written twice, and is counted once', async () => {
  const { orphans, real, kinds, voided } = world(1);
  await real.seal(sealing(outcome('act_1')));
  orphans.suspect([outcome('act_1')], 0);
  await expect(orphans.resolve()).rejects.toMatchObject({ code: 'unavailable' });
  expect(orphans.size).toBe(1);
  await orphans.resolve();
  expect((await kinds()).map(({ kind }) => kind)).toEqual(['outcome', 'void']);
  expect(voided()).toBe(1);
  expect(orphans.size).toBe(0);
});

test('a signer that is lost again is waited for anew', async () => {
  const { orphans, clock } = world();
  orphans.suspect([outcome('act_1')], 0);
  await orphans.resolve();
  orphans.unsettle();
  clock.ms = 1_000;
  await orphans.resolve();
  expect(orphans.size).toBe(1);
  clock.ms = 2_000;
  await orphans.resolve();
  expect(orphans.size).toBe(0);
});

test('what comes later than the signer’s return is found as long as it can come, and then forgotten', async () => {
  const { orphans, real, clock, voided } = world();
  orphans.suspect([outcome('act_1')], 0);
  orphans.suspect([outcome('act_2')], 0);
  await orphans.resolve();
  expect(orphans.size).toBe(2);
  clock.ms = 900;
  await real.seal(sealing(outcome('act_1')));
  await orphans.resolve();
  expect([voided(), orphans.size]).toEqual([1, 1]);
  clock.ms = 1_000;
  await orphans.resolve();
  expect([voided(), orphans.size]).toEqual([1, 0]);
});
