// Signing keys that live and die with the process: for tests and throw-away instances.

import { generateKeyPairSync } from 'node:crypto';
import { privateKeyFromSeed, signerOf } from '../../core/jwk.ts';
import type { SigningKey, SigningKeys } from './port.ts';

/** Seeds are 32 bytes each (RFC 8032), the current key's first; without any, a key is made. */
export function memorySigningKeys(seeds: readonly Uint8Array[] = []): SigningKeys {
  let keys: SigningKey[] = seeds.map((seed) => signerOf(privateKeyFromSeed(seed)));
  if (keys.length === 0) keys = [newKey()];
  return {
    current: () => keys[0] as SigningKey,
    all: () => keys.map((key) => key.publicKey),
    rotate: async () => {
      keys = [newKey(), ...keys];
    },
  };
}

function newKey(): SigningKey {
  return signerOf(generateKeyPairSync('ed25519').privateKey);
}
