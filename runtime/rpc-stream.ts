// Bidirectional streams as async iterables, with back-pressure both ways. A message of a stream remembers the bytes
// it was read from, since there the digest of what was received belongs to the message and not to the call.

import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { fromStatus } from './rpc-errors.ts';
import { inbox } from './rpc-inbox.ts';
import { sha256Hex } from './rpc-incoming.ts';

type Message = MessageShape<DescMessage>;

const received = new WeakMap<object, Uint8Array>();

export function rememberBytes<T extends object>(message: T, bytes: Uint8Array): T {
  received.set(message, bytes);
  return message;
}

/** The bytes a hosted stream received this message as; undefined for any other message. */
export function receivedBytes(message: object): Uint8Array | undefined {
  return received.get(message);
}

/** SHA-256 (hex) of the bytes a hosted stream received this message as; undefined for any other message. */
export function receivedDigest(message: object): string | undefined {
  const bytes = received.get(message);
  return bytes === undefined ? undefined : sha256Hex(bytes);
}

/** Resolves when the handler has no more answers; rejects with what it threw. A cancelled call ends both sides. */
export async function serveStream(
  call: ServerDuplexStream<Buffer, Message>,
  read: (bytes: Buffer) => Message,
  open: (requests: AsyncIterable<Message>) => Promise<AsyncIterable<Message>>,
): Promise<void> {
  async function* requests(): AsyncGenerator<Message> {
    for await (const bytes of inbox<Buffer>(call)) yield read(bytes);
  }
  for await (const answer of await open(requests())) {
    if (call.cancelled || call.destroyed) return;
    if (!call.write(answer)) await drained(call);
  }
}

/** The client's side: sends what `requests` gives and yields the answers. Leaving the loop cancels the call. */
export async function* callStream(
  call: ClientDuplexStream<Message, Message>,
  requests: AsyncIterable<Message>,
): AsyncGenerator<Message> {
  const sending = send(call, requests);
  // The failure of a request's source reaches the reader as the stream's own error.
  sending.catch((error: unknown) => {
    call.destroy(error as Error);
    call.cancel();
  });
  let ended = false;
  try {
    yield* inbox<Message>(call);
    ended = true;
  } catch (error) {
    ended = true;
    throw fromStatus(error);
  } finally {
    if (!ended) call.cancel();
  }
}

async function send(call: ClientDuplexStream<Message, Message>, requests: AsyncIterable<Message>): Promise<void> {
  for await (const request of requests) {
    if (call.destroyed || call.writableEnded) return;
    if (!call.write(request)) await drained(call);
  }
  call.end();
}

function drained(stream: NodeJS.EventEmitter & { destroyed: boolean }): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    const done = () => {
      for (const event of ['drain', 'close', 'cancelled', 'error']) stream.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'cancelled', 'error']) stream.on(event, done);
  });
}
