// What a server knows of a call before it reads the request: enough to say who asks.

import { createHash } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';

export type IncomingCall = {
  /** `package.Service/Method`. */
  readonly method: string;
  /** First value of a header, by lower-case name. */
  metadata(name: string): string | undefined;
  /** `127.0.0.1:53412`, `[::1]:53412`, or for unix sockets a text that is neither. */
  readonly peer: string;
  /** The request as received; empty for a stream, whose messages each have bytes of their own. */
  readonly requestBytes: Uint8Array;
  /** Milliseconds since the epoch; Infinity when the client set none. */
  readonly deadlineMs: number;
  /** SHA-256 of `requestBytes`, hex. */
  requestDigest(): string;
};

type Call = { metadata: Metadata; getPeer(): string; getDeadline(): Date | number };

export function incomingCall(call: Call, method: string, requestBytes: Uint8Array): IncomingCall {
  const deadline = call.getDeadline();
  return {
    method,
    metadata(name) {
      const value = call.metadata.get(name)[0];
      return typeof value === 'string' ? value : undefined;
    },
    peer: call.getPeer(),
    requestBytes,
    deadlineMs: typeof deadline === 'number' ? deadline : deadline.getTime(),
    requestDigest: () => sha256Hex(requestBytes),
  };
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
