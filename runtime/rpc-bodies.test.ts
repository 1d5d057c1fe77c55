// What is held of requests that are not whole is bounded and given back, over real connections.

import http2 from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import {
  DecideRequestSchema,
  DecideResponseSchema,
  DecisionService,
  GuardResponseSchema,
} from '../gen/beacon/v1/decision_service_pb.js';
import { BodiesUnderWay } from './bodies-under-way.ts';
import { host } from './rpc.ts';
import { createRpcServer, drainRpc, listenRpc } from './rpc-server.ts';

const MOST = 1_000_000;
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A call's share is what it says it is. */
async function serve(receiveTimeoutMs = 10_000) {
  let refused = 0;
  const bodies = new BodiesUnderWay({ most: MOST, refused: () => void refused++ });
  const ended: number[] = [];
  const told = { onError: () => undefined, onEnd: (_: string, status: number) => void ended.push(status) };
  const server = createRpcServer({
    admission: { ...told, receiveTimeoutMs, bodies, admit: async ({ metadata }) => metadata('share') },
  });
  host<typeof DecisionService, undefined>(
    server,
    DecisionService,
    {
      guard: async () => create(GuardResponseSchema),
      async *decide(requests) {
        for await (const { sequence } of requests) yield create(DecideResponseSchema, { sequence });
      },
    },
    { ...told, authenticate: async () => undefined },
  );
  const session = http2.connect(`http://${await listenRpc(server, '127.0.0.1:0')}`, { maxSessionMemory: 100 });
  closers.push(
    () => drainRpc(server, 20),
    () => session.destroy(),
  );
  const begin = (method: string, share: string) => {
    const call = session.request({
      ...{ ':method': 'POST', ':path': `/${DecisionService.typeName}/${method}` },
      ...{ 'content-type': 'application/grpc', te: 'trailers', share },
    });
    const told: http2.IncomingHttpHeaders = {};
    call.on('response', (headers) => Object.assign(told, headers)).on('trailers', (last) => Object.assign(told, last));
    call.on('error', () => undefined).resume();
    const over = new Promise<http2.IncomingHttpHeaders>((resolve) => call.on('close', () => resolve(told)));
    return { call, over };
  };
  const held = () => bodies.bytes;
  return { begin, held, ended, refused: () => refused };
}

/** The beginning of a message of so many bytes. */
function head(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test('beyond the bound the greatest share is refused, and another caller is answered', async () => {
  const { begin, held, ended, refused } = await serve();
  const stalled = Array.from({ length: 20 }, () => begin('Guard', 'noisy'));
  for (const { call } of stalled) call.write(Buffer.concat([head(3_000_000), Buffer.alloc(200_000)]));
  await expect.poll(refused).toBeGreaterThan(14);
  expect(held()).toBeLessThanOrEqual(MOST);
  const quiet = begin('Guard', 'quiet');
  quiet.call.end(head(0));
  expect(await quiet.over).toMatchObject({ 'grpc-status': '0' });
  for (const { call } of stalled.slice(-10)) call.close(http2.constants.NGHTTP2_CANCEL);
  const ends = await Promise.all(stalled.slice(0, 10).map(({ over }) => over));
  for (const end of ends) expect(end).toMatchObject({ 'grpc-status': '8', 'beacon-retry-after-ms': '1000' });
  expect(ended.filter((status) => status === 8)).toHaveLength(refused());
  for (const { call } of stalled) call.close(http2.constants.NGHTTP2_CANCEL);
  await expect.poll(held).toBe(0);
});

test('what is held is given back when the message is whole, and when it is late', async () => {
  const { begin, held } = await serve(300);
  const { call, over } = begin('Guard', 'one');
  call.write(Buffer.concat([head(60_000), Buffer.alloc(30_000)]));
  await expect.poll(held).toBeGreaterThan(30_000);
  // Not a message, which its reader says; until its sender says that there is no more, it is held.
  call.end(Buffer.alloc(30_000));
  expect((await over)['grpc-status']).not.toBe('8');
  expect(held()).toBe(0);
  const late = begin('Guard', 'one');
  late.call.write(Buffer.concat([head(60_000), Buffer.alloc(30_000)]));
  await expect.poll(held).toBeGreaterThan(30_000);
  expect(await late.over).toMatchObject({ 'grpc-status': '4' });
  await expect.poll(held).toBe(0);
});

test('of a stream only the message that is not whole counts', async () => {
  const { begin, held, ended } = await serve();
  const { call, over } = begin('Decide', 'one');
  const message = toBinary(DecideRequestSchema, create(DecideRequestSchema, { sequence: 1n }));
  const whole = Buffer.concat([head(message.length), message]);
  let answered = 0;
  call.on('data', () => void answered++);
  for (let at = 0; at < 50; at++) call.write(whole);
  // Cut anywhere, also within its head.
  for (const byte of whole) call.write(Buffer.of(byte));
  await expect.poll(() => answered).toBeGreaterThan(0);
  await expect.poll(held).toBe(0);
  call.write(Buffer.concat([whole, head(3_000_000), Buffer.alloc(10_000)]));
  await expect.poll(held).toBeGreaterThan(10_000);
  expect(held()).toBeLessThan(20_000);
  call.write(Buffer.alloc(MOST));
  expect(await over).toMatchObject({ 'grpc-status': '8', 'beacon-retry-after-ms': '1000' });
  await expect.poll(held).toBe(0);
  expect(ended).toHaveLength(1);
});
