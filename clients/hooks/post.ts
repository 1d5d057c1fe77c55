// One POST of exact bytes to Beacon.

import { BeaconError } from '../../core/errors.ts';
import { type Answered, requestBytes } from '../transport/request.ts';
import type { Trust } from '../transport/trust.ts';

export const MAX_ANSWER_BYTES = 1_048_576;

export type Target = { readonly url: URL; readonly token: string | undefined; readonly trust: Trust | undefined };

/** Throws `unavailable` when no whole answer comes before `signal` aborts. */
export async function post(
  path: string,
  { url, token, trust }: Target,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Answered> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  try {
    const asked = { method: 'POST', headers, body, signal, maxBytes: MAX_ANSWER_BYTES, trust };
    return await requestBytes(new URL(path, url), asked);
  } catch (cause) {
    if (cause instanceof BeaconError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new BeaconError('unavailable', `Beacon gave no answer${code ? ` (${code})` : ''}`, { cause });
  }
}
