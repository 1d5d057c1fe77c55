// The source over a real server, well-behaved and otherwise; the archive's own faults are in archive.test.ts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { newAuthority } from '../../runtime/certificates.fixture.ts';
import { BundleServer, type Handler, pack } from '../../test/bundle-server.ts';
import { MAX_ARCHIVE_BYTES } from './archive.ts';
import { describePolicySource } from './contract.ts';
import { type HttpPolicyOptions, HttpPolicySource, pauseMs } from './http.ts';

const POLL_MS = 30;
const archive = (data: string) =>
  pack(
    new Map([
      ['manifest.dsse.json', Buffer.from('envelope')],
      ['data.json', Buffer.from(data)],
    ]),
  );
const dataIn = async (read: ReturnType<HttpPolicySource['read']>) =>
  Buffer.from((await read).files.get('data.json') ?? []).toString();

describePolicySource('http', async () => {
  const server = new BundleServer();
  await server.start();
  return {
    source: new HttpPolicySource({ url: server.url, pollMs: POLL_MS }),
    put: async (files) => server.hold(await pack(files)),
    close: () => server.stop(),
  };
});

let server: BundleServer;
const stops: (() => void)[] = [];
beforeEach(async () => {
  server = new BundleServer();
  await server.start();
  server.hold(await archive('one'));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await server.stop();
});

const source = (options: Partial<HttpPolicyOptions> = {}) =>
  new HttpPolicySource({ url: server.url, pollMs: POLL_MS, timeoutMs: 500, ...options });
const watched = (one: HttpPolicySource) => {
  const changed = vi.fn();
  stops.push(one.watch(changed));
  return changed;
};
const refused = (read: Promise<unknown>, reason: string) =>
  expect(read).rejects.toMatchObject({ code: 'failed_precondition', reason });
const answering =
  (status: number, headers: Record<string, string>, body?: string | Uint8Array): Handler =>
  (_, response) =>
    response.writeHead(status, headers).end(body);

test('asks with the ETag it holds, and takes "unchanged" for an answer while it polls', async () => {
  const one = source();
  const before = await one.stamp();
  const changed = watched(one);
  await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(2));
  expect(server.asked[0]?.headers['if-none-match']).toBeUndefined();
  expect(server.asked[1]?.headers['if-none-match']).toMatch(/^"[0-9a-f]{64}"$/);
  expect(server.asked[1]?.headers['accept-encoding']).toBe('identity');
  expect(await one.stamp()).toBe(before);
  expect(await dataIn(one.read(before))).toBe('one');
});

test('a server that says "unchanged" for ever can delay a bundle and not withhold it', async () => {
  const one = source();
  const before = await one.stamp();
  const next = await archive('two');
  server.behave((request, response) => {
    if (request.headers['if-none-match']) response.writeHead(304).end(next);
    else response.writeHead(200, { etag: '"x"' }).end(next);
  });
  const changed = watched(one);
  await vi.waitFor(() => expect(changed.mock.calls.length).toBeGreaterThan(2));
  expect(await one.stamp()).toBe(before);
  expect(await dataIn(one.read(before))).toBe('one');
  // An admin who asks is told the truth at once; the others within twenty polls.
  const other = source();
  server.behave();
  await other.stamp();
  server.behave((request, response) => {
    if (request.headers['if-none-match']) response.writeHead(304).end();
    else response.writeHead(200).end(next);
  });
  expect(await dataIn(other.read())).toBe('two');
  await vi.waitFor(async () => expect(await one.stamp()).not.toBe(before), { timeout: 15_000 });
});

test('"unchanged" to a question that named no ETag is no answer', async () => {
  server.behave(answering(304, { etag: '"x"' }));
  await refused(source().read(), 'unreachable');
});

test('content counts, not what the ETag says', async () => {
  const one = source();
  server.behave(answering(200, { etag: '"same"' }, await archive('one')));
  const before = await one.stamp();
  watched(one);
  server.behave(answering(200, { etag: '"same"' }, await archive('two')));
  await vi.waitFor(async () => expect(await one.stamp()).not.toBe(before));
  const after = await one.stamp();
  expect(await dataIn(one.read(after))).toBe('two');
  // Odd ones are not sent back: a line break in one would be a header of the server's choice.
  server.behave(answering(200, { etag: 'no quotes' }, await archive('two')));
  const asked = server.asked.length + 2;
  await vi.waitFor(() => expect(server.asked.length).toBeGreaterThan(asked));
  expect(await one.stamp()).toBe(after);
  expect(server.asked.at(-1)?.headers['if-none-match']).toBeUndefined();
});

