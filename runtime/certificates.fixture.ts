// Certificates for tests, made on the spot: an authority, and leaves that are good or wrong in one way.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { TlsFiles } from './tls.ts';

type KeyPair = Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0] extends infer P
  ? P extends { keys: infer K }
    ? K
    : never
  : never;

x509.cryptoProvider.set(webcrypto as never);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export type Leaf = { readonly cert: string; readonly key: string };
export type LeafOptions = {
  /** DNS names, URIs and IP addresses. */
  readonly names?: readonly string[];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
};
export type Authority = { readonly cert: string; issue(options?: LeafOptions): Promise<Leaf> };

let serial = 1;

export async function newAuthority(name = 'CN=test authority'): Promise<Authority> {
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: hex(),
    name,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  return {
    cert: cert.toString('pem'),
    async issue(options = {}) {
      const { names = ['spiffe://beacon/decision'], notAfterMs = Date.now() + DAY_MS } = options;
      const leafKeys = await newKeys();
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: hex(),
        subject: 'CN=leaf',
        issuer: cert.subject,
        notBefore: new Date(options.notBeforeMs ?? Date.now() - DAY_MS),
        notAfter: new Date(notAfterMs),
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new x509.SubjectAlternativeNameExtension(
            names.map(
              (value) => ({ type: isIP(value) ? 'ip' : value.includes('://') ? 'url' : 'dns', value }) as const,
            ),
          ),
        ],
      });
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', leafKeys.privateKey as webcrypto.CryptoKey);
      return { cert: leaf.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
    },
  };
}

/** Writes (or overwrites) the three files in `folder`, a new one when not given. */
export async function writeTlsFiles(leaf: Leaf, ca: string, folder?: string): Promise<TlsFiles & { folder: string }> {
  const into = folder ?? (await mkdtemp(join(tmpdir(), 'beacon-tls-')));
  const files = { certFile: join(into, 'tls.crt'), keyFile: join(into, 'tls.key'), caFile: join(into, 'ca.crt') };
  await writeFile(files.certFile, leaf.cert);
  await writeFile(files.keyFile, leaf.key, { mode: 0o600 });
  await writeFile(files.caFile, ca);
  return { ...files, folder: into };
}

async function newKeys(): Promise<KeyPair> {
  const usages = ['sign', 'verify'] as const;
  return (await webcrypto.subtle.generateKey(ALGORITHM, true, [...usages])) as unknown as KeyPair;
}

function hex(): string {
  serial += 1;
  return serial.toString(16).padStart(4, '0');
}
