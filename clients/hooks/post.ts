// One POST of exact bytes, with limits. Node's own http: no redirects, no proxies from the environment, quick to load.

import type { IncomingMessage } from 'node:http';
import { BeaconError } from '../../core/errors.ts';
import { readAtMost } from './event.ts';

export const MAX_ANSWER_BYTES = 1_048_576;

export type Posted = { readonly status: number; readonly body: Uint8Array };

/** Throws `unavailable` when no whole answer comes before `signal` aborts. */
export async function post(
  url: URL,
  token: string | undefined,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Posted> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const { request } = builtin(url.protocol);
  try {
    const response = await new Promise<IncomingMessage>((answered, failed) => {
      const sent = request(url, { method: 'POST', headers, signal, agent: false }, answered);
      sent.on('error', failed);
      sent.end(body);
    });
    return { status: response.statusCode ?? 0, body: await readAtMost(response, MAX_ANSWER_BYTES) };
  } catch (cause) {
    if (cause instanceof BeaconError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new BeaconError('unavailable', `Beacon gave no answer${code ? ` (${code})` : ''}`, { cause });
  }
}

// An import statement reads every export of node:http, some of which load all of undici: 25 ms that each tool call would
// wait for.
function builtin(protocol: string) {
  return protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
}
