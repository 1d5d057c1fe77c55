// Every knob: its name, its default, what it does. The environment is read here and nowhere else.
// A name nobody knows and a value that cannot be meant stop the start, all faults at once.

import { isAbsolute, join } from 'node:path';
import { BeaconError } from '../core/errors.ts';
import { type Address, EnvReader, type KnobDoc } from '../runtime/env.ts';
import { LOG_LEVELS, type LogLevel } from '../runtime/log.ts';
import type { TracingSettings } from '../runtime/tracing.ts';
import { readTracing } from '../runtime/tracing-settings.ts';

export type Config = {
  readonly dataDir: string;
  readonly http: Address;
  readonly grpc: Address;
  /** Of the listeners that agents reach; undefined: plain text. */
  readonly agentTls: AgentTls | undefined;
  /** Empty: `admin.token` in the data folder, made when missing. */
  readonly adminTokenFile: string;
  readonly allowAsserted: boolean;
  readonly httpAllowedHosts: readonly string[];
  readonly isolation: 'same_user' | 'own_user';
  readonly leaseMs: number;
  readonly permitTtlMs: number;
  readonly actionDeadlineMs: number;
  readonly approvalTtlMs: number;
  readonly idempotencyTtlMs: number;
  readonly decisionTimeoutMs: number;
  readonly drainMs: number;
  readonly maxInFlight: number;
  readonly latencyTargetMs: number;
  /** Decisions per minute for each agent; 0 is no limit. */
  readonly agentRate: number;
  /** Decisions in one turn and in one session, each within a time from its first. */
  readonly turn: { readonly actions: number; readonly windowMs: number };
  readonly session: { readonly actions: number; readonly windowMs: number };
  readonly assertedNames: number;
  readonly zeroRetention: boolean;
  /** At most one of the two is given; without, the built-in bundle alone decides. */
  readonly policyDir: string;
  readonly policyUrl: string;
  readonly policyKeys: string;
  /** Empty: the system's authorities; no token. */
  readonly policyCaFile: string;
  readonly policyTokenFile: string;
  readonly policyPollMs: number;
  readonly logLevel: LogLevel;
  /** Undefined: no traces. */
  readonly tracing: TracingSettings | undefined;
};

export type AgentTls = {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of agents' certificates; undefined when none is looked at. */
  readonly clientCaFile: string | undefined;
  readonly clientAuth: 'none' | 'optional' | 'require';
  readonly trustDomain: string;
};

export type Environment = Readonly<Record<string, string | undefined>>;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Names that clients and tests use in the same environment. */
const CLIENT_NAMES = ['URL', 'TOKEN', 'AGENT_ID', 'TENANT_ID', 'CA_FILE', 'CERT_FILE', 'KEY_FILE'];
export const TOLERATED = [...CLIENT_NAMES.map((name) => `BEACON_${name}`), 'BEACON_TEST_CACHE', 'BEACON_OPA'];
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|localhost)$/;
const HOST_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Throws `invalid_argument` whose message has one line for each fault. `home` is the user's home folder. */
export function loadConfig(env: Environment, home: string): Config {
  const { config, faults } = readConfig(env, home);
  if (faults.length > 0) {
    throw new BeaconError('invalid_argument', faults.join('\n'), { field: faults[0]?.split(':')[0] ?? '' });
  }
  return config;
}

/** The faults `--check` prints; empty when Beacon would start. */
export function checkConfig(env: Environment, home: string): readonly string[] {
  return readConfig(env, home).faults;
}

/** Name, default and meaning of every knob, in the order they are read. */
export function configKnobs(): readonly KnobDoc[] {
  return readConfig({}, '/home/you').knobs;
}

/** What every target reads; the caller adds its own and then refuses what nobody asked for. */
export function readCommon(reader: EnvReader, env: Environment, home: string, target = 'all'): Config {
  const config: Config = {
    ...readPlaces(reader, env, home),
    agentTls: readAgentTls(reader),
    ...readTimes(reader, target),
    ...readLimits(reader),
    ...readPolicy(reader),
    tracing: readTracing(reader, env, target === 'all' ? 'beacon' : `beacon-${target}`),
  };
  if (!isAbsolute(config.dataDir)) {
    // A relative folder would be planted by whoever chose the working directory.
    reader.fault('BEACON_DATA_DIR', 'must be an absolute path');
  }
  if (config.adminTokenFile !== '' && !isAbsolute(config.adminTokenFile)) {
    reader.fault('BEACON_ADMIN_TOKEN_FILE', 'must be an absolute path');
  }
  const behindProxy = refusePlainText(reader, config);
  // Every caller of a proxy on this machine comes from loopback, and few proxies say for whom they speak unless told to.
  return { ...config, allowAsserted: config.allowAsserted && !behindProxy };
}

