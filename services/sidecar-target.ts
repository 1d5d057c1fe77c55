// A sidecar as a process: files opened and watched, gateways dialed, listeners bound, and all of it ended in order. It
// starts without a gateway and refuses until there is one: an agent must not wait for what may never come.

import { randomBytes, randomInt } from 'node:crypto';
import { BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import { parseJwks } from '../core/jwk.ts';
import type { CallContext } from '../core/principal.ts';
import { DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { drainHttp } from '../runtime/http.ts';
import { listenHttp } from '../runtime/http-listen.ts';
import type { Log } from '../runtime/log.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { dial } from '../runtime/rpc-dial.ts';
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
import { openClientTls } from '../runtime/tls-client.ts';
import { watchFile } from '../runtime/watched-file.ts';
import { Believer } from './sidecar/believe.ts';
import { type CallersDeps, createCallers } from './sidecar/callers.ts';
import { composeSidecar, SIDECAR_SERVICES } from './sidecar/compose.ts';
import { type Gateway, Gateways } from './sidecar/gateways.ts';
import type { Behind } from './sidecar/service.ts';
import type { SidecarConfig } from './sidecar-config.ts';

/** How soon a replaced token, key set or authority is in force. */
const RELOAD_MS = 2_000;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

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
  const token = await watchFile({ ...watching, path: config.agentTokenFile, secret: true, parse: readToken });
  closers.push(() => token.close());
  const metrics = createMetrics('beacon_');
  let health = { set: (_service: string, _serving: boolean) => {} };
  const gateways = new Gateways<Behind>({
    gateways: await dialGateways(config, token.current, refused, closers),
    credential: token.current,
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
      randomBytes,
    },
  });
  const grpc = createRpcServer();
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

function readToken(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (!TOKEN.test(text)) throw new BeaconError('failed_precondition', 'it holds no token');
  return text;
}

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

async function dialGateways(
  config: SidecarConfig,
  token: () => string,
  refused: (error: BeaconError) => void,
  closers: Closers,
): Promise<Gateway<Behind>[]> {
  const { gatewayCaFile: caFile, gatewayName } = config;
  const tls = caFile === '' ? undefined : await openClientTls({ caFile, reloadMs: RELOAD_MS, refused });
  closers.push(() => tls?.close());
  const gateways: Gateway<Behind>[] = [];
  for (const address of config.gateways) {
    const secured = tls && !isUnixAddress(address);
    if (!secured) await requirePrivateAddress(address);
    const options = {
      metadata: ({ traceId }: CallContext) => ({
        authorization: `Bearer ${token()}`,
        traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01`,
      }),
      deadlineMs: ({ deadlineMs }: CallContext) => deadlineMs,
      ...(secured ? { credentials: tls.credentials() } : {}),
      ...(secured && gatewayName !== '' ? { serverName: gatewayName } : {}),
    };
    const decision = dial<typeof DecisionService, CallContext>(DecisionService, address, options);
    const scoring = dial<typeof ScoringService, CallContext>(ScoringService, address, options);
    closers.push(() => {
      decision.close();
      scoring.close();
    });
    const stream = (): CallContext => ({
      principal: { role: 'agent', provenance: 'authenticated', subject: 'sidecar' },
      deadlineMs: Number.POSITIVE_INFINITY,
      requestDigest: '',
      traceId: randomBytes(16).toString('hex'),
    });
    gateways.push({
      address,
      service: { decision: decision.service, scoring: scoring.service },
      open: (requests) => decision.service.decide(requests, stream()),
    });
  }
  return gateways;
}
