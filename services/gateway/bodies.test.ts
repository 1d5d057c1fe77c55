// Many callers who begin large bodies and do not end them: what is held of them is bounded, and who asks beside them is
// answered, over real sockets.

import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_BODY_BYTES_UNDER_WAY } from '../../runtime/bodies-under-way.ts';
import { request, startGateway } from './gateway.fixture.ts';

const STALLED = 400;
const SENT_BYTES = 900_000;

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Sends nearly all of a body, and waits. */
function stall(token: string): { socket: Socket; answer: () => string } {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(`POST /api/execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n`);
  socket.write(`content-type: application/json\r\ncontent-length: ${SENT_BYTES + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(SENT_BYTES, ' '));
  return { socket, answer: () => answer };
}

async function metric(name: string): Promise<number> {
  const { text } = await request(gateway.url, 'GET', '/metrics');
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  );
}
const held = () => metric('beacon_bodies_under_way_bytes');
const refused = () => metric('beacon_sheds_total{reason="bodies"}');

test('400 stalled bodies are held up to the bound, the others refused; everybody else is answered', async () => {
  const noisy = await gateway.access.mint({ role: 'agent', tenantId: 'noisy', agentId: 'a' });
  const quiet = await gateway.access.mint({ role: 'agent', tenantId: 'quiet', agentId: 'a' });
  const stalled = Array.from({ length: STALLED }, () => stall(noisy.token));
  const fitting = Math.floor(MAX_BODY_BYTES_UNDER_WAY / SENT_BYTES);
  await expect.poll(refused, { timeout: 12_000, interval: 200 }).toBeGreaterThanOrEqual(STALLED - fitting);
  await expect.poll(held, { timeout: 3_000 }).toBeGreaterThan(MAX_BODY_BYTES_UNDER_WAY / 2);
  expect(await held()).toBeLessThanOrEqual(MAX_BODY_BYTES_UNDER_WAY);

  const before = await refused();
  const ask = (tenant_id: string, token?: string, padding = 0) =>
    request(gateway.url, 'POST', '/api/execute', { agent_id: 'a', tenant_id, code: `ls${' '.repeat(padding)}` }, token);
  expect((await ask('quiet', quiet.token)).status).toBe(200);
  expect((await ask('local')).status).toBe(200);
  // Small bodies of who sends the large ones, too.
  expect((await ask('noisy', noisy.token)).status).toBe(200);
  expect(await refused()).toBe(before);
  // A large one of another takes its room from them. What is in it is another matter: it was received.
  expect([200, 400]).toContain((await ask('quiet', quiet.token, 500_000)).status);

  const answers = stalled.map(({ answer }) => answer()).filter((answer) => answer !== '');
  expect(answers.length).toBeGreaterThan((STALLED - fitting) / 2);
  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1.1 503 [\s\S]*\r\nretry-after: 1\r\n/);
    expect(answer).toContain('"code":"unavailable"');
  }
  for (const { socket } of stalled) socket.destroy();
  await expect.poll(held, { timeout: 5_000, interval: 200 }).toBe(0);
});
