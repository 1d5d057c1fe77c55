import { create } from '@bufbuild/protobuf';
import type { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import { DecisionService, GuardRequestSchema, GuardResponseSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { type Authority, type Leaf, newAuthority, writeTlsFiles } from './certificates.fixture.ts';
import { peerNamesOf } from './peer-names.ts';
import { host } from './rpc.ts';
import { dial } from './rpc-dial.ts';
import { createRpcServer, drainRpc, listenRpc } from './rpc-server.ts';
import { openTls, type Tls, type TlsOptions } from './tls.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const authority = await newAuthority();
const request = create(GuardRequestSchema, {});

async function open(leaf: Leaf, ca: string, change: Partial<TlsOptions> = {}) {
  const files = await writeTlsFiles(leaf, ca);
  const rejected: unknown[] = [];
  const tls = await openTls({
    ...files,
    reloadMs: 3_600_000,
    now: Date.now,
    rejected: (error) => rejected.push(error),
    ...change,
  });
  closers.push(() => tls.close());
  return { tls, folder: files.folder, rejected };
}

/** Answers with the names the caller's certificate carries. */
async function serve(credentials: ServerCredentials): Promise<string> {
  const server = createRpcServer();
  host<typeof DecisionService, string>(
    server,
    DecisionService,
    { guard: async (_, who) => create(GuardResponseSchema, { answer: { actionId: who } }) },
    { authenticate: async (call) => `${call.mutualTls} ${call.peerNames.join(' ')}`, onError: () => undefined },
  );
  const address = await listenRpc(server, '127.0.0.1:0', credentials);
  closers.push(() => drainRpc(server, 20));
  return address;
}

function ask(address: string, tls: Tls, names = ['receipt-signer.beacon']) {
  const dialed = dial(DecisionService, address, {
    credentials: tls.client(names),
    serverName: 'any.name',
    deadlineMs: () => Date.now() + 2_000,
  });
  closers.push(() => dialed.close());
  return dialed.service.guard(request, {}).then(({ answer }) => answer?.actionId);
}

const signerLeaf = (from: Authority = authority) => from.issue({ names: ['receipt-signer.beacon'] });

test('both ends prove who they are; the server sees the names the client’s certificate carries', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const client = await open(
    await authority.issue({ names: ['spiffe://beacon/decision', 'decision.beacon'] }),
    authority.cert,
  );
  const address = await serve(server.tls.server());
  expect(await ask(address, client.tls)).toBe('true spiffe://beacon/decision decision.beacon');
});

test('a client of another authority, with an expired certificate, or without one is refused', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const address = await serve(server.tls.server());
  expect(await ask(address, (await open(await authority.issue(), authority.cert)).tls)).toContain('true');
  const stranger = await newAuthority('CN=stranger');
  // It trusts ours, so that only the server can be the one that refuses.
  const foreign = await open(await stranger.issue(), authority.cert);
  await expect(ask(address, foreign.tls)).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|deadline/),
  });
  const past = Date.now() - 3_600_000;
  const expired = await open(await authority.issue({ notAfterMs: past }), authority.cert, { now: () => past - 1_000 });
  await expect(ask(address, expired.tls)).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|deadline/),
  });
  const plain = dial(DecisionService, address, { deadlineMs: () => Date.now() + 1_000 });
  closers.push(() => plain.close());
  await expect(plain.service.guard(request, {})).rejects.toMatchObject({
    code: expect.stringMatching(/unavailable|deadline/),
  });
});

test('a server of another authority, expired, or under another name is refused by the client', async () => {
  const client = await open(await authority.issue(), authority.cert);
  const stranger = await newAuthority('CN=stranger');
  const foreign = await open(await signerLeaf(stranger), authority.cert);
  const past = Date.now() - 3_600_000;
  const expired = await open(
    await authority.issue({ names: ['receipt-signer.beacon'], notAfterMs: past }),
    authority.cert,
    {
      now: () => past - 1_000,
    },
  );
  for (const { tls } of [foreign, expired]) {
    await expect(ask(await serve(tls.server()), client.tls)).rejects.toMatchObject({
      code: expect.stringMatching(/unavailable|deadline/),
    });
  }
  const named = await open(await authority.issue({ names: ['scoring.beacon'] }), authority.cert);
  const address = await serve(named.tls.server());
  await expect(ask(address, client.tls)).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|deadline/) });
  expect(await ask(address, client.tls, ['scoring.beacon'])).toContain('true');
});

