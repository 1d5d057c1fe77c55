// Checking receipts offline, with public keys alone. What was verified is what is handed back: callers never look at
// the envelope again. Every refusal is a VerifyError with a code.

import { verify } from 'node:crypto';
import { preAuthEncoding, readEnvelope } from './dsse.ts';
import { keyObject, type PublicKey, thumbprint } from './jwk.ts';
import type { Checkpoint } from './ledger/checkpoint.ts';
import type { NoteKey } from './ledger/note.ts';
import { verifyTlogProof } from './ledger/tlog-proof.ts';
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

export type Inclusion = { readonly receiptId: string; readonly index: number; readonly checkpoint: Checkpoint };

/**
 * That an envelope is a leaf of the log its receipt names, at the index it names, under a checkpoint signed by one of
 * `logKeys`. Says nothing of who signed the receipt: that is verifyReceipt().
 * Codes: malformed, non_canonical, too_large, unsupported, unknown_key, bad_signature, not_included, wrong_origin.
 */
export function verifyInclusion(envelopeBytes: Uint8Array, proof: Uint8Array, logKeys: readonly NoteKey[]): Inclusion {
  const { receiptId, logId, index } = readReceipt(envelopeBytes);
  const included = verifyTlogProof(proof, envelopeBytes, logKeys);
  // The same bytes in another log, or twice in one, would be a second receipt under the first one's name.
  if (included.checkpoint.origin.split('/').at(-1) !== logId) {
    throw new VerifyError('wrong_origin', `the receipt is of log ${logId}, the checkpoint is of another`);
  }
  if (included.index !== index) {
    throw new VerifyError('not_included', `the receipt says index ${index}, the proof ${included.index}`);
  }
  return { receiptId, ...included };
}
