// How one service reaches the others and is reached: TLS with certificates both ways, or plain gRPC on this machine with
// a token. Whoever calls is held against the table of peers before a request is read.

import type { DescService } from '@bufbuild/protobuf';
import type { Server } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import type { CallContext, Principal } from '../core/principal.ts';
import { randomHex } from '../runtime/random.ts';
import { type Dialed, dial } from '../runtime/rpc-dial.ts';
import type { IncomingCall } from '../runtime/rpc-incoming.ts';
import {
  createRpcServer,
  isUnixAddress,
  listenRpc,
  type RpcServerOptions,
  requirePrivateAddress,
} from '../runtime/rpc-server.ts';
import { openTls, type Tls, type TlsFiles } from '../runtime/tls.ts';
import { authorize } from './access.ts';
import {
  contextHeaders,
  PRINCIPAL_HEADER,
  REGION_HEADER,
  REQUEST_DIGEST_HEADER,
  readPrincipal,
  readRegion,
  readRequestDigest,
  readTrace,
  wireDeadline,
} from './call-metadata.ts';
import { authorizePeer, certificateNames, type Identity, identityOf, operationOf, speaksForOthers } from './peers.ts';
import { ownAuthorization, tokenReader } from './service-tokens.ts';

/** Connections are renewed this often, give or take a tenth, so that certificates and load do not grow old. */
export const MAX_CONNECTION_AGE_MS = 15 * 60_000;
/** Longer than a client keeps one stream (`SealStream` is renewed every few minutes). */
export const MAX_CONNECTION_AGE_GRACE_MS = 10 * 60_000;
/** The part of a certificate's name all services share, unless told otherwise. */
export const MESH_TRUST_DOMAIN = 'beacon';
const TLS_RELOAD_MS = 10_000;
/** Longer than a client keeps one stream: what ends because an authority was taken out loses no call of who is still trusted. */
const DISTRUSTED_GRACE_MS = 6 * 60_000;

export type MeshOptions = {
  readonly self: Identity;
  /** Where given, every TCP connection is mutual TLS. Without it only loopback and unix sockets are served and dialed. */
  readonly tls?: TlsFiles & { readonly reloadMs?: number; readonly distrustAfterMs?: number };
  /** Folder (0700) of the services' tokens; needed wherever a connection is plain. */
  readonly tokenFolder?: string;
  /** Default `MESH_TRUST_DOMAIN`. */
  readonly trustDomain?: string;
  readonly now: () => number;
  /** Told when new certificate files cannot be used. */
  readonly failed: (error: unknown) => void;
};

export type Mesh = {
  /** A client of `to` at `host:port` or `unix:/path`. Throws `failed_precondition` for plain calls beyond this machine. */
  dial<S extends DescService>(
    desc: S,
    to: Identity,
    address: string,
    channels?: number,
  ): Promise<Dialed<S, CallContext>>;
  /** A server with the mesh's limits; host services on it with `authenticate`, then `listen`. */
  createServer(limits?: RpcServerOptions): Server;
  /** Gives the address as bound. */
  listen(server: Server, address: string): Promise<string>;
  authenticate(call: IncomingCall): Promise<CallContext>;
  /** End of the certificate in force; undefined without TLS. */
  certificateEndMs(): number | undefined;
  close(): void;
};

export async function openMesh(options: MeshOptions): Promise<Mesh> {
  const { self, tokenFolder, now, failed, trustDomain = MESH_TRUST_DOMAIN } = options;
  const tls = options.tls
    ? await openTls({ reloadMs: TLS_RELOAD_MS, ...options.tls, now, rejected: failed })
    : undefined;
  const authorization = tokenFolder ? await ownAuthorization(tokenFolder, self) : undefined;
  const whoseToken = tokenFolder ? await tokenReader(tokenFolder, self) : () => undefined;
  const secured = async (address: string): Promise<Tls | undefined> => {
    if (tls && !isUnixAddress(address)) return tls;
    await requirePrivateAddress(address);
    if (!tokenFolder) throw new BeaconError('failed_precondition', `${address}: plain gRPC needs service tokens`);
    return undefined;
  };
  return {
    async dial(desc, to, address, channels = 1) {
      const by = await secured(address);
      const dialed = dial(desc, address, {
        channels,
        // Sent again on another connection, a grant could reach a signer that has started anew and lacks a fence.
        neverRepeat: ['GrantLease'],
        metadata: (context: CallContext) => ({
          ...contextHeaders(context),
          ...(by || !authorization ? {} : { authorization }),
        }),
        deadlineMs: (context) => wireDeadline(context, now()),
        ...(by
          ? { credentials: by.client(certificateNames(to, trustDomain)), serverName: `${to}.${trustDomain}` }
          : {}),
      });
      const kept = by?.onDistrust(dialed.renew);
      return {
        ...dialed,
        close() {
          kept?.();
          dialed.close();
        },
      };
    },
    createServer: (limits) =>
      createRpcServer({
        maxConnectionAgeMs: MAX_CONNECTION_AGE_MS,
        maxConnectionAgeGraceMs: MAX_CONNECTION_AGE_GRACE_MS,
        ...limits,
      }),
    async listen(server, address) {
      const by = await secured(address);
      if (!by) return listenRpc(server, address);
      const bound = await listenRpc(server, address, by.server());
      by.onDistrust(() => server.drain(bound, DISTRUSTED_GRACE_MS));
      return bound;
    },
    async authenticate(call) {
      const caller = call.mutualTls
        ? identityOf(call.peerNames, trustDomain)
        : whoseToken(call.metadata('authorization'));
      if (!caller) throw new BeaconError('unauthenticated', 'the caller is none of the services that may call here');
      authorizePeer(self, caller, call.method);
      return contextOf(call, caller);
    },
    certificateEndMs: () => tls?.notAfterMs(),
    close: () => tls?.close(),
  };
}

/** A peer is itself, with the least a service needs, unless the table lets it speak for the one it names. */
function contextOf(call: IncomingCall, caller: Identity): CallContext {
  const speaks = speaksForOthers(caller);
  const named = speaks ? readPrincipal(call.metadata(PRINCIPAL_HEADER), `service:${caller}`) : undefined;
  const itself: Principal = { role: 'auditor', provenance: 'authenticated', subject: `service:${caller}` };
  const principal = named ?? itself;
  const operation = operationOf(call.method);
  if (operation !== undefined) authorize(principal, operation);
  const received = speaks ? readRequestDigest(call.metadata(REQUEST_DIGEST_HEADER)) : undefined;
  return {
    principal,
    deadlineMs: call.deadlineMs,
    requestDigest: received ?? (call.requestBytes.length === 0 ? '' : call.requestDigest()),
    ...readRegion(call.metadata(REGION_HEADER)),
    ...readTrace(call.metadata, () => randomHex(16)),
  };
}
