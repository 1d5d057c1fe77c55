// Checking receipts offline, with public keys alone. What was verified is what is handed back: callers never look at
// the envelope again. Every refusal is a VerifyError with a code.

import { verify } from 'node:crypto';
import { preAuthEncoding, readEnvelope } from './dsse.ts';
import { keyObject, type PublicKey, thumbprint } from './jwk.ts';
import { type Receipt, readReceipt } from './receipt.ts';
import { VerifyError } from './verify-error.ts';

/**
 * A receipt whose signature verifies under one of `publicKeys`. Only these keys are tried, and all of them: the envelope's
 * keyid chooses nothing, it must merely be the thumbprint of the key that verified.
 * Codes: malformed, non_canonical, unknown_key, bad_signature, keyid_mismatch.
 */
export function verifyReceipt(envelopeBytes: Uint8Array, publicKeys: readonly PublicKey[]): Receipt {
  const { payload, keyId, signature } = readEnvelope(envelopeBytes);
  const signed = preAuthEncoding(payload);
  const signer = publicKeys.find((key) => verify(null, signed, keyObject(key.bytes), signature));
  if (!signer) {
    const named = publicKeys.some((key) => thumbprint(key.bytes) === keyId);
    throw named
      ? new VerifyError('bad_signature', 'the signature is not of this receipt by the key it names')
      : new VerifyError('unknown_key', 'signed by none of the keys given');
  }
  if (thumbprint(signer.bytes) !== keyId) {
    throw new VerifyError('keyid_mismatch', 'the keyid belongs to another key than the one that signed');
  }
  return readReceipt(envelopeBytes);
}
