// Before readiness: requests through the real code on stores that only exist in memory, so that the first callers do not
// pay for compilation. Nothing of it reaches the ledger, a metric or a log.

import { randomBytes } from 'node:crypto';
import { formatVkey, noteKey, signNote } from '../core/ledger/note.ts';
import { MemoryActionStore } from '../ports/action-store/memory.ts';
import { MemoryBudgets } from '../ports/budgets/memory.ts';
import { MemoryEventBus } from '../ports/event-bus/memory.ts';
import { MemoryIdempotency } from '../ports/idempotency/memory.ts';
import { createMemoryLedger } from '../ports/ledger-store/memory.ts';
import type { PolicyEngine } from '../ports/policy-engine/port.ts';
import { MemoryRevocationList } from '../ports/revocation-list/memory.ts';
import { MemoryScoreStore } from '../ports/score-store/memory.ts';
import { memorySigningKeys } from '../ports/signing-key/memory.ts';
import { HmacTenantKeys } from '../ports/tenant-key/hmac.ts';
import { MemoryTokenStore } from '../ports/token-store/memory.ts';
import { createLog } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { createAccess, tokenDigest } from './access.ts';
import { composeDecision } from './decision/compose.ts';
import type { DecisionSettings } from './decision/deps.ts';
import { decisionMeter } from './decision/meter.ts';
import { createGateway, type GatewayOptions } from './gateway/compose.ts';
import { composeKillSwitch } from './kill-switch/compose.ts';
import { killSwitchMeter } from './kill-switch/meter.ts';
import { ReceiptSigner } from './receipt-signer/service.ts';
import { composeScoring } from './scoring/compose.ts';

const LOG_ID = '000000000000';
const PRACTICE_LEASE_MS = 600_000;
const PROPOSALS = [
  { code: 'ls -la && cat README.md | head -20' },
  { code: 'npm test -- --run "unit"', context: { cwd: '/workspace', git: { branch: 'main', dirty: true } } },
  { code: 'git commit -m "wip" && git push origin feature' },
  { tools: [{ name: 'Write', arguments: { file_path: '/workspace/a.txt', content: 'text' } }] },
  { tools: [{ name: 'mcp__tracker__create_issue', arguments: { title: 'a', body: 'b' } }], session_id: 's' },
  { code: 'rm -rf /', idempotency_key: 'warm' },
] as const;

export type WarmUpOptions = {
  readonly budgetMs: number;
  readonly policy: PolicyEngine;
  readonly settings: DecisionSettings;
  readonly gateway: GatewayOptions;
};

/** Practises for `budgetMs`; resolves to the number of requests answered. Throws when a practice answer is an error. */
export async function warmUp({ budgetMs, policy, settings, gateway }: WarmUpOptions): Promise<number> {
  const practice = await composePractice(policy, settings, gateway);
  const until = performance.now() + budgetMs;
  let answered = 0;
  while (performance.now() < until) {
    const proposal = PROPOSALS[answered % PROPOSALS.length];
    const response = await practice.http.inject({
      method: 'POST',
      url: '/api/execute',
      headers: { host: 'localhost', 'content-type': 'application/json', authorization: `Bearer ${practice.token}` },
      payload: JSON.stringify({ agent_id: 'practice', tenant_id: 'practice', ...proposal }),
    });
    if (response.statusCode !== 200) throw new Error(`warm-up: ${response.statusCode} ${response.body}`);
    answered += 1;
  }
  await practice.stop();
  return answered;
}

async function composePractice(policy: PolicyEngine, settings: DecisionSettings, options: GatewayOptions) {
  const { now } = options;
  const failed = () => {};
  const bus = new MemoryEventBus();
  const metrics = createMetrics('practice_', { processMetrics: false });
  const keys = new HmacTenantKeys(randomBytes(32));
  const receiptKeys = memorySigningKeys();
  const store = createMemoryLedger({ logId: LOG_ID, origin: `beacon.local/practice/${LOG_ID}` });
  const logKey = memorySigningKeys().current();
  const key = noteKey(store.origin, logKey.publicKey.bytes);
  const sign = (body: string) => signNote(body, [{ key, sign: (message) => logKey.sign(message) }]);
  const signer = new ReceiptSigner({
    store,
    keys: receiptKeys,
    note: { vkey: formatVkey(key), sign },
    bus,
    now,
    failed,
  });
  const stores = {
    writable: () => true,
    actions: new MemoryActionStore(),
    idempotency: new MemoryIdempotency(),
    scores: new MemoryScoreStore(),
    budgets: new MemoryBudgets(),
    revocations: new MemoryRevocationList(),
  };
  const tokens = new MemoryTokenStore();
  const { revocations: list, actions } = stores;
  const leaseMs = PRACTICE_LEASE_MS;
  const killSwitch = composeKillSwitch({
    log: signer,
    list,
    signers: [signer],
    actions,
    reflected: async () => true,
    bus,
    keys,
    tokens,
    leaseMs,
    leads: () => store.isOnlyWriter(),
    now,
    failed,
    meter: killSwitchMeter(metrics),
  });
  await killSwitch.start();
  // Practice goes through the budgets and is held up by none.
  const endless = { actions: Number.MAX_SAFE_INTEGER, windowMs: 3_600_000 };
  const practised = {
    ...settings,
    turn: endless,
    session: endless,
    assertedNames: 1,
    keyId: () => receiptKeys.current().publicKey.keyId,
  };
  const meter = decisionMeter(metrics);
  const parts = { stores, signer, source: store, keys, bus, settings: practised, meter, policy, now, failed };
  const decision = composeDecision(parts);
  await decision.start(() => {});
  const scoring = await composeScoring({
    store: stores.scores,
    source: store,
    keys: receiptKeys,
    signer,
    bus,
    now,
    failed,
  });
  const token = `bcn_admin_${randomBytes(32).toString('base64url')}`;
  const access = createAccess({
    tokens,
    adminTokenDigest: tokenDigest(token),
    allowAsserted: false,
    now,
    randomBytes,
  });
  const { http } = createGateway({
    services: {
      decision,
      scoring: scoring.service,
      killSwitch,
      logs: [signer],
      ready: async () => ({ ready: true, reasons: [] }),
    },
    access,
    metrics,
    log: createLog('error', () => {}),
    options,
  });
  return {
    http,
    token,
    async stop() {
      await http.close();
      await scoring.stop();
      await decision.stop();
      killSwitch.stop();
      await signer.stop();
    },
  };
}
