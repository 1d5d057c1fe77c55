// The log as scoring reads it, and the one check that makes a leaf count.

import { verify } from 'node:crypto';
import { preAuthEncoding } from '../../core/dsse.ts';
import { keyObject, type PublicKey } from '../../core/jwk.ts';
import { decodeBase64 } from '../../core/ledger/base64.ts';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import type { VerifyCode } from '../../core/verify-error.ts';
import { VerifyError } from '../../core/verify-error.ts';

/** A log's durable leaves; a LedgerStore is one. */
export type ReceiptSource = {
  /** 12 hex digits. */
  readonly logId: string;
  size(): number | Promise<number>;
  /** From `start` on, at most `limit`, in order; fewer only at the end. */
  scan(start: number, limit: number): Promise<readonly { readonly index: number; readonly leaf: Uint8Array }[]>;
};

export type TrustedKeys = { all(): readonly PublicKey[] };

export type Checked =
  | { readonly qualified: true; readonly receipt: Receipt }
  /** `receipt` is what the bytes claim, where they can be read at all. */
  | { readonly qualified: false; readonly code: VerifyCode; readonly receipt?: Receipt };

const objects = new Map<string, ReturnType<typeof keyObject>>();

/**
 * The same answer as core/verify's verifyReceipt(), with the signature checked on the thread pool: a follower behind by
 * thousands of leaves must not hold up the decisions that share its event loop.
 */
export async function checkReceipt(leaf: Uint8Array, keys: readonly PublicKey[]): Promise<Checked> {
  let receipt: Receipt;
  try {
    receipt = readReceipt(leaf);
  } catch (thrown) {
    if (!(thrown instanceof VerifyError)) throw thrown;
    return { qualified: false, code: thrown.code };
  }
  const key = keys.find((known) => known.keyId === receipt.keyId);
  if (key === undefined) return { qualified: false, code: 'unknown_key', receipt };
  const signed = preAuthEncoding(receipt.payload);
  if (await signatureHolds(signed, key, signatureOf(leaf))) return { qualified: true, receipt };
  return { qualified: false, code: 'bad_signature', receipt };
}

/** readReceipt() took the envelope, so it is spelt canonically and ends in `"sig":"<88 characters>"}]}`. */
function signatureOf(leaf: Uint8Array): Uint8Array {
  return decodeBase64('sig', Buffer.from(leaf.subarray(leaf.length - 92, leaf.length - 4)).toString('latin1'));
}

function signatureHolds(signed: Uint8Array, key: PublicKey, signature: Uint8Array): Promise<boolean> {
  let object = objects.get(key.keyId);
  if (object === undefined) {
    object = keyObject(key.bytes);
    objects.set(key.keyId, object);
  }
  return new Promise((resolve, reject) => {
    verify(null, signed, object, signature, (fault, holds) => (fault ? reject(fault) : resolve(holds)));
  });
}
