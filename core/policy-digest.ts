// The name of a policy by its content: what a decision receipt binds and replay looks up.

import { createHash } from 'node:crypto';

/** SHA-256 (hex) over the framed digests of Wasm and data. Equal digests mean equal decisions on equal inputs. */
export function policyDigest(wasm: Uint8Array, data: Uint8Array): string {
  const part = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  return createHash('sha256')
    .update(`beacon-policy-v1\n${part(wasm)}\n${part(data)}\n`)
    .digest('hex');
}
