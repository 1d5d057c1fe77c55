// A client of a server that shows a certificate and asks for none: the authorities it may come from are a PEM file, which
// may be replaced while the process runs.

import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, experimental } from '@grpc/grpc-js';
import type { BeaconError } from '../core/errors.ts';
import { watchFile } from './watched-file.ts';

export type ClientTlsOptions = {
  readonly caFile: string;
  readonly reloadMs: number;
  /** Told when the file has changed and cannot be used. */
  readonly refused: (error: BeaconError) => void;
};
export type ClientTls = { credentials(): ChannelCredentials; reload(): Promise<void>; close(): void };

type Listener = (update: { caCertificate: Buffer } | null) => void;

/** Throws `failed_precondition` when the file cannot be used at the start. New connections use what it holds then. */
export async function openClientTls({ caFile, reloadMs, refused }: ClientTlsOptions): Promise<ClientTls> {
  const listeners = new Set<Listener>();
  const file = await watchFile({
    path: caFile,
    everyMs: reloadMs,
    secret: false,
    parse(bytes) {
      const ca = Buffer.from(bytes);
      createSecureContext({ ca });
      if (!ca.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no certificate');
      return ca;
    },
    refused,
    changed() {
      for (const listener of listeners) listener({ caCertificate: file.current() });
    },
  });
  const provider = {
    addCaCertificateListener(listener: Listener) {
      listeners.add(listener);
      process.nextTick(() => listener({ caCertificate: file.current() }));
    },
    removeCaCertificateListener: (listener: Listener) => void listeners.delete(listener),
    addIdentityCertificateListener() {},
    removeIdentityCertificateListener() {},
  };
  return {
    credentials: () => experimental.createCertificateProviderChannelCredentials(provider, null),
    reload: () => file.reload(),
    close: () => file.close(),
  };
}
