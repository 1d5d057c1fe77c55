// The name of an action: SHA-256 over the RFC 8785 form of its canonical parts.
// Rewording a command does not change it; another effect, target or content does.

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CanonicalAction } from './action/types.ts';

/** 64 lower-case hex digits. */
export function fingerprint(action: CanonicalAction): string {
  return createHash('sha256')
    .update(canonicalize({ parts: action.parts }) as string, 'utf8')
    .digest('hex');
}
