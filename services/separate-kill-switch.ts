// The kill switch as a process of its own. Two may run over one data folder: the ledger's lock decides which of them
// leads, the other stands by and takes over when that process has ended. Whoever finds that it has been followed ends.

import { join } from 'node:path';
import { BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import type { CallContext } from '../core/principal.ts';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { MemoryEventBus } from '../ports/event-bus/memory.ts';
import { openTenantKeys } from '../ports/tenant-key/file.ts';
import type { Service } from '../runtime/rpc.ts';
import { composeKillSwitch } from './kill-switch/compose.ts';
import { killSwitchMeter } from './kill-switch/meter.ts';
import { reflectedUpTo } from './kill-switch/reflected.ts';
import type { KillSwitch } from './kill-switch/service.ts';
import { composeReceiptSigner, type SignerComposition } from './receipt-signer/compose.ts';
import { openBus, openMetricsDoor, openSeparateMesh, openSharedStores, type Run } from './separate-parts.ts';
import { dialAll, hosting, type Started, serveWithHealth } from './separate-targets.ts';

/** How often the leader looks whether its log is still its own. */
const LOOK_MS = 500;
const SERVED = [KillSwitchService, ReceiptSignerService];

type Methods = Readonly<Record<string, (request: unknown, context: CallContext) => Promise<unknown>>>;
type Leading = { readonly own: SignerComposition; readonly killSwitch: KillSwitch };

export async function startKillSwitch(run: Run): Promise<Started> {
  const { config, closers, failed, metrics, log } = run;
  const mesh = await openSeparateMesh('kill-switch', run);
  const stores = await openSharedStores(run);
  const { bus } = openBus(run);
  const dialed = await dialAll(mesh, run, ReceiptSignerService, 'receipt-signer', config.signers);
  const gauge = metrics.gauge('kill_switch_leading', '1 while this replica leads, 0 while it stands by.');
  gauge.set(0);
  const stopping = new AbortController();
  let leading: Leading | undefined;

  const lead = async (standingBy: () => void): Promise<Leading> => {
    const own = await composeReceiptSigner({
      dataDir: config.dataDir,
      role: 'kill-switch',
      bus: new MemoryEventBus(failed('request.failed')),
      now: Date.now,
      failed: failed('ledger.failed'),
      waiting: { standingBy, signal: stopping.signal },
    });
    const killSwitch = composeKillSwitch({
      log: own.service,
      list: stores.revocations,
      signers: dialed.map(({ service }) => service),
      signerNames: dialed.map(({ name }) => name),
      actions: stores.actions,
      reflected: (fences) => reflectedUpTo(fences, stores.actions),
      // Who follows a log brings this one last.
      followed: (logId) => stores.idempotency.position(logId),
      bus,
      keys: openTenantKeys(join(config.dataDir, 'keys', 'kill-switch', 'digest.key')),
      // That a name cannot be looked up must not keep a revocation from being answered.
      tokens: { isMinted: (tenantId, agentId) => stores.isMinted(tenantId, agentId).catch(() => false) },
      leaseMs: config.leaseMs,
      now: Date.now,
      leads: () => own.store.isOnlyWriter(),
      failed: failed(EVENTS.fenceFailed),
      meter: killSwitchMeter(metrics),
      tracing: run.tracing,
    });
    try {
      await killSwitch.start();
    } catch (error) {
      await own.stop();
      throw error;
    }
    return { own, killSwitch };
  };

  let standby = false;
  let takenOver: Promise<Leading | undefined> = Promise.resolve(undefined);
  // Opened before the server and so closed after it: calls under way are finished by what they were begun with.
  closers.push(async () => {
    stopping.abort();
    const last = await takenOver.catch(() => undefined);
    last?.killSwitch.stop();
    // Its last checkpoint must not replace that of one that has taken over.
    if (await last?.own.store.isOnlyWriter()) await last?.own.stop();
  });
  const began = new Promise<void>((resolve, reject) => {
    takenOver = lead(() => {
      standby = true;
      log.info(EVENTS.killSwitchStandsBy);
      resolve();
    });
    takenOver.then(() => resolve(), reject);
  });
  await began;
  if (!standby) leading = await takenOver;
  const { address, health } = await serveWithHealth(mesh, run, [
    hosting(
      KillSwitchService,
      whileLeading(KillSwitchService, () => leading?.killSwitch),
    ),
    hosting(
      ReceiptSignerService,
      whileLeading(ReceiptSignerService, () => leading?.own.service),
    ),
  ]);
  const serving = (now: boolean) => {
    for (const { typeName } of SERVED) health.set(typeName, now);
    gauge.set(now ? 1 : 0);
  };
  serving(!standby);
  takenOver.then(
    (now) => {
      if (standby) log.info(EVENTS.killSwitchTookOver, { origin: now?.own.store.origin });
      leading = now;
      serving(true);
      watch(now as Leading, run, stopping.signal);
    },
    (error) => {
      if (!stopping.signal.aborted) endProcess(EVENTS.killSwitchCannotLead, error, run);
    },
  );
  const ready = () => [
    ...(leading && !leading.own.store.writable() ? ['the ledger cannot be written'] : []),
    ...(stores.usable() ? [] : ['Redis cannot be used']),
  ];
  const origin = leading?.own.store.origin;
  const role = standby ? 'standby' : 'leader';
  return { service: address, role, ...(origin ? { origin } : {}), metrics: await openMetricsDoor(run, ready) };
}

/** The service of whoever leads; while that is not this process, every method is refused. */
function whileLeading<S extends (typeof SERVED)[number]>(
  desc: S,
  current: () => Partial<Service<S, CallContext>> | undefined,
): Partial<Service<S, CallContext>> {
  const methods = desc.methods
    .filter(({ methodKind }) => methodKind === 'unary')
    .map(({ localName }) => {
      const call = async (request: unknown, context: CallContext) => {
        const service = current() as unknown as Methods | undefined;
        if (!service) throw new BeaconError('unavailable', 'this kill switch stands by', { retryAfterMs: 1_000 });
        return service[localName]?.(request, context);
      };
      return [localName, call];
    });
  return Object.fromEntries(methods);
}

/** A leader that has been followed must not go on: not with leases, not with answers, not with what it holds in memory. */
function watch({ own }: Leading, run: Run, stopping: AbortSignal): void {
  const timer = setInterval(async () => {
    if (stopping.aborted || (await own.store.isOnlyWriter())) return;
    clearInterval(timer);
    if (!stopping.aborted) endProcess(EVENTS.killSwitchDeposed, undefined, run);
  }, LOOK_MS).unref();
}

/** Whatever keeps services alive starts it again; it then stands by, or says what is wrong. */
function endProcess(event: string, error: unknown, { log }: Run): void {
  log.error(event, { error });
  process.exit(1);
}
