// The knobs of a sidecar: for whom it speaks, to which gateways, whom it believes, and where its agent reaches it.

import { isAbsolute } from 'node:path';
import { requireName } from '../core/ids.ts';
import { EnvReader, type KnobDoc } from '../runtime/env.ts';
import { LOG_LEVELS, type LogLevel } from '../runtime/log.ts';
import { type Environment, TOLERATED } from './config.ts';

export type SidecarConfig = {
  readonly tenantId: string;
  readonly agentId: string;
  /** Empty where a certificate is shown instead. */
  readonly agentTokenFile: string;
  readonly agentCertificate: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly receiptKeysFile: string;
  readonly gateways: readonly string[];
  /** Empty: plain gRPC, for gateways on this machine alone. */
  readonly gatewayCaFile: string;
  /** Empty: the host that is dialed. */
  readonly gatewayName: string;
  /** `host:port` on loopback, or `unix:/path`. */
  readonly http: string;
  readonly grpc: string;
  /** Empty: none is asked for, on unix sockets or with `openLoopback`. */
  readonly callerTokenFile: string;
  readonly openLoopback: boolean;
  readonly httpAllowedHosts: readonly string[];
  readonly decisionTimeoutMs: number;
  readonly drainMs: number;
  readonly maxInFlight: number;
  readonly logLevel: LogLevel;
};

export type ReadSidecar = {
  readonly config: SidecarConfig;
  readonly faults: readonly string[];
  readonly knobs: readonly KnobDoc[];
};

const ADDRESS = /^(unix:\/[^,]+|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5})$/;
const LISTEN = /^(unix:\/.+|(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):[0-9]{1,5})$/;
const HOST_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** All faults at once; a config with faults must not be used. */
export function readSidecar(env: Environment): ReadSidecar {
  const reader = new EnvReader(env, 'BEACON_');
  const config: SidecarConfig = { ...readIdentity(reader), ...readListen(reader), ...readLimits(reader) };
  const needsToken = [config.http, config.grpc].some((address) => !address.startsWith('unix:'));
  if (needsToken && config.callerTokenFile === '' && !config.openLoopback) {
    reader.fault('BEACON_CALLER_TOKEN_FILE', 'is needed on loopback, unless BEACON_OPEN_LOOPBACK is true');
  }
  if (config.agentCertificate && config.gatewayCaFile === '') {
    reader.fault('BEACON_AGENT_CERT_FILE', 'needs BEACON_GATEWAY_CA_FILE');
  }
  if (config.http === config.grpc && !config.http.endsWith(':0')) {
    reader.fault('BEACON_GRPC_LISTEN', 'is the address of BEACON_HTTP_LISTEN');
  }
  reader.refuseUnknown(TOLERATED);
  return { config, faults: reader.faults, knobs: reader.knobs };
}

function readIdentity(reader: EnvReader) {
  const name = (knob: string, doc: string) => {
    const value = reader.text(knob, '', { doc });
    try {
      return requireName(knob, value);
    } catch (error) {
      reader.fault(knob, (error as Error).message.replace(`${knob}: `, ''));
      return '';
    }
  };
  const gateways = reader.list('BEACON_GATEWAYS', ADDRESS, {
    doc: 'gRPC addresses of the gateways, comma-separated; one is used, the others when it is lost.',
  });
  if (gateways.length === 0) reader.fault('BEACON_GATEWAYS', 'is needed');
  return {
    gateways,
    tenantId: name('BEACON_TENANT_ID', 'Tenant of the one agent this sidecar speaks for.'),
    agentId: name('BEACON_AGENT_ID', 'Name of the one agent this sidecar speaks for.'),
    ...readCredential(reader),
    receiptKeysFile: file(
      reader,
      'BEACON_RECEIPT_KEYS_FILE',
      true,
      'File (JWK set) of the keys whose receipts are believed; an ALLOW under no other is passed on. Read again.',
    ),
    gatewayCaFile: file(
      reader,
      'BEACON_GATEWAY_CA_FILE',
      false,
      'Authorities (PEM) the gateways’ certificates come from; without it plain gRPC, to this machine alone. Read again.',
    ),
    gatewayName: reader.text('BEACON_GATEWAY_NAME', '', {
      doc: 'DNS name the gateways’ certificates carry; without it the host that is dialed.',
    }),
  };
}

