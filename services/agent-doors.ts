// The listeners that agents reach, one of HTTP and one of gRPC: plain on loopback, or TLS from files that may be replaced,
// with agents' certificates looked at where authorities are named. What agents must not reach is not hosted here.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Server } from '@grpc/grpc-js';
import { addressText } from '../runtime/env.ts';
import { drainHttp, type HttpServer } from '../runtime/http.ts';
import type { Secret } from '../runtime/log.ts';
import { addReflection } from '../runtime/rpc-reflection.ts';
import { addHealth, createRpcServer, drainRpc, listenRpc } from '../runtime/rpc-server.ts';
import { readOrCreateSecretFile, readSecretFile } from '../runtime/secret-file.ts';
import { type ListenerTls, listenRpcTls, openListenerTls, type TlsRpcListener } from '../runtime/tls-listener.ts';
import { type CertificateRules, tokenText } from './access.ts';
import type { Config } from './config.ts';
import { AGENT_SERVICES, type Gateway, type GatewayOptions } from './gateway/compose.ts';
import { isLoopback } from './gateway/peer.ts';
import { MAX_CONNECTION_AGE_GRACE_MS, MAX_CONNECTION_AGE_MS, MESH_TRUST_DOMAIN } from './mesh.ts';
import { namesService } from './peers.ts';

const TLS_RELOAD_MS = 10_000;
const LEAST_TOKEN_CHARACTERS = 32;

export type AgentDoors = {
  /** Undefined where no certificate is looked at. */
  readonly rules: CertificateRules | undefined;
  readonly options: GatewayOptions;
  /** Serves `gateway` on both listeners and gives where they are. */
  open(gateway: Gateway): Promise<Opened>;
  /** Takes nothing new and lets what is under way end. */
  close(): Promise<void>;
};
export type Opened = {
  readonly http: string;
  readonly grpc: string;
  /** What health answers for every service. */
  serving(yes: boolean): void;
};

/** Throws `failed_precondition` when the TLS files cannot be used. `failed` is told of replaced files that cannot. */
export async function prepareAgentDoors(config: Config, failed: (error: unknown) => void): Promise<AgentDoors> {
  const { agentTls, drainMs } = config;
  const tls = agentTls && (await openListener(agentTls, failed));
  let listener: TlsRpcListener | undefined;
  let open: { readonly grpc: Server; readonly http: HttpServer } | undefined;
  return {
    rules: rulesOf(agentTls),
    options: {
      decisionTimeoutMs: config.decisionTimeoutMs,
      limit: { maxInFlight: config.maxInFlight, latencyTargetMs: config.latencyTargetMs },
      allowedHosts: config.httpAllowedHosts,
      grpcOnLoopback: isLoopback(config.grpc.host),
      now: Date.now,
      ...(tls ? { httpTls: { ...tls, maxConnectionAgeMs: MAX_CONNECTION_AGE_MS } } : {}),
      ...(tls
        ? {
            certificates: {
              ofSocket: (socket) => tls.peerCertificate(socket),
              ofCall: (call) => listener?.peerCertificate(call),
            },
          }
        : {}),
    },
    async open(gateway) {
      const grpc = createRpcServer({
        admission: gateway.admission,
        ...(tls && { maxConnectionAgeMs: MAX_CONNECTION_AGE_MS, maxConnectionAgeGraceMs: MAX_CONNECTION_AGE_GRACE_MS }),
      });
      gateway.registerGrpc(grpc);
      const health = await addHealth(grpc, [...AGENT_SERVICES]);
      await addReflection(grpc, [...AGENT_SERVICES]);
      open = { grpc, http: gateway.http };
      if (tls) listener = await listenRpcTls(grpc, config.grpc, tls);
      const grpcAddress = listener?.address ?? (await listenRpc(grpc, addressText(config.grpc)));
      const http = await gateway.http.listen({ host: config.http.host, port: config.http.port });
      return {
        http,
        grpc: grpcAddress,
        serving(yes) {
          for (const name of ['', ...AGENT_SERVICES.map((service) => service.typeName)]) health.set(name, yes);
        },
      };
    },
    async close() {
      tls?.close();
      listener?.close();
      // Side by side: one after the other could take longer than the whole process is given.
      if (open) await Promise.all([drainRpc(open.grpc, drainMs), drainHttp(open.http, drainMs)]);
    },
  };
}

function openListener(
  agentTls: NonNullable<Config['agentTls']>,
  failed: (error: unknown) => void,
): Promise<ListenerTls> {
  const { certFile, keyFile, clientCaFile: caFile } = agentTls;
  return openListenerTls({ certFile, keyFile, caFile }, { reloadMs: TLS_RELOAD_MS, now: Date.now, rejected: failed });
}

function rulesOf(agentTls: Config['agentTls']): CertificateRules | undefined {
  if (!agentTls || agentTls.clientAuth === 'none') return undefined;
  const { clientAuth, trustDomain } = agentTls;
  const domains = [trustDomain, MESH_TRUST_DOMAIN];
  return { required: clientAuth === 'require', trustDomain, namesService: (names) => namesService(names, domains) };
}

/** The file that was named, or one of this data folder's own that is made when missing. */
export async function adminTokenOf({ adminTokenFile, dataDir }: Config): Promise<{ file: string; token: Secret }> {
  if (adminTokenFile !== '') {
    return { file: adminTokenFile, token: await readSecretFile(adminTokenFile, LEAST_TOKEN_CHARACTERS) };
  }
  const file = join(dataDir, 'admin.token');
  return { file, token: await readOrCreateSecretFile(file, () => tokenText('admin', randomBytes(32))) };
}

/** What a command line on this machine finds Beacon by; with TLS, also by which certificate it knows it. */
export function instanceOf({ agentTls, adminTokenFile }: Config, { http, grpc }: { http: string; grpc: string }) {
  return {
    http,
    grpc,
    pid: process.pid,
    ...(agentTls ? { certificate_file: agentTls.certFile } : {}),
    ...(adminTokenFile === '' ? {} : { admin_token_file: adminTokenFile }),
  };
}
