// RFC 8785 (JSON Canonicalization Scheme) and the digest everything is named by.

import { hash } from 'node:crypto';
import { invalidArgument } from './errors.ts';

/**
 * The one RFC 8785 spelling of a JSON value. Throws `invalid_argument` on what JSON cannot say without loss: undefined,
 * functions, symbols, bigints, numbers that are not finite, lone surrogates, circles. Checked and written in one pass,
 * because every decision needs it several times; a test holds it against the `canonicalize` package.
 */
export function canonicalJson(value: unknown): string {
  return written(value, 0);
}

/** SHA-256 as 64 lower-case hex digits; a string is taken as UTF-8. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex');
}

const MAX_DEPTH = 256;

function written(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw invalidArgument('value', `nested deeper than ${MAX_DEPTH}, or in a circle`);
  if (typeof value === 'string') return writtenText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalidArgument('value', 'a number that is not finite');
    // RFC 8785 §3.2.2.3 takes over the spelling of ECMAScript.
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw invalidArgument('value', `${typeof value} has no canonical JSON`);
  if (Array.isArray(value)) {
    let out = '[';
    for (let at = 0; at < value.length; at++) out += (at === 0 ? '' : ',') + written(value[at], depth + 1);
    return `${out}]`;
  }
  // A Date or a Map would be spelt by its toJSON or as {}: neither is what the caller meant to fingerprint.
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) throw invalidArgument('value', 'not a plain object');
  let out = '{';
  // Sorted by UTF-16 code units, which is what RFC 8785 §3.2.3 asks for.
  for (const key of Object.keys(value).sort()) {
    const member = written((value as Record<string, unknown>)[key], depth + 1);
    out += `${out === '{' ? '' : ','}${writtenText(key)}:${member}`;
  }
  return `${out}}`;
}

function writtenText(text: string): string {
  if (!text.isWellFormed()) throw invalidArgument('value', 'holds a lone surrogate');
  return JSON.stringify(text);
}
