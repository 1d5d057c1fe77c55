// A body is received as the bytes that came, and what is held of it is counted while it comes: whatever ends it, the bytes
// are given back.

import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { BeaconError } from '../core/errors.ts';
import { BODY_REFUSAL, BODY_RETRY_AFTER_MS, type BodiesUnderWay, SHARE_OF_STRANGERS } from './bodies-under-way.ts';

const shares = new WeakMap<FastifyRequest, string>();

/** Says whose share a request's body is, once it is known who asks; until then it is a stranger's. */
export function countBodyFor(request: FastifyRequest, share: string): void {
  shares.set(request, share);
}

export type BodyLimits = { readonly largest: number; readonly underWay: BodiesUnderWay };

/** Rejects with what the caller is to be told; the stream then flows on and is held no more. */
export function receiveBody(
  request: FastifyRequest,
  payload: Readable,
  { largest, underWay }: BodyLimits,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => new BeaconError('payload_too_large', 'the body is too large', { field: 'body' });
    const cutShort = () => new BeaconError('invalid_argument', 'body: was cut off', { field: 'body' });
    if (Number(request.headers['content-length']) > largest) return reject(tooLarge());
    // Its caller went away while it was asked who it is: nothing more is told of it.
    if (payload.destroyed) return reject(cutShort());
    let pieces: Buffer[] = [];
    let received = 0;
    const body = underWay.begin(shares.get(request) ?? SHARE_OF_STRANGERS, () =>
      fail(new BeaconError('unavailable', BODY_REFUSAL, { retryAfterMs: BODY_RETRY_AFTER_MS })),
    );
    const settle = () => {
      payload.off('data', take).off('end', whole).off('error', fail).off('close', cutOff);
      body.end();
    };
    const fail = (thrown: Error) => {
      settle();
      pieces = [];
      payload.on('error', () => undefined).resume();
      reject(thrown);
    };
    const take = (piece: Buffer) => {
      received += piece.length;
      if (received > largest) return fail(tooLarge());
      pieces.push(piece);
      body.add(piece.length);
    };
    const whole = () => {
      settle();
      resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, received));
    };
    const cutOff = () => fail(cutShort());
    payload.on('data', take).on('end', whole).on('error', fail).on('close', cutOff);
  });
}
