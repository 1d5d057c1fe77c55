// The ways in, as a caller would hold them: kept-alive HTTP connections, one long gRPC stream, unary gRPC calls.

import { Agent, request } from 'node:http';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { Decision } from '../gen/beacon/v1/common_pb.js';
import {
  DecideRequestSchema,
  DecideResponseSchema,
  type Caller as RelayedCaller,
  RelayRequestSchema,
  RelayResponseSchema,
} from '../gen/beacon/v1/decision_service_pb.js';
import { nextBody, nextRequest } from './proposals.ts';

const RELAY_TIMEOUT_MS = 10_000;
/** Half of what a server keeps an idle connection: other subjects are called meanwhile. */
const IDLE_SOCKET_MS = 30_000;

export type Caller = { call(): Promise<void>; close(): void };

/** POST /api/execute; `check` sees each answer's body. */
export function httpCaller(base: string, token: string, inFlight: number, check: (body: string) => void): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight, timeout: IDLE_SOCKET_MS });
  const url = new URL('/api/execute', base);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const body = nextBody();
      const sent = request(
        url,
        { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}: ${text}`));
            check(text);
            resolve();
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  return { call, close: () => agent.destroy() };
}

export function requireAllowed(body: string): void {
  if (!body.includes('"decision":"ALLOW"'))
    throw new Error(`not allowed, so not the whole path: ${body.slice(0, 500)}`);
}

/** One bidirectional stream; answers are matched to calls by their sequence, or by order where there is none. */
function streamCaller(address: string, path: string, token: string | undefined, codec: Codec): Caller {
  const client = new Client(address, credentials.createInsecure());
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  const asIs = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(path, asIs, asIs, metadata, {});
  const waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let sequence = 0;
  let answered = 0;
  let closing = false;
  const failAll = (error: Error) => {
    if (closing) return;
    for (const { reject } of waiting.values()) reject(error);
  };
  stream.on('error', failAll);
  stream.on('end', () => failAll(new Error('the stream ended')));
  stream.on('data', (bytes: Buffer) => {
    const { of, error } = codec.read(bytes, answered++);
    const entry = waiting.get(of);
    waiting.delete(of);
    if (error) entry?.reject(error);
    else entry?.resolve();
  });
  return {
    call: () =>
      new Promise<void>((resolve, reject) => {
        const mine = sequence++;
        waiting.set(mine, { resolve, reject });
        stream.write(codec.write(mine));
      }),
    close() {
      closing = true;
      stream.cancel();
      client.close();
    },
  };
}

type Codec = { write(sequence: number): Buffer; read(bytes: Buffer, order: number): { of: number; error?: Error } };

export function decideCaller(address: string, token: string): Caller {
  return streamCaller(address, '/beacon.v1.DecisionService/Decide', token, {
    write: (sequence) => Buffer.from(toBinary(DecideRequestSchema, nextRequest(sequence))),
    read(bytes) {
      const { sequence, result } = fromBinary(DecideResponseSchema, bytes);
      const allowed = result.case === 'answer' && result.value.decision === Decision.ALLOW;
      const of = Number(sequence);
      return allowed ? { of } : { of, error: new Error(`not allowed: ${JSON.stringify(result.value, asText)}`) };
    },
  });
}

export function echoCaller(address: string): Caller {
  return streamCaller(address, '/bench.Echo/Echo', undefined, {
    write: (sequence) => Buffer.from(toBinary(DecideRequestSchema, nextRequest(sequence))),
    read: (_, order) => ({ of: order }),
  });
}

/** Straight to a decision replica, as a gateway does; `token`: the gateway's among the services. */
export function relayCaller(address: string, token: string, agent: RelayedCaller): Caller {
  return streamCaller(address, '/beacon.v1.DecisionRelayService/Relay', token, {
    // No request of the relay has number 0.
    write(sequence) {
      const { proposal, open } = nextRequest(sequence);
      const request = create(RelayRequestSchema, {
        ...{ sequence: BigInt(sequence + 1), caller: agent, timeoutMs: RELAY_TIMEOUT_MS, open },
        ...(proposal ? { proposal } : {}),
      });
      return Buffer.from(toBinary(RelayRequestSchema, request));
    },
    read(bytes) {
      const { sequence, result } = fromBinary(RelayResponseSchema, bytes);
      const allowed = result.case === 'answer' && result.value.decision === Decision.ALLOW;
      const of = Number(sequence) - 1;
      return allowed ? { of } : { of, error: new Error(`not allowed: ${JSON.stringify(result.value, asText)}`) };
    },
  });
}

function asText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
