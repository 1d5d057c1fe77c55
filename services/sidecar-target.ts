// A sidecar as a process: files opened and watched, gateways dialed, listeners bound, and all of it ended in order. It
// starts without a gateway and refuses until there is one: an agent must not wait for what may never come.

import { randomBytes, randomInt } from 'node:crypto';
import type { BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import { parseJwks } from '../core/jwk.ts';
import { drainHttp } from '../runtime/http.ts';
import { listenHttp } from '../runtime/http-listen.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { addReflection } from '../runtime/rpc-reflection.ts';
import {
  addHealth,
  createRpcServer,
  drainRpc,
  isUnixAddress,
  listenRpc,
  requirePrivateAddress,
} from '../runtime/rpc-server.ts';
import { readOrCreateSecretFile } from '../runtime/secret-file.ts';
import { watchFile } from '../runtime/watched-file.ts';
import { Believer } from './sidecar/believe.ts';
import { type CallersDeps, createCallers } from './sidecar/callers.ts';
import { composeSidecar, SIDECAR_SERVICES } from './sidecar/compose.ts';
import { Gateways } from './sidecar/gateways.ts';
import type { Behind } from './sidecar/service.ts';
import type { SidecarConfig } from './sidecar-config.ts';
import { RELOAD_MS, reachGateways } from './sidecar-dial.ts';

type Closers = (() => Promise<void> | void)[];
export type StartedSidecar = { readonly started: Readonly<Record<string, string>>; stop(): Promise<void> };

export async function startSidecar(config: SidecarConfig, log: Log): Promise<StartedSidecar> {
  const closers: Closers = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return { started: await start(config, log, closers), stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}

async function start(config: SidecarConfig, log: Log, closers: Closers): Promise<Record<string, string>> {
  const { tenantId, agentId, drainMs } = config;
  const refused = (error: BeaconError) => log.error(EVENTS.fileRefused, { error });
  const watching = { everyMs: RELOAD_MS, refused };
  const keys = await watchFile({ ...watching, path: config.receiptKeysFile, secret: false, parse: parseJwks });
  closers.push(() => keys.close());
  const reached = await reachGateways(config, refused);
  closers.push(() => reached.close());
  const metrics = createMetrics('beacon_');
  let health = { set: (_service: string, _serving: boolean) => {} };
  const gateways = new Gateways<Behind>({
    gateways: reached.gateways,
    credential: () => reached.credential(),
    maxPending: config.maxInFlight,
    first: randomInt(config.gateways.length),
    told(event, gateway, error) {
      const connected = event === 'connected';
      for (const name of names()) health.set(name, connected);
      if (connected) log.info(EVENTS.sidecarConnected, { gateway });
      else log.warn(event === 'lost' ? EVENTS.sidecarLost : EVENTS.sidecarRefused, { gateway, why: error?.message });
    },
  });
  const believer = new Believer({ tenantId, agentId, keys: keys.current, now: Date.now });
  const callers = await openCallers(config);
  const sidecar = composeSidecar({
    ...{ gateways, believer, callers, metrics, log },
    options: {
      timeoutMs: config.decisionTimeoutMs,
      allowedHosts: config.httpAllowedHosts,
      now: Date.now,
    },
  });
  const grpc = createRpcServer({ admission: sidecar.admission });
  sidecar.registerGrpc(grpc);
  health = await addHealth(grpc, [...SIDECAR_SERVICES]);
  await addReflection(grpc, [...SIDECAR_SERVICES]);
  gateways.start();
  closers.push(() => gateways.stop(drainMs));
  closers.push(async () => {
    for (const name of names()) health.set(name, false);
    await Promise.all([drainRpc(grpc, drainMs), drainHttp(sidecar.http, drainMs)]);
  });
  for (const address of [config.http, config.grpc]) await requirePrivateAddress(address);
  const grpcAddress = await listenRpc(grpc, config.grpc);
  const http = await listenHttp(sidecar.http, config.http);
  return { http, grpc: grpcAddress, agent_id: agentId, tenant_id: tenantId };
}

const names = () => ['', ...SIDECAR_SERVICES.map(({ typeName }) => typeName)];

async function openCallers({ http, grpc, callerTokenFile, ...config }: SidecarConfig) {
  const make = () => `bcn_caller_${randomBytes(32).toString('base64url')}`;
  const token = callerTokenFile === '' ? undefined : await readOrCreateSecretFile(callerTokenFile, make);
  const deps: Omit<CallersDeps, 'unixSocket'> = {
    agent: { tenantId: config.tenantId, agentId: config.agentId },
    token: token?.reveal(),
    openLoopback: config.openLoopback,
  };
  return {
    http: createCallers({ ...deps, unixSocket: isUnixAddress(http) }),
    grpc: createCallers({ ...deps, unixSocket: isUnixAddress(grpc) }),
  };
}
