// A service as a plain object of functions, and the same object over gRPC. With rpc-*.ts beside it, the only code
// that knows grpc-js. Who calls a service cannot tell whether it runs in this process or behind a wire.

import { type DescMessage, type DescMethod, type DescService, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import type { Server, ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { BeaconError } from '../core/errors.ts';
import { definitionOf } from './rpc-definition.ts';
import { toStatus } from './rpc-errors.ts';
import { type IncomingCall, incomingCall } from './rpc-incoming.ts';
import { rememberBytes, serveStream } from './rpc-stream.ts';

/** `C` is what travels beside every request: who asks, until when. */
export type Service<S extends DescService, C> = { [K in keyof S['method']]: Method<S['method'][K], C> };

type Method<M, C> = M extends { methodKind: 'unary'; input: infer I; output: infer O }
  ? (request: Shape<I>, context: C) => Promise<Shape<O>>
  : M extends { methodKind: 'bidi_streaming'; input: infer I; output: infer O }
    ? (requests: AsyncIterable<Shape<I>>, context: C) => AsyncIterable<Shape<O>>
    : never;
type Shape<D> = D extends DescMessage ? MessageShape<D> : never;

export type HostOptions<C> = {
  /** Establishes the caller before the method runs; a BeaconError it throws is the answer. */
  authenticate(call: IncomingCall): Promise<C>;
  /** Told of every error that is not a BeaconError; the caller gets INTERNAL and no words. */
  onError(error: unknown, method: string): void;
  /** Told when a call ends: method as `package.Service/Method`, gRPC status number, seconds. */
  onEnd?(method: string, status: number, seconds: number): void;
};

type AnyService<C> = Record<string, UnaryHandler<C> | StreamHandler<C> | undefined>;
type UnaryHandler<C> = (request: MessageShape<DescMessage>, context: C) => Promise<MessageShape<DescMessage>>;
export type StreamHandler<C> = (
  requests: AsyncIterable<MessageShape<DescMessage>>,
  context: C,
) => AsyncIterable<MessageShape<DescMessage>>;

/**
 * Registers `impl` on a gRPC server. Methods that `impl` does not have answer UNIMPLEMENTED.
 * A request that does not decode is INVALID_ARGUMENT.
 */
export function host<S extends DescService, C>(
  server: Server,
  desc: S,
  impl: Partial<Service<S, C>>,
  options: HostOptions<C>,
): void {
  const handlers: Record<string, (...args: never[]) => void> = {};
  for (const method of desc.methods) {
    const handler = (impl as AnyService<C>)[method.localName];
    if (handler === undefined) continue;
    handlers[method.localName] =
      method.methodKind === 'unary'
        ? unaryHandler(method, handler.bind(impl) as UnaryHandler<C>, options)
        : streamHandler(method, handler.bind(impl) as StreamHandler<C>, options);
  }
  server.addService(definitionOf(desc), handlers as Parameters<Server['addService']>[1]);
}

/** `package.Service/Method`, as in metrics and in access tables. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

function unaryHandler<C>(method: DescMethod, handler: UnaryHandler<C>, options: HostOptions<C>) {
  const name = methodName(method);
  return (call: ServerUnaryCall<Buffer, MessageShape<DescMessage>>, done: sendUnaryData<MessageShape<DescMessage>>) => {
    const started = performance.now();
    const end = (status: number) => options.onEnd?.(name, status, (performance.now() - started) / 1000);
    answerUnary(call, method, handler, options).then(
      (response) => {
        done(null, response);
        end(0);
      },
      (thrown: unknown) => {
        const status = toStatus(thrown, (error) => options.onError(error, name));
        done(status);
        end(status.code);
      },
    );
  };
}

async function answerUnary<C>(
  call: ServerUnaryCall<Buffer, MessageShape<DescMessage>>,
  method: DescMethod,
  handler: UnaryHandler<C>,
  options: HostOptions<C>,
): Promise<MessageShape<DescMessage>> {
  const context = await options.authenticate(incomingCall(call, methodName(method), call.request));
  return handler(decode(method.input, call.request), context);
}

function streamHandler<C>(method: DescMethod, handler: StreamHandler<C>, options: HostOptions<C>) {
  const name = methodName(method);
  return (call: ServerDuplexStream<Buffer, MessageShape<DescMessage>>) => {
    const started = performance.now();
    const context = () => options.authenticate(incomingCall(call, name, new Uint8Array()));
    const read = (bytes: Buffer) => rememberBytes(decode(method.input, bytes), bytes);
    serveStream(call, read, async (requests) => handler(requests, await context())).then(
      () => {
        call.end();
        options.onEnd?.(name, 0, (performance.now() - started) / 1000);
      },
      (thrown: unknown) => {
        const status = toStatus(thrown, (error) => options.onError(error, name));
        call.emit('error', status);
        options.onEnd?.(name, status.code, (performance.now() - started) / 1000);
      },
    );
  };
}

function decode(input: DescMessage, bytes: Uint8Array): MessageShape<DescMessage> {
  try {
    return fromBinary(input, bytes);
  } catch (cause) {
    throw new BeaconError('invalid_argument', `the bytes are not a ${input.typeName}`, { cause });
  }
}