test('new files are used by new connections of server and client; old connections live on', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const client = await open(await authority.issue({ names: ['decision.beacon'] }), authority.cert);
  const address = await serve(server.tls.server());
  const kept = dial(DecisionService, address, {
    credentials: client.tls.client(['receipt-signer.beacon']),
    serverName: 'any.name',
  });
  closers.push(() => kept.close());
  await kept.service.guard(request, {});
  const next = await newAuthority('CN=next');
  await writeTlsFiles(await signerLeaf(next), next.cert, server.folder);
  await server.tls.reload();
  // The old client trusts only the old authority and is no longer trusted itself.
  await expect(ask(address, client.tls)).rejects.toMatchObject({ code: expect.stringMatching(/unavailable|deadline/) });
  expect((await kept.service.guard(request, {})).answer?.actionId).toBe('true decision.beacon');
  await writeTlsFiles(await next.issue({ names: ['gateway.beacon'] }), next.cert, client.folder);
  await client.tls.reload();
  expect(await ask(address, client.tls)).toBe('true gateway.beacon');
});

test('files that would not work are told once and leave the old ones in force', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const client = await open(await authority.issue(), authority.cert);
  const address = await serve(server.tls.server());
  const [good, other] = [await signerLeaf(), await signerLeaf()];
  const past = await authority.issue({ names: ['receipt-signer.beacon'], notAfterMs: Date.now() - 1_000 });
  const broken: Leaf[] = [
    { cert: 'not a certificate', key: good.key },
    { cert: good.cert, key: other.key },
    past,
    await authority.issue({ names: [] }),
  ];
  for (const [i, leaf] of broken.entries()) {
    await writeTlsFiles(leaf, authority.cert, server.folder);
    await server.tls.reload();
    await server.tls.reload();
    expect(server.rejected).toHaveLength(i + 1);
    expect(await ask(address, client.tls)).toContain('true');
  }
  await writeTlsFiles(good, authority.cert, server.folder);
  await server.tls.reload();
  expect(server.rejected).toHaveLength(broken.length);
  for (const leaf of broken) {
    await expect(open(leaf, authority.cert)).rejects.toMatchObject({ code: 'failed_precondition' });
  }
});

test('a connection that outlives its certificate carries no name any more', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const client = await open(
    await authority.issue({ names: ['decision.beacon'], notAfterMs: Date.now() + 2_000 }),
    authority.cert,
  );
  const dialed = dial(DecisionService, await serve(server.tls.server()), {
    credentials: client.tls.client(['receipt-signer.beacon']),
    serverName: 'any.name',
  });
  closers.push(() => dialed.close());
  const names = () => dialed.service.guard(request, {}).then(({ answer }) => answer?.actionId);
  expect(await names()).toBe('true decision.beacon');
  await expect.poll(names, { timeout: 4_000 }).toBe('true ');
});

test('a listener does not go below TLS 1.3', async () => {
  const server = await open(await signerLeaf(), authority.cert);
  const address = await serve(server.tls.server());
  const leaf = await authority.issue();
  const { connect } = await import('node:tls');
  const versionWith = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string>((resolve) => {
      const socket = connect({
        port: Number(address.split(':')[1]),
        host: '127.0.0.1',
        ...leaf,
        ca: authority.cert,
        maxVersion,
        checkServerIdentity: () => undefined,
        ALPNProtocols: ['h2'],
      });
      socket.once('secureConnect', () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  expect(await versionWith('TLSv1.2')).toBe('refused');
  expect(await versionWith('TLSv1.3')).toBe('TLSv1.3');
});

test.each([
  ['DNS:a.b, URI:spiffe://beacon/x', ['a.b', 'spiffe://beacon/x']],
  ['IP Address:127.0.0.1, DNS:a', ['a']],
  // What looks like a second name inside a quoted one is part of it.
  ['URI:"spiffe://evil/x, DNS:gateway.beacon", DNS:b', ['b']],
  ['DNS:"a\\", DNS:gateway.beacon"', []],
  ['DNS:a" DNS:b', []],
  ['', []],
  [undefined, []],
])('the names in %s', (line, names) => {
  expect(peerNamesOf(line)).toEqual(names);
});
