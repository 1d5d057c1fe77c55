// The floor under HTTP: the same server library, the request's JSON parsed, an answer of a stated size written.
// BENCH_ANSWER holds the answer.

import fastify from 'fastify';

const answer = JSON.parse(process.env.BENCH_ANSWER ?? '{}');
const server = fastify();
server.post('/api/execute', async () => answer);
const http = await server.listen({ host: '127.0.0.1', port: 0 });
process.on('SIGTERM', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ http })}\n`);
