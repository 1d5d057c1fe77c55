// How a sidecar reaches its gateways: by TLS, or plain on this machine, with its agent's token or its agent's certificate.
// What has been replaced on disk is what the next connection shows.

import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { BeaconError } from '../core/errors.ts';
import type { CallContext } from '../core/principal.ts';
import { DecisionService } from '../gen/beacon/v1/decision_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { dial } from '../runtime/rpc-dial.ts';
import { isUnixAddress, requirePrivateAddress } from '../runtime/rpc-server.ts';
import { type ClientTls, openClientTls } from '../runtime/tls-client.ts';
import { watchFile } from '../runtime/watched-file.ts';
import type { Gateway } from './sidecar/gateways.ts';
import type { Behind } from './sidecar/service.ts';
import type { SidecarConfig } from './sidecar-config.ts';

/** How soon a replaced token, key set or certificate is in force. */
export const RELOAD_MS = 2_000;
/** Asked of a server that is dialed by its address: TLS takes no number there, and the certificate is held against that. */
const NO_NAME = 'gateway.beacon';
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

export type Reached = {
  readonly gateways: readonly Gateway<Behind>[];
  /** Changes when what is shown or believed does. */
  credential(): string;
  close(): void;
};

/** Throws `failed_precondition` for files that cannot be used, and for plain gRPC beyond this machine. */
export async function reachGateways(config: SidecarConfig, refused: (error: BeaconError) => void): Promise<Reached> {
  const { gatewayCaFile: caFile, agentTokenFile: path, agentCertificate: identity } = config;
  const token =
    path === '' ? undefined : await watchFile({ path, everyMs: RELOAD_MS, secret: true, refused, parse: readToken });
  const tls =
    caFile === '' ? undefined : await openClientTls({ caFile, identity, reloadMs: RELOAD_MS, now: Date.now, refused });
  for (const address of config.gateways) {
    if (!tls || isUnixAddress(address)) await requirePrivateAddress(address);
  }
  const authorization = (): Record<string, string> => (token ? { authorization: `Bearer ${token.current()}` } : {});
  const gateways = config.gateways.map((address) => {
    const secured = tls && !isUnixAddress(address) ? tls : undefined;
    return dialAnew({ address, tls: secured, serverName: config.gatewayName, authorization });
  });
  return {
    gateways,
    credential: () => `${token?.current() ?? ''} ${tls?.stamp() ?? ''}`,
    close() {
      token?.close();
      tls?.close();
      for (const gateway of gateways) gateway.close();
    },
  };
}

type DialOptions = {
  readonly address: string;
  readonly tls: ClientTls | undefined;
  readonly serverName: string;
  readonly authorization: () => Record<string, string>;
};

/** A gateway that is dialed again when the TLS files in force are others than those it was dialed with. */
function dialAnew({ address, tls, serverName, authorization }: DialOptions): Gateway<Behind> & { close(): void } {
  const name = serverName || address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  const connect = () => {
    const options = {
      metadata: ({ traceId }: CallContext) => ({
        ...authorization(),
        traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01`,
      }),
      deadlineMs: ({ deadlineMs }: CallContext) => deadlineMs,
      ...(tls ? { credentials: tls.credentials(name), serverName: isIP(name) === 0 ? name : NO_NAME } : {}),
    };
    const decision = dial<typeof DecisionService, CallContext>(DecisionService, address, options);
    const scoring = dial<typeof ScoringService, CallContext>(ScoringService, address, options);
    const close = () => {
      decision.close();
      scoring.close();
    };
    return { stamp: tls?.stamp() ?? '', decision: decision.service, scoring: scoring.service, close };
  };
  let dialed = connect();
  const current = () => {
    if (dialed.stamp === (tls?.stamp() ?? '')) return dialed;
    // Calls under way on the old connection end there.
    dialed.close();
    dialed = connect();
    return dialed;
  };
  return {
    address,
    get service() {
      return current();
    },
    open: (requests) => current().decision.decide(requests, ofTheStream()),
    close: () => dialed.close(),
  };
}

function ofTheStream(): CallContext {
  return {
    principal: { role: 'agent', provenance: 'authenticated', subject: 'sidecar' },
    deadlineMs: Number.POSITIVE_INFINITY,
    requestDigest: '',
    traceId: randomBytes(16).toString('hex'),
  };
}

function readToken(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (!TOKEN.test(text)) throw new BeaconError('failed_precondition', 'it holds no token');
  return text;
}
