// Bidirectional streams as async iterables, with back-pressure both ways. A message of a stream remembers the bytes
// it was read from, since there the digest of what was received belongs to the message and not to the call.

import type { Writable } from 'node:stream';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { type Flow, flowOf } from './flow.ts';
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
  const answers = flowOf(await open(inbox(call, { read })));
  return new Promise((resolve, reject) => {
    pour(answers, call, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

/** The client's side: sends what `requests` gives, from now on, and has the answers. Who leaves them cancels the call. */
export function callStream(
  call: ClientDuplexStream<Message, Message>,
  requests: AsyncIterable<Message>,
): AsyncIterable<Message> {
  const answers = inbox<Message, Message>(call, {
    read: (message) => message,
    failed: fromStatus,
    left: () => call.cancel(),
  });
  pour(flowOf(requests), call, (failure) => {
    if (failure !== undefined) {
      // The failure of a request's source reaches the reader as the stream's own error.
      call.destroy(failure as Error);
      call.cancel();
    } else if (!isOver(call)) call.end();
  });
  return answers;
}

type Call = Writable & { readonly cancelled?: boolean };

/** Writes each message as it comes, and takes none while the call is full. `ended` is told once, when there is no more to write. */
function pour(messages: Flow<Message>, call: Call, ended: (failure?: unknown) => void): void {
  let full = false;
  let stepping = false;
  let over = false;
  const end = (failure?: unknown) => {
    over = true;
    // Also after the last one, which may have been taken without the question behind it.
    messages.leave();
    ended(failure);
  };
  const gone = () => {
    if (!over) end();
  };
  const step = () => {
    // Told of more while it writes, it comes to it by itself; in turn, or messages would overtake each other.
    if (stepping || over) return;
    stepping = true;
    try {
      while (!full && !over) {
        if (isOver(call)) return gone();
        const message = messages.take();
        if (message === undefined) break;
        full = !call.write(message);
      }
      if (!over && messages.done) end(messages.failure);
    } catch (error) {
      end(error);
    } finally {
      stepping = false;
    }
  };
  const drained = () => {
    full = false;
    step();
  };
  call.on('drain', drained).on('close', gone).on('cancelled', gone).on('error', gone);
  messages.tell(step);
  step();
}

function isOver(call: Call): boolean {
  return call.destroyed || call.writableEnded || call.cancelled === true;
}