function readConfig(env: Environment, home: string) {
  const reader = new EnvReader(env, 'BEACON_');
  const config = readCommon(reader, env, home);
  if (config.http.port !== 0 && config.http.port === config.grpc.port && config.http.host === config.grpc.host) {
    reader.fault('BEACON_GRPC_LISTEN', 'is the address of BEACON_HTTP_LISTEN');
  }
  reader.refuseUnknown(TOLERATED);
  return { config, faults: reader.faults, knobs: reader.knobs };
}

function readPlaces(reader: EnvReader, env: Environment, home: string) {
  // The XDG specification has relative values ignored.
  const xdg = env.XDG_STATE_HOME;
  const state = xdg !== undefined && isAbsolute(xdg) ? xdg : join(home, '.local', 'state');
  return {
    dataDir: reader.text('BEACON_DATA_DIR', join(state, 'beacon'), {
      doc: 'Folder (0700) of ledger, keys and state; without it $XDG_STATE_HOME/beacon, else ~/.local/state/beacon.',
    }),
    http: onLoopback(
      reader.address('BEACON_HTTP_LISTEN', '127.0.0.1:7500', { doc: 'Where HTTP is served; port 0 takes a free one.' }),
    ),
    grpc: onLoopback(
      reader.address('BEACON_GRPC_LISTEN', '127.0.0.1:7501', { doc: 'Where gRPC is served; port 0 takes a free one.' }),
    ),
    adminTokenFile: reader.text('BEACON_ADMIN_TOKEN_FILE', '', {
      doc: 'File of the admin token, the same for every gateway; without it admin.token in the data folder, made once.',
    }),
    allowAsserted: reader.flag('BEACON_ALLOW_ASSERTED', true, {
      doc: 'Whether a caller on loopback without a token may propose under a name no token was minted for.',
    }),
    httpAllowedHosts: reader.list('BEACON_HTTP_ALLOWED_HOSTS', HOST_NAME, {
      doc: 'Names, beside loopback and the address itself, that a Host header may carry; comma-separated.',
    }),
    isolation: reader.choice('BEACON_ISOLATION', ['same_user', 'own_user'], 'same_user', {
      doc: 'own_user states that no agent runs as the user Beacon runs as; only then is it a pre-execution gate.',
    }),
  } as const;
}

/** A resolver may say that it is elsewhere, and plain text would be served there. */
function onLoopback({ host, port }: Address): Address {
  return { host: host === 'localhost' ? '127.0.0.1' : host, port };
}

function readAgentTls(reader: EnvReader): AgentTls | undefined {
  const certFile = reader.text('BEACON_AGENT_TLS_CERT_FILE', '', {
    doc: 'Certificate chain (PEM) of the HTTP and gRPC listeners that agents reach; both are TLS then.',
  });
  const keyFile = reader.text('BEACON_AGENT_TLS_KEY_FILE', '', { doc: 'Its private key (PEM).' });
  const clientCaFile = reader.text('BEACON_AGENT_TLS_CLIENT_CA_FILE', '', {
    doc: 'Authorities (PEM) of certificates by which agents may say who they are.',
  });
  const fallback = clientCaFile === '' ? 'none' : 'optional';
  const clientAuth = reader.choice('BEACON_AGENT_TLS_CLIENT_AUTH', ['none', 'optional', 'require'], fallback, {
    doc: 'Whether a client certificate is looked at; without it: optional where authorities are given, else none.',
  });
  const trustDomain = reader.text('BEACON_AGENT_TRUST_DOMAIN', 'beacon', {
    doc: 'SPIFFE trust domain of agents’ certificates: spiffe://DOMAIN/beacon/agent/TENANT/AGENT.',
  });
  if (!TRUST_DOMAIN.test(trustDomain)) reader.fault('BEACON_AGENT_TRUST_DOMAIN', 'must be a SPIFFE trust domain');
  if ((certFile === '') !== (keyFile === '')) {
    reader.fault('BEACON_AGENT_TLS_CERT_FILE', 'goes with BEACON_AGENT_TLS_KEY_FILE');
  }
  if (clientCaFile !== '' && certFile === '') {
    reader.fault('BEACON_AGENT_TLS_CLIENT_CA_FILE', 'needs BEACON_AGENT_TLS_CERT_FILE');
  }
  if ((clientAuth === 'none') !== (clientCaFile === '')) {
    reader.fault('BEACON_AGENT_TLS_CLIENT_AUTH', 'goes with BEACON_AGENT_TLS_CLIENT_CA_FILE');
  }
  if (certFile === '' || keyFile === '') return undefined;
  return { certFile, keyFile, clientCaFile: clientCaFile || undefined, clientAuth, trustDomain };
}

