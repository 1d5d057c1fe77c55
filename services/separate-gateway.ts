// The gateway as a process of its own: who asks is established here, everything else is asked of the services behind.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecisionRelayService, DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService } from '../gen/beacon/v1/kill_switch_service_pb.js';
import { ReceiptSignerService } from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { UnansweredService } from '../gen/beacon/v1/unanswered_service_pb.js';
import { RedisTokenStore } from '../ports/token-store/redis.ts';
import { SqliteTokenCopy } from '../ports/token-store/sqlite-copy.ts';
import { randomHex } from '../runtime/random.ts';
import { SqliteFile } from '../runtime/sqlite.ts';
import { createAccess, tokenDigest } from './access.ts';
import { adminTokenOf, instanceOf, prepareAgentDoors } from './agent-doors.ts';
import { createGateway } from './gateway/compose.ts';
import { leadingKillSwitch } from './leading-kill-switch.ts';
import { dialRelay } from './relay.ts';
import { askingAll, leastBusy, madeBlind } from './replicas.ts';
import { openSeparateMesh, openSharedRedis, ownCall, type Run } from './separate-parts.ts';
import { dialAll, type Started } from './separate-targets.ts';
import { UnansweredCalls } from './unanswered-calls.ts';

const REPORT_TIMEOUT_MS = 5_000;

/** Decisions one replica owes at most; beyond it they are shed here. */
const MAX_RELAYED = 4_096;

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
  const killSwitches = await dialAll(mesh, run, KillSwitchService, 'kill-switch', config.killSwitch);
  const killSwitchLogs = await dialAll(mesh, run, ReceiptSignerService, 'kill-switch', config.killSwitch);
  const leading = leadingKillSwitch({
    replicas: killSwitches.map(({ service }, i) => ({
      killSwitch: service,
      log: (killSwitchLogs[i] as (typeof killSwitchLogs)[number]).service,
    })),
    now: Date.now,
    newRequestId: () => randomHex(16),
  });
  const unanswered = new UnansweredCalls({
    replicas: (await dialAll(mesh, run, UnansweredService, 'decision', config.decisions)).map(({ service }) => service),
    now: Date.now,
    // Sorts by time, as the decision service's own.
    newActionId: () => `act_${Date.now().toString(16).padStart(12, '0')}${randomHex(10)}`,
    context: ownCall('gateway', REPORT_TIMEOUT_MS),
    failed: (event, error) => failed(event)(error),
  });
  unanswered.start();
  closers.push(() => unanswered.stop());
  const relays = await dialAll(mesh, run, DecisionRelayService, 'decision', config.decisions);
  const deciders = decisions.map(({ service }, i) => {
    const relay = (relays[i] as (typeof relays)[number]).service;
    const { decision, retire } = dialRelay({
      ...{ relay, now: Date.now, maxPending: MAX_RELAYED },
      context: ownCall('gateway', config.decisionTimeoutMs),
    });
    closers.push(retire);
    return unanswered.watching({ ...service, ...decision }, i);
  });
  const services = (dialed: readonly { readonly service: object }[]) => dialed.map(({ service }) => service);
  const gateway = createGateway({
    services: {
      // Each replica watches for itself; an admin's word must reach all of them.
      decision: askingAll(leastBusy(deciders, Date.now, madeBlind), deciders, 'activatePolicy'),
      scoring: leastBusy(services(scoring) as (typeof scoring)[number]['service'][], Date.now),
      killSwitch: leading.killSwitch,
      logs: [...signers.map(({ service }) => service), leading.log],
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
    tracing: run.tracing,
    residency: run.residency,
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
