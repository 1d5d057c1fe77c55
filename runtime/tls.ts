// Mutual TLS from three PEM files that may be replaced while the process runs. New connections use the new certificate,
// old ones live until their age ends, or until an authority was taken out: they may stand on that one. Files that would not
// work are reported and leave what was read before in force.

import type { PeerCertificate } from 'node:tls';
import { type ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import { peerNamesOf } from './peer-names.ts';
import { losesAuthority, type Material, type PemOptions, PemSource } from './tls-files.ts';

/** PEM: our chain (leaf first), its private key, and the authorities whose certificates we take. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

export type TlsOptions = TlsFiles &
  Omit<PemOptions, 'named'> & {
    /** How long connections go on when an authority was taken out: long enough for the other ends to read their own files. */
    readonly distrustAfterMs?: number;
  };

export type Tls = {
  /** One listener's; a client without a certificate from our authorities is refused in the handshake. */
  server(): ServerCredentials;
  /** A client's, for a server whose certificate carries one of `names`, whatever host it was dialed at. */
  client(names: readonly string[]): ChannelCredentials;
  /** Tells `end` each time that connections made until now are to end. Returns what stops that. */
  onDistrust(end: () => void): () => void;
  /** End of the certificate in force. */
  notAfterMs(): number;
  /** Reads the files now instead of at the next turn. */
  reload(): Promise<void>;
  close(): void;
};

/** Below 1.3 a client's certificate travels in clear. */
const MIN_VERSION = 'TLSv1.3';
const DISTRUST_AFTER_MS = 30_000;

/** Throws `failed_precondition` when the files cannot be used at the start. */
export async function openTls(options: TlsOptions): Promise<Tls> {
  const source = await PemSource.open(options, { ...options, named: true });
  const provider = new Provider(source);
  const ends = new Set<() => void>();
  const timers = new Set<NodeJS.Timeout>();
  source.onChange((material, before) => {
    if (!losesAuthority(before.ca, material.ca)) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      for (const end of ends) end();
    }, options.distrustAfterMs ?? DISTRUST_AFTER_MS).unref();
    timers.add(timer);
  });
  return {
    server() {
      const credentials = new ReloadingServerCredentials(contextOf(source.current));
      source.onChange((material) => credentials.change(contextOf(material)));
      return credentials;
    },
    client: (names) =>
      experimental.createCertificateProviderChannelCredentials(provider, provider, {
        checkServerIdentity: (_host: string, certificate: PeerCertificate) => requireName(names, certificate),
      }),
    onDistrust(end) {
      ends.add(end);
      return () => void ends.delete(end);
    },
    notAfterMs: () => source.current.notAfterMs,
    reload: () => source.reload(),
    close() {
      source.close();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function requireName(names: readonly string[], certificate: PeerCertificate): Error | undefined {
  const carried = peerNamesOf(certificate.subjectaltname);
  if (carried.some((name) => names.includes(name))) return undefined;
  return new Error(`the server's certificate names ${carried.join(', ') || 'nobody'}, not ${names.join(' or ')}`);
}

type Listener<T> = (update: T | null) => void;
type CaUpdate = { caCertificate: Buffer };
type IdentityUpdate = { certificate: Buffer; privateKey: Buffer };

/** The files as grpc-js's CertificateProvider. */
class Provider {
  readonly #source: PemSource;
  readonly #ca = new Set<Listener<CaUpdate>>();
  readonly #identity = new Set<Listener<IdentityUpdate>>();

  constructor(source: PemSource) {
    this.#source = source;
    source.onChange((material) => {
      for (const listener of this.#identity) listener(identityOf(material));
      for (const listener of this.#ca) listener(caOf(material));
    });
  }

  addCaCertificateListener(listener: Listener<CaUpdate>): void {
    this.#ca.add(listener);
    process.nextTick(() => listener(caOf(this.#source.current)));
  }

  removeCaCertificateListener(listener: Listener<CaUpdate>): void {
    this.#ca.delete(listener);
  }

  addIdentityCertificateListener(listener: Listener<IdentityUpdate>): void {
    this.#identity.add(listener);
    process.nextTick(() => listener(identityOf(this.#source.current)));
  }

  removeIdentityCertificateListener(listener: Listener<IdentityUpdate>): void {
    this.#identity.delete(listener);
  }
}

function identityOf({ cert, key }: Material): IdentityUpdate {
  return { certificate: cert, privateKey: key };
}

/** `TlsFiles` names a file of authorities, so that one was read. */
function caOf({ ca }: Material): CaUpdate {
  return { caCertificate: ca as Buffer };
}

type Context = ReturnType<typeof contextOf>;

function contextOf({ cert, key, ca }: Material) {
  return { cert: [cert], key: [key], ca: ca as Buffer, minVersion: MIN_VERSION } as const satisfies object;
}

class ReloadingServerCredentials extends ServerCredentials {
  constructor(context: Context) {
    const first = { ...context, cert: [...context.cert], key: [...context.key] };
    super({ requestCert: true, rejectUnauthorized: true, minVersion: MIN_VERSION }, first);
  }

  change(context: Context): void {
    this.updateSecureContextOptions({ ...context, cert: [...context.cert], key: [...context.key] });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
