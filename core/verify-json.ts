// How everything that is verified reads its JSON: strictly, with a verifier's error.

import { parseStrictJson } from './strict-json.ts';
import { VerifyError } from './verify-error.ts';

/** parseStrictJson with a verifier's error: `malformed`. */
export function strictJson(bytes: Uint8Array, what: string): unknown {
  try {
    return parseStrictJson(bytes);
  } catch (thrown) {
    throw new VerifyError('malformed', `${what} is not strict JSON (${(thrown as Error).message})`);
  }
}

export function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new VerifyError('malformed', `${what} is not an object`);
  }
  return value as Record<string, unknown>;
}
