// Streams over real gRPC: neither side is sent more than it takes, nothing overtakes, and every way to end ends both sides.

import { Duplex } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import {
  type DecideRequest,
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  DecisionService,
} from '../gen/beacon/v1/decision_service_pb.js';
import { multiplex } from './multiplex.ts';
import { type HostOptions, host, type Service } from './rpc.ts';
import { dial } from './rpc-dial.ts';
import { createRpcServer, drainRpc, listenRpc } from './rpc-server.ts';
import { serveStream } from './rpc-stream.ts';

type Decide = Service<typeof DecisionService, object>['decide'];
const PATH = '/beacon.v1.DecisionService/Decide';
const LARGE = 'x'.repeat(64 * 1024);

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function serve(decide: Decide, options: Partial<HostOptions<object>> = {}) {
  const server = createRpcServer();
  host(server, DecisionService, { decide }, { authenticate: async () => ({}), onError: () => {}, ...options });
  const address = await listenRpc(server, '127.0.0.1:0');
  const dialed = dial(DecisionService, address, {});
  closers.push(
    () => drainRpc(server, 50),
    () => dialed.close(),
  );
  /** A stream whose messages are bytes and whose reading is ours to stop. */
  const raw = () => {
    const client = new Client(address, credentials.createInsecure());
    closers.push(() => client.close());
    const same = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(PATH, same, same, new Metadata(), {});
    return call.on('error', () => {});
  };
  return { decide: dialed.service.decide, raw };
}

const requestOf = (n: number, text = '') =>
  create(DecideRequestSchema, { sequence: BigInt(n), proposal: { contextJson: text } });
const answerOf = ({ sequence }: DecideRequest, message = '') =>
  create(DecideResponseSchema, { sequence, result: { case: 'failure', value: { message } } });

async function* requests(count: number, text = '', taken = { count: 0 }): AsyncGenerator<DecideRequest> {
  for (let n = 0; n < count; n += 1) {
    taken.count += 1;
    yield requestOf(n, text);
  }
}

async function sequences(answers: AsyncIterable<DecideResponse>): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of answers) seen.push(Number(sequence));
  return seen;
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

test('a client that takes no answers has no more of its requests read; later it has them all, in order', async () => {
  let read = 0;
  const one = async (request: DecideRequest) => {
    read += 1;
    return answerOf(request, LARGE);
  };
  const { decide } = await serve((incoming) => multiplex(incoming, one, 64));
  const answers = decide(requests(1_000), {})[Symbol.asyncIterator]();
  const first = await answers.next();
  await later(300);
  // What is under way or waits (64), what fills the stream's buffers, and what the client holds (256).
  expect(read).toBeLessThan(600);
  const seen = [Number((first.value as DecideResponse).sequence)];
  for (let next = await answers.next(); !next.done; next = await answers.next()) seen.push(Number(next.value.sequence));
  expect(seen).toEqual(upTo(1_000));
});

test('a server that takes no requests is sent no more than the stream holds', async () => {
  let letOn: () => void = () => {};
  const on = new Promise<void>((resolve) => {
    letOn = resolve;
  });
  const { decide } = await serve(async function* slow(incoming) {
    await on;
    for await (const request of incoming) yield answerOf(request);
  });
  const taken = { count: 0 };
  const answers = sequences(decide(requests(500, LARGE, taken), {}));
  await later(300);
  expect(taken.count).toBeLessThan(100);
  letOn();
  expect(await answers).toEqual(upTo(500));
});

test('answers that wait together leave in their order, also when the requests have ended', async () => {
  let ready = 0;
  let open: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  const one = async (request: DecideRequest) => {
    ready += 1;
    if (ready === 200) setTimeout(open, 20);
    await all;
    return answerOf(request, LARGE);
  };
  const { decide } = await serve((incoming) => multiplex(incoming, one, 200));
  expect(await sequences(decide(requests(200), {}))).toEqual(upTo(200));
});

test('a call that is cancelled while its caller is being looked at ends, and is counted', async () => {
  const ended: number[] = [];
  let letIn: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  let looking = false;
  const authenticate = async () => {
    looking = true;
    await asked;
    return {};
  };
  let unasked = 0;
  const register = () => {
    unasked += 1;
    return () => {
      unasked -= 1;
    };
  };
  const { raw } = await serve((incoming) => multiplex(incoming, async (request) => answerOf(request), 4, register), {
    authenticate,
    onEnd: (_, status) => ended.push(status),
  });
  const call = raw();
  await expect.poll(() => looking).toBe(true);
  call.cancel();
  await later(50);
  letIn();
  await expect.poll(() => ended.length).toBe(1);
  expect(unasked).toBe(0);
});

test('a call that is cancelled while answers are under way leaves nothing behind', async () => {
  const ended: number[] = [];
  let unasked = 0;
  let underWay = 0;
  const register = () => {
    unasked += 1;
    return () => {
      unasked -= 1;
    };
  };
  const never = () => {
    underWay += 1;
    return new Promise<DecideResponse>(() => {});
  };
  const { decide } = await serve((incoming) => multiplex(incoming, never, 8, register), {
    onEnd: (_, status) => ended.push(status),
  });
  const answers = decide(requests(3), {})[Symbol.asyncIterator]();
  const open = answers.next();
  await expect.poll(() => underWay).toBe(3);
  expect(unasked).toBe(1);
  await answers.return?.();
  expect((await open).done).toBe(true);
  await expect.poll(() => [ended.length, unasked]).toEqual([1, 0]);
});

test('a message that cannot be read fails its stream, after the answers under way', async () => {
  const one = async (request: DecideRequest) => {
    await later(20);
    return answerOf(request);
  };
  const { raw } = await serve((incoming) => multiplex(incoming, one, 8));
  const call = raw();
  let answers = 0;
  const status = new Promise<{ code: number }>((resolve) => call.on('status', resolve));
  call.on('data', () => {
    answers += 1;
  });
  call.write(Buffer.of(0x08, 0x01));
  call.write(Buffer.of(0xff, 0xff));
  call.write(Buffer.of(0x08, 0x02));
  expect((await status).code).toBe(3);
  expect(answers).toBe(1);
});

test('the failure of what a client sends is the error of what it reads, and cancels the call', async () => {
  const ended: number[] = [];
  let read = false;
  const one = (): Promise<DecideResponse> => {
    read = true;
    return new Promise(() => {});
  };
  const { decide } = await serve((incoming) => multiplex(incoming, one, 4), {
    onEnd: (_, status) => ended.push(status),
  });
  async function* broken(): AsyncGenerator<DecideRequest> {
    yield requestOf(0);
    await expect.poll(() => read).toBe(true);
    throw new BeaconError('failed_precondition', 'no more');
  }
  await expect(sequences(decide(broken(), {}))).rejects.toMatchObject({ code: 'failed_precondition' });
  await expect.poll(() => ended.length).toBe(1);
});

test('what is unasked is ended with a stream whose last answer filled it', async () => {
  let ended = 0;
  const call = new Duplex({
    objectMode: true,
    writableHighWaterMark: 1,
    read() {},
    write: (_chunk, _encoding, done) => setImmediate(done),
  });
  call.push(Buffer.of(1));
  call.push(null);
  const one = async (request: DecideRequest) => answerOf(request);
  const open = async (requests: AsyncIterable<DecideRequest>) =>
    multiplex(requests, one, 8, () => () => {
      ended += 1;
    });
  const served = serveStream(call as never, () => requestOf(0), open as never);
  await served;
  expect(ended).toBe(1);
});
