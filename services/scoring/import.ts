// Receipts from elsewhere: what each is found to be. Pure but for reading the log; sealing what was found is the service's.

import { sha256Hex } from '../../core/canonical-json.ts';
import { MAX_ENVELOPE_BYTES } from '../../core/dsse.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { UnqualifiedReason } from '../../core/trust-score/tally.ts';
import { checkReceipt, type ReceiptSource, type TrustedKeys } from './ledger-source.ts';

export const MAX_IMPORTED = 256;

export type Finding = {
  /** True for a receipt of this ledger: it is counted already, and its import changes nothing. */
  readonly qualified: boolean;
  readonly reason: UnqualifiedReason | 'already_counted';
  /** SHA-256 (hex) of the bytes as handed over. */
  readonly digest: string;
};

export async function examine(
  bytes: Uint8Array,
  from: { readonly keys: TrustedKeys; sourceOf(logId: string): ReceiptSource | undefined },
): Promise<Finding> {
  const digest = sha256Hex(bytes);
  const unqualified = (reason: UnqualifiedReason): Finding => ({ qualified: false, reason, digest });
  const checked = await checkReceipt(bytes, from.keys.all());
  if (!checked.qualified) {
    if (checked.receipt === undefined) return unqualified(isUnsigned(bytes) ? 'unsigned' : 'malformed');
    return unqualified(checked.code === 'unknown_key' ? 'unknown_key' : 'bad_signature');
  }
  const { logId, index } = checked.receipt;
  const source = from.sourceOf(logId);
  if (!source || index >= (await source.size())) return unqualified('not_in_ledger');
  const [stored] = await source.scan(index, 1);
  const same = stored?.index === index && Buffer.compare(stored.leaf, bytes) === 0;
  return same ? { qualified: true, reason: 'already_counted', digest } : unqualified('not_in_ledger');
}

/** A bare in-toto Statement, or a DSSE envelope without a signature. */
function isUnsigned(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_ENVELOPE_BYTES) return false;
  let value: unknown;
  try {
    value = parseStrictJson(bytes);
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { _type, payload, signatures } = value as Record<string, unknown>;
  if (typeof _type === 'string' && payload === undefined) return true;
  if (typeof payload !== 'string') return false;
  return signatures === undefined || (Array.isArray(signatures) && signatures.every(isEmptySignature));
}

function isEmptySignature(signature: unknown): boolean {
  const { sig } = (signature ?? {}) as { sig?: unknown };
  return sig === undefined || sig === '';
}
