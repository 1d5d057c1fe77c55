// `beacond all`: every service in one process, over the same interfaces that gRPC carries.

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import { MemoryEventBus } from '../ports/event-bus/memory.ts';
import type { PolicyEngine } from '../ports/policy-engine/port.ts';
import { openTenantKeys } from '../ports/tenant-key/file.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import type { Tracing } from '../runtime/tracing.ts';
import { createAccess, tokenDigest } from './access.ts';
import { adminTokenOf, instanceOf, prepareAgentDoors } from './agent-doors.ts';
import type { Config } from './config.ts';
import { composeActivation, composeDecision, composePolicy } from './decision/compose.ts';
import type { DecisionSettings } from './decision/deps.ts';
import { decisionMeter } from './decision/meter.ts';
import type { PolicyActivation } from './decision/policy-activation.ts';
import { policyMeter } from './decision/policy-meter.ts';
import type { DecisionMaker } from './decision/service.ts';
import { type EmbeddedStores, openEmbeddedStores } from './embedded-stores.ts';
import { createGateway } from './gateway/compose.ts';
import type { Addresses } from './greeting.ts';
import { composeKillSwitch } from './kill-switch/compose.ts';
import { killSwitchMeter } from './kill-switch/meter.ts';
import { settledWithin } from './kill-switch/reflected.ts';
import { composeReceiptSigner, type SignerComposition } from './receipt-signer/compose.ts';
import { composeScoring } from './scoring/compose.ts';
import { openProcessTracing } from './tracing.ts';
import { warmUp } from './warm-up.ts';
import { watch } from './watch.ts';

export type Embedded = { readonly addresses: Addresses; stop(): Promise<void> };

/** Longest a fact may take to be gathered. */
const GATHER_TIMEOUT_MS = 1_000;
/** How long the code is practised before readiness: less where the machine has been slow to come this far. */
const WARM_UP_MS = { least: 150, most: 800, readyBy: 1_900 } as const;

/** Whatever was opened is closed again, last first, when a later step fails. */
export async function startEmbedded(config: Config, log: Log): Promise<Embedded> {
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await start(config, log, closers, closeAll);
  } catch (error) {
    await closeAll().catch(() => undefined);
    throw error;
  }
}

type Closers = (() => Promise<void> | void)[];

async function start(config: Config, log: Log, closers: Closers, closeAll: () => Promise<void>): Promise<Embedded> {
  const { dataDir } = config;
  ensurePrivateFolder(dataDir);
  const now = Date.now;
  const failed = (event: string) => (error: unknown) => log.error(event, { error });
  const bus = new MemoryEventBus(failed(EVENTS.requestFailed));
  const openLog = async (role: string): Promise<SignerComposition> => {
    const composed = await composeReceiptSigner({
      dataDir,
      role,
      bus,
      now,
      tracing,
      failed: failed(EVENTS.ledgerFailed),
    });
    closers.push(() => composed.stop());
    return composed;
  };
  const metrics = createMetrics('beacon_');
  const tracing = await openProcessTracing({ settings: config.tracing, metrics, closers });
  // First of all: its lock is what keeps a second instance out.
  const signer = await openLog('receipt-signer');
  const killSwitchLog = await openLog('kill-switch');
  const stores = openEmbeddedStores(dataDir, failed('state.failed'));
  closers.push(() => stores.close());
  const keys = openTenantKeys(join(dataDir, 'keys', 'tenant.key'));
  let decisions: DecisionMaker | undefined;
  const killSwitch = composeKillSwitch({
    log: killSwitchLog.service,
    list: stores.revocations,
    signers: [signer.service],
    actions: stores.actions,
    reflected: async () => decisions === undefined || settledWithin(decisions.settled()),
    bus,
    keys,
    tokens: stores.tokens,
    leaseMs: config.leaseMs,
    leads: () => killSwitchLog.store.isOnlyWriter(),
    now,
    failed: failed(EVENTS.fenceFailed),
    meter: killSwitchMeter(metrics),
    tracing,
  });
  await killSwitch.start();
  closers.push(() => killSwitch.stop());
  const builtIn = policyFolder();
  const policy = await composePolicy(builtIn);
  const meter = policyMeter(metrics);
  const sealer = signer.service;
  const activation = await composeActivation({ policy, builtIn, config, signer: sealer, bus, meter, now, log });
  await activation?.start();
  closers.push(() => activation?.stop());
  const decision = await startDecision(config, log, {
    policy,
    activation,
    stores,
    signer,
    keys,
    bus,
    meter: decisionMeter(metrics),
    tracing,
  });
  decisions = decision;
  closers.push(() => decision.stop());
  const scoring = await composeScoring({
    store: stores.scores,
    source: signer.store,
    keys: signer.keys,
    signer: signer.service,
    bus,
    now,
    failed: failed(EVENTS.scoringFailed),
    traced: tracing && { tracing, sealedUnder: (index) => signer.traces.take(index) },
  });
  closers.push(() => scoring.stop());
  watch(metrics, { signer, killSwitchLog });
  const admin = await adminTokenOf(config);
  const doors = await prepareAgentDoors(config, failed('tls.failed'));
  closers.push(() => doors.close());
  const access = createAccess({
    tokens: stores.tokens,
    adminTokenDigest: tokenDigest(admin.token.reveal()),
    allowAsserted: config.allowAsserted,
    certificates: doors.rules,
    now,
    randomBytes,
  });
  const settings = decisionSettings(config, signer);
  // Practice happens in this process alone: no socket, so no TLS.
  const { httpTls: _tls, certificates: _shown, ...practice } = doors.options;
  await warmUp({ budgetMs: warmUpBudget(), policy, settings, gateway: practice });
  const gateway = createGateway({
    services: {
      decision,
      scoring: scoring.service,
      killSwitch,
      logs: [signer.service, killSwitchLog.service],
      ready: async () => readiness(stores, signer, killSwitchLog),
    },
    access,
    metrics,
    log,
    tracing,
    options: doors.options,
  });
  const { http, grpc, serving } = await doors.open(gateway);
  const addresses = { http, grpc, data_dir: dataDir, admin_token_file: admin.file };
  const instanceFile = join(dataDir, 'instance.json');
  writeFileSync(instanceFile, `${JSON.stringify(instanceOf(config, addresses))}\n`, { mode: 0o600 });
  closers.push(() => rmSync(instanceFile, { force: true }));
  serving(true);
  closers.push(() => serving(false));
  return { addresses, stop: closeAll };
}

