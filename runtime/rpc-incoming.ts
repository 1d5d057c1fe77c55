// What a server knows of a call before it reads the request: enough to say who asks.

import { hash } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import { peerNamesOf } from './peer-names.ts';

export type IncomingCall = {
  /** `package.Service/Method`. */
  readonly method: string;
  /** One object for each call, and the same one whoever is told of it. */
  readonly key: object;
  /** First value of a header, by lower-case name. */
  metadata(name: string): string | undefined;
  /** `127.0.0.1:53412`, `[::1]:53412`, or for unix sockets a text that is neither. */
  readonly peer: string;
  /** True when the connection is TLS and the caller proved itself with a certificate of our authorities. */
  readonly mutualTls: boolean;
  /** DNS and URI names of that certificate; empty without one, and once it has expired. */
  readonly peerNames: readonly string[];
  /** The same certificate, whether it has expired since or not; undefined without one. */
  readonly peerCertificate: { readonly names: readonly string[]; readonly notAfterMs: number } | undefined;
  /** The request as received; empty for a stream, whose messages each have bytes of their own. */
  readonly requestBytes: Uint8Array;
  /** Milliseconds since the epoch; Infinity when the client set none. */
  readonly deadlineMs: number;
  /** SHA-256 of `requestBytes`, hex. */
  requestDigest(): string;
};

type PeerCertificate = { readonly subjectaltname?: string; readonly valid_to: string };
type Call = {
  metadata: Metadata;
  getPeer(): string;
  getDeadline(): Date | number;
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
};

export function incomingCall(call: Call, method: string, requestBytes: Uint8Array): IncomingCall {
  const deadline = call.getDeadline();
  let certificate: PeerCertificate | undefined | null = null;
  const peerCertificate = () => {
    // Only when asked for: reading it costs more than most calls need.
    if (certificate === null) certificate = call.getAuthContext().sslPeerCertificate;
    return certificate;
  };
  return {
    method,
    key: call.metadata,
    metadata(name) {
      const value = call.metadata.get(name)[0];
      return typeof value === 'string' ? value : undefined;
    },
    peer: call.getPeer(),
    get mutualTls() {
      return peerCertificate() !== undefined;
    },
    get peerNames() {
      const known = peerCertificate();
      // A connection may outlive the certificate it began with.
      if (known === undefined || Date.parse(known.valid_to) <= Date.now()) return [];
      return peerNamesOf(known.subjectaltname);
    },
    get peerCertificate() {
      const known = peerCertificate();
      return known && { names: peerNamesOf(known.subjectaltname), notAfterMs: Date.parse(known.valid_to) };
    },
    requestBytes,
    deadlineMs: typeof deadline === 'number' ? deadline : deadline.getTime(),
    requestDigest: () => sha256Hex(requestBytes),
  };
}

export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
