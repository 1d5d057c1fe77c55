// TLS of the listeners that strangers reach: our certificate from PEM files that may be replaced while the process runs,
// and, where client certificates are looked at, what each connection showed. Whom to refuse is not decided here: a
// certificate that does not hold is told with its fault, so that the refusal can say why.

import { constants } from 'node:crypto';
import { createServer, type TLSSocket, type TlsOptions, type Server as TlsServer } from 'node:tls';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { type Address, addressText } from './env.ts';
import { peerNamesOf } from './peer-names.ts';
import type { IncomingCall } from './rpc-incoming.ts';
import { type Material, type PemFiles, type PemOptions, PemSource } from './tls-files.ts';

/** What a client showed of itself in the handshake. */
export type PeerCertificate = {
  /** Its DNS and URI names. */
  readonly names: readonly string[];
  readonly notAfterMs: number;
  /** OpenSSL's word for why it is not to be believed; undefined when one of our authorities stands behind it. */
  readonly fault: string | undefined;
};

export type ListenerTls = {
  /** For a server that makes its own sockets; hand the server to `keepCurrent` then. */
  readonly serverOptions: TlsOptions;
  /** New connections of this server use what the files hold then; those that are open go on. */
  keepCurrent(server: Pick<TlsServer, 'setSecureContext'>): void;
  /** Undefined for a client that showed none, and for plain connections. */
  peerCertificate(socket: object): PeerCertificate | undefined;
  /** End of the certificate in force. */
  notAfterMs(): number;
  /** Reads the files now instead of at the next turn. */
  reload(): Promise<void>;
  close(): void;
};

export type ListenerTlsOptions = Omit<PemOptions, 'named'>;

/** Clients of the field reach it; 1.3 is taken by all that can. */
const MIN_VERSION = 'TLSv1.2';
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** `caFile`: authorities of client certificates; without it none is asked for. Throws `failed_precondition`. */
export async function openListenerTls(files: PemFiles, options: ListenerTlsOptions): Promise<ListenerTls> {
  const source = await PemSource.open(files, { ...options, named: false });
  const asks = files.caFile !== undefined;
  const shown = new WeakMap<object, PeerCertificate | null>();
  return {
    get serverOptions() {
      return {
        ...contextOf(source.current),
        requestCert: asks,
        // Refused with words, by who knows the rules: in the handshake it would only be a connection that breaks.
        rejectUnauthorized: false,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      };
    },
    keepCurrent(server) {
      // Its options may have been read before the files last changed.
      server.setSecureContext(contextOf(source.current));
      source.onChange((material) => server.setSecureContext(contextOf(material)));
    },
    peerCertificate(socket) {
      if (!asks) return undefined;
      let known = shown.get(socket);
      if (known === undefined) {
        known = readPeer(socket as TLSSocket) ?? null;
        shown.set(socket, known);
      }
      return known ?? undefined;
    },
    notAfterMs: () => source.current.notAfterMs,
    reload: () => source.reload(),
    close: () => source.close(),
  };
}

function contextOf({ cert, key, ca }: Material) {
  // A resumed session would stand on what was checked of the client when it began.
  const asking = ca ? { ca, secureOptions: constants.SSL_OP_NO_TICKET } : {};
  return { cert, key, ...asking, minVersion: MIN_VERSION } as const;
}

function readPeer(socket: TLSSocket): PeerCertificate | undefined {
  if (!socket.encrypted) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  return {
    names: peerNamesOf(certificate.subjectAltName),
    notAfterMs: Date.parse(certificate.validTo),
    fault: socket.authorized ? undefined : String(socket.authorizationError ?? 'UNAUTHORIZED'),
  };
}

export type TlsRpcListener = {
  /** `host:port` as bound. */
  readonly address: string;
  /** What the client of this call's connection showed; undefined for one that showed none. */
  peerCertificate(call: Pick<IncomingCall, 'peer' | 'peerCertificate'>): PeerCertificate | undefined;
  /** Takes no more connections; those that are open end with the gRPC server. */
  close(): void;
};

/**
 * A gRPC server behind our own TLS: the library's would not tell of a certificate that does not hold, and a caller who
 * showed one must not pass for a caller who showed none.
 */
export async function listenRpcTls(server: Server, at: Address, tls: ListenerTls): Promise<TlsRpcListener> {
  const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
  // The library tells of a connection's certificate when it holds. When it does not, address and port are all there is to
  // know it by, and those can be another connection's too, to another address of ours: its word is then taken for both.
  const faulty = new Map<string, Set<PeerCertificate>>();
  const listener = createServer({ ...tls.serverOptions, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => socket.destroy());
    if (socket.destroyed) return;
    const certificate = tls.peerCertificate(socket);
    if (certificate?.fault !== undefined) {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      const there = faulty.get(peer) ?? new Set();
      faulty.set(peer, there.add(certificate));
      socket.once('close', () => {
        there.delete(certificate);
        if (there.size === 0) faulty.delete(peer);
      });
    }
    connections.injectConnection(socket);
  });
  tls.keepCurrent(listener);
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host: at.host, port: at.port }, () => {
      listener.removeListener('error', reject);
      resolve();
    });
  });
  const { port } = listener.address() as { port: number };
  return {
    address: addressText({ host: at.host, port }),
    peerCertificate({ peer, peerCertificate: held }) {
      if (held) return { ...held, fault: undefined };
      const [shown] = faulty.get(peer) ?? [];
      return shown;
    },
    close: () => void listener.close(),
  };
}
