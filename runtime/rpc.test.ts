import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type Server } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import {
  DecideRequestSchema,
  DecideResponseSchema,
  DecisionService,
  GuardRequestSchema,
  GuardResponseSchema,
} from '../gen/beacon/v1/decision_service_pb.js';
import { type HostOptions, host, type Service } from './rpc.ts';
import { dial } from './rpc-dial.ts';
import type { IncomingCall } from './rpc-incoming.ts';
import { addReflection } from './rpc-reflection.ts';
import { addHealth, createRpcServer, drainRpc, listenRpc } from './rpc-server.ts';
import { receivedDigest } from './rpc-stream.ts';

type Context = { who: string; digest: string };
type Decision = Service<typeof DecisionService, Context>;
const caller: Context = { who: 'me', digest: '' };
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const identify = async (call: IncomingCall): Promise<Context> => ({
  who: call.metadata('authorization') ?? '',
  digest: call.requestDigest(),
});

async function serve(
  impl: Partial<Decision>,
  options: Partial<HostOptions<Context>> = {},
  address = '127.0.0.1:0',
): Promise<{ address: string; server: Server; service: Decision }> {
  const server = createRpcServer({ maxMessageBytes: 64 * 1024 });
  host(server, DecisionService, impl, { authenticate: identify, onError: () => undefined, ...options });
  const bound = await listenRpc(server, address);
  const dialed = dial(DecisionService, bound, {
    metadata: (context: Context) => ({ authorization: context.who }),
    deadlineMs: () => Date.now() + 5000,
  });
  closers.push(
    () => drainRpc(server, 50),
    () => dialed.close(),
  );
  return { address: bound, server, service: dialed.service };
}

const guardRequest = create(GuardRequestSchema, { proposal: { tenantId: 't', agentId: 'a' } });

test('a call carries the caller and the digest of the bytes received', async () => {
  const { service } = await serve({
    guard: async (request, context) =>
      create(GuardResponseSchema, {
        answer: { actionId: `${request.proposal?.agentId}/${context.who}`, requestDigest: context.digest },
      }),
  });
  const { answer } = await service.guard(guardRequest, caller);
  expect(answer?.actionId).toBe('a/me');
  const bytes = toBinary(GuardRequestSchema, guardRequest);
  expect(answer?.requestDigest).toBe(createHash('sha256').update(bytes).digest('hex'));
});

test('a BeaconError crosses with code, field and retry; its words survive what gRPC cannot carry', async () => {
  const { service } = await serve({
    guard: async () => {
      throw new BeaconError('payload_too_large', 'too \ud800 large: é', { field: 'context.ü', retryAfterMs: 1500 });
    },
  });
  const error = await service.guard(guardRequest, caller).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'payload_too_large', field: 'context.?', retryAfterMs: 1500 });
  expect((error as Error).message).toContain('é');
});

test('any other error is internal, logged and not told', async () => {
  const logged: unknown[] = [];
  const { service } = await serve(
    {
      guard: async () => {
        throw new Error('the password is hunter2');
      },
    },
    { onError: (error) => logged.push(error) },
  );
  const error = (await service.guard(guardRequest, caller).catch((thrown: unknown) => thrown)) as BeaconError;
  expect(error.code).toBe('internal');
  expect(error.message).not.toContain('hunter2');
  expect(String(logged[0])).toContain('hunter2');
});

