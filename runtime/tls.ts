// Mutual TLS from three PEM files that may be replaced while the process runs. New connections use the new certificate,
// old ones live until their age ends. Files that would not work are reported and leave what was read before in force.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import { peerNamesOf } from './peer-names.ts';

/** PEM: our chain (leaf first), its private key, and the authorities whose certificates we take. */
export type TlsFiles = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

export type TlsOptions = TlsFiles & {
  /** How often the files are read again. */
  readonly reloadMs: number;
  readonly now: () => number;
  /** Told when the files have changed and cannot be used, once for each such content. */
  readonly rejected: (error: BeaconError) => void;
  /** Told when new files are in force. */
  readonly reloaded?: (notAfterMs: number) => void;
};

export type Tls = {
  /** One listener's; a client without a certificate from our authorities is refused in the handshake. */
  server(): ServerCredentials;
  /** A client's, for a server whose certificate carries one of `names`, whatever host it was dialed at. */
  client(names: readonly string[]): ChannelCredentials;
  /** End of the certificate in force. */
  notAfterMs(): number;
  /** Reads the files now instead of at the next turn. */
  reload(): Promise<void>;
  close(): void;
};

type Material = {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  readonly notAfterMs: number;
};

/** Below 1.3 a client's certificate travels in clear. */
const MIN_VERSION = 'TLSv1.3';

/** Throws `failed_precondition` when the files cannot be used at the start. */
export async function openTls(options: TlsOptions): Promise<Tls> {
  const source = new MaterialSource(options, check(await readAll(options), options.now()));
  return {
    server() {
      const credentials = new ReloadingServerCredentials(contextOf(source.current));
      source.onChange((material) => credentials.change(contextOf(material)));
      return credentials;
    },
    client: (names) =>
      experimental.createCertificateProviderChannelCredentials(source, source, {
        checkServerIdentity: (_host: string, certificate: PeerCertificate) => requireName(names, certificate),
      }),
    notAfterMs: () => source.current.notAfterMs,
    reload: () => source.reload(),
    close: () => source.close(),
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

/** Reads the files by the clock: a mounted secret is swapped by links, which watching does not see on every system. */
class MaterialSource {
  readonly #options: TlsOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #ca = new Set<Listener<CaUpdate>>();
  readonly #identity = new Set<Listener<IdentityUpdate>>();
  readonly #changed = new Set<(material: Material) => void>();
  #refused = '';
  current: Material;

  constructor(options: TlsOptions, first: Material) {
    this.#options = options;
    this.current = first;
    this.#timer = setInterval(() => void this.reload(), options.reloadMs).unref();
  }

  async reload(): Promise<void> {
    const { now, rejected, reloaded } = this.#options;
    let read: Read | undefined;
    try {
      read = await readAll(this.#options);
      if (same(read, this.current)) {
        this.#refused = '';
        return;
      }
      this.current = check(read, now());
    } catch (error) {
      // Not every turn again: a renewal that lags would fill the log.
      const told = `${String(error)} ${read ? Buffer.concat([read.cert, read.key, read.ca]).toString('base64') : ''}`;
      if (told !== this.#refused) rejected(error as BeaconError);
      this.#refused = told;
      return;
    }
    this.#refused = '';
    for (const listener of this.#identity) listener(identityOf(this.current));
    for (const listener of this.#ca) listener({ caCertificate: this.current.ca });
    for (const changed of this.#changed) changed(this.current);
    reloaded?.(this.current.notAfterMs);
  }

  onChange(changed: (material: Material) => void): void {
    this.#changed.add(changed);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  // The four that follow are grpc-js's CertificateProvider.
  addCaCertificateListener(listener: Listener<CaUpdate>): void {
    this.#ca.add(listener);
    process.nextTick(() => listener({ caCertificate: this.current.ca }));
  }

  removeCaCertificateListener(listener: Listener<CaUpdate>): void {
    this.#ca.delete(listener);
  }

  addIdentityCertificateListener(listener: Listener<IdentityUpdate>): void {
    this.#identity.add(listener);
    process.nextTick(() => listener(identityOf(this.current)));
  }

  removeIdentityCertificateListener(listener: Listener<IdentityUpdate>): void {
    this.#identity.delete(listener);
  }
}

function identityOf({ cert, key }: Material): IdentityUpdate {
  return { certificate: cert, privateKey: key };
}

type Context = ReturnType<typeof contextOf>;

function contextOf({ cert, key, ca }: Material) {
  return { cert: [cert], key: [key], ca, minVersion: MIN_VERSION } as const satisfies object;
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

type Read = { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };

async function readAll({ certFile, keyFile, caFile }: TlsFiles): Promise<Read> {
  try {
    const [cert, key, ca] = await Promise.all([readFile(certFile), readFile(keyFile), readFile(caFile)]);
    return { cert, key, ca };
  } catch (cause) {
    throw new BeaconError('failed_precondition', `a TLS file cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function same(a: Read, b: Read): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && a.ca.equals(b.ca);
}

/** Also catches files caught in the middle of a renewal: the new certificate beside the old key. */
function check(read: Read, nowMs: number): Material {
  const broken = (why: string, cause?: unknown) =>
    new BeaconError('failed_precondition', `the TLS files cannot be used: ${why}`, { cause });
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(read.cert);
    createSecureContext({ cert: read.cert, key: read.key, ca: read.ca });
  } catch (cause) {
    throw broken((cause as Error).message, cause);
  }
  const [notBeforeMs, notAfterMs] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (nowMs >= notAfterMs) throw broken(`the certificate ended at ${leaf.validTo}`);
  if (nowMs < notBeforeMs) throw broken(`the certificate begins at ${leaf.validFrom}`);
  if (peerNamesOf(leaf.subjectAltName).length === 0) throw broken('the certificate carries no DNS or URI name');
  return { ...read, notAfterMs };
}
