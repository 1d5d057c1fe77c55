// DSSE envelopes (secure-systems-lab/dsse v1.0.2) in the one spelling Beacon stores and signs: no whitespace, fixed key
// order, padded standard base64, exactly one signature. One statement has one envelope, so bytes can be compared.

import { BeaconError } from './errors.ts';
import { canonicalBase64, decodeBase64, encodeBase64 } from './ledger/base64.ts';
import { VerifyError } from './verify-error.ts';
import { requireObject, strictJson } from './verify-json.ts';

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** A leaf's length is a uint16 in C2SP entry bundles. */
export const MAX_ENVELOPE_BYTES = 65_535;

export type SignedEnvelope = {
  /** The signed statement's bytes, exactly. */
  readonly payload: Uint8Array;
  /** A hint by whoever made the envelope; never a reason to trust. */
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
};

/** What is signed: DSSE's pre-authentication encoding of the payload type (ASCII) and these payload bytes. */
export function preAuthEncoding(payload: Uint8Array, payloadType: string = PAYLOAD_TYPE): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
}

/** The stored spelling. Throws `payload_too_large` beyond 65,535 bytes. */
export function writeEnvelope(envelope: SignedEnvelope, payloadType: string = PAYLOAD_TYPE): Uint8Array {
  // Base64 needs no escape; JSON.stringify would look for one in all of it.
  const payload = encodeBase64(envelope.payload) + BEFORE_KEY.slice(0, -1);
  const signature = JSON.stringify(envelope.keyId) + BEFORE_SIGNATURE.slice(1) + encodeBase64(envelope.signature);
  const bytes = Buffer.from(openingOf(payloadType) + payload + signature + END);
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new BeaconError(
      'payload_too_large',
      `an envelope of ${bytes.length} bytes is more than ${MAX_ENVELOPE_BYTES}`,
    );
  }
  return bytes;
}

/**
 * Reads an envelope of this payload type that is spelt exactly as writeEnvelope() spells it. Nothing is verified.
 * Throws VerifyError `malformed` (not such an envelope), `too_large` or `non_canonical` (one, but spelt otherwise).
 */
export function readEnvelope(bytes: Uint8Array, expectedType: string = PAYLOAD_TYPE): SignedEnvelope {
  if (bytes.length > MAX_ENVELOPE_BYTES) throw new VerifyError('too_large', 'longer than any envelope');
  return readSpelt(bytes, expectedType) ?? readAnyhow(bytes, expectedType);
}

/** The payload of an envelope that whoever asks wrote itself: nothing behind it is looked at. */
export function payloadOf(envelope: Uint8Array): Buffer | undefined {
  const text = latin1(envelope);
  if (!text.startsWith(OPENING)) return undefined;
  return Buffer.from(text.slice(OPENING.length, text.indexOf('"', OPENING.length)), 'base64');
}

/** The key that an envelope of that kind names; undefined where it is not spelt as writeEnvelope() spells it. */
export function keyIdOf(envelope: Uint8Array): string | undefined {
  const text = latin1(envelope.subarray(-SIGNED_CHARACTERS));
  const key = text.lastIndexOf(BEFORE_KEY);
  const signature = text.length - END.length - SIGNATURE_CHARACTERS - BEFORE_SIGNATURE.length;
  if (key < 0 || !text.startsWith(BEFORE_SIGNATURE, signature)) return undefined;
  return text.slice(key + BEFORE_KEY.length, signature);
}

const BEFORE_KEY = '","signatures":[{"keyid":"';
const BEFORE_SIGNATURE = '","sig":"';
const END = '"}]}';
/** 64 bytes in base64. */
const SIGNATURE_CHARACTERS = 88;
/** As much of an envelope's end as holds its signature and the longest name of a key. */
const SIGNED_CHARACTERS = 512;
/** What JSON spells as it is. */
const PLAIN = /^[A-Za-z0-9_-]*$/;

const OPENING = openingOf(PAYLOAD_TYPE);

function openingOf(payloadType: string): string {
  return `{"payloadType":${JSON.stringify(payloadType)},"payload":"`;
}

/**
 * Nearly every envelope is spelt as writeEnvelope() spells it and can be cut at its seams: what stands between them, in
 * their only spelling, gives these very bytes again. Undefined for any other, which readAnyhow() judges.
 */
function readSpelt(bytes: Uint8Array, payloadType: string): SignedEnvelope | undefined {
  const text = latin1(bytes);
  const start = payloadType === PAYLOAD_TYPE ? OPENING : openingOf(payloadType);
  const payloadEnd = text.indexOf('"', start.length);
  const signatureAt = text.length - END.length - SIGNATURE_CHARACTERS;
  const keyAt = payloadEnd + BEFORE_KEY.length;
  const keyEnd = signatureAt - BEFORE_SIGNATURE.length;
  if (keyEnd < keyAt || !text.startsWith(start) || !text.startsWith(BEFORE_KEY, payloadEnd)) return undefined;
  if (!text.startsWith(BEFORE_SIGNATURE, keyEnd) || !text.endsWith(END)) return undefined;
  const keyId = text.slice(keyAt, keyEnd);
  const payload = canonicalBase64(text.slice(start.length, payloadEnd));
  const signature = canonicalBase64(text.slice(signatureAt, -END.length));
  if (payload === undefined || signature?.length !== 64 || !PLAIN.test(keyId)) return undefined;
  return { payload, keyId, signature };
}

function readAnyhow(bytes: Uint8Array, expectedType: string): SignedEnvelope {
  const { payloadType, payload, signatures } = requireObject(strictJson(bytes, 'the envelope'), 'the envelope');
  if (payloadType !== expectedType) throw new VerifyError('malformed', `payloadType is not ${expectedType}`);
  if (!Array.isArray(signatures) || signatures.length !== 1) {
    throw new VerifyError('malformed', 'there must be exactly one signature');
  }
  const { keyid, sig } = requireObject(signatures[0], 'the signature');
  if (typeof keyid !== 'string') throw new VerifyError('malformed', 'keyid is not a string');
  const envelope = { payload: requireBase64(payload, 'payload'), keyId: keyid, signature: requireBase64(sig, 'sig') };
  if (envelope.signature.length !== 64) throw new VerifyError('malformed', 'sig is not 64 bytes');
  // Catches every other freedom of JSON at once: unknown members, order, whitespace, escapes.
  if (Buffer.compare(writeEnvelope(envelope, expectedType), bytes) !== 0) {
    throw new VerifyError(
      'non_canonical',
      'the envelope is not spelt as Beacon spells it (byte for byte, no newline at the end)',
    );
  }
  return envelope;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function requireBase64(text: unknown, what: string): Uint8Array {
  if (typeof text !== 'string') throw new VerifyError('malformed', `${what} is not a string`);
  return decodeBase64(what, text);
}