type DecisionParts = {
  readonly policy: PolicyEngine;
  readonly activation: PolicyActivation | undefined;
  readonly stores: EmbeddedStores;
  readonly signer: SignerComposition;
  readonly keys: ReturnType<typeof openTenantKeys>;
  readonly bus: MemoryEventBus;
  readonly meter: ReturnType<typeof decisionMeter>;
  readonly tracing: Tracing | undefined;
};

async function startDecision(config: Config, log: Log, parts: DecisionParts) {
  const { stores, signer, keys, bus, meter, policy, activation, tracing } = parts;
  const decision = composeDecision({
    stores,
    signer: signer.service,
    source: signer.store,
    keys,
    bus,
    meter,
    settings: decisionSettings(config, signer),
    policy,
    activation,
    now: Date.now,
    failed: (event, error) => log.error(event, { error }),
    logged: log.info,
    tracing,
  });
  await decision.start((done, total) => log.info(EVENTS.stateReplayed, { done, total }));
  return decision;
}

function decisionSettings(config: Config, signer: SignerComposition): DecisionSettings {
  const { isolation, permitTtlMs, actionDeadlineMs, approvalTtlMs, idempotencyTtlMs } = config;
  const { maxInFlight, agentRate, turn, session, assertedNames, zeroRetention } = config;
  const keyId = () => signer.keys.current().publicKey.keyId;
  const times = { permitTtlMs, actionDeadlineMs, approvalTtlMs, idempotencyTtlMs, gatherTimeoutMs: GATHER_TIMEOUT_MS };
  return { isolation, ...times, maxInFlight, agentRate, turn, session, assertedNames, zeroRetention, keyId };
}

function warmUpBudget(): number {
  const { least, most, readyBy } = WARM_UP_MS;
  return Math.min(most, Math.max(least, readyBy - performance.now()));
}

async function readiness(stores: EmbeddedStores, ...logs: readonly SignerComposition[]) {
  const reasons = logs.filter(({ store }) => !store.writable()).map(({ store }) => `${store.origin} cannot be written`);
  if (!stores.writable()) reasons.push('the state files cannot be written');
  return { ready: reasons.length === 0, reasons };
}

/** Beside the sources and beside a bundle in dist/ alike: policies/bundle is one folder up. */
function policyFolder(): string {
  return fileURLToPath(new URL('../policies/bundle', import.meta.url));
}

/** Never the working directory, never readable by others: a folder someone else could fill or read is refused. */
function ensurePrivateFolder(path: string): void {
  if (existsSync(path) && !statSync(path).isDirectory()) {
    throw new BeaconError('failed_precondition', `${path} is not a folder`);
  }
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) chmodSync(path, 0o700);
  const stat = statSync(path);
  if ((stat.mode & 0o077) !== 0) {
    throw new BeaconError('failed_precondition', `${path} is open to others; make it yours alone (chmod 700)`);
  }
  if (process.getuid && stat.uid !== process.getuid()) {
    throw new BeaconError('failed_precondition', `${path} belongs to another user`);
  }
}
