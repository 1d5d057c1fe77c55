// What arrives on a gRPC stream, for one reader. Node's own iterator destroys a duplex stream when its reading side ends,
// and with it the answers still to be written; this one only reads.

import type { Readable } from 'node:stream';
import { type Flow, flow } from './flow.ts';

const PAUSE_AT_MESSAGES = 256;
/** Where messages are bytes, so many of them wait before the stream is paused, and one message more. */
const PAUSE_AT_BYTES = 4 * 1024 * 1024;

export type InboxOptions<Raw, T> = {
  /** Makes a message of what arrived, when it is taken; what it throws ends the inbox. */
  readonly read: (raw: Raw) => T;
  /** What the reader is told of the stream's error. */
  readonly failed?: (error: unknown) => unknown;
  /** Told when the reader goes before the end. */
  readonly left?: () => void;
};

/**
 * Messages in order of arrival; none is received before the first is asked for. Ends with the stream, and fails with the
 * stream's error. A server's call that is cancelled ends too: nobody is left to read an answer.
 */
export function inbox<Raw, T>(stream: Readable, { read, failed = same, left }: InboxOptions<Raw, T>): Flow<T> {
  let waiting: Raw[] = [];
  let bytes = 0;
  let reading = false;
  let paused = false;
  let ended = false;
  let failure: unknown;
  let reader = () => {};
  const close = () => {
    if (ended) return;
    ended = true;
    reader();
  };
  const fail = (error: unknown) => {
    if (!ended) failure = failed(error);
    close();
  };
  const arrived = (raw: Raw) => {
    waiting.push(raw);
    if (raw instanceof Uint8Array) bytes += raw.length;
    if (waiting.length >= PAUSE_AT_MESSAGES || bytes >= PAUSE_AT_BYTES) {
      paused = true;
      stream.pause();
    }
    reader();
  };
  const stop = () => {
    ended = true;
    waiting = [];
    stream.off('data', arrived);
  };
  stream.on('end', close).on('close', close).on('cancelled', close).on('error', fail);
  return flow({
    take() {
      if (!reading && !ended) {
        reading = true;
        stream.on('data', arrived);
      }
      const raw = waiting.shift();
      if (raw === undefined) return undefined;
      if (raw instanceof Uint8Array) bytes -= raw.length;
      if (paused && waiting.length === 0) {
        paused = false;
        stream.resume();
      }
      try {
        return read(raw);
      } catch (error) {
        failure = error;
        stop();
        return undefined;
      }
    },
    get done() {
      return ended && waiting.length === 0;
    },
    get failure() {
      return failure;
    },
    tell(told) {
      reader = told;
    },
    leave() {
      if (!ended) left?.();
      stop();
    },
  });
}

function same(error: unknown): unknown {
  return error;
}
