// A decision service over real parts in memory: real policy, real signer, real ledger; time stands still unless told.

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CallContext, Principal } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { ProposalSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { GrantLeaseRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { MemoryBudgets } from '../../ports/budgets/memory.ts';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicyEngine } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { MemoryRevocationList } from '../../ports/revocation-list/memory.ts';
import { MemoryScoreStore } from '../../ports/score-store/memory.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { HmacTenantKeys } from '../../ports/tenant-key/hmac.ts';
import { ReceiptSigner } from '../receipt-signer/service.ts';
import type { DecisionDeps, Signer, Stores } from './deps.ts';
import { DecisionMaker } from './service.ts';

const LOG_ID = '0123456789ab';
export const START_MS = Date.parse('2026-01-01T00:00:00Z');
const bundle = await loadBundle(fileURLToPath(new URL('../../policies/bundle', import.meta.url)));
const realPolicy = new WasmPolicyEngine();
await realPolicy.activate(bundle);

export type Overrides = {
  readonly stores?: Partial<Stores>;
  readonly policy?: PolicyEngine;
  readonly signer?: (real: Signer) => Signer;
  readonly settings?: Partial<DecisionDeps['settings']>;
};

export type World = Awaited<ReturnType<typeof makeWorld>>;

export async function makeWorld(overrides: Overrides = {}) {
  const clock = { ms: START_MS };
  const now = () => clock.ms;
  const bus = new MemoryEventBus();
  const ledger = createMemoryLedger({ logId: LOG_ID, origin: `beacon.local/receipt-signer/${LOG_ID}` });
  const keys = memorySigningKeys();
  const note = { vkey: '', sign: () => new Uint8Array() };
  const failed = () => {};
  const signer = new ReceiptSigner({ store: ledger, keys, note, bus, now, failed });
  const lease = (epoch: number, scopes: readonly string[] = []) =>
    signer.grantLease(
      create(GrantLeaseRequestSchema, {
        term: BigInt(clock.ms),
        notAfter: timestampFromMs(clock.ms + 60_000),
        epoch: BigInt(epoch),
        complete: true,
        revokedScopes: [...scopes],
      }),
    );
  await lease(1);
  const revocations = new MemoryRevocationList();
  await revocations.rebuild([], 1);
  const stores: Stores = {
    revocations,
    writable: () => true,
    actions: new MemoryActionStore(),
    idempotency: new MemoryIdempotency(),
    scores: new MemoryScoreStore(),
    budgets: new MemoryBudgets(),
    ...overrides.stores,
  };
  const failures: string[] = [];
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex');
  const meter = { decided: () => {}, stage: () => {}, unsealed: () => {}, voided: () => {} };
  const deps: DecisionDeps = {
    stores,
    signer: overrides.signer ? overrides.signer(signer) : signer,
    policy: overrides.policy ?? realPolicy,
    privacy: { detectors: [], keys: new HmacTenantKeys(new Uint8Array(32)) },
    settings: {
      isolation: 'same_user',
      permitTtlMs: 30_000,
      actionDeadlineMs: 3_600_000,
      approvalTtlMs: 900_000,
      idempotencyTtlMs: 86_400_000,
      gatherTimeoutMs: 200,
      maxInFlight: 100,
      agentRate: 0,
      turn: { actions: 0, windowMs: 60_000 },
      session: { actions: 0, windowMs: 60_000 },
      assertedNames: 1_000,
      zeroRetention: false,
      keyId: () => keys.current().publicKey.keyId,
      ...overrides.settings,
    },
    env: { now, randomHex, newId: () => randomHex(16), failed: (event) => failures.push(event), bus, meter },
  };
  const maker = new DecisionMaker(deps, ledger, () => callAs({ role: 'admin', subject: 'service:test' }));
  return { maker, deps, stores, ledger, signer, lease, clock, failures, kinds: () => kindsOf(ledger) };
}

export function callAs(change: Partial<Principal> = {}, deadlineMs = Number.MAX_SAFE_INTEGER): CallContext {
  return {
    principal: { role: 'agent', provenance: 'asserted', subject: 'asserted', ...change },
    deadlineMs,
    requestDigest: 'd'.repeat(64),
    traceId: 'e'.repeat(32),
  };
}

export const minted = callAs({ provenance: 'authenticated', subject: 'token:1', tenantId: 't', agentId: 'a' });
export const operator = callAs({ role: 'operator', provenance: 'authenticated', subject: 'token:op' });

export function shell(command: string, change: Readonly<Record<string, unknown>> = {}) {
  return create(ProposalSchema, {
    tenantId: 't',
    agentId: 'a',
    actions: [{ kind: { case: 'shell', value: { command, cwd: '/w' } } }],
    contextJson: JSON.stringify({ cwd: '/w', workspace: '/w', attended: true }),
    ...change,
  });
}

async function kindsOf(ledger: Awaited<ReturnType<typeof createMemoryLedger>>): Promise<string[]> {
  return (await ledger.scan(0, 1_000)).map(({ leaf }) => readReceipt(leaf).kind);
}
