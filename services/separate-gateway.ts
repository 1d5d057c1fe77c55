// The gateway as a process of its own: who asks is established here, everything else is asked of the services behind.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { RedisTokenStore } from '../ports/token-store/redis.ts';
import { SqliteTokenCopy } from '../ports/token-store/sqlite-copy.ts';
import { SqliteFile } from '../runtime/sqlite.ts';
import { createAccess, tokenDigest } from './access.ts';
import { adminTokenOf, instanceOf, prepareAgentDoors } from './agent-doors.ts';
import { createGateway } from './gateway/compose.ts';
import { askingAll, takingTurns } from './replicas.ts';
import { openSeparateMesh, openSharedRedis, type Run } from './separate-parts.ts';
import { dialAll, type Started } from './separate-targets.ts';

/** Longer than a fact may take: a busy gateway that misses a reply would turn callers away. */
const TOKEN_TIMEOUT_MS = 1_500;

export async function startGateway(run: Run): Promise<Started> {
  const { config, closers, failed, metrics, log } = run;
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const mesh = await openSeparateMesh('gateway', run);
  const file = new SqliteFile({ path: join(dataDir, 'tokens.db'), synced: true, onFailure: failed('state.failed') });
  closers.push(() => file.close());
  const redis = await openSharedRedis(run, TOKEN_TIMEOUT_MS);
  const tokens = new RedisTokenStore(redis, new SqliteTokenCopy(file), failed('tokens.failed'));
  closers.push(() => tokens.stop());
  await tokens.start();
  const admin = await adminTokenOf(config);
  const doors = await prepareAgentDoors(config, failed('tls.failed'));
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
      ready: async () => ({ ready: redis.usable, reasons: redis.usable ? [] : ['Redis cannot be used'] }),
    },
    access: createAccess({
      tokens,
      adminTokenDigest: tokenDigest(admin.token.reveal()),
      allowAsserted: config.allowAsserted,
      certificates: doors.rules,
      now: Date.now,
      randomBytes,
    }),
    metrics,
    log,
    options: doors.options,
  });
  // Pushed last, so that what it asks is still there while it drains.
  closers.push(() => doors.close());
  const { http, grpc, serving } = await doors.open(gateway);
  serving(true);
  const instance = instanceOf(config, { http, grpc });
  writeFileSync(join(dataDir, 'instance.json'), `${JSON.stringify(instance)}\n`, { mode: 0o600 });
  return { http, grpc, data_dir: dataDir, admin_token_file: admin.file };
}
