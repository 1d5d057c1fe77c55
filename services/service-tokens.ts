// How services know one another where nothing is encrypted (loopback, unix sockets): each has a secret in a file of its
// own, and shows it with every call.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { readOrCreateSecretFile } from '../runtime/secret-file.ts';
import { callersOf, type Identity } from './peers.ts';

const BEARER = /^Bearer +([!-~]{1,200}) *$/i;

/** The Authorization header `self` shows. `folder`: mode 0700; the file is `<identity>.token` (0600), made when missing. */
export async function ownAuthorization(folder: string, self: Identity): Promise<string> {
  return `Bearer ${(await tokenOf(folder, self)).reveal()}`;
}

/** Tells whose token an Authorization header carries, of those who may call `self` at all. */
export async function tokenReader(
  folder: string,
  self: Identity,
): Promise<(header: string | undefined) => Identity | undefined> {
  const known = await Promise.all(
    callersOf(self).map(async (caller) => ({ caller, digest: digest((await tokenOf(folder, caller)).reveal()) })),
  );
  return (header) => {
    const shown = digest(BEARER.exec(header ?? '')?.[1] ?? '');
    // Every one is compared, so that the time taken tells nothing.
    return known.filter(({ digest: expected }) => timingSafeEqual(shown, expected))[0]?.caller;
  };
}

function tokenOf(folder: string, identity: Identity) {
  const make = () => `bcn_service_${randomBytes(32).toString('base64url')}`;
  return readOrCreateSecretFile(join(folder, `${identity}.token`), make);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
