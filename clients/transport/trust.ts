// Which certificates a client believes and which it shows, from PEM files.

import { readFile } from 'node:fs/promises';
import { BeaconError } from '../../core/errors.ts';

export type Trust = {
  /** Authorities in place of the machine's own (PEM). */
  readonly ca?: string;
  /** The server's own certificate (PEM), in place of authorities and names. */
  readonly pinned?: string;
  /** What the client shows of itself: chain and private key (PEM). */
  readonly cert?: string;
  readonly key?: string;
};
export type TrustFiles = {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
};

/** Undefined when no file is named. Throws `failed_precondition` for files that cannot be read or do not go together. */
export async function readTrust({ caFile, certFile, keyFile }: TrustFiles): Promise<Trust | undefined> {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new BeaconError('failed_precondition', 'a client certificate and its key go together');
  }
  if (caFile === undefined && certFile === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { ca: await readPem(caFile, 'CERTIFICATE') }),
    ...(certFile === undefined ? {} : { cert: await readPem(certFile, 'CERTIFICATE') }),
    ...(keyFile === undefined ? {} : { key: await readPem(keyFile, 'PRIVATE KEY') }),
  };
}

/** An empty list of authorities would be no list at all: the machine's own would be believed instead. */
async function readPem(path: string, what: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new BeaconError('failed_precondition', `${path} cannot be read`);
  if (!text.includes(`${what}-----`)) throw new BeaconError('failed_precondition', `${path} holds no ${what}`);
  return text;
}

/**
 * By BEACON_CA_FILE, BEACON_CERT_FILE and BEACON_KEY_FILE. Without BEACON_CA_FILE an instance found on this machine is known
 * by the certificate it says it serves.
 */
export async function trustIn(
  env: Readonly<Record<string, string | undefined>>,
  instance: Readonly<Record<string, unknown>> | undefined,
): Promise<Trust | undefined> {
  const { BEACON_CA_FILE: ca, BEACON_CERT_FILE: cert, BEACON_KEY_FILE: key } = env;
  const named = await readTrust({ caFile: ca || undefined, certFile: cert || undefined, keyFile: key || undefined });
  const served = instance?.certificate_file;
  if (named?.ca !== undefined || typeof served !== 'string') return named;
  return { ...named, pinned: await readPem(served, 'CERTIFICATE') };
}
