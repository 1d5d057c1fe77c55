import { once } from 'node:events';
import http2 from 'node:http2';
import { Agent, request } from 'node:https';
import net from 'node:net';
import { connect } from 'node:tls';
import { create, fromBinary } from '@bufbuild/protobuf';
import { credentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { DecisionService, GuardRequestSchema, GuardResponseSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { type Leaf, type LeafOptions, newAuthority, writeTlsFiles } from './certificates.fixture.ts';
import { createHttpServer } from './http.ts';
import { host } from './rpc.ts';
import { dial } from './rpc-dial.ts';
import { createRpcServer, drainRpc } from './rpc-server.ts';
import { type ListenerTls, listenRpcTls, openListenerTls, type PeerCertificate } from './tls-listener.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const authority = await newAuthority();
const stranger = await newAuthority('CN=stranger');
const server = (options: LeafOptions = {}) => authority.issue({ names: ['127.0.0.1', 'localhost'], ...options });
const message = create(GuardRequestSchema, {});

async function open({ asks = true, maxConnectionAgeMs = 60_000, rpcHost = '127.0.0.1' } = {}) {
  const files = await writeTlsFiles(await server(), authority.cert);
  const rejected: unknown[] = [];
  const { certFile, keyFile, caFile } = files;
  const tls = await openListenerTls(
    { certFile, keyFile, caFile: asks ? caFile : undefined },
    { reloadMs: 3_600_000, now: Date.now, rejected: (error) => rejected.push(error) },
  );
  closers.push(() => tls.close());
  return { tls, rejected, folder: files.folder, ...(await serve(tls, maxConnectionAgeMs, rpcHost)) };
}

/** Both doors answer with what the client showed. */
async function serve(tls: ListenerTls, maxConnectionAgeMs: number, rpcHost: string) {
  const http = createHttpServer({
    bodyLimitBytes: 1_024,
    allowedHosts: [],
    contentTypes: ['application/json'],
    tls: { ...tls, serverOptions: tls.serverOptions, maxConnectionAgeMs },
    onError: () => undefined,
  });
  http.get('/who', async ({ socket }) => tls.peerCertificate(socket) ?? {});
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  closers.push(() => http.close());
  const rpc = createRpcServer();
  host<typeof DecisionService, PeerCertificate | undefined>(
    rpc,
    DecisionService,
    { guard: async (_, who) => create(GuardResponseSchema, { answer: { actionId: JSON.stringify(who ?? {}) } }) },
    { authenticate: async (call) => door.peerCertificate(call), onError: () => undefined },
  );
  const door = await listenRpcTls(rpc, { host: rpcHost, port: 0 }, tls);
  closers.push(() => {
    door.close();
    return drainRpc(rpc, 20);
  });
  return { url, address: door.address };
}

type Said = { names?: string[]; fault?: string };

function overHttp(url: string, leaf?: Leaf, agent: Agent | false = false): Promise<Said & { connection?: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/who`, { ca: authority.cert, ...leaf, agent }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ ...JSON.parse(text), connection: response.headers.connection });
    });
    sent.on('error', reject).end();
  });
}

function rpcClient(address: string, leaf?: Leaf) {
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const dialed = dial(DecisionService, address, {
    credentials: credentials.createSsl(Buffer.from(authority.cert), pem(leaf?.key), pem(leaf?.cert)),
    // A number is no name for TLS.
    serverName: 'localhost',
    deadlineMs: () => Date.now() + 5_000,
  });
  closers.push(() => dialed.close());
  return async (): Promise<Said> => JSON.parse((await dialed.service.guard(message, {})).answer?.actionId ?? '');
}

test('what a client shows is told on both doors: its names, or why it does not hold', async () => {
  const { url, address } = await open();
  const names = ['spiffe://beacon/beacon/agent/t/a'];
  const now = Date.now();
  const shown: [Leaf, string | undefined][] = [
    [await authority.issue({ names }), undefined],
    [await stranger.issue({ names }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [await authority.issue({ names, notAfterMs: now - 1_000 }), 'CERT_HAS_EXPIRED'],
    [await authority.issue({ names, notBeforeMs: now + 60_000 }), 'CERT_NOT_YET_VALID'],
  ];
  for (const [leaf, fault] of shown) {
    for (const said of [await overHttp(url, leaf), await rpcClient(address, leaf)()]) {
      expect(said).toMatchObject({ names });
      expect(said.fault).toBe(fault);
    }
  }
  for (const said of [await overHttp(url), await rpcClient(address)()]) expect(said.names).toBeUndefined();
});

/** One gRPC call on a connection of its own, from a port that is chosen: what a library does, by hand. */
async function overPort(port: number, from: number, to: string, leaf?: Leaf): Promise<() => Promise<Said>> {
  const socket = connect({
    socket: net.connect({ host: to, port, localPort: from }),
    ca: authority.cert,
    servername: 'localhost',
    ALPNProtocols: ['h2'],
    ...leaf,
  });
  await once(socket, 'secureConnect');
  const session = http2.connect(`https://${to}`, { createConnection: () => socket });
  closers.push(() => session.destroy());
  return async () => {
    const call = session.request({
      ':method': 'POST',
      ':path': `/${DecisionService.typeName}/Guard`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.end(Buffer.alloc(5));
    const chunks: Buffer[] = [];
    for await (const chunk of call) chunks.push(chunk);
    return JSON.parse(fromBinary(GuardResponseSchema, Buffer.concat(chunks).subarray(5)).answer?.actionId ?? '');
  };
}

test('a connection is known by itself: another from the same address and port, to another address of ours, is not it', async () => {
  const { address } = await open({ rpcHost: '0.0.0.0' });
  const port = Number(address.split(':')[1]);
  const names = ['spiffe://beacon/beacon/agent/t/a'];
  const [leaf, bad] = [await authority.issue({ names }), await stranger.issue({ names })];
  const from = 20_000 + (process.pid % 10_000);
  const good = await overPort(port, from, '127.0.0.1', leaf);
  const nobody = await overPort(port, from, '127.0.0.2');
  expect((await nobody()).names).toBeUndefined();
  const later = await overPort(port, from, '127.0.0.3', bad);
  const last = await overPort(port, from, '127.0.0.4', leaf);
  expect((await later()).fault).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  for (const call of [good, last]) expect(await call()).toMatchObject({ names });
});

test('without authorities no certificate is asked for', async () => {
  const { url, address } = await open({ asks: false });
  const leaf = await authority.issue();
  for (const said of [await overHttp(url, leaf), await rpcClient(address, leaf)()]) expect(said.names).toBeUndefined();
});

test('plain text, TLS 1.1 and a client that does not know our authority get nothing', async () => {
  const { url, address } = await open();
  await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow();
  await expect(fetch(`${url}/who`)).rejects.toThrow();
  const versionAt = (port: number, maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3', protocol: string) =>
    new Promise<string>((resolve) => {
      const options = { host: '127.0.0.1', port, ca: authority.cert, maxVersion, minVersion: 'TLSv1' as const };
      const socket = connect({ ...options, ALPNProtocols: [protocol], ciphers: 'DEFAULT@SECLEVEL=0' }, () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  for (const [port, protocol] of [
    [Number(new URL(url).port), 'http/1.1'],
    [Number(address.split(':')[1]), 'h2'],
  ] as const) {
    expect(await versionAt(port, 'TLSv1.1', protocol)).toBe('refused');
    expect(await versionAt(port, 'TLSv1.2', protocol)).toBe('TLSv1.2');
    expect(await versionAt(port, 'TLSv1.3', protocol)).toBe('TLSv1.3');
  }
});

test('new files serve new connections; files that would not work leave the old ones in force', async () => {
  const { url, address, tls, folder, rejected } = await open();
  const kept = rpcClient(address);
  await kept();
  const before = tls.notAfterMs();
  await writeTlsFiles({ cert: 'nothing', key: 'nothing' }, authority.cert, folder);
  await tls.reload();
  expect(rejected).toHaveLength(1);
  await overHttp(url);
  // An emptied list of authorities would be the machine's own list.
  await writeTlsFiles(await server(), '', folder);
  await tls.reload();
  expect(rejected).toHaveLength(2);
  const leaf = await authority.issue({ names: ['a.example'] });
  expect((await overHttp(url, leaf)).fault).toBeUndefined();
  await writeTlsFiles(await server({ notAfterMs: before + 3_600_000 }), stranger.cert, folder);
  await tls.reload();
  expect(tls.notAfterMs()).toBeGreaterThan(before);
  // Clients are held against the new authorities from now on.
  expect((await overHttp(url, leaf)).fault).toBeDefined();
  expect((await rpcClient(address, await stranger.issue({ names: ['b.example'] }))()).fault).toBeUndefined();
  await kept();
});

test('a certificate is not remembered through a resumed session, and without certificates sessions are resumed', async () => {
  const leaf = await authority.issue({ names: ['a.example'] });
  const isResumed = async (url: string) => {
    const options = { host: '127.0.0.1', port: Number(new URL(url).port), ca: authority.cert, ...leaf };
    const session = await new Promise<Buffer>((resolve, reject) => {
      const first = connect(options, () => first.end('GET /who HTTP/1.0\r\n\r\n'));
      first.once('session', resolve).once('error', reject).resume();
    });
    return new Promise<boolean>((resolve, reject) => {
      const second = connect({ ...options, session }, () => {
        resolve(second.isSessionReused());
        second.destroy();
      });
      second.once('error', reject);
    });
  };
  expect(await isResumed((await open()).url)).toBe(false);
  expect(await isResumed((await open({ asks: false })).url)).toBe(true);
});

test('a connection that has grown old is asked to end', async () => {
  const { url } = await open({ maxConnectionAgeMs: 200 });
  const agent = new Agent({ keepAlive: true });
  expect((await overHttp(url, undefined, agent)).connection).toBe('keep-alive');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await overHttp(url, undefined, agent)).connection).toBe('close');
  agent.destroy();
});
