// The knobs of the separate services, on top of those that every target reads. A target without its shared stores does
// not start: a kill switch private to one process would be none.

import { isAbsolute } from 'node:path';
import { isRegion } from '../core/residency.ts';
import { EnvReader, type KnobDoc } from '../runtime/env.ts';
import type { Secret } from '../runtime/log.ts';
import type { TlsFiles } from '../runtime/tls.ts';
import { type Config, type Environment, readCommon, TOLERATED } from './config.ts';
import { type RedisPlace, readRedis } from './redis-config.ts';

export const TARGETS = ['gateway', 'decision', 'receipt-signer', 'scoring', 'kill-switch'] as const;
export type Target = (typeof TARGETS)[number];

export type SeparateConfig = Config & {
  readonly target: Target;
  /** Where the other services reach this one. */
  readonly serviceListen: string;
  readonly metricsListen: { readonly host: string; readonly port: number };
  readonly redis: RedisPlace | undefined;
  readonly redisPrefix: string;
  readonly natsServers: readonly string[];
  readonly natsToken: Secret | undefined;
  readonly natsStreamBytes: number;
  readonly signers: readonly string[];
  readonly decisions: readonly string[];
  readonly scoring: readonly string[];
  readonly killSwitch: readonly string[];
  readonly tls: TlsFiles | undefined;
  readonly serviceTokens: string;
  readonly tenantKeyFile: string;
  /** Of a signer: where its log lies. Empty where there are no regions. */
  readonly region: string;
  readonly residencyFile: string;
};

const ADDRESS = /^(unix:\/[^,]+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})$/;
const GIB = 1024 ** 3;
const SERVER = /^[!-~]{1,300}$/;

/** What each target cannot be without. */
const NEEDS: Readonly<Record<Target, readonly (keyof typeof NAMES)[]>> = {
  gateway: ['redis', 'decisions', 'signers', 'killSwitch', 'scoring'],
  decision: ['redis', 'natsServers', 'signers', 'tenantKeyFile'],
  'receipt-signer': ['redis', 'natsServers'],
  scoring: ['redis', 'natsServers', 'signers'],
  'kill-switch': ['redis', 'natsServers', 'signers'],
};
const NAMES = {
  redis: 'BEACON_REDIS_URL',
  natsServers: 'BEACON_NATS_SERVERS',
  signers: 'BEACON_SIGNERS',
  decisions: 'BEACON_DECISIONS',
  scoring: 'BEACON_SCORING',
  killSwitch: 'BEACON_KILL_SWITCH',
  tenantKeyFile: 'BEACON_TENANT_KEY_FILE',
} as const;

export type Read = {
  readonly config: SeparateConfig;
  readonly faults: readonly string[];
  readonly knobs: readonly KnobDoc[];
};

/** All faults at once; a config with faults must not be used. */
export function readSeparate(target: Target, env: Environment, home: string): Read {
  const reader = new EnvReader(env, 'BEACON_');
  const common = readCommon(reader, env, home, target);
  const config: SeparateConfig = {
    ...common,
    target,
    ...readOwn(reader),
    ...readPeers(reader),
    ...readRegion(reader, target),
  };
  for (const need of NEEDS[target]) {
    const value = config[need];
    const missing = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    if (missing) reader.fault(NAMES[need], `is needed by the ${target} target`);
  }
  if (!config.tls && config.serviceTokens === '') {
    reader.fault('BEACON_SERVICE_TOKENS', 'is needed where BEACON_TLS_CERT_FILE is not set');
  }
  refuseTakeablePorts(reader, config);
  reader.refuseUnknown(TOLERATED);
  return { config, faults: reader.faults, knobs: reader.knobs };
}

/** Whoever holds a port of loopback while its service is away is shown the token of each that calls there. */
function refuseTakeablePorts(reader: EnvReader, config: SeparateConfig): void {
  if (config.isolation !== 'own_user' || config.tls) return;
  const { target, signers, decisions, scoring, killSwitch, serviceListen } = config;
  const listens = target === 'gateway' ? [] : [serviceListen];
  const places = {
    BEACON_SIGNERS: signers,
    BEACON_DECISIONS: decisions,
    BEACON_SCORING: scoring,
    BEACON_KILL_SWITCH: killSwitch,
    BEACON_SERVICE_LISTEN: listens,
  };
  for (const [name, addresses] of Object.entries(places)) {
    if (addresses.every((address) => address.startsWith('unix:'))) continue;
    reader.fault(name, 'must be unix:/path with BEACON_ISOLATION=own_user, or BEACON_TLS_CERT_FILE is needed');
  }
}

