// What arrives on a gRPC stream, as an async iterable for one reader. Node's own iterator destroys a duplex stream
// when its reading side ends, and with it the answers still to be written; this one only reads.

import type { Readable } from 'node:stream';

const PAUSE_AT_MESSAGES = 256;
/** Where messages are bytes, so many of them wait before the stream is paused, and one message more. */
const PAUSE_AT_BYTES = 4 * 1024 * 1024;

/**
 * Messages in order of arrival. Ends with the stream; rejects with the stream's error.
 * A server's call that is cancelled ends too: nobody is left to read an answer.
 */
export async function* inbox<T>(stream: Readable): AsyncGenerator<T> {
  let waiting: T[] = [];
  let bytes = 0;
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  const close = () => {
    ended = true;
    wake();
  };
  const fail = (error: unknown) => {
    failure ??= error;
    close();
  };
  const take = (message: T) => {
    waiting.push(message);
    if (message instanceof Uint8Array) bytes += message.length;
    if (waiting.length >= PAUSE_AT_MESSAGES || bytes >= PAUSE_AT_BYTES) stream.pause();
    wake();
  };
  stream.on('data', take).on('end', close).on('close', close).on('cancelled', close).on('error', fail);
  try {
    for (;;) {
      const batch = waiting;
      waiting = [];
      bytes = 0;
      if (stream.isPaused()) stream.resume();
      yield* batch;
      if (waiting.length > 0) continue;
      if (failure !== undefined) throw failure;
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    stream.off('data', take);
  }
}