test('what is no bundle is refused, and what was had stands', async () => {
  // Sixteen megabytes come in this time on a busy machine, too.
  const one = source({ timeoutMs: 3_000 });
  const before = await one.stamp();
  const elsewhere = { location: `${server.url}?other` };
  const good = await archive('two');
  for (const [reason, handler] of [
    ['unreadable', answering(200, { 'content-type': 'text/html' }, '<html>maintenance</html>')],
    ['unreadable', answering(200, {}, '')],
    ['unreadable', answering(200, {}, good.subarray(0, good.length - 20))],
    ['unreadable', answering(200, {}, gzipSync(good))],
    ['unreachable', answering(404, {}, good)],
    ['unreachable', answering(500, {}, good)],
    ['unreachable', answering(206, {}, good)],
    ['unreachable', answering(204, {})],
    ['unreachable', answering(302, elsewhere, good)],
    ['unreachable', answering(307, elsewhere, good)],
    ['unreachable', (request: Parameters<Handler>[0]) => request.socket.destroy()],
    ['unreachable', answering(200, { 'content-length': String(good.length + 1) }, good)],
    ['unreachable', answering(200, { filler: 'x'.repeat(20_000) }, good)],
    ['too_large', answering(200, { 'content-length': String(MAX_ARCHIVE_BYTES + 1) })],
    ['too_large', answering(200, {}, Buffer.alloc(MAX_ARCHIVE_BYTES + 1))],
  ] as const) {
    server.behave(handler as Handler);
    await refused(one.read(), reason);
    await refused(one.stamp(), reason);
    expect(await dataIn(one.read(before))).toBe('one');
  }
  expect(server.asked.every(({ url }) => url?.includes('?') === false)).toBe(true);
  server.behave();
  expect(await dataIn(one.read())).toBe('one');
  expect(await one.stamp()).toBe(before);
});

test('an answer without an end is cut off when it is longer than a bundle', async () => {
  let sent = 0;
  const ended = vi.fn();
  server.behave((_, response) => {
    const more = Buffer.alloc(65_536);
    const write = () => {
      while (!response.destroyed && response.write(more)) sent += more.length;
    };
    response.on('drain', write).on('close', ended).writeHead(200);
    write();
  });
  await refused(source({ timeoutMs: 20_000 }).read(), 'too_large');
  await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  expect(sent).toBeLessThan(3 * MAX_ARCHIVE_BYTES);
});

test('a server that takes its time, in any part of its answer, is left', async () => {
  const good = await archive('two');
  const slow: Handler[] = [
    () => {},
    (_, response) => response.writeHead(200, { 'content-length': good.length }).write(good.subarray(0, 10)),
    (_, response) => {
      response.writeHead(200);
      let at = 0;
      const drip = setInterval(() => response.write(good.subarray(at, ++at)), 20);
      response.on('close', () => clearInterval(drip));
    },
  ];
  for (const handler of slow) {
    server.behave(handler);
    const began = performance.now();
    await refused(source({ timeoutMs: 200 }).read(), 'unreachable');
    expect(performance.now() - began).toBeLessThan(2_000);
  }
  // One that drips its headers.
  const drips: NodeJS.Timeout[] = [];
  const tcp = createTcpServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    drips.push(setInterval(() => socket.write('x: y\r\n'), 20));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as { port: number };
  await refused(source({ url: `http://127.0.0.1:${port}/`, timeoutMs: 200 }).read(), 'unreachable');
  for (const drip of drips) clearInterval(drip);
  tcp.close();
});

test('a server that wants another protocol is no more than away', async () => {
  server.behave((_, response) => {
    response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  });
  const one = source({ timeoutMs: 500 });
  const late = new Promise((resolve) => setTimeout(() => resolve('waits'), 3_000));
  const read = one.read().catch((error) => error.reason);
  expect(await Promise.race([read, late])).toBe('unreachable');
  // Nor does anything wait behind that answer.
  server.behave();
  expect(await Promise.race([one.read().then(() => 'read'), late])).toBe('read');
});

