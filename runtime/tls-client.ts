// A client's side of TLS: the authorities its servers come from and, where it shows one, its own certificate, in PEM files
// that may be replaced while the process runs. A connection keeps what it began with; new ones are dialed when it changed.

import { createHash, X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { BeaconError } from '../core/errors.ts';
import { PemSource } from './tls-files.ts';
import { watchFile } from './watched-file.ts';

export type ClientTlsOptions = {
  readonly caFile: string;
  /** What the client shows; undefined: nothing. */
  readonly identity?: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly reloadMs: number;
  readonly now: () => number;
  /** Told when a file has changed and cannot be used. */
  readonly refused: (error: BeaconError) => void;
};
export type ClientTls = {
  /** For a server whose certificate carries `name`, a DNS name or an address, whatever it was dialed at. */
  credentials(name: string): ChannelCredentials;
  /** Another text when the files in force are others. */
  stamp(): string;
  close(): void;
};

type Pem = { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };

/** Throws `failed_precondition` when the files cannot be used at the start. */
export async function openClientTls(options: ClientTlsOptions): Promise<ClientTls> {
  const { current, close } = options.identity ? await openBoth(options, options.identity) : await openCa(options);
  return {
    credentials(name) {
      const { ca, cert, key } = current();
      return credentials.createSsl(ca, key ?? null, cert ?? null, {
        checkServerIdentity: (_dialed: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
      });
    },
    stamp() {
      const { ca, cert } = current();
      return createHash('sha256')
        .update(ca)
        .update('\0')
        .update(cert ?? '')
        .digest('hex');
    },
    close,
  };
}

type Source = { current(): Pem; close(): void };

async function openBoth(
  { caFile, reloadMs, now, refused }: ClientTlsOptions,
  files: { readonly certFile: string; readonly keyFile: string },
): Promise<Source> {
  const source = await PemSource.open({ ...files, caFile }, { named: true, reloadMs, now, rejected: refused });
  // A file of authorities is named, so one was read.
  return { current: () => ({ ...source.current, ca: source.current.ca as Buffer }), close: () => source.close() };
}

async function openCa({ caFile, reloadMs, refused }: ClientTlsOptions): Promise<Source> {
  const file = await watchFile({
    path: caFile,
    everyMs: reloadMs,
    secret: false,
    parse(bytes) {
      // Without a certificate in it the machine's own list of authorities would be in force.
      new X509Certificate(bytes);
      return Buffer.from(bytes);
    },
    refused,
  });
  return { current: () => ({ ca: file.current() }), close: () => file.close() };
}