/** Tokens and proposals must not cross a network for everybody to read. Gives whether a proxy is stated to prevent that. */
function refusePlainText(reader: EnvReader, { agentTls, http, grpc }: Config): boolean {
  const behindProxy = reader.flag('BEACON_TLS_TERMINATED_BY_PROXY', false, {
    doc: 'States that a proxy in front terminates TLS: plain text may be served beyond loopback, nobody does without a token.',
  });
  if (agentTls !== undefined && behindProxy) {
    reader.fault('BEACON_TLS_TERMINATED_BY_PROXY', 'contradicts BEACON_AGENT_TLS_CERT_FILE');
  }
  if (agentTls !== undefined || behindProxy) return behindProxy;
  for (const [name, { host }] of [
    ['BEACON_HTTP_LISTEN', http],
    ['BEACON_GRPC_LISTEN', grpc],
  ] as const) {
    if (LOOPBACK.test(host)) continue;
    reader.fault(name, 'beyond loopback needs BEACON_AGENT_TLS_CERT_FILE, or BEACON_TLS_TERMINATED_BY_PROXY=true');
  }
  return behindProxy;
}

function readTimes(reader: EnvReader, target: string) {
  return {
    leaseMs: reader.integer('BEACON_LEASE_MS', 30 * SECOND_MS, {
      min: SECOND_MS,
      max: 10 * MINUTE_MS,
      doc: 'Length of a signing lease: the longest an unreachable signer can go on allowing after a revocation.',
    }),
    permitTtlMs: reader.integer('BEACON_PERMIT_TTL_MS', 30 * SECOND_MS, {
      min: 100,
      max: 10 * MINUTE_MS,
      doc: 'How long a permit can be redeemed; it ends with its lease at the latest.',
    }),
    actionDeadlineMs: reader.integer('BEACON_ACTION_DEADLINE_MS', HOUR_MS, {
      min: SECOND_MS,
      max: 30 * DAY_MS,
      doc: 'When an open action that nobody closed is closed as lost_confirmation.',
    }),
    approvalTtlMs: reader.integer('BEACON_APPROVAL_TTL_MS', 15 * MINUTE_MS, {
      min: SECOND_MS,
      max: 7 * DAY_MS,
      doc: 'How long an approval can be given, and used.',
    }),
    idempotencyTtlMs: reader.integer('BEACON_IDEMPOTENCY_TTL_MS', target === 'all' ? 30 * DAY_MS : DAY_MS, {
      min: MINUTE_MS,
      max: 366 * DAY_MS,
      doc: 'How long an idempotency key finds its first answer.',
    }),
    decisionTimeoutMs: reader.integer('BEACON_DECISION_TIMEOUT_MS', 5 * SECOND_MS, {
      min: 10,
      max: MINUTE_MS,
      doc: 'After this no ALLOW is answered.',
    }),
    drainMs: reader.integer('BEACON_DRAIN_MS', 10 * SECOND_MS, {
      min: 0,
      max: 10 * MINUTE_MS,
      doc: 'How long requests under way may take to end after SIGTERM.',
    }),
  };
}