/** One of the two: what shows who the agent is. */
function readCredential(reader: EnvReader) {
  const agentTokenFile = file(
    reader,
    'BEACON_AGENT_TOKEN_FILE',
    false,
    'File (closed to others) with that agent’s own token; read again.',
  );
  const certFile = file(reader, 'BEACON_AGENT_CERT_FILE', false, 'Certificate (PEM) naming that agent; read again.');
  const keyFile = file(reader, 'BEACON_AGENT_KEY_FILE', false, 'Its private key (PEM).');
  if ((certFile === '') !== (keyFile === '')) {
    reader.fault('BEACON_AGENT_CERT_FILE', 'goes with BEACON_AGENT_KEY_FILE');
  }
  if ((agentTokenFile === '') === (certFile === '')) {
    reader.fault('BEACON_AGENT_TOKEN_FILE', 'or BEACON_AGENT_CERT_FILE is needed, and not both');
  }
  return { agentTokenFile, agentCertificate: certFile === '' ? undefined : { certFile, keyFile } };
}

function readListen(reader: EnvReader) {
  const listen = (knob: string, fallback: string, what: string) => {
    const value = reader.text(knob, fallback, {
      doc: `Where the agent reaches ${what}: host:port on loopback, or unix:/path in a folder (0700) of this user.`,
    });
    if (!LISTEN.test(value)) reader.fault(knob, 'must be 127.x.x.x:port, [::1]:port or unix:/path');
    return value;
  };
  return {
    http: listen('BEACON_HTTP_LISTEN', '127.0.0.1:7500', 'HTTP'),
    grpc: listen('BEACON_GRPC_LISTEN', '127.0.0.1:7501', 'gRPC'),
    callerTokenFile: file(
      reader,
      'BEACON_CALLER_TOKEN_FILE',
      false,
      'File (0600) of the token a caller on loopback shows; made when missing. Never the agent’s own token.',
    ),
    openLoopback: reader.flag('BEACON_OPEN_LOOPBACK', false, {
      doc: 'Whether callers on loopback need no token: only where nobody but the agent reaches it, as in its pod.',
    }),
    httpAllowedHosts: reader.list('BEACON_HTTP_ALLOWED_HOSTS', HOST_NAME, {
      doc: 'Names, beside loopback, that a Host header may carry; comma-separated.',
    }),
  };
}

function readLimits(reader: EnvReader) {
  return {
    decisionTimeoutMs: reader.integer('BEACON_DECISION_TIMEOUT_MS', 5_000, {
      min: 10,
      max: 60_000,
      doc: 'After this no ALLOW is answered.',
    }),
    drainMs: reader.integer('BEACON_DRAIN_MS', 10_000, {
      min: 0,
      max: 600_000,
      doc: 'How long requests under way may take to end after SIGTERM.',
    }),
    maxInFlight: reader.integer('BEACON_MAX_IN_FLIGHT', 256, {
      min: 1,
      max: 10_000,
      doc: 'Proposals without an answer; more are refused with 429.',
    }),
    logLevel: reader.choice('BEACON_LOG_LEVEL', LOG_LEVELS, 'info', { doc: 'Least level that is logged.' }),
  };
}

function file(reader: EnvReader, knob: string, needed: boolean, doc: string): string {
  const path = reader.text(knob, '', { doc });
  if (path === '' && needed) reader.fault(knob, 'is needed');
  if (path !== '' && !isAbsolute(path)) reader.fault(knob, 'must be an absolute path');
  return path;
}
