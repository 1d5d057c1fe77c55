// Why a check of something signed or logged failed. Codes are stable: programs, exit texts and tests rely on them.
// Thrown by everything that parses or verifies what a stranger handed over; never carries the bytes it refused.

/**
 * malformed: not the format at all · non_canonical: the format, spelled in a way it must not be · too_large: over a named
 * limit · unsupported: a version, type or algorithm this verifier does not know · unknown_key: no signature by a trusted
 * key · keyid_mismatch: a key under a name that is not its own · bad_signature: a trusted key's signature does not verify ·
 * not_included, inconsistent: the Merkle proof does not lead to the root; inconsistent also of two that verify and cannot both be true · wrong_origin: another log's checkpoint ·
 * wrong_subject: about something else · digest_mismatch: the bytes are not those named · out_of_order, incomplete: a
 * sequence of receipts has a hole or a wrong order.
 */
export const VERIFY_CODES = [
  'malformed',
  'non_canonical',
  'too_large',
  'unsupported',
  'unknown_key',
  'keyid_mismatch',
  'bad_signature',
  'not_included',
  'inconsistent',
  'wrong_origin',
  'wrong_subject',
  'digest_mismatch',
  'out_of_order',
  'incomplete',
] as const;

export type VerifyCode = (typeof VERIFY_CODES)[number];

export class VerifyError extends Error {
  readonly code: VerifyCode;

  constructor(code: VerifyCode, message: string) {
    super(message);
    this.name = 'VerifyError';
    this.code = code;
  }
}
