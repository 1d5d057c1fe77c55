// The gateway as a process of its own: who asks is established here, everything else is asked of the services behind.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionRelayService, DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { UnansweredService } from '../gen/beacon/v1/unanswered_service_pb.js';
import { SqliteTokenStore } from '../ports/token-store/sqlite.ts';
import { addressText } from '../runtime/env.ts';
import { drainHttp } from '../runtime/http.ts';
import { addReflection } from '../runtime/rpc-reflection.ts';
import { addHealth, createRpcServer, drainRpc, listenRpc } from '../runtime/rpc-server.ts';
import { readOrCreateSecretFile } from '../runtime/secret-file.ts';
import { SqliteFile } from '../runtime/sqlite.ts';
import { createAccess, tokenDigest, tokenText } from './access.ts';
import { AGENT_SERVICES, createGateway } from './gateway/compose.ts';
import { isLoopback } from './gateway/peer.ts';
import { leadingKillSwitch } from './leading-kill-switch.ts';
import { dialRelay } from './relay.ts';
import { askingAll, takingTurns } from './replicas.ts';
import { openSeparateMesh, ownCall, type Run } from './separate-parts.ts';
import { dialAll, type Started } from './separate-targets.ts';
import { UnansweredCalls } from './unanswered-calls.ts';

const REPORT_TIMEOUT_MS = 5_000;

/** Decisions one replica owes at most; beyond it they are shed here. */
const MAX_RELAYED = 4_096;

export async function startGateway(run: Run): Promise<Started> {
  const { config, closers, failed, metrics, log } = run;
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const mesh = await openSeparateMesh('gateway', run);
  const file = new SqliteFile({ path: join(dataDir, 'tokens.db'), synced: true, onFailure: failed('state.failed') });
  closers.push(() => file.close());
  const tokens = new SqliteTokenStore(file);
  const tokenFile = join(dataDir, 'admin.token');
  const adminToken = await readOrCreateSecretFile(tokenFile, () => tokenText('admin', randomBytes(32)));
  const decisions = await dialAll(mesh, run, DecisionService, 'decision', config.decisions);
  const scoring = await dialAll(mesh, run, ScoringService, 'scoring', config.scoring);
  const signers = await dialAll(mesh, run, ReceiptSignerService, 'receipt-signer', config.signers);
  const killSwitches = await dialAll(mesh, run, KillSwitchService, 'kill-switch', config.killSwitch);
  const killSwitchLogs = await dialAll(mesh, run, ReceiptSignerService, 'kill-switch', config.killSwitch);
  const leading = leadingKillSwitch({
    replicas: killSwitches.map(({ service }, i) => ({
      killSwitch: service,
      log: (killSwitchLogs[i] as (typeof killSwitchLogs)[number]).service,
    })),
    now: Date.now,
    newRequestId: () => randomBytes(16).toString('hex'),
  });
  const unanswered = new UnansweredCalls({
    replicas: (await dialAll(mesh, run, UnansweredService, 'decision', config.decisions)).map(({ service }) => service),
    now: Date.now,
    // Sorts by time, as the decision service's own.
    newActionId: () => `act_${Date.now().toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`,
    context: ownCall('gateway', REPORT_TIMEOUT_MS),
    failed: (event, error) => failed(event)(error),
  });
  unanswered.start();
  closers.push(() => unanswered.stop());
  const relays = await dialAll(mesh, run, DecisionRelayService, 'decision', config.decisions);
  const spanId = randomBytes(8).toString('hex');
  const deciders = decisions.map(({ service }, i) => {
    const relay = (relays[i] as (typeof relays)[number]).service;
    const { decision, retire } = dialRelay({
      ...{ relay, spanId, now: Date.now, maxPending: MAX_RELAYED },
      context: ownCall('gateway', config.decisionTimeoutMs),
    });
    closers.push(retire);
    return unanswered.watching({ ...service, ...decision }, i);
  });
  const services = (dialed: readonly { readonly service: object }[]) => dialed.map(({ service }) => service);
  const gateway = createGateway({
    services: {
      // Each replica watches for itself; an admin's word must reach all of them.
      decision: askingAll(takingTurns(deciders, Date.now), deciders, 'activatePolicy'),
      scoring: takingTurns(services(scoring) as (typeof scoring)[number]['service'][], Date.now),
      killSwitch: leading.killSwitch,
      logs: [...signers.map(({ service }) => service), leading.log],
      ready: async () => ({ ready: true, reasons: [] }),
    },
    access: createAccess({
      tokens,
      adminTokenDigest: tokenDigest(adminToken.reveal()),
      allowAsserted: config.allowAsserted,
      now: Date.now,
      randomBytes,
    }),
    metrics,
    log,
    options: {
      decisionTimeoutMs: config.decisionTimeoutMs,
      limit: { maxInFlight: config.maxInFlight, latencyTargetMs: config.latencyTargetMs },
      allowedHosts: config.httpAllowedHosts,
      grpcOnLoopback: isLoopback(config.grpc.host),
      now: Date.now,
      randomBytes,
    },
  });
  const grpc = createRpcServer();
  gateway.registerGrpc(grpc);
  const health = await addHealth(grpc, [...AGENT_SERVICES]);
  await addReflection(grpc, [...AGENT_SERVICES]);
  closers.push(() =>
    Promise.all([drainRpc(grpc, config.drainMs), drainHttp(gateway.http, config.drainMs)]).then(() => undefined),
  );
  const grpcAddress = await listenRpc(grpc, addressText(config.grpc));
  const http = await gateway.http.listen({ host: config.http.host, port: config.http.port });
  for (const name of ['', ...AGENT_SERVICES.map((service) => service.typeName)]) health.set(name, true);
  const instance = { http, grpc: grpcAddress, pid: process.pid };
  writeFileSync(join(dataDir, 'instance.json'), `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  return { http, grpc: grpcAddress, data_dir: dataDir, admin_token_file: tokenFile };
}
