// PEM files of one TLS identity, read again by the clock: a mounted secret is swapped by links, which watching does not
// see on every system. Files that would not work are reported and leave what was read before in force.

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { BeaconError } from '../core/errors.ts';
import { peerNamesOf } from './peer-names.ts';

/** PEM: our chain (leaf first), its private key, and the authorities whose certificates we take, where we take any. */
export type PemFiles = { readonly certFile: string; readonly keyFile: string; readonly caFile?: string | undefined };

export type PemOptions = {
  /** Whether a certificate without a DNS or URI name is refused. */
  readonly named: boolean;
  /** How often the files are read again. */
  readonly reloadMs: number;
  readonly now: () => number;
  /** Told when the files have changed and cannot be used, once for each such content. */
  readonly rejected: (error: BeaconError) => void;
  /** Told when new files are in force. */
  readonly reloaded?: ((notAfterMs: number) => void) | undefined;
};

export type Material = Read & { readonly notAfterMs: number };

type Read = { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer | undefined };

/** Whether an authority of `before` is none of `after`. Both are PEM that was checked. */
export function losesAuthority(before: Buffer | undefined, after: Buffer | undefined): boolean {
  const left = new Set(authoritiesIn(after));
  return authoritiesIn(before).some((authority) => !left.has(authority));
}

function authoritiesIn(pem: Buffer | undefined): readonly string[] {
  const blocks = pem?.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => block.replace(/\s/g, ''));
}

export class PemSource {
  readonly #files: PemFiles;
  readonly #options: PemOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #changed = new Set<(material: Material, before: Material) => void>();
  #refused = '';
  #current: Material;

  /** Throws `failed_precondition` when the files cannot be used at the start. */
  static async open(files: PemFiles, options: PemOptions): Promise<PemSource> {
    return new PemSource(files, options, check(await readAll(files), options));
  }

  private constructor(files: PemFiles, options: PemOptions, first: Material) {
    this.#files = files;
    this.#options = options;
    this.#current = first;
    this.#timer = setInterval(() => void this.reload(), options.reloadMs).unref();
  }

  get current(): Material {
    return this.#current;
  }

  async reload(): Promise<void> {
    const { rejected, reloaded } = this.#options;
    const before = this.#current;
    let read: Read | undefined;
    try {
      read = await readAll(this.#files);
      if (same(read, this.#current)) {
        this.#refused = '';
        return;
      }
      this.#current = check(read, this.#options);
    } catch (error) {
      // Not every turn again: a renewal that lags would fill the log.
      const content = read ? Buffer.concat([read.cert, read.key, read.ca ?? Buffer.of()]).toString('base64') : '';
      const told = `${String(error)} ${content}`;
      if (told !== this.#refused) rejected(error as BeaconError);
      this.#refused = told;
      return;
    }
    this.#refused = '';
    for (const changed of this.#changed) changed(this.#current, before);
    reloaded?.(this.#current.notAfterMs);
  }

  onChange(changed: (material: Material, before: Material) => void): void {
    this.#changed.add(changed);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function readAll({ certFile, keyFile, caFile }: PemFiles): Promise<Read> {
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(certFile),
      readFile(keyFile),
      caFile === undefined ? undefined : readFile(caFile),
    ]);
    return { cert, key, ca };
  } catch (cause) {
    throw new BeaconError('failed_precondition', `a TLS file cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function same(a: Read, b: Read): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && (a.ca === b.ca || (!!a.ca && !!b.ca && a.ca.equals(b.ca)));
}

/** Also catches files caught in the middle of a renewal: the new certificate beside the old key. */
function check(read: Read, { named, now }: PemOptions): Material {
  const broken = (why: string, cause?: unknown) =>
    new BeaconError('failed_precondition', `the TLS files cannot be used: ${why}`, { cause });
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(read.cert);
    if (read.ca) requireAuthorities(read.ca);
    createSecureContext({ cert: read.cert, key: read.key, ca: read.ca });
  } catch (cause) {
    throw broken((cause as Error).message, cause);
  }
  const [notBeforeMs, notAfterMs] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (now() >= notAfterMs) throw broken(`the certificate ended at ${leaf.validTo}`);
  if (now() < notBeforeMs) throw broken(`the certificate begins at ${leaf.validFrom}`);
  if (named && peerNamesOf(leaf.subjectAltName).length === 0) {
    throw broken('the certificate carries no DNS or URI name');
  }
  return { ...read, notAfterMs };
}

/** A file without a certificate in it would leave the machine's own list of authorities in force. */
function requireAuthorities(pem: Buffer): void {
  new X509Certificate(pem);
}
