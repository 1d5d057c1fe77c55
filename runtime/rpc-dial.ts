// A client that has the shape of the service itself.

import type { DescMessage, DescMethod, DescService, MessageShape } from '@bufbuild/protobuf';
import { type ChannelCredentials, Client, credentials, Metadata } from '@grpc/grpc-js';
import type { BeaconError } from '../core/errors.ts';
import type { Service } from './rpc.ts';
import { methodDefinition } from './rpc-definition.ts';
import { fromStatus, wasNeverSeen } from './rpc-errors.ts';
import { callStream } from './rpc-stream.ts';

type Message = MessageShape<DescMessage>;

const MAX_UNSEEN_RETRIES = 5;
/** Before the first repeat; each further one waits twice as long, until the ending connection is seen to end. */
const FIRST_REPEAT_MS = 5;
const RETIRE_MS = 10_000;

export type DialOptions<C> = {
  /** Headers for one call, from what travels beside it. */
  metadata?(context: C): Record<string, string>;
  /** Milliseconds since the epoch; Infinity or undefined means none. */
  deadlineMs?(context: C): number | undefined;
  /** Channels that unary calls take in turn: one channel queues under load. Default 1; streams use the first. */
  channels?: number;
  /** Methods that are not sent again even when the server certainly did not read them. */
  neverRepeat?: readonly string[];
  maxMessageBytes?: number;
  credentials?: ChannelCredentials;
  /** DNS name asked of a TLS server in place of the address dialed, which TLS does not take when it is a number. */
  serverName?: string;
};

export type Dialed<S extends DescService, C> = {
  readonly service: Service<S, C>;
  /** New calls take new connections from now on; what is under way may end on the old ones. */
  renew(): void;
  close(): void;
};

/**
 * Connects lazily to `host:port` or `unix:/path`. Every failure is a BeaconError with the server's code;
 * a transport's own failure is `unavailable` or `deadline_exceeded`.
 */
export function dial<S extends DescService, C>(desc: S, address: string, options: DialOptions<C> = {}): Dialed<S, C> {
  const connect = () => Array.from({ length: options.channels ?? 1 }, () => newClient(address, options));
  const retired = new Set<() => void>();
  let clients = connect();
  let turn = 0;
  const service: Record<string, unknown> = {};
  for (const method of desc.methods) {
    service[method.localName] =
      method.methodKind === 'unary'
        ? unaryCall(method, options, () => clients[turn++ % clients.length] as Client)
        : bidiCall(method, options, () => clients[0] as Client);
  }
  return {
    service: service as Service<S, C>,
    renew() {
      const old = clients;
      clients = connect();
      const close = () => {
        retired.delete(close);
        clearTimeout(timer);
        for (const client of old) client.close();
      };
      // A call that still waits for its connection would fail with it.
      const timer = setTimeout(close, RETIRE_MS).unref();
      retired.add(close);
    },
    close() {
      for (const close of retired) close();
      for (const client of clients) client.close();
    },
  };
}

function newClient<C>(address: string, options: DialOptions<C>): Client {
  const maxMessageBytes = options.maxMessageBytes ?? 4 * 1024 * 1024;
  return new Client(address, options.credentials ?? credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    ...(options.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': options.serverName }),
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // A retry the caller does not know of could seal a decision twice.
    'grpc.enable_retries': 0,
    // Otherwise channels to one address share one connection.
    'grpc.use_local_subchannel_pool': 1,
  });
}

function unaryCall<C>(method: DescMethod, options: DialOptions<C>, next: () => Client) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  const once = (request: Message, context: C): Promise<unknown> =>
    new Promise((resolve, reject) => {
      next().makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(options, context),
        callOptions(options, context),
        (error, response) => (error ? reject(fromStatus(error)) : resolve(response)),
      );
    });
  return async (request: Message, context: C): Promise<unknown> => {
    for (let again = 0; ; again += 1) {
      try {
        return await once(request, context);
      } catch (error) {
        // A connection that ends by its age refuses what comes too late for it, unread: the next one takes it.
        const repeats = again < MAX_UNSEEN_RETRIES && !options.neverRepeat?.includes(method.name);
        if (!repeats || !wasNeverSeen(error as BeaconError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, FIRST_REPEAT_MS * 2 ** again));
      }
    }
  };
}

function bidiCall<C>(method: DescMethod, options: DialOptions<C>, next: () => Client) {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(method);
  return (requests: AsyncIterable<Message>, context: C): AsyncIterable<Message> => {
    const metadata = metadataOf(options, context);
    const call = next().makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, {});
    return callStream(call as Parameters<typeof callStream>[0], requests);
  };
}

function metadataOf<C>(options: DialOptions<C>, context: C): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.metadata?.(context) ?? {})) metadata.set(name, value);
  return metadata;
}

function callOptions<C>(options: DialOptions<C>, context: C): { deadline?: number } {
  const deadline = options.deadlineMs?.(context);
  return deadline === undefined || !Number.isFinite(deadline) ? {} : { deadline };
}