test('a refused caller never reaches the method, and an absent method is not implemented', async () => {
  let called = 0;
  const { service } = await serve(
    {
      guard: async () => {
        called += 1;
        return create(GuardResponseSchema);
      },
    },
    {
      authenticate: async () => {
        throw new BeaconError('unauthenticated', 'who are you');
      },
    },
  );
  await expect(service.guard(guardRequest, caller)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(called).toBe(0);
  await expect(service.getAction({ $typeName: 'beacon.v1.GetActionRequest', actionId: 'x' }, caller)).rejects.toThrow(
    /not implement/,
  );
});

test('bytes that are no message are an invalid argument; too many are refused', async () => {
  const { address, service } = await serve({ guard: async () => create(GuardResponseSchema) });
  const raw = new Client(address, credentials.createInsecure());
  closers.push(() => raw.close());
  const status = await new Promise((resolve) => {
    const same = (bytes: Buffer) => bytes;
    const path = '/beacon.v1.DecisionService/Guard';
    raw.makeUnaryRequest(path, same, same, Buffer.from([0xff, 0xff]), new Metadata(), resolve);
  });
  expect(status).toMatchObject({ code: 3 });
  const huge = create(GuardRequestSchema, { proposal: { contextJson: 'x'.repeat(128 * 1024) } });
  await expect(service.guard(huge, caller)).rejects.toMatchObject({ code: 'resource_exhausted' });
});

const echo: Partial<Decision> = {
  async *decide(requests) {
    for await (const request of requests) {
      const digest = receivedDigest(request) ?? '';
      yield create(DecideResponseSchema, {
        sequence: request.sequence,
        result: { case: 'failure', value: { message: digest } },
      });
    }
  },
};

async function* sequence(count: number) {
  for (let at = 0; at < count; at++) yield create(DecideRequestSchema, { sequence: BigInt(at) });
}

test('a stream answers every message and knows its digest', async () => {
  const { service } = await serve(echo);
  let expected = 0n;
  for await (const answer of service.decide(sequence(5000), caller)) {
    expect(answer.sequence).toBe(expected++);
    if (answer.sequence === 7n) {
      const bytes = toBinary(DecideRequestSchema, create(DecideRequestSchema, { sequence: 7n }));
      expect(answer.result.value).toMatchObject({ message: createHash('sha256').update(bytes).digest('hex') });
    }
  }
  expect(expected).toBe(5000n);
});

test('a stream that fails tells its code; leaving it early cancels it at the server', async () => {
  let ended = false;
  const { service } = await serve({
    async *decide(requests) {
      try {
        for await (const request of requests) {
          if (request.sequence === 3n) throw new BeaconError('failed_precondition', 'three');
          yield create(DecideResponseSchema, { sequence: request.sequence });
        }
      } finally {
        ended = true;
      }
    },
  });
  const all = async () => {
    for await (const _ of service.decide(sequence(10), caller));
  };
  await expect(all()).rejects.toMatchObject({ code: 'failed_precondition' });
  ended = false;
  const forever = async function* () {
    yield create(DecideRequestSchema, { sequence: 0n });
    await new Promise((resolve) => setTimeout(resolve, 10_000).unref());
  };
  for await (const _ of service.decide(forever(), caller)) break;
  await expect.poll(() => ended).toBe(true);
});

test('a call past its deadline and a server that is gone are told apart', async () => {
  const { address, server } = await serve({
    guard: () => new Promise(() => undefined),
  });
  const hasty = dial(DecisionService, address, { deadlineMs: () => Date.now() + 50 });
  closers.push(() => hasty.close());
  await expect(hasty.service.guard(guardRequest, caller)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  await drainRpc(server, 10);
  await expect(hasty.service.guard(guardRequest, caller)).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|deadline_exceeded/),
  });
});

test('a left-over unix socket is replaced, a live one and a plain file are not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'beacon-rpc-'));
  const path = join(folder, 's');
  const impl: Partial<Decision> = { guard: async () => create(GuardResponseSchema) };
  const first = await serve(impl, {}, `unix:${path}`);
  await first.service.guard(guardRequest, caller);
  await expect(serve(impl, {}, `unix:${path}`)).rejects.toMatchObject({ code: 'failed_precondition' });
  await first.service.guard(guardRequest, caller);
  const stale = join(folder, 'stale');
  const holder = createServer().listen(stale);
  await new Promise((resolve) => holder.once('listening', resolve));
  const kept = join(folder, 'kept');
  await (await import('node:fs/promises')).link(stale, kept);
  await new Promise((resolve) => holder.close(resolve));
  const second = await serve(impl, {}, `unix:${kept}`);
  await second.service.guard(guardRequest, caller);
  const file = join(folder, 'file');
  await writeFile(file, 'mine');
  await expect(serve(impl, {}, `unix:${file}`)).rejects.toThrow();
});

test('health and reflection answer', async () => {
  const server = createRpcServer();
  const health = await addHealth(server, [DecisionService]);
  await addReflection(server, [DecisionService]);
  const bound = await listenRpc(server, '127.0.0.1:0');
  closers.push(() => drainRpc(server, 50));
  const raw = new Client(bound, credentials.createInsecure());
  closers.push(() => raw.close());
  const check = () =>
    new Promise<string>((resolve, reject) => {
      const name = Buffer.from('beacon.v1.DecisionService');
      const request = Buffer.concat([Buffer.from([0x0a, name.length]), name]);
      const same = (bytes: Buffer) => bytes;
      raw.makeUnaryRequest('/grpc.health.v1.Health/Check', same, same, request, new Metadata(), (error, response) =>
        error ? reject(error) : resolve((response as Buffer).toString('hex')),
      );
    });
  const watched: string[] = [];
  const same = (bytes: Buffer) => bytes;
  const watch = raw.makeServerStreamRequest('/grpc.health.v1.Health/Watch', same, same, Buffer.alloc(0));
  watch.on('data', (bytes: Buffer) => watched.push(bytes.toString('hex'))).on('error', () => undefined);
  closers.push(() => watch.cancel());
  await expect.poll(() => watched).toEqual(['0802']);
  health.set('', true);
  await expect.poll(() => watched).toEqual(['0802', '0801']);
  expect(await check()).toBe('0802');
  health.set('beacon.v1.DecisionService', true);
  expect(await check()).toBe('0801');
});
