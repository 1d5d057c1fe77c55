// A stranger's requests are refused before they are received, over real connections.

import http2 from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import { DecisionService, GuardRequestSchema, GuardResponseSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { host } from './rpc.ts';
import { dial } from './rpc-dial.ts';
import { createRpcServer, drainRpc, listenRpc } from './rpc-server.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const ended: string[] = [];

async function serve(receiveTimeoutMs = 10_000) {
  ended.length = 0;
  const known = new WeakMap<object, string>();
  const onError = () => undefined;
  const onEnd = (method: string, status: number) => void ended.push(`${method} ${status}`);
  const server = createRpcServer({
    admission: {
      receiveTimeoutMs,
      onError,
      onEnd,
      async admit({ metadata, key }) {
        const who = metadata('authorization');
        if (who === undefined) throw new BeaconError('unauthenticated', 'a bearer token is needed');
        known.set(key, who);
        return who;
      },
    },
  });
  host<typeof DecisionService, string>(
    server,
    DecisionService,
    { guard: async (_, who) => create(GuardResponseSchema, { answer: { actionId: who } }) },
    { authenticate: async ({ key }) => known.get(key) ?? 'nobody', onError, onEnd },
  );
  const address = await listenRpc(server, '127.0.0.1:0');
  closers.push(() => drainRpc(server, 20));
  return address;
}

/** Begins calls that announce a large message and send no more of it than the window lets them. */
function begin(address: string, authorization?: string) {
  const session = http2.connect(`http://${address}`);
  closers.push(() => session.destroy());
  const head = Buffer.alloc(5);
  head.writeUInt32BE(3_000_000, 1);
  return () => {
    const call = session.request({
      ':method': 'POST',
      ':path': `/${DecisionService.typeName}/Guard`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(authorization === undefined ? {} : { authorization }),
    });
    call.on('error', () => undefined);
    call.write(Buffer.concat([head, Buffer.alloc(100_000)]));
    return new Promise<string>((resolve) => {
      call.once('response', (headers) => resolve(String(headers['grpc-status'])));
    });
  };
}

test('who may not call is told so before the message is whole', async () => {
  const call = begin(await serve());
  expect(await Promise.all(Array.from({ length: 20 }, call))).toEqual(Array.from({ length: 20 }, () => '16'));
  expect(ended).toHaveLength(20);
});

test('who may call has so long to send the message', async () => {
  const startedMs = performance.now();
  expect(await begin(await serve(300), 'me')()).toBe('4');
  expect(performance.now() - startedMs).toBeGreaterThan(250);
  expect(ended).toEqual([`${DecisionService.typeName}/Guard 4`]);
});

test('who was let in is known to the handler, and answered at leisure', async () => {
  const address = await serve(300);
  const dialed = dial<typeof DecisionService, string>(DecisionService, address, {
    metadata: (authorization) => ({ authorization }),
  });
  closers.push(() => dialed.close());
  const message = create(GuardRequestSchema, {});
  expect(toBinary(GuardRequestSchema, message)).toHaveLength(0);
  expect((await dialed.service.guard(message, 'me')).answer?.actionId).toBe('me');
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(ended).toEqual([`${DecisionService.typeName}/Guard 0`]);
});
