// The memory implementation keeps the contract; a seed gives the key RFC 8032 says it gives.

import { expect, test } from 'vitest';
import { signingKeysContract } from './contract.ts';
import { memorySigningKeys } from './memory.ts';

signingKeysContract('memory signing keys', async () => ({ open: async () => memorySigningKeys() }));

test('RFC 8032, 7.1, test 2', () => {
  const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
  const { publicKey, sign } = memorySigningKeys([seed]).current();
  expect(Buffer.from(publicKey.bytes).toString('hex')).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  );
  expect(Buffer.from(sign(Uint8Array.of(0x72))).toString('hex')).toBe(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );
});
