// C2SP signed notes with Ed25519 keys (https://c2sp.org/signed-note): text, a blank line, signature lines.
// Verifying is strict: every signature by a trusted key must hold, and only canonical spellings pass.

import { createPublicKey, hash, verify } from 'node:crypto';
import { VerifyError } from '../verify-error.ts';
import { decodeBase64, encodeBase64 } from './base64.ts';

/** A checkpoint with sixteen post-quantum signatures stays below it. */
export const NOTE_MAX_BYTES = 262_144;
export const NOTE_MAX_SIGNATURES = 64;

export type NoteKey = {
  readonly name: string;
  /** uint32, the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). */
  readonly keyHash: number;
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Uint8Array;
};

export type NoteSigner = { readonly key: NoteKey; sign(message: Uint8Array): Uint8Array };
export type NoteSignature = { readonly name: string; readonly keyHash: number; readonly signature: Uint8Array };

export type Note = {
  /** Ends in a newline; exactly what was signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

const ED25519 = 1;
const VKEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;
// Unicode's White_Space, which is what the Go reference calls a space.
const NAME_FORBIDDEN = /[\p{White_Space}+]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const SIGNATURE_PREFIX = '\u2014 ';

/** Throws `malformed` for a name a note cannot carry or a key that is not 32 bytes. */
export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  if (!isKeyName(name)) throw new VerifyError('malformed', 'the key name is empty or has a space, plus or control');
  if (publicKey.length !== 32) throw new VerifyError('malformed', 'an Ed25519 public key is 32 bytes');
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ED25519), publicKey]);
  return { name, keyHash: hash('sha256', bytes, 'buffer').readUInt32BE(0), publicKey };
}

/** `name+hash8+base64(0x01‖key)`. */
export function formatVkey(key: NoteKey): string {
  const hex = key.keyHash.toString(16).padStart(8, '0');
  return `${key.name}+${hex}+${encodeBase64(Buffer.concat([Buffer.of(ED25519), key.publicKey]))}`;
}

/** Throws `malformed`, `non_canonical`, or `unsupported` for another key type. */
export function parseVkey(text: string): NoteKey {
  const match = VKEY.exec(text);
  if (!match) throw new VerifyError('malformed', 'not a verifier key of the form name+hash+base64');
  const typed = decodeBase64('the verifier key', match[3] as string);
  if (typed[0] !== ED25519) throw new VerifyError('unsupported', 'the verifier key is not of type Ed25519');
  const key = noteKey(match[1] as string, typed.subarray(1));
  if (key.keyHash !== Number.parseInt(match[2] as string, 16)) {
    throw new VerifyError('malformed', 'the hash in the verifier key does not belong to the key');
  }
  return key;
}

/** Text must end in a newline and hold no other control character. Returns the whole note's bytes. */
export function signNote(text: string, signers: readonly NoteSigner[]): Uint8Array {
  requireText(text);
  const lines = signers.map(({ key, sign }) => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(key.keyHash);
    return `${SIGNATURE_PREFIX}${key.name} ${encodeBase64(Buffer.concat([id, sign(Buffer.from(text))]))}\n`;
  });
  return new Uint8Array(Buffer.from(`${text}\n${lines.join('')}`));
}

/** Parses without trusting anything in it. Throws `malformed`, `non_canonical` or `too_large`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_MAX_BYTES) throw new VerifyError('too_large', 'the note is too large');
  const whole = decodeUtf8(bytes);
  const blank = whole.lastIndexOf('\n\n');
  if (blank < 0 || !whole.endsWith('\n'))
    throw new VerifyError('malformed', 'a note is text, a blank line, signatures');
  const text = whole.slice(0, blank + 1);
  requireText(text);
  const lines = whole.slice(blank + 2, -1).split('\n');
  if (lines.length > NOTE_MAX_SIGNATURES) throw new VerifyError('too_large', 'the note has too many signatures');
  return { text, signatures: lines.map(parseSignature) };
}

/**
 * The note's text, once at least one of `keys` has signed it. Signatures by other keys are ignored; one by a trusted key
 * that does not verify refuses the note (`bad_signature`), as does none by a trusted key (`unknown_key`).
 */
export function verifyNote(
  bytes: Uint8Array,
  keys: readonly NoteKey[],
): { text: string; signedBy: readonly NoteKey[] } {
  const note = parseNote(bytes);
  const message = Buffer.from(note.text);
  const signedBy: NoteKey[] = [];
  for (const { name, keyHash, signature } of note.signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.keyHash === keyHash);
    if (key === undefined) continue;
    if (signedBy.includes(key)) throw new VerifyError('non_canonical', 'the note is signed twice by one key');
    if (!verifyEd25519(key.publicKey, message, signature)) {
      throw new VerifyError('bad_signature', `the signature of ${name} does not verify`);
    }
    signedBy.push(key);
  }
  if (signedBy.length === 0) throw new VerifyError('unknown_key', 'no trusted key has signed the note');
  return { text: note.text, signedBy };
}

/** Strict UTF-8 without a byte order mark; throws `malformed`. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new VerifyError('malformed', 'not valid UTF-8');
  }
}

function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
}

function parseSignature(line: string): NoteSignature {
  const parts = line.startsWith(SIGNATURE_PREFIX) ? line.slice(SIGNATURE_PREFIX.length).split(' ') : [];
  const [name, encoded] = parts;
  if (parts.length !== 2 || name === undefined || encoded === undefined || !isKeyName(name)) {
    throw new VerifyError('malformed', 'not a signature line');
  }
  const signed = Buffer.from(decodeBase64('a signature', encoded));
  if (signed.length < 5) throw new VerifyError('malformed', 'a signature is too short');
  return { name, keyHash: signed.readUInt32BE(0), signature: new Uint8Array(signed.subarray(4)) };
}

function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !NAME_FORBIDDEN.test(name) && !CONTROL.test(name);
}

function requireText(text: string): void {
  if (!text.endsWith('\n') || !text.isWellFormed()) throw new VerifyError('malformed', 'the text has no final newline');
  if (CONTROL.test(text)) throw new VerifyError('malformed', 'the text holds a control character');
}
