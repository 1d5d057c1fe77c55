// The floor under gRPC: a bidirectional stream of bytes, each message answered by one of a stated size.
// BENCH_ANSWER_BYTES is that size.

import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';

const answer = Buffer.alloc(Number(process.env.BENCH_ANSWER_BYTES ?? 0), 1);
const asIs = (bytes: Buffer) => bytes;
const method = (name: string, streams: boolean) => ({
  path: `/bench.Echo/${name}`,
  requestStream: streams,
  responseStream: streams,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
const server = new Server();
server.addService(
  { echo: method('Echo', true) },
  {
    echo: (call: ServerDuplexStream<Buffer, Buffer>) => {
      call.on('data', () => call.write(answer));
      call.on('end', () => call.end());
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${JSON.stringify({ grpc: `127.0.0.1:${port}` })}\n`);
});
process.on('SIGTERM', () => process.exit(0));
