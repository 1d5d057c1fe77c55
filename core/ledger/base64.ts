// Standard padded base64 (RFC 4648 §4), decoded only from its one canonical spelling: no whitespace, no missing or
// extra padding, no stray bits in the last group. Two texts for the same bytes would make signed files malleable.

import { VerifyError } from '../verify-error.ts';

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Throws `malformed` for what is not base64 at all, `non_canonical` for another spelling of it. */
export function decodeBase64(what: string, text: string): Uint8Array {
  const bytes = canonicalBase64(text);
  if (bytes !== undefined) return bytes;
  if (!ALPHABET.test(text)) throw new VerifyError('malformed', `${what} is not base64`);
  throw new VerifyError('non_canonical', `${what} is not canonical base64`);
}

/** Undefined for any other spelling. */
export function canonicalBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // What is written anew from the bytes it gave holds nothing that the decoder overlooked.
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

/** The same, for a value whose length is fixed by its format. */
export function decodeBase64Exact(what: string, text: string, length: number): Uint8Array {
  const bytes = decodeBase64(what, text);
  if (bytes.length !== length) throw new VerifyError('malformed', `${what} must be ${length} bytes`);
  return bytes;
}
