// The gateway as a process of its own: who asks is established here, everything else is asked of the services behind.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
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
import { askingAll, takingTurns } from './replicas.ts';
import { openSeparateMesh, type Run } from './separate-parts.ts';
import { dialAll, type Started } from './separate-targets.ts';

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
  const killSwitch = await dialAll(mesh, run, KillSwitchService, 'kill-switch', config.killSwitch.slice(0, 1));
  const killSwitchLog = await dialAll(mesh, run, ReceiptSignerService, 'kill-switch', config.killSwitch.slice(0, 1));
  const deciders = decisions.map(({ service }) => service);
  const services = (dialed: readonly { readonly service: object }[]) => dialed.map(({ service }) => service);
  const gateway = createGateway({
    services: {
      // Each replica watches for itself; an admin's word must reach all of them.
      decision: askingAll(takingTurns(deciders, Date.now), deciders, 'activatePolicy'),
      scoring: takingTurns(services(scoring) as (typeof scoring)[number]['service'][], Date.now),
      killSwitch: takingTurns(services(killSwitch) as (typeof killSwitch)[number]['service'][], Date.now),
      logs: [...signers, ...killSwitchLog].map(({ service }) => service),
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
    tracing: run.tracing,
    residency: run.residency,
    options: {
      decisionTimeoutMs: config.decisionTimeoutMs,
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
