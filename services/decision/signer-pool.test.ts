// Among equals the pool stays with one signer, but not with one that is sick: alone, a caller would never leave it.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import { callAs } from './decision.fixture.ts';
import type { RemoteSigner } from './signer-member.ts';
import { SignerPool } from './signer-pool.ts';

type Sickness = (answer: () => Promise<pb.SealStreamResponse>) => Promise<pb.SealStreamResponse>;
const well: Sickness = (answer) => answer();

async function signer(n: number, sickness: Sickness) {
  const logId = `${n}`.padStart(12, '0');
  const store = createMemoryLedger({ logId, origin: `beacon.local/receipt-signer/${logId}` });
  const note = { vkey: '', sign: () => new Uint8Array() };
  const deps = { keys: memorySigningKeys(), note, bus: new MemoryEventBus(), now: Date.now, failed: () => {} };
  const real = new ReceiptSigner({ ...deps, store });
  await real.grantLease(
    create(pb.GrantLeaseRequestSchema, {
      term: 1n,
      notAfter: timestampFromMs(Date.now() + 60_000),
      epoch: 1n,
      complete: true,
    }),
  );
  let asked = 0;
  let busy = false;
  const service: RemoteSigner = {
    seal: (request) => real.seal(request),
    getReceipt: (request) => real.getReceipt(request),
    getStatus: async () => {
      if (!busy) return real.getStatus();
      await later(20);
      throw new BeaconError('deadline_exceeded', 'no status in time');
    },
    listReceipts: (request) => real.listReceipts(request),
    async *sealStream(requests) {
      for await (const request of requests) {
        asked += 1;
        yield await sickness(() => real.sealOne(request));
      }
    },
  };
  const occupy = () => {
    busy = true;
  };
  return { name: `signer-${n}`, service, asked: () => asked, occupy };
}

async function world(...sicknesses: readonly Sickness[]) {
  const signers = await Promise.all(sicknesses.map((sickness, n) => signer(n, sickness)));
  const pool = new SignerPool({
    signers,
    now: Date.now,
    context: () => callAs(),
    failed: () => {},
    voided: () => {},
  });
  await pool.start();
  const outcome = create(pb.DraftSchema, {
    kind: 'outcome',
    actionId: 'act_1',
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from('{"tenant_id":"t","agent_id":"a"}'),
  });
  const request = create(pb.SealRequestSchema, { drafts: [outcome] });
  const seal = () => pool.seal(request, callAs({}, Date.now() + 5_000));
  const occupy = () => {
    for (const one of signers) one.occupy();
  };
  return { pool, seal, occupy, asked: () => signers.map((one) => one.asked()) };
}

test.each([
  ['refuses at once', async (answer: () => Promise<pb.SealStreamResponse>) => ({ ...(await answer()), ...SHED })],
  ['has a slow disk', async (answer: () => Promise<pb.SealStreamResponse>) => later(40).then(answer)],
])('a single caller does not stay with a signer that %s', async (_, sickness) => {
  const { pool, seal, asked } = await world(sickness, well);
  for (let i = 0; i < 12; i += 1) await seal();
  expect(asked()[0]).toBeLessThanOrEqual(2);
  pool.stop();
});

test('a single caller stays with one that is well; calls at once are shared out', async () => {
  const { pool, seal, asked } = await world(well, well);
  for (let i = 0; i < 12; i += 1) await seal();
  expect(Math.max(...asked())).toBeGreaterThanOrEqual(10);
  const before = asked();
  await Promise.all(Array.from({ length: 12 }, seal));
  const share = asked().map((count, n) => count - (before[n] as number));
  expect(share).toEqual([6, 6]);
  pool.stop();
});

test('a signer too busy to say how it is stays in use while it seals, and no longer', async () => {
  const { pool, seal, occupy } = await world(well, well);
  occupy();
  for (let i = 0; i < 3; i += 1) {
    await Promise.all([pool.getStatus(), seal(), seal()]);
    expect(pool.ready()).toBe(true);
    // What they said last is shorter than what they have sealed since.
    expect(pool.sizes()).toBeUndefined();
  }
  await later(5);
  await expect(pool.getStatus()).rejects.toMatchObject({ code: 'unavailable' });
  expect(pool.ready()).toBe(false);
  pool.stop();
});

const SHED = { response: undefined, failureCode: 'resource_exhausted' } as const;
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
