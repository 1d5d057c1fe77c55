// RFC 8785 (JSON Canonicalization Scheme) and the digest everything is named by.

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { invalidArgument } from './errors.ts';

/**
 * The one RFC 8785 spelling of a JSON value. Throws `invalid_argument` on what JSON cannot say without loss: undefined,
 * functions, symbols, bigints, numbers that are not finite, lone surrogates, circles.
 */
export function canonicalJson(value: unknown): string {
  requireJson(value, 0);
  return canonicalize(value) as string;
}

/** SHA-256 as 64 lower-case hex digits; a string is taken as UTF-8. */
export function sha256Hex(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

const MAX_DEPTH = 256;

function requireJson(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw invalidArgument('value', `nested deeper than ${MAX_DEPTH}, or in a circle`);
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalidArgument('value', 'holds a lone surrogate');
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalidArgument('value', 'a number that is not finite');
    return;
  }
  if (typeof value !== 'object') throw invalidArgument('value', `${typeof value} has no canonical JSON`);
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) requireJson(value[at], depth + 1);
    return;
  }
  // A Date or a Map would be spelt by its toJSON or as {}: neither is what the caller meant to fingerprint.
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) throw invalidArgument('value', 'not a plain object');
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) throw invalidArgument('value', 'holds a lone surrogate');
    requireJson((value as Record<string, unknown>)[key], depth + 1);
  }
}
