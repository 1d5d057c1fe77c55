// Growth of a log is told a while after it, many leaves at once, and what was not told yet when the signer stops is told then.

import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { EVENTS } from '../../core/events.ts';
import { formatVkey, noteKey, signNote } from '../../core/ledger/note.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from './service.ts';

const LOG_ID = '0123456789ab';

test('leaves sealed just before a stop are told before it ends', async () => {
  const bus = new MemoryEventBus();
  const told: unknown[] = [];
  bus.subscribe(EVENTS.receiptAppended, ({ data }) => told.push(data.size));
  const store = createMemoryLedger({ logId: LOG_ID, origin: `beacon.local/receipt-signer/${LOG_ID}` });
  const logKey = memorySigningKeys().current();
  const key = noteKey(store.origin, logKey.publicKey.bytes);
  const sign = (body: string) => signNote(body, [{ key, sign: (message) => logKey.sign(message) }]);
  const note = { vkey: formatVkey(key), sign };
  const signer = new ReceiptSigner({ store, keys: memorySigningKeys(), note, bus, now: Date.now, failed: () => {} });
  const draft = create(pb.DraftSchema, {
    ...{ kind: 'outcome', actionId: 'act_1', fingerprint: 'f'.repeat(64), tenantId: 't' },
    predicateJson: Buffer.from('{"tenant_id":"t"}'),
  });
  for (let i = 0; i < 3; i += 1) await signer.seal(create(pb.SealRequestSchema, { drafts: [draft] }));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
  await signer.stop();
  await expect.poll(() => told).toEqual([3]);
});
