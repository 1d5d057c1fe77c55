// The name of an action: SHA-256 over the RFC 8785 form of its canonical parts.
// Rewording a command does not change it; another effect, target or content does.

import type { CanonicalAction } from './action/types.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';

/** 64 lower-case hex digits. */
export function fingerprint(action: CanonicalAction): string {
  return sha256Hex(canonicalJson({ parts: action.parts }));
}
