// One HTTP request of exact bytes, with limits. Node's own http: no redirects (a token would go along), no proxies from
// the environment, quick to load.

import type { Agent, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { BeaconError } from '../../core/errors.ts';
import type { Trust } from './trust.ts';

export type Asked = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  readonly trust?: Trust | undefined;
  /** Keeps connections for the next request; without one each ends with its answer. */
  readonly agent?: Agent | undefined;
};
export type Answered = { readonly status: number; readonly body: Uint8Array };

/** Throws what Node throws when no whole answer comes before `signal` aborts, `payload_too_large` for a longer one. */
export async function requestBytes(url: URL, asked: Asked): Promise<Answered> {
  const { method, headers, body, signal, maxBytes, trust } = asked;
  const { request } = builtin(url.protocol);
  const options: RequestOptions = {
    ...{ method, signal },
    headers: { ...headers, ...(body ? { 'content-length': String(body.length) } : {}) },
    agent: asked.agent ?? false,
    ...(url.protocol === 'https:' && trust ? tlsOptions(trust) : {}),
  };
  const response = await new Promise<IncomingMessage>((answered, failed) => {
    const sent = request(url, options, answered);
    sent.on('error', failed);
    sent.end(body);
  });
  return { status: response.statusCode ?? 0, body: await readAtMost(response, maxBytes) };
}

/** A keeping agent for one address. */
export function keepingAgent(url: URL): Agent {
  const { Agent } = builtin(url.protocol);
  return new Agent({ keepAlive: true });
}

function tlsOptions({ ca, pinned, cert, key }: Trust): RequestOptions {
  const own = cert === undefined ? {} : { cert, key };
  if (pinned === undefined) return { ...own, ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2' };
  const { X509Certificate } = process.getBuiltinModule('node:crypto');
  const { fingerprint256 } = new X509Certificate(pinned);
  // The one certificate itself is the anchor: whatever name it was reached by, nobody else has its key.
  return {
    ...own,
    ca: pinned,
    allowPartialTrustChain: true,
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_host, shown) =>
      shown.fingerprint256 === fingerprint256 ? undefined : new Error('not the certificate of the running Beacon'),
  } as RequestOptions;
}

/** All of a stream, at most `maxBytes`. */
export async function readAtMost(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw new BeaconError('payload_too_large', `more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// An import statement reads every export of node:http, some of which load all of undici: 25 ms that each tool call would
// wait for.
function builtin(protocol: string) {
  return protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
}
