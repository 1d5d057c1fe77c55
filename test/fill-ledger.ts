// Fills a data folder with sealed receipts, without a network in between: a tenth of them, at most 40,000, through the
// whole decision path; the rest are probe receipts through the signer, sixteen to a request, so that it takes minutes less.
// Usage: node test/fill-ledger.ts DATA_DIR RECEIPTS

import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { ExecuteRequestSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { DraftSchema, SealRequestSchema } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../ports/event-bus/memory.ts';
import { openTenantKeys } from '../ports/tenant-key/file.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { composeDecision, composePolicy } from '../services/decision/compose.ts';
import { decisionMeter } from '../services/decision/meter.ts';
import { openEmbeddedStores } from '../services/embedded-stores.ts';
import { composeKillSwitch } from '../services/kill-switch/compose.ts';
import { composeReceiptSigner } from '../services/receipt-signer/compose.ts';

const IN_FLIGHT = 512;
const DAY_MS = 86_400_000;

const [dataDir = '', wanted = '1000'] = process.argv.slice(2);
mkdirSync(dataDir, { recursive: true, mode: 0o700 });
const failed = (error: unknown) => {
  throw error;
};
const bus = new MemoryEventBus();
const log = (role: string) => composeReceiptSigner({ dataDir, role, bus, now: Date.now, failed });
const signer = await log('receipt-signer');
const killSwitchLog = await log('kill-switch');
const stores = openEmbeddedStores(dataDir, failed);
const keys = openTenantKeys(join(dataDir, 'keys', 'tenant.key'));
const killSwitch = composeKillSwitch({
  log: killSwitchLog.service,
  list: stores.revocations,
  signers: [signer.service],
  actions: stores.actions,
  reflected: async () => true,
  bus,
  keys,
  tokens: stores.tokens,
  leaseMs: 60_000,
  leads: async () => true,
  now: Date.now,
  failed,
  meter: { changed: () => {} },
});
await killSwitch.start();
const service = composeDecision({
  stores,
  signer: signer.service,
  source: signer.store,
  keys,
  bus,
  meter: decisionMeter(createMetrics('beacon_', { processMetrics: false })),
  settings: {
    isolation: 'same_user',
    permitTtlMs: 30_000,
    actionDeadlineMs: DAY_MS,
    approvalTtlMs: DAY_MS,
    idempotencyTtlMs: DAY_MS,
    gatherTimeoutMs: 5_000,
    maxInFlight: 2 * IN_FLIGHT,
    agentRate: 0,
    turn: { actions: 0, windowMs: 60_000 },
    session: { actions: 0, windowMs: 60_000 },
    assertedNames: 1_000_000,
    zeroRetention: false,
    keyId: () => signer.keys.current().publicKey.keyId,
  },
  policy: await composePolicy(fileURLToPath(new URL('../policies/bundle', import.meta.url))),
  now: Date.now,
  failed: (_, error) => failed(error),
});
await service.start(() => {});

const call = () => ({
  principal: { role: 'agent', provenance: 'asserted', subject: 'asserted' } as const,
  deadlineMs: Date.now() + 60_000,
  requestDigest: '0'.repeat(64),
  traceId: randomBytes(16).toString('hex'),
});

let n = 0;
async function decide(until: number): Promise<void> {
  while (signer.store.size() < until) {
    n += 1;
    const request = create(ExecuteRequestSchema, {
      proposal: {
        tenantId: 'local',
        agentId: `agent-${n % 50}`,
        actions: [{ kind: { case: 'shell', value: { command: `cat notes-${n % 1000}.txt`, cwd: '/workspace' } } }],
      },
    });
    await service.execute(request, call());
  }
}

async function probe(until: number): Promise<void> {
  while (signer.store.size() < until) {
    const drafts = Array.from({ length: 16 }, (_, i) =>
      create(DraftSchema, {
        kind: 'probe',
        actionId: `probe_${i}`,
        fingerprint: randomBytes(32).toString('hex'),
        tenantId: 'local',
        predicateJson: Buffer.from(
          JSON.stringify({ tenant_id: 'local', surface: 'codex', live: true, note: 'x'.repeat(200) }),
        ),
        evidence: Buffer.from(JSON.stringify({ salt: randomBytes(16).toString('hex'), text: 'y'.repeat(300) })),
      }),
    );
    await signer.service.seal(create(SealRequestSchema, { drafts }), call());
  }
}

const started = performance.now();
const total = Number(wanted);
const decided = Math.min(40_000, Math.ceil(total / 10));
await Promise.all(Array.from({ length: IN_FLIGHT }, () => decide(decided)));
await Promise.all(Array.from({ length: 32 }, () => probe(total)));
const seconds = (performance.now() - started) / 1000;
await service.stop();
killSwitch.stop();
stores.close();
await signer.stop();
await killSwitchLog.stop();
process.stdout.write(`${JSON.stringify({ receipts: signer.store.size(), decisions: n, seconds })}\n`);
process.exit(0);
