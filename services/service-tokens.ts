// How services know one another where nothing is encrypted (loopback, unix sockets): each has a secret in a file of its
// own, and shows it with every call.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { BeaconError } from '../core/errors.ts';
import type { Secret } from '../runtime/log.ts';
import { readOrCreateSecretFile, whyFolderIsOpen } from '../runtime/secret-file.ts';
import { callersOf, type Identity } from './peers.ts';

const BEARER = /^Bearer +([!-~]{1,200}) *$/i;

const LEAST_TOKEN_CHARACTERS = 32;

/**
 * The Authorization header `self` shows. `folder`: mode 0700, of this user; the file is `<identity>.token` (0600), made when
 * missing. Throws `failed_precondition` for a folder or file that others reach, and for a token that could be guessed.
 */
export async function ownAuthorization(folder: string, self: Identity): Promise<string> {
  await requirePrivate(folder);
  return `Bearer ${(await tokenOf(folder, self)).reveal()}`;
}

/**
 * Tells whose token an Authorization header carries, of those who may call `self` at all. Throws `failed_precondition` as
 * `ownAuthorization` does, and when two of them have one token.
 */
export async function tokenReader(
  folder: string,
  self: Identity,
): Promise<(header: string | undefined) => Identity | undefined> {
  await requirePrivate(folder);
  const known = await Promise.all(
    callersOf(self).map(async (caller) => ({ caller, digest: digest((await tokenOf(folder, caller)).reveal()) })),
  );
  if (new Set(known.map((one) => one.digest.toString('hex'))).size < known.length) {
    throw new BeaconError('failed_precondition', `${folder}: two services have one token, so neither is known by it`);
  }
  return (header) => {
    const shown = digest(BEARER.exec(header ?? '')?.[1] ?? '');
    // Every one is compared, so that the time taken tells nothing.
    return known.filter(({ digest: expected }) => timingSafeEqual(shown, expected))[0]?.caller;
  };
}

/** Whoever can put a file there chooses a token, and is that service. */
async function requirePrivate(folder: string): Promise<void> {
  const open = await whyFolderIsOpen(folder);
  if (open !== undefined)
    throw new BeaconError('failed_precondition', `BEACON_SERVICE_TOKENS: ${open}, and ${folder} is none`);
}

async function tokenOf(folder: string, identity: Identity): Promise<Secret> {
  const make = () => `bcn_service_${randomBytes(32).toString('base64url')}`;
  const file = join(folder, `${identity}.token`);
  const token = await readOrCreateSecretFile(file, make);
  if (token.reveal().length >= LEAST_TOKEN_CHARACTERS) return token;
  throw new BeaconError(
    'failed_precondition',
    `${file} holds no token of ${LEAST_TOKEN_CHARACTERS} characters or more`,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