function readOwn(reader: EnvReader) {
  const certFile = reader.text('BEACON_TLS_CERT_FILE', '', {
    doc: 'Certificate (PEM) naming this service in its SAN.',
  });
  const keyFile = reader.text('BEACON_TLS_KEY_FILE', '', { doc: 'Its private key (PEM).' });
  const caFile = reader.text('BEACON_TLS_CA_FILE', '', {
    doc: 'Authorities (PEM) that the other services’ come from.',
  });
  const given = [certFile, keyFile, caFile].filter((file) => file !== '').length;
  if (given !== 0 && given !== 3)
    reader.fault('BEACON_TLS_CERT_FILE', 'goes with BEACON_TLS_KEY_FILE and BEACON_TLS_CA_FILE');
  return {
    tls: given === 3 ? { certFile, keyFile, caFile } : undefined,
    serviceListen: reader.text('BEACON_SERVICE_LISTEN', '127.0.0.1:7510', {
      doc: 'Where other services reach this one: host:port or unix:/path. Agents never do.',
    }),
    metricsListen: reader.address('BEACON_METRICS_LISTEN', '127.0.0.1:0', {
      doc: 'Where /metrics, /healthz and /readyz are served by targets other than the gateway.',
    }),
    serviceTokens: reader.text('BEACON_SERVICE_TOKENS', '', {
      doc: 'Folder (0700) of the services’ tokens, for plain connections on this machine.',
    }),
    tenantKeyFile: reader.text('BEACON_TENANT_KEY_FILE', '', {
      doc: 'Master key (32 bytes, 0600) of the tenants’ digests; every decision replica needs the same one.',
    }),
  };
}

/** A signer that keeps to the table must say where it is; for the others the signers do. */
function readRegion(reader: EnvReader, target: Target) {
  const region = reader.text('BEACON_REGION', '', { doc: 'Of a receipt signer: the region its log lies in.' });
  const residencyFile = reader.text('BEACON_RESIDENCY_FILE', '', {
    doc: 'Table (JSON) of the regions each tenant’s receipts, evidence, messages and traces may lie in.',
  });
  if (region !== '' && !isRegion(region)) reader.fault('BEACON_REGION', 'must be 1 to 32 of a-z 0-9 - after a letter');
  if (residencyFile !== '' && !isAbsolute(residencyFile)) {
    reader.fault('BEACON_RESIDENCY_FILE', 'must be an absolute path');
  }
  if (target === 'receipt-signer' && residencyFile !== '' && region === '') {
    reader.fault('BEACON_REGION', 'is needed where BEACON_RESIDENCY_FILE is set');
  }
  return { region, residencyFile };
}

function readPeers(reader: EnvReader) {
  const addresses = (name: string, of: string) =>
    reader.list(name, ADDRESS, { doc: `Addresses of the ${of}; comma-separated.` });
  return {
    redis: readRedis(reader),
    redisPrefix: reader.text('BEACON_REDIS_PREFIX', 'beacon', { doc: 'First part of every key in Redis.' }),
    natsServers: reader.list('BEACON_NATS_SERVERS', SERVER, { doc: 'NATS servers with JetStream; comma-separated.' }),
    natsToken: reader.secret('BEACON_NATS_TOKEN', { doc: 'Token for NATS.' }),
    natsStreamBytes: reader.integer('BEACON_NATS_STREAM_BYTES', 4 * GIB, {
      min: GIB / 1024,
      max: 1024 * GIB,
      doc: 'Size a stream of receipts is made with; NATS refuses one that is larger than what it may store.',
    }),
    signers: addresses('BEACON_SIGNERS', 'receipt signers'),
    decisions: addresses('BEACON_DECISIONS', 'decision replicas'),
    scoring: addresses('BEACON_SCORING', 'scoring replicas'),
    killSwitch: addresses('BEACON_KILL_SWITCH', 'kill switch; of several, one leads'),
  };
}