/** A source and the keys to hold it against, or neither: without keys it would be anybody's policy. */
function readPolicy(reader: EnvReader) {
  const policyDir = reader.text('BEACON_POLICY_DIR', '', {
    doc: 'Folder of a signed policy bundle, watched; without it and BEACON_POLICY_URL the built-in bundle decides.',
  });
  const policyUrl = reader.text('BEACON_POLICY_URL', '', {
    doc: 'Where a signed policy bundle is had as .tar.gz (https; http on the loopback); the built-in one then never decides.',
  });
  const policyKeys = reader.text('BEACON_POLICY_KEYS', '', {
    doc: 'File (JWK set, Ed25519) of the keys that may sign policy bundles.',
  });
  const policyCaFile = reader.text('BEACON_POLICY_CA_FILE', '', {
    doc: "Authorities (PEM) that alone may certify the policy server; without it the system's.",
  });
  const policyTokenFile = reader.text('BEACON_POLICY_TOKEN_FILE', '', {
    doc: 'File of the bearer token for the policy server, read for each request.',
  });
  const policyPollMs = reader.integer('BEACON_POLICY_POLL_MS', 30 * SECOND_MS, {
    min: 100,
    max: HOUR_MS,
    doc: 'How often the policy server is asked; up to ten times as long while it is away.',
  });
  const paths = { policyDir, policyKeys, policyCaFile, policyTokenFile };
  for (const [knob, path] of Object.entries(paths)) {
    if (path !== '' && !isAbsolute(path))
      reader.fault(POLICY_NAMES[knob as keyof typeof paths], 'must be an absolute path');
  }
  if (policyDir !== '' && policyUrl !== '') reader.fault('BEACON_POLICY_URL', 'does not go with BEACON_POLICY_DIR');
  const source = policyDir !== '' || policyUrl !== '';
  if (source && policyKeys === '') reader.fault('BEACON_POLICY_KEYS', 'must say who may sign the bundle');
  if (!source && policyKeys !== '')
    reader.fault('BEACON_POLICY_DIR', 'or BEACON_POLICY_URL goes with BEACON_POLICY_KEYS');
  if (policyUrl !== '' && !isPolicyUrl(policyUrl)) {
    reader.fault('BEACON_POLICY_URL', 'must be https, or http on the loopback, without user, password and fragment');
  }
  for (const knob of ['policyCaFile', 'policyTokenFile'] as const) {
    if (paths[knob] !== '' && policyUrl === '') reader.fault(POLICY_NAMES[knob], 'goes with BEACON_POLICY_URL');
  }
  return { ...paths, policyUrl, policyPollMs };
}

const POLICY_NAMES = {
  policyDir: 'BEACON_POLICY_DIR',
  policyKeys: 'BEACON_POLICY_KEYS',
  policyCaFile: 'BEACON_POLICY_CA_FILE',
  policyTokenFile: 'BEACON_POLICY_TOKEN_FILE',
} as const;
const LOOPBACK_HOST = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

function isPolicyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  if (username + password + hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOST.test(hostname));
}

function readLimits(reader: EnvReader) {
  return {
    maxInFlight: reader.integer('BEACON_MAX_IN_FLIGHT', 1024, {
      min: 1,
      max: 100_000,
      doc: 'Decisions under way at once; more are refused with 429.',
    }),
    latencyTargetMs: reader.integer('BEACON_LATENCY_TARGET_MS', 0, {
      min: 0,
      max: 60_000,
      doc: 'What nine in ten decisions under load may take; what would make it longer is refused with 429. 0 learns it.',
    }),
    agentRate: reader.integer('BEACON_AGENT_RATE', 0, {
      min: 0,
      max: 1_000_000,
      doc: 'Decisions per minute for each agent; more are denied, with a receipt. 0 is no limit.',
    }),
    turn: {
      actions: reader.integer('BEACON_TURN_ACTIONS', 500, {
        min: 0,
        max: 1_000_000_000,
        doc: 'Decisions in one turn (opportunity_id) of an agent; more are denied, with a receipt. 0 is no limit.',
      }),
      windowMs: reader.integer('BEACON_TURN_WINDOW_MS', HOUR_MS, {
        min: SECOND_MS,
        max: 7 * DAY_MS,
        doc: 'From the first decision of a turn until its number is given again.',
      }),
    },
    session: {
      actions: reader.integer('BEACON_SESSION_ACTIONS', 5_000, {
        min: 0,
        max: 1_000_000_000,
        doc: 'Decisions in one session (session_id) of an agent; more are denied, with a receipt. 0 is no limit.',
      }),
      windowMs: reader.integer('BEACON_SESSION_WINDOW_MS', DAY_MS, {
        min: SECOND_MS,
        max: 30 * DAY_MS,
        doc: 'From the first decision of a session until its number is given again.',
      }),
    },
    assertedNames: reader.integer('BEACON_ASSERTED_NAMES', 10_000, {
      min: 1,
      max: 10_000_000,
      doc: 'Names under which callers without a token may propose, of all tenants; another one is refused.',
    }),
    zeroRetention: reader.flag('BEACON_ZERO_RETENTION', false, {
      doc: 'Keep no evidence beside the ledger; replaying a decision is then impossible.',
    }),
    logLevel: reader.choice('BEACON_LOG_LEVEL', LOG_LEVELS, 'info', { doc: 'Least level that is logged.' }),
  };
}
