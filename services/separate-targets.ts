// One composition for each target. Each serves on the mesh what the table of peers gives the others.

import { fileURLToPath } from 'node:url';
import type { DescService } from '@bufbuild/protobuf';
import type { Server } from '@grpc/grpc-js';
import type { CallContext } from '../core/principal.ts';
import { DecisionRelayService, DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { UnansweredService } from '../gen/beacon/v1/unanswered_service_pb.js';
import { openTenantKeys } from '../ports/tenant-key/file.ts';
import { randomHex } from '../runtime/random.ts';
import { type HostOptions, host, type Service } from '../runtime/rpc.ts';
import { addHealth, drainRpc, type Health } from '../runtime/rpc-server.ts';
import { composeActivation, composeDecision, composePolicy } from './decision/compose.ts';
import { decisionMeter } from './decision/meter.ts';
import { suspicionsOf } from './decision/orphans.ts';
import { policyMeter } from './decision/policy-meter.ts';
import { Projector } from './decision/projector.ts';
import { SignerPool } from './decision/signer-pool.ts';
import type { Mesh } from './mesh.ts';
import { type Identity, sealingOnlyTheirs } from './peers.ts';
import { composeReceiptSigner } from './receipt-signer/compose.ts';
import { requireNotOlder } from './receipt-signer/older-copy.ts';
import { serveRelay } from './relay.ts';
import { mayLieIn, sealRegion } from './residency.ts';
import {
  eventually,
  GATHER_TIMEOUT_MS,
  openBus,
  openMetricsDoor,
  openSeparateMesh,
  openSharedStores,
  openStream,
  ownCall,
  type Run,
} from './separate-parts.ts';
import { keepSuspicions } from './separate-suspicions.ts';

export type Started = Readonly<Record<string, string>>;

const CALL_TIMEOUT_MS = 5_000;

export async function startReceiptSigner(run: Run): Promise<Started> {
  const { config, closers, failed } = run;
  const mesh = await openSeparateMesh('receipt-signer', run);
  const stores = await openSharedStores(run);
  const { nats, bus } = openBus(run);
  const signer = await composeReceiptSigner({
    dataDir: config.dataDir,
    role: 'receipt-signer',
    bus,
    now: Date.now,
    failed: failed('ledger.failed'),
    stream: openStream(nats, run, config.region),
    streamFailed: failed('outbox.failed'),
    keepLeader: true,
    // Whoever fenced it asks next whether all before it is known to the stores.
    fenced: () => projector.look(),
    tracing: run.tracing,
    ...(config.region === '' ? {} : { region: config.region }),
    mayLieHere: mayLieIn(run.residency, config.region),
  });
  closers.push(() => signer.stop());
  await requireNotOlder(signer.store, [stores.actions, stores.idempotency, stores.scores]);
  const projected = { stores, settings: config, early: stores.early };
  const projector: Projector = new Projector(signer.store, projected, failed('projector.failed'));
  projector.start();
  closers.push(() => projector.stop());
  const service = await serve(mesh, run, [hosting(ReceiptSignerService, sealingOnlyTheirs(signer.service))]);
  const lag = run.metrics.gauge('outbox_lag', 'Leaves the stream has not acknowledged yet.');
  const measuring = setInterval(() => lag.set(signer.outbox?.lag() ?? 0), 1_000).unref();
  closers.push(() => clearInterval(measuring));
  const ready = () => (signer.store.writable() ? [] : ['the ledger cannot be written']);
  return { service, origin: signer.store.origin, metrics: await openMetricsDoor(run, ready) };
}

export async function startDecision(run: Run): Promise<Started> {
  const { config, closers, failed, metrics, log } = run;
  const mesh = await openSeparateMesh('decision', run);
  const stores = await openSharedStores(run);
  const { bus } = openBus(run);
  const meter = decisionMeter(metrics);
  const startedMs = Date.now();
  const { suspicions, unanswered } = keepSuspicions(run, { stores, startedMs, pool: () => pool, voided: meter.voided });
  const pool = new SignerPool({
    signers: await dialAll(mesh, run, ReceiptSignerService, 'receipt-signer', config.signers),
    now: Date.now,
    context: ownCall('decision', CALL_TIMEOUT_MS),
    failed: (event, error) => failed(event)(error),
    voided: (reason) => meter.voided(reason),
    suspicions,
    regionOf: sealRegion(run.residency),
  });
  await pool.start();
  closers.push(() => pool.stop());
  const { isolation, permitTtlMs, actionDeadlineMs, approvalTtlMs, idempotencyTtlMs } = config;
  const { maxInFlight, agentRate, turn, session, assertedNames } = config;
  const builtIn = fileURLToPath(new URL('../policies/bundle', import.meta.url));
  const policy = await composePolicy(builtIn);
  const activation = await composeActivation({
    ...{ policy, builtIn, config, bus, log },
    signer: pool,
    meter: policyMeter(metrics),
    now: Date.now,
  });
  const decision = composeDecision({
    stores,
    signer: pool,
    suspected: (receipt) => stores.suspicions.has(suspicionsOf(receipt)),
    keys: openTenantKeys(config.tenantKeyFile),
    bus,
    meter,
    policy,
    activation,
    settings: {
      ...{ isolation, permitTtlMs, actionDeadlineMs, approvalTtlMs, idempotencyTtlMs },
      ...{ maxInFlight, agentRate, turn, session, assertedNames },
      gatherTimeoutMs: GATHER_TIMEOUT_MS,
      zeroRetention: config.zeroRetention,
      // Several signers, several keys: the one that signs adds its own scope.
      keyId: () => '',
    },
    now: Date.now,
    failed: (event, error) => failed(event)(error),
    logged: log.info,
    tracing: run.tracing,
    residency: run.residency,
    remote: true,
  });
  await eventually('a receipt signer', () => decision.start(() => {}), log);
  closers.push(() => decision.stop());
  // Before it serves: what was decided by a signed policy is not decided by the built-in one meanwhile.
  await activation?.start();
  closers.push(() => activation?.stop());
  suspicions.start();
  unanswered.start();
  const relay = serveRelay(decision, {
    now: Date.now,
    newTraceId: () => randomHex(16),
    onInternal: failed('rpc.internal_error'),
  });
  const service = await serve(mesh, run, [
    hosting(DecisionService, decision),
    hosting(DecisionRelayService, relay.service),
    hosting(UnansweredService, unanswered),
  ]);
  closers.push(relay.drain);
  const ready = () => [
    ...(pool.ready() ? [] : ['no signer can seal']),
    ...(stores.usable() ? [] : ['Redis cannot be used']),
  ];
  return { service, metrics: await openMetricsDoor(run, ready) };
}

type Hosted = { readonly desc: DescService; register(server: Server, options: HostOptions<CallContext>): void };

export function hosting<S extends DescService>(desc: S, service: Partial<Service<S, CallContext>>): Hosted {
  return { desc, register: (server, options) => host(server, desc, service, options) };
}

/** Serves on the mesh until the process drains; gives the address as bound. */
export async function serve(mesh: Mesh, run: Run, hosted: readonly Hosted[]): Promise<string> {
  const { address, health } = await serveWithHealth(mesh, run, hosted);
  for (const { desc } of hosted) health.set(desc.typeName, true);
  return address;
}

/** The same, for a process whose services are not serving all the time. */
export async function serveWithHealth(
  mesh: Mesh,
  { config, closers, failed, metrics }: Run,
  hosted: readonly Hosted[],
): Promise<{ readonly address: string; readonly health: Health }> {
  const server = mesh.createServer();
  const requests = metrics.counter('rpc_requests_total', 'gRPC calls answered.', ['method', 'status']);
  const seconds = metrics.histogram('rpc_request_duration_seconds', 'Time to answer a gRPC call.', ['method']);
  for (const one of hosted) {
    one.register(server, {
      authenticate: (call) => mesh.authenticate(call),
      onError: (error, method) => failed('rpc.internal_error')({ method, error }),
      onEnd(method, status, duration) {
        requests.inc({ method, status: String(status) });
        seconds.observe({ method }, duration);
      },
    });
  }
  const health = await addHealth(
    server,
    hosted.map(({ desc }) => desc),
  );
  const address = await mesh.listen(server, config.serviceListen);
  health.set('', true);
  closers.push(() => drainRpc(server, config.drainMs));
  return { address, health };
}

/** One client for each address; they connect when they are first used. */
export async function dialAll<S extends DescService>(
  mesh: Mesh,
  { closers }: Run,
  desc: S,
  to: Identity,
  addresses: readonly string[],
): Promise<{ readonly name: string; readonly service: Service<S, CallContext> }[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const dialed = await mesh.dial(desc, to, address, UNARY_CHANNELS);
      closers.push(() => dialed.close());
      return { name: address, service: dialed.service };
    }),
  );
}

const UNARY_CHANNELS = 4;
