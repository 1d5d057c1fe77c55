// What the separate services have in common: shared stores on Redis, the bus on NATS, the mesh, and a door for metrics.

import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BeaconError } from '../core/errors.ts';
import { EVENTS } from '../core/events.ts';
import type { CallContext } from '../core/principal.ts';
import type { Residency } from '../core/residency.ts';
import { RedisActionStore } from '../ports/action-store/redis.ts';
import { RedisBudgets } from '../ports/budgets/redis.ts';
import { RedisEarlyReceipts } from '../ports/early-receipts/redis.ts';
import { NatsEventBus } from '../ports/event-bus/nats.ts';
import { RedisIdempotency } from '../ports/idempotency/redis.ts';
import { JetStreamReceiptStream } from '../ports/receipt-stream/jetstream.ts';
import { RedisRevocationList } from '../ports/revocation-list/redis.ts';
import { RedisScoreStore } from '../ports/score-store/redis.ts';
import { RedisSuspicions } from '../ports/suspicions/redis.ts';
import { isMintedIn } from '../ports/token-store/redis.ts';
import { createHttpServer } from '../runtime/http.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { openNats } from '../runtime/nats.ts';
import { openRedis, type RedisConnection } from '../runtime/redis.ts';
import type { Tracing } from '../runtime/tracing.ts';
import { type Mesh, openMesh } from './mesh.ts';
import type { Identity } from './peers.ts';
import { firstRegion } from './residency.ts';
import type { SeparateConfig } from './separate-config.ts';

/** Less than half of what a fact may take: a script that the server has forgotten is sent twice. */
const REDIS_COMMAND_TIMEOUT_MS = 400;
export const GATHER_TIMEOUT_MS = 1_000;
const CLAIM_MS = 60_000;
const STREAM_AGE_MS = 7 * 86_400_000;

export type Closers = (() => Promise<void> | void)[];
export type Run = {
  readonly config: SeparateConfig;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing: Tracing | undefined;
  readonly residency: Residency | undefined;
  readonly closers: Closers;
  readonly failed: (event: string) => (error: unknown) => void;
};

export type SharedStores = Awaited<ReturnType<typeof openSharedStores>>;

/** Refuses to start on a Redis that cannot be reached or might forget. */
export async function openSharedRedis(
  { config, log, closers }: Run,
  commandTimeoutMs = REDIS_COMMAND_TIMEOUT_MS,
): Promise<RedisConnection> {
  if (!config.redis) throw new BeaconError('invalid_argument', 'BEACON_REDIS_URL: is missing');
  const { address, sentinels, name, username, password, sentinelUsername, sentinelPassword, tls } = config.redis;
  const redis = await openRedis({
    ...address,
    ...(sentinels && name ? { sentinels, name } : {}),
    ...(username ? { username } : {}),
    ...(password ? { password: password.reveal() } : {}),
    ...(sentinelUsername ? { sentinelUsername } : {}),
    ...(sentinelPassword ? { sentinelPassword: sentinelPassword.reveal() } : {}),
    ...(tls ? { tls: {} } : {}),
    prefix: config.redisPrefix,
    commandTimeoutMs,
    onState: (state, cause) => log[state === 'ready' ? 'info' : 'warn'](`redis.${state}`, { cause }),
  });
  closers.push(() => redis.close());
  return redis;
}

export async function openSharedStores(run: Run) {
  const { config } = run;
  const redis = await openSharedRedis(run);
  return {
    // A Redis that is away costs the facts, not the answer: what is sealed then is a DENY.
    writable: () => true,
    usable: () => redis.usable,
    left: () => redis.left(),
    revocations: new RedisRevocationList(redis),
    actions: new RedisActionStore(redis, { claimMs: Math.max(CLAIM_MS, config.permitTtlMs) }),
    early: new RedisEarlyReceipts(redis),
    idempotency: new RedisIdempotency(redis, { claimMs: CLAIM_MS }),
    scores: new RedisScoreStore(redis),
    budgets: new RedisBudgets(redis),
    suspicions: new RedisSuspicions(redis),
    isMinted: (tenantId: string, agentId: string) => isMintedIn(redis, tenantId, agentId),
  };
}

