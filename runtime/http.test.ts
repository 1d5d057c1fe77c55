import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../core/errors.ts';
import { BodiesUnderWay } from './bodies-under-way.ts';
import { createHttpServer, type HttpServer, refuseOtherMethods } from './http.ts';

const open: HttpServer[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function serve(requestTimeoutMs?: number, bodies = new BodiesUnderWay()) {
  const errors: unknown[] = [];
  const app = createHttpServer({
    bodyLimitBytes: 100,
    allowedHosts: [],
    contentTypes: ['application/json'],
    requestTimeoutMs,
    bodies,
    onError: (error) => errors.push(error),
  });
  open.push(app);
  app.post('/echo', async (request) => request.body);
  app.get('/fail', async () => {
    throw new Error('the password is hunter2');
  });
  app.get('/refuse', async () => {
    throw new BeaconError('conflict', 'lone \ud800', { field: 'a.b' });
  });
  refuseOtherMethods(app, '/echo', ['POST']);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { app, url, errors };
}

const json = { 'content-type': 'application/json' };

test('a body reaches the handler as the bytes received, not parsed', async () => {
  const { url } = await serve();
  const body = '{"a":1, "a":2}';
  expect(await (await fetch(`${url}/echo`, { method: 'POST', headers: json, body })).text()).toBe(body);
});

test('what is too large is 413, also when its length is not told', async () => {
  const { url } = await serve();
  const whole = await fetch(`${url}/echo`, { method: 'POST', headers: json, body: 'x'.repeat(101) });
  expect([whole.status, ((await whole.json()) as { code: string }).code]).toEqual([413, 'payload_too_large']);
  const chunks = new ReadableStream({
    start(controller) {
      for (let at = 0; at < 11; at++) controller.enqueue(Buffer.alloc(10, 0x20));
      controller.close();
    },
  });
  const chunked = await fetch(`${url}/echo`, {
    method: 'POST',
    headers: json,
    body: chunks,
    duplex: 'half',
  } as RequestInit);
  expect(chunked.status).toBe(413);
});

test('errors are problems; what is not ours is told to the log alone', async () => {
  const { url, errors } = await serve();
  const refused = await fetch(`${url}/refuse`);
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(await refused.json()).toEqual({
    type: 'urn:beacon:problem:conflict',
    title: 'In conflict with what is recorded',
    status: 409,
    detail: 'lone \ufffd',
    code: 'conflict',
    field: 'a.b',
  });
  expect(errors).toEqual([]);
  const failed = await fetch(`${url}/fail`);
  expect(failed.status).toBe(500);
  expect(await failed.text()).not.toContain('hunter2');
  expect(String(errors[0])).toContain('hunter2');
});

test('another method is refused before its body is looked at', async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/echo`, {
    method: 'PUT',
    headers: { 'content-type': 'text/x' },
    body: 'x'.repeat(500),
  });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
});

function talk(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}

test('headers without end are refused', async () => {
  const { url } = await serve();
  expect(await talk(url, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431/,
  );
});

test('a request that names no host, or two, is refused', async () => {
  const { url } = await serve();
  expect(await talk(url, 'GET /refuse HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 403/);
  expect(await talk(url, 'GET /refuse HTTP/1.1\r\nconnection: close\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
  const twice = 'GET /refuse HTTP/1.1\r\nhost: evil.example\r\nhost: localhost\r\nconnection: close\r\n\r\n';
  expect(await talk(url, twice)).toMatch(/^HTTP\/1.1 40[03]/);
});

test('a caller who goes away in the middle of a body is no error of ours', async () => {
  const { url, errors } = await serve();
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    'POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(errors).toEqual([]);
});

const begun = 'POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';

test('what is held of bodies is given back when they end, are cut off, too large or too slow', async () => {
  const bodies = new BodiesUnderWay();
  const { url, errors } = await serve(500, bodies);
  const held = (bytes: number) => expect.poll(() => bodies.bytes, { timeout: 5_000 }).toBe(bytes);
  await fetch(`${url}/echo`, { method: 'POST', headers: json, body: 'whole' });
  await held(0);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(`${begun}content-length: 99\r\n\r\n{}`));
  await held(2 + 512);
  socket.destroy();
  await held(0);
  const chunk = `${(80).toString(16)}\r\n${' '.repeat(80)}\r\n`;
  expect(await talk(url, `${begun}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`)).toMatch(/^HTTP\/1.1 413/);
  await held(0);
  expect(await talk(url, `${begun}content-length: 99\r\n\r\n{}`)).toMatch(/^HTTP\/1.1 408/);
  await held(0);
  expect(errors).toEqual([]);
});

test('beyond the bound the greatest body is refused and its connection closed, the others are received', async () => {
  let refused = 0;
  const bodies = new BodiesUnderWay({ most: 1_300, refused: () => void refused++ });
  const { url, errors } = await serve(undefined, bodies);
  const greatest = talk(url, `${begun}content-length: 99\r\n\r\n${'x'.repeat(90)}`);
  const { hostname, port } = new URL(url);
  const other = connect(Number(port), hostname, () => other.write(`${begun}content-length: 99\r\n\r\n{}`));
  await expect.poll(() => bodies.bytes).toBe(92 + 2 * 512);
  const small = await fetch(`${url}/echo`, { method: 'POST', headers: json, body: 'small' });
  expect([small.status, await small.text()]).toEqual([200, 'small']);
  const answer = await greatest;
  expect(answer).toMatch(/^HTTP\/1.1 503/);
  expect(answer).toMatch(/\r\nretry-after: 1\r\n/i);
  expect(answer).toMatch(/"code":"unavailable"/);
  expect(refused).toBe(1);
  other.destroy();
  await expect.poll(() => bodies.bytes).toBe(0);
  expect(errors).toEqual([]);
});
