// A server that hands out a signed bundle as one archive. Asked now and then, with the ETag of what is held already; what
// it says about itself is believed only where a lie delays and never harms. While it is away, what was got before stands.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { PolicyRefused } from '../../core/policy-manifest.ts';
import { createTurn } from '../../core/turn.ts';
import { MAX_ARCHIVE_BYTES, readArchive } from './archive.ts';
import type { PolicySource, SignedFiles } from './port.ts';

export type HttpPolicyOptions = {
  /** https, or http on the loopback; without user or password. */
  readonly url: string;
  /** PEM; then only what these sign is believed. Read anew for each request, as is the token. */
  readonly caFile?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly pollMs: number;
  /** From asking to the last byte. */
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
const FIRST_BODY_BYTES = 65_536;
/** One request of so many names no ETag: a server that says "unchanged" for ever delays a bundle and cannot withhold it. */
const UNCONDITIONAL_ONE_OF = 20;
/** Longest pause while the server is away, in polls. */
const MAX_BACKOFF_POLLS = 10;
/** Shares of a pause that chance adds or takes: replicas that started together shall not ask together for ever. */
const JITTER = 0.1;
const BACKOFF_JITTER = 0.5;
const ETAG = /^(W\/)?"[\x21\x23-\x7e]{0,254}"$/;
const BEARER = /^[A-Za-z0-9._~+/-]{1,8192}=*$/;

type Got = { readonly stamp: string; readonly signed: SignedFiles; readonly etag: string | undefined };
type Answer = { readonly status: number; readonly etag: string | undefined; readonly body: Uint8Array };

export class HttpPolicySource implements PolicySource {
  readonly kind = 'http';
  readonly #options: HttpPolicyOptions;
  readonly #stopped = new AbortController();
  #got: Got | undefined;
  /** Of the last answer; undefined when it was good. */
  #fault: { readonly error: unknown } | undefined;
  #failures = 0;
  #asked = 0;
  readonly #inTurn = createTurn();

  constructor(options: HttpPolicyOptions) {
    this.#options = options;
  }

  /** As of the last time the server was asked. */
  async stamp(): Promise<string> {
    if (!this.#got && !this.#fault) await this.#poll(false);
    if (this.#fault) throw this.#fault.error;
    return (this.#got as Got).stamp;
  }

  async read(stamp?: string): Promise<SignedFiles> {
    const held = this.#got;
    if (held && stamp === held.stamp) return held.signed;
    // Somebody wants to know now: no "unchanged" is taken for an answer.
    return (await this.#poll(true)).signed;
  }

  watch(changed: () => void): () => void {
    let timer: NodeJS.Timeout;
    const round = async () => {
      await this.#poll(false).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
      changed();
      wait();
    };
    const wait = () => {
      timer = setTimeout(() => void round(), pauseMs(this.#options.pollMs, this.#failures)).unref();
    };
    wait();
    return () => {
      clearTimeout(timer);
      this.#stopped.abort();
    };
  }

  /** One at a time, each with a request of its own. */
  #poll(whole: boolean): Promise<Got> {
    return this.#inTurn(() => this.#ask(whole));
  }

  async #ask(whole: boolean): Promise<Got> {
    this.#asked += 1;
    const known = whole || this.#asked % UNCONDITIONAL_ONE_OF === 0 ? undefined : this.#got;
    try {
      const answer = await this.#request(known?.etag);
      this.#got = known && answer.status === 304 ? known : await read(answer, this.#got);
      this.#fault = undefined;
      this.#failures = 0;
      return this.#got;
    } catch (error) {
      this.#fault = { error };
      this.#failures += 1;
      throw error;
    }
  }

  async #request(etag: string | undefined): Promise<Answer> {
    const { url, caFile, tokenFile, timeoutMs = TIMEOUT_MS } = this.#options;
    const ca = caFile ? await readOwn(caFile, 'the CA file') : undefined;
    const token = tokenFile ? (await readOwn(tokenFile, 'the token file')).trim() : undefined;
    if (token !== undefined && !BEARER.test(token)) throw away('the token file holds no bearer token');
    const headers = {
      'accept-encoding': 'identity',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
    };
    const late = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([late, this.#stopped.signal]);
    // No agent: a certificate or authority that was replaced counts from the next request on. The environment cannot
    // switch the check of certificates off.
    const how = {
      headers,
      signal,
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      ca,
      rejectUnauthorized: true,
    } as const;
    try {
      return await exchange(url, how);
    } catch (error) {
      if (error instanceof PolicyRefused) throw error;
      if (late.aborted) throw away(`it gave no whole answer within ${timeoutMs} ms`);
      throw away(`it cannot be reached (${(error as NodeJS.ErrnoException).code ?? 'no code'})`, error);
    }
  }
}

async function read({ status, etag, body }: Answer, held: Got | undefined): Promise<Got> {
  if (status !== 200) throw away(`it answered ${status} instead of 200; redirects are not followed`);
  // By content: an ETag that changes or stays without reason changes nothing.
  const stamp = createHash('sha256').update(body).digest('hex');
  const signed = held?.stamp === stamp ? held.signed : await readArchive(body);
  return { stamp, signed, etag: etag !== undefined && ETAG.test(etag) ? etag : undefined };
}

type How = Exclude<Parameters<typeof tlsRequest>[1], undefined> & { readonly signal: AbortSignal };

function exchange(url: string, how: How): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? tlsRequest : plainRequest;
    const asked = send(url, how, (response) => {
      readBody(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, etag: response.headers.etag, body }),
        (error) => {
          response.destroy();
          reject(error);
        },
      );
    });
    asked.on('error', reject);
    // A connection that the server takes to another protocol ends without a word: time is up whatever it does.
    how.signal.addEventListener('abort', () => reject(how.signal.reason), { once: true });
    asked.end();
  });
}

/** What is not 200 has no body that matters: it is cut off. */
async function readBody(response: IncomingMessage): Promise<Uint8Array> {
  if (response.statusCode !== 200) {
    response.destroy();
    return new Uint8Array();
  }
  if (Number(response.headers['content-length']) > MAX_ARCHIVE_BYTES) throw tooLarge();
  // Copied as it comes: a list of chunks of one byte each would take a hundred times their size.
  let body = Buffer.alloc(FIRST_BODY_BYTES);
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (length + chunk.length > MAX_ARCHIVE_BYTES) throw tooLarge();
    if (length + chunk.length > body.length) {
      const larger = Buffer.alloc(2 * Math.max(body.length, chunk.length));
      body.copy(larger, 0, 0, length);
      body = larger;
    }
    chunk.copy(body, length);
    length += chunk.length;
  }
  return body.subarray(0, length);
}

/** Doubles with each failure. */
export function pauseMs(pollMs: number, failures: number, chance = Math.random()): number {
  if (failures === 0) return pollMs * (1 - JITTER + 2 * JITTER * chance);
  const longest = pollMs * Math.min(2 ** failures, MAX_BACKOFF_POLLS);
  return longest * (1 - BACKOFF_JITTER * chance);
}

async function readOwn(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw away(`${what} cannot be read`, error);
  }
}

function tooLarge(): PolicyRefused {
  return new PolicyRefused('too_large', `the archive has more than ${MAX_ARCHIVE_BYTES} bytes`);
}

function away(message: string, cause?: unknown): PolicyRefused {
  return new PolicyRefused('unreachable', `the policy server: ${message}`, cause);
}
