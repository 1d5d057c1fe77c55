// A signer whose disk is slow still hears of leases and says how it is: only the first slow sync may hold it up.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { openFileLedger } from '../../ports/ledger-store/file.ts';
import { type FileDoor, type FileSystemDoor, realFileSystem } from '../../ports/ledger-store/file-door.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { ReceiptSigner } from './service.ts';

const SLOW_MS = 80;
const SEALS = 12;

/** The real disk, whose every datasync takes long once `slow.now`, wherever it is waited for. */
function slowDisk(slow: { now: boolean }): FileSystemDoor {
  const wrap = (file: FileDoor): FileDoor => ({
    ...file,
    async datasync() {
      if (slow.now) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      await file.datasync();
    },
    datasyncNow() {
      for (const until = performance.now() + (slow.now ? SLOW_MS : 0); performance.now() < until; );
      file.datasyncNow();
    },
  });
  return {
    ...realFileSystem,
    create: async (path) => wrap(await realFileSystem.create(path)),
    edit: async (path) => wrap(await realFileSystem.edit(path)),
  };
}

test('leases are taken and questions answered while a slow disk is waited for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-slow-disk-'));
  const slow = { now: false };
  const newLog = { logId: '0123456789ab', origin: 'beacon.local/receipt-signer/0123456789ab' };
  const store = await openFileLedger({ folder, newLog, segmentBytes: 2_097_152, fileSystem: slowDisk(slow) });
  const note = { vkey: '', sign: () => new Uint8Array() };
  const deps = { store, keys: memorySigningKeys(), note, bus: new MemoryEventBus(), now: Date.now, failed: () => {} };
  const signer = new ReceiptSigner(deps);
  const draft = create(pb.DraftSchema, {
    kind: 'outcome',
    actionId: 'act_1',
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from('{"tenant_id":"t"}'),
  });
  const seal = () => signer.seal(create(pb.SealRequestSchema, { drafts: [draft] }));
  try {
    await seal();
    slow.now = true;
    let heldUp = 0;
    for (let n = 0; n < SEALS; n += 1) {
      const started = performance.now();
      const sealing = seal();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const notAfter = timestampFromMs(Date.now() + 60_000);
      const lease = { term: BigInt(n + 1), notAfter, epoch: 1n, complete: true };
      await signer.grantLease(create(pb.GrantLeaseRequestSchema, lease));
      expect((await signer.getStatus()).term).toBe(BigInt(n + 1));
      if (performance.now() - started >= SLOW_MS) heldUp += 1;
      await sealing;
      expect(performance.now() - started).toBeGreaterThanOrEqual(SLOW_MS - 2);
    }
    // One, and what the machine itself holds up.
    expect(heldUp).toBeLessThanOrEqual(3);
  } finally {
    slow.now = false;
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
