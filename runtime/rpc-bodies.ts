// grpc-js tells nobody of a message before it is whole, and keeps its pieces for as long as the stream lives. So they are
// counted where they arrive, and who is refused loses the stream.

import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { BodyUnderWay } from './bodies-under-way.ts';

/** For a status to leave, where its reader takes nothing. */
const LEAVING_MS = 250;
const HEAD_BYTES = 5;

/** The library has no public name for it (its version is pinned): without it nothing could be bounded, so nothing is received. */
export function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  const { stream } = call as unknown as { stream?: ServerHttp2Stream };
  if (stream === undefined) throw new Error('grpc-js keeps the stream of a call somewhere else');
  return stream;
}

/** Counts what arrives until `body` is ended. Of a stream of messages, what belongs to those that are whole is their reader's. */
export function countArriving(stream: ServerHttp2Stream, body: BodyUnderWay, requestStream: boolean): void {
  // Its caller went away while it was asked who it is: nothing more is told of it.
  if (stream.destroyed) {
    body.end();
    return;
  }
  const unfinishedIn = requestStream ? messageEnds() : () => undefined;
  // grpc-js listens already and has paused the stream: nothing flows by this.
  stream.on('data', (piece: Buffer) => {
    const unfinished = unfinishedIn(piece);
    if (unfinished !== undefined) body.clear();
    if (unfinished !== 0) body.add(unfinished ?? piece.length);
  });
  stream.once('end', () => body.end()).once('close', () => body.end());
}

/** To be told before a status is sent: ends the stream behind it, whatever its sender still means to send. */
export function closeOnceAnswered(stream: ServerHttp2Stream): void {
  const late = setTimeout(() => stream.destroy(), LEAVING_MS).unref();
  stream.once('close', () => clearTimeout(late));
  // A reset in the same turn would overtake the status, and one in the next the status behind messages.
  const close = () => setImmediate(() => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
  if (stream.headersSent) stream.once('wantTrailers', close);
  else close();
}

/** Of each piece of a stream: how many bytes stand behind the last message that it ends; undefined when it ends none. */
function messageEnds(): (piece: Buffer) => number | undefined {
  let head = 0;
  let left = 0;
  return (piece) => {
    let ended: number | undefined;
    for (let at = 0; at < piece.length; ) {
      if (head < HEAD_BYTES) {
        // One byte of flags, four of length.
        if (head > 0) left = left * 256 + (piece[at] as number);
        head += 1;
        at += 1;
      } else {
        const taken = Math.min(left, piece.length - at);
        left -= taken;
        at += taken;
      }
      if (head < HEAD_BYTES || left > 0) continue;
      head = 0;
      ended = piece.length - at;
    }
    return ended;
  };
}
