// A real signer whose key is rotated while scoring follows it.

import { create } from '@bufbuild/protobuf';
import { afterEach, expect, test, vi } from 'vitest';
import type { CallContext } from '../../core/principal.ts';
import {
  DraftSchema,
  RotateKeyRequestSchema,
  SealRequestSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { MemoryReceiptStream } from '../../ports/receipt-stream/memory.ts';
import { MemoryScoreStore } from '../../ports/score-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import { StreamFollower } from './follow-stream.ts';
import { LOG } from './log.fixture.ts';
import { followSigner } from './signer-source.ts';

const MANY = 100;
const admin: CallContext = {
  principal: { role: 'admin', provenance: 'authenticated', subject: 'token:admin' },
  deadlineMs: Number.MAX_SAFE_INTEGER,
  requestDigest: '',
  traceId: '',
};
const bus = new MemoryEventBus();

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function newSigner() {
  const ledger = createMemoryLedger({ logId: LOG, origin: `beacon.local/receipt-signer/${LOG}` });
  const note = { vkey: '', sign: () => new Uint8Array() };
  const failed = () => {};
  return new ReceiptSigner({ store: ledger, keys: memorySigningKeys(), note, bus, now: Date.now, failed });
}

function deny(signer: ReceiptSigner) {
  const said = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated', decision: 'DENY', route: 'DENY' };
  const draft = create(DraftSchema, {
    kind: 'decision',
    actionId: `act_${'0'.repeat(32)}`,
    fingerprint: '0'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from(JSON.stringify({ ...said, reasons: [], parts: [], externality: {} })),
  });
  return signer.seal(create(SealRequestSchema, { drafts: [draft] }));
}

/** Handed over at once, as an outbox does. */
async function denyMany(signer: ReceiptSigner, stream: MemoryReceiptStream): Promise<void> {
  const sealed = await Promise.all(Array.from({ length: MANY }, () => deny(signer)));
  await stream.publish(
    sealed.flatMap(({ receipts }) =>
      receipts.map(({ receiptId, index, envelope }) => {
        return { receiptId, logId: LOG, index: Number(index), tenantId: 't', envelope };
      }),
    ),
  );
}

async function follow(signer: ReceiptSigner, stream: MemoryReceiptStream) {
  const store = new MemoryScoreStore();
  const log = await followSigner(signer, Date.now);
  const follower = new StreamFollower({ ...log, store, stream, bus, now: Date.now, onFault: () => {} });
  closers.push(() => follower.stop());
  follower.start();
  const folded = (count: number) =>
    vi.waitFor(async () => expect(await store.position(LOG)).toBe(count), { timeout: 8_000, interval: 10 });
  return { store, folded };
}

test('receipts under keys that were rotated one after the other all count, however soon', async () => {
  const signer = newSigner();
  const stream = new MemoryReceiptStream();
  const { store, folded } = await follow(signer, stream);
  await signer.rotateKey(create(RotateKeyRequestSchema), admin);
  await denyMany(signer, stream);
  await folded(MANY);
  await signer.rotateKey(create(RotateKeyRequestSchema), admin);
  await denyMany(signer, stream);
  await folded(2 * MANY);
  expect(await store.read({ tenantId: 't', agentId: 'a' })).toMatchObject({
    totalReceipts: 2 * MANY,
    validReceipts: 2 * MANY,
  });
});

test('what was published by somebody else asks for no keys', async () => {
  const signer = newSigner();
  const stranger = newSigner();
  const stream = new MemoryReceiptStream();
  await deny(signer);
  const [forged] = (await deny(stranger)).receipts;
  const asked = vi.spyOn(signer, 'getKeys');
  const envelope = forged?.envelope ?? new Uint8Array();
  await stream.publish([{ receiptId: `${LOG}-0`, logId: LOG, index: 0, tenantId: 't', envelope }]);
  const { store, folded } = await follow(signer, stream);
  await folded(1);
  expect(await store.read({ tenantId: 't', agentId: 'a' })).toMatchObject({ totalReceipts: 1, validReceipts: 1 });
  expect(asked).toHaveBeenCalledTimes(1);
});
