// Ed25519 public keys as JWK sets (RFC 7517, RFC 8037), named by their thumbprint (RFC 7638).
// A name that does not belong to its key is refused, so a name can be quoted wherever the key is meant.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { VerifyError } from './verify-error.ts';
import { requireObject, strictJson } from './verify-json.ts';

/** The same shape as ports/signing-key; `keyId` is the thumbprint of `bytes` (32, RFC 8032). */
export type PublicKey = { readonly keyId: string; readonly bytes: Uint8Array };

const MAX_KEYS = 256;

/** RFC 7638 thumbprint, SHA-256, base64url: 43 characters. */
export function thumbprint(publicKey: Uint8Array): string {
  const members = `{"crv":"Ed25519","kty":"OKP","x":"${Buffer.from(publicKey).toString('base64url')}"}`;
  return createHash('sha256').update(members).digest('base64url');
}

export function publicKeyFrom(bytes: Uint8Array): PublicKey {
  return { keyId: thumbprint(bytes), bytes };
}

/** For node:crypto. */
export function keyObject(publicKey: Uint8Array): KeyObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** A signer over an Ed25519 private key; the shape of ports/signing-key. */
export function signerOf(privateKey: KeyObject): { publicKey: PublicKey; sign(message: Uint8Array): Uint8Array } {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = publicKeyFrom(new Uint8Array(Buffer.from(x as string, 'base64url')));
  return { publicKey, sign: (message) => sign(null, message, privateKey) };
}

/** The private key of a 32-byte seed (RFC 8032). */
export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new RangeError('a seed is 32 bytes');
  const header = Buffer.from('302e020100300506032b657004220420', 'hex');
  return createPrivateKey({ key: Buffer.concat([header, seed]), format: 'der', type: 'pkcs8' });
}

/** A JWK set, one line, in the order given. */
export function buildJwks(keys: readonly PublicKey[]): string {
  const entries = keys.map((key) => ({
    kty: 'OKP',
    crv: 'Ed25519',
    x: Buffer.from(key.bytes).toString('base64url'),
    kid: thumbprint(key.bytes),
    use: 'sig',
    alg: 'EdDSA',
  }));
  return JSON.stringify({ keys: entries });
}

/**
 * Every key of a set made of Ed25519 keys, or of one bare JWK. Throws VerifyError `malformed` (JSON, key type, length,
 * a private key, no key, the same key twice), `non_canonical` (base64url) or `keyid_mismatch` (`kid` is not the thumbprint).
 */
export function parseJwks(bytes: Uint8Array): PublicKey[] {
  const document = requireObject(strictJson(bytes, 'the key set'), 'the key set');
  const entries = 'keys' in document ? document.keys : [document];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > MAX_KEYS) {
    throw new VerifyError('malformed', `a key set holds 1 to ${MAX_KEYS} keys`);
  }
  const keys = entries.map(parseJwk);
  if (new Set(keys.map((key) => key.keyId)).size !== keys.length) {
    throw new VerifyError('malformed', 'the same key twice');
  }
  return keys;
}

function parseJwk(entry: unknown): PublicKey {
  const { kty, crv, x, kid, use, ...rest } = requireObject(entry, 'a key');
  if (kty !== 'OKP' || crv !== 'Ed25519') throw new VerifyError('malformed', 'a key that is not OKP with Ed25519');
  if ('d' in rest) throw new VerifyError('malformed', 'a private key');
  if (use !== undefined && use !== 'sig') throw new VerifyError('malformed', 'a key that is not for signatures');
  if (typeof x !== 'string' || typeof kid !== 'string') throw new VerifyError('malformed', 'x or kid is not a string');
  const bytes = Buffer.from(x, 'base64url');
  if (bytes.toString('base64url') !== x) throw new VerifyError('non_canonical', 'x is not canonical base64url');
  if (bytes.length !== 32) throw new VerifyError('malformed', 'x is not 32 bytes');
  const key = publicKeyFrom(new Uint8Array(bytes));
  if (key.keyId !== kid) throw new VerifyError('keyid_mismatch', 'kid is not the thumbprint of its key');
  return key;
}
