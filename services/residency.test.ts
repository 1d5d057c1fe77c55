// What each process makes of the table of regions: who refuses to start, where what is sealed may lie, and that a signer
// holds to the table whoever asks it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext } from '../core/principal.ts';
import { parseResidency } from '../core/residency.ts';
import {
  DraftSchema,
  GetStatusRequestSchema,
  SealRequestSchema,
  type SealResponse,
  SealResponseSchema,
  SealStreamRequestSchema,
} from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../ports/event-bus/memory.ts';
import { EnvReader } from '../runtime/env.ts';
import { readTracing } from '../runtime/tracing-settings.ts';
import { composeReceiptSigner } from './receipt-signer/compose.ts';
import { mayLieIn, openResidency, sealingWhereItMay, sealRegion, withRegions } from './residency.ts';
import { readSeparate } from './separate-config.ts';

const TABLE = {
  regions: { eu: { otlp_endpoint: 'http://eu:4318/v1/traces' }, us: {} },
  tenants: { a: ['eu'], b: ['us'] },
};
const RESIDENCY = parseResidency(Buffer.from(JSON.stringify(TABLE)));
const CALL: CallContext = {
  principal: { role: 'auditor', provenance: 'authenticated', subject: 'service:decision' },
  deadlineMs: Number.POSITIVE_INFINITY,
  requestDigest: '',
  traceId: '',
};
const sealing = (...tenants: string[]) => {
  const draft = (tenantId: string) => ({ kind: 'outcome', actionId: 'act_1', fingerprint: 'f'.repeat(64), tenantId });
  const drafts = tenants.map((tenantId) =>
    create(DraftSchema, { ...draft(tenantId), predicateJson: Buffer.from('{}') }),
  );
  return create(SealRequestSchema, { drafts });
};
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-residency-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a table that cannot be kept to stops the start', async () => {
  const file = join(folder, 'residency.json');
  const refused = expect.objectContaining({ code: 'failed_precondition' });
  await expect(openResidency(file, '')).rejects.toEqual(refused);
  writeFileSync(file, '{"regions":{"eu":{}},"tenants":{"a":["us"]}}');
  await expect(openResidency(file, '')).rejects.toThrow(/tenants\.a/);
  writeFileSync(file, JSON.stringify(TABLE));
  await expect(openResidency(file, 'mars')).rejects.toEqual(refused);
  expect((await openResidency(file, 'eu'))?.regions.size).toBe(2);
  expect(await openResidency('', 'eu')).toBeUndefined();
});

test('a signer that keeps to a table says where it is', () => {
  const faults = (env: Record<string, string>) =>
    readSeparate('receipt-signer', env, '/h').faults.filter((fault) => /REGION|RESIDENCY/.test(fault));
  expect(faults({ BEACON_RESIDENCY_FILE: '/t' })).toHaveLength(1);
  expect(faults({ BEACON_RESIDENCY_FILE: 't', BEACON_REGION: 'eu' })).toHaveLength(1);
  expect(faults({ BEACON_REGION: 'eu.west' })).toHaveLength(1);
  expect(faults({ BEACON_RESIDENCY_FILE: '/t', BEACON_REGION: 'eu' })).toEqual([]);
});

test('what is sealed lies in its tenant’s region; what is about no tenant may lie anywhere', () => {
  const regionOf = sealRegion(RESIDENCY);
  expect(regionOf?.(sealing('a', 'a'), CALL)).toBe('eu');
  expect(regionOf?.(sealing(''), CALL)).toBeUndefined();
  expect(() => regionOf?.(sealing('a', 'b'), CALL)).toThrow(expect.objectContaining({ code: 'internal' }));
  expect(() => regionOf?.(sealing('a'), { ...CALL, region: 'us' })).toThrow(/context\.region/);
  expect(() => regionOf?.(sealing('c'), CALL)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  expect(sealRegion(undefined)).toBeUndefined();
});

test('scoring seals where the tenant’s receipts may lie', async () => {
  const asked: string[] = [];
  const signerIn = (region: string) => ({
    region,
    service: {
      async seal(): Promise<SealResponse> {
        asked.push(region);
        return create(SealResponseSchema);
      },
    },
  });
  const sealer = sealingWhereItMay([signerIn('us'), signerIn('us')], RESIDENCY);
  await sealer.seal(sealing('b'), CALL);
  await expect(sealer.seal(sealing('a'), CALL)).rejects.toMatchObject({ code: 'unavailable' });
  expect(asked).toEqual(['us']);
});

test('a signer refuses what may not lie in its log, alone and on a stream, and writes nothing', async () => {
  const signer = await composeReceiptSigner({
    dataDir: folder,
    role: 'receipt-signer',
    bus: new MemoryEventBus(),
    now: Date.now,
    failed: () => {},
    region: 'us',
    mayLieHere: mayLieIn(RESIDENCY, 'us'),
  });
  try {
    const { service, store } = signer;
    expect((await service.getStatus(create(GetStatusRequestSchema), CALL)).region).toBe('us');
    await expect(service.seal(sealing('b', 'a'), CALL)).rejects.toMatchObject({ code: 'failed_precondition' });
    async function* requests() {
      yield create(SealStreamRequestSchema, { sequence: 1n, request: sealing('a') });
      yield create(SealStreamRequestSchema, { sequence: 2n, request: sealing('b') });
    }
    const answers = new Map<bigint, string>();
    for await (const { sequence, failureCode } of service.sealStream(requests(), CALL))
      answers.set(sequence, failureCode);
    expect(answers).toEqual(
      new Map([
        [1n, 'failed_precondition'],
        [2n, ''],
      ]),
    );
    expect(store.size()).toBe(1);
  } finally {
    await signer.stop();
  }
});

test('spans that name a region go to its collector; a region without one has none', () => {
  const settings = readTracing(new EnvReader({}, ''), { OTEL_TRACES_EXPORTER: 'otlp' }, 'beacon');
  expect(withRegions(settings, RESIDENCY)).toMatchObject({ regions: { eu: 'http://eu:4318/v1/traces' } });
  expect(withRegions(undefined, RESIDENCY)).toBeUndefined();
});