export function openBus({ config, closers, failed, residency }: Run) {
  const nats = openNats({
    servers: config.natsServers,
    name: `beacon-${config.target}`,
    ...(config.natsToken ? { token: config.natsToken.reveal() } : {}),
    failed: failed('nats.failed'),
  });
  closers.push(() => nats.close());
  const bus = new NatsEventBus({
    nats,
    sender: randomUUID(),
    onFault: failed(EVENTS.requestFailed),
    regionOf: firstRegion(residency),
  });
  closers.push(() => bus.close());
  return { nats, bus };
}

/** The stream of a region, or of all where there are none. */
export function openStream(nats: ReturnType<typeof openNats>, { config, closers, failed }: Run, region: string) {
  const stream = new JetStreamReceiptStream({
    nats,
    maxBytes: config.natsStreamBytes,
    maxAgeMs: STREAM_AGE_MS,
    region,
    failed: failed('stream.failed'),
  });
  closers.push(() => stream.close());
  return stream;
}

export async function openSeparateMesh(self: Identity, { config, closers, failed }: Run): Promise<Mesh> {
  // Made here, so that the first service to start can leave its token for the others.
  if (config.serviceTokens !== '') mkdirSync(config.serviceTokens, { recursive: true, mode: 0o700 });
  const mesh = await openMesh({
    self,
    ...(config.tls ? { tls: config.tls } : {}),
    ...(config.serviceTokens === '' ? {} : { tokenFolder: config.serviceTokens }),
    now: Date.now,
    failed: failed('tls.failed'),
  });
  closers.push(() => mesh.close());
  return mesh;
}

/** The context of what a service asks on its own account. */
export function ownCall(self: Identity, timeoutMs: number): () => CallContext {
  return () => ({
    principal: { role: 'auditor', provenance: 'authenticated', subject: `service:${self}` },
    deadlineMs: Date.now() + timeoutMs,
    requestDigest: '',
    traceId: randomUUID().replaceAll('-', ''),
  });
}

/** /metrics, /healthz and /readyz of a target that has no other HTTP. Resolves to where they are. */
export async function openMetricsDoor(run: Run, ready: () => readonly string[]): Promise<string> {
  const { config, metrics, closers, failed } = run;
  const door = createHttpServer({
    bodyLimitBytes: 1_024,
    allowedHosts: config.httpAllowedHosts,
    contentTypes: ['application/json'],
    onError: failed('http.internal_error'),
  });
  door.get('/healthz', async () => ({ status: 'ok' }));
  door.get('/readyz', async (_, reply) => {
    const reasons = ready();
    return reply
      .code(reasons.length === 0 ? 200 : 503)
      .send({ status: reasons.length === 0 ? 'ready' : 'not_ready', reasons });
  });
  door.get('/metrics', async (request, reply) => {
    const { contentType, text } = await metrics.expose(request.headers.accept);
    return reply.header('content-type', contentType).send(text);
  });
  closers.push(() => door.close());
  return door.listen({ host: config.metricsListen.host, port: config.metricsListen.port });
}

const TRY_AGAIN_MS = 500;
const TRY_RARELY_MS = 10_000;
const START_LIMIT_MS = 60_000;

/** Tries until it works: services start in any order. Gives up after a minute, unless a `signal` says when; then it tries less often. */
export async function eventually<T>(
  what: string,
  work: () => Promise<T>,
  log: Log,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<T> {
  const until = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const late = Date.now() > until;
      if (late && !signal) throw new BeaconError('unavailable', `${what}: not there in time`, { cause: error });
      log.info('start.waiting', { for: what });
      await sleep(late ? TRY_RARELY_MS : TRY_AGAIN_MS, undefined, signal && { signal });
    }
  }
}