test('an answer in crumbs takes no more memory than its bytes', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const crumbs = 300_000;
  const tcp = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(crumbs)}`);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const { port } = tcp.address() as { port: number };
  collect();
  const before = process.memoryUsage().heapUsed;
  const read = refused(source({ url: `http://127.0.0.1:${port}/`, timeoutMs: 4_000 }).read(), 'unreachable');
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  collect();
  expect((process.memoryUsage().heapUsed - before) / crumbs).toBeLessThan(30);
  await read;
  tcp.close();
});

test('is found again when it is back; while it is away it is asked less and less', async () => {
  const one = source();
  await one.stamp();
  await server.stop();
  const changed = watched(one);
  await vi.waitFor(() => expect(one.stamp()).rejects.toMatchObject({ reason: 'unreachable' }));
  expect(changed).toHaveBeenCalled();
  server.hold(await archive('two'));
  await server.start();
  await vi.waitFor(async () => expect(await dataIn(one.read(await one.stamp()))).toBe('two'), { timeout: 5_000 });
  expect([0, 1, 2, 3, 4, 50].map((failures) => pauseMs(1_000, failures, 0))).toEqual([
    900, 2_000, 4_000, 8_000, 10_000, 10_000,
  ]);
  expect(pauseMs(1_000, 0, 1)).toBe(1_100);
  expect(pauseMs(1_000, 4, 1)).toBe(5_000);
});

test('a stop leaves no request under way, and nothing is told after it', async () => {
  server.behave(() => {});
  const one = source({ timeoutMs: 60_000 });
  const changed = vi.fn();
  const stop = one.watch(changed);
  await vi.waitFor(() => expect(server.asked).toHaveLength(1));
  const closed = new Promise((resolve) => server.asked[0]?.socket.on('close', resolve));
  stop();
  await closed;
  await new Promise((resolve) => setTimeout(resolve, 5 * POLL_MS));
  expect(changed).not.toHaveBeenCalled();
  expect(server.asked).toHaveLength(1);
});

describe('who may speak, and to whom', () => {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-http-source-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterEach(() => vi.unstubAllEnvs());
  test.afterAll(() => rmSync(folder, { recursive: true }));

  test('the token of its file, as it is now, and in no message', async () => {
    await server.stop();
    server = new BundleServer({ token: 's3cret-token' });
    await server.start();
    server.hold(await archive('one'));
    const tokenFile = file('token', 's3cret-other\n');
    const one = source({ tokenFile });
    await refused(one.read(), 'unreachable');
    file('token', 's3cret-token\n');
    expect(await dataIn(one.read())).toBe('one');
    for (const bad of ['', 's3cret two', 's3cret\r\nx: y', 's3cret\u00e9']) {
      file('token', bad);
      const error = await one.read().catch((thrown) => thrown);
      expect(error).toMatchObject({ reason: 'unreachable' });
      expect(`${error} ${error.cause}`).not.toContain('s3cret');
    }
    rmSync(tokenFile);
    await refused(one.read(), 'unreachable');
    expect(server.asked).toHaveLength(2);
  });

  test('https with the authority named, its name and its time', async () => {
    const [authority, stranger] = [await newAuthority(), await newAuthority('CN=stranger')];
    const caFile = file('ca.pem', authority.cert);
    const serve = async (leaf: { cert: string; key: string }) => {
      await server.stop();
      server = new BundleServer({ tls: leaf });
      await server.start();
      server.hold(await archive('one'));
    };
    await serve(await authority.issue({ names: ['localhost'] }));
    expect(await dataIn(source({ caFile }).read())).toBe('one');
    // What the environment says about certificates is not asked.
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    await refused(source().read(), 'unreachable');
    await refused(source({ caFile: file('other.pem', stranger.cert) }).read(), 'unreachable');
    await refused(source({ caFile: join(folder, 'absent') }).read(), 'unreachable');
    const asked = server.asked.length;
    await serve(await authority.issue({ names: ['elsewhere'] }));
    await refused(source({ caFile }).read(), 'unreachable');
    await serve(await authority.issue({ names: ['localhost'], notAfterMs: Date.now() - 1_000 }));
    await refused(source({ caFile }).read(), 'unreachable');
    expect([asked, server.asked.length]).toEqual([1, 0]);
  });
});
