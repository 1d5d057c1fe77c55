// The table of peers, held on both transports: real servers, real certificates and tokens, every RPC tried by every caller.

import { chmod, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type DescService } from '@bufbuild/protobuf';
import { afterEach, describe, expect, test } from 'vitest';
import type { BeaconError } from '../core/errors.ts';
import type { CallContext, Principal } from '../core/principal.ts';
import { DecisionService, ExecuteResponseSchema } from '../gen/beacon/v1/decision_service_pb.js';
import { KillSwitchService, RevokeRequestSchema } from '../gen/beacon/v1/kill_switch_service_pb.js';
import * as signerPb from '../gen/beacon/v1/receipt_signer_service_pb.js';
import { ScoringService } from '../gen/beacon/v1/scoring_service_pb.js';
import { newAuthority, writeTlsFiles } from '../runtime/certificates.fixture.ts';
import { host, type Service } from '../runtime/rpc.ts';
import { dial } from '../runtime/rpc-dial.ts';
import { drainRpc } from '../runtime/rpc-server.ts';
import type { TlsFiles } from '../runtime/tls.ts';
import { type Mesh, type MeshOptions, openMesh } from './mesh.ts';
import { certificateNames, IDENTITIES, type Identity, identityOf, PEERS, sealingOnlyTheirs } from './peers.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const { ReceiptSignerService } = signerPb;
const SERVES: Readonly<Record<Identity, readonly DescService[]>> = {
  gateway: [],
  decision: [DecisionService],
  'receipt-signer': [ReceiptSignerService],
  scoring: [ScoringService],
  'kill-switch': [KillSwitchService, ReceiptSignerService],
  'kill-switch-log': [ReceiptSignerService],
};
const authority = await newAuthority();
async function* NO_REQUESTS() {}
const ADMIN: Principal = { role: 'admin', provenance: 'authenticated', subject: 'token:admin' };

const contextOf = (principal: Principal): CallContext => ({
  principal,
  deadlineMs: Date.now() + 5_000,
  requestDigest: 'd'.repeat(64),
  traceId: 'e'.repeat(32),
});

type Kit = { readonly open: (self: Identity, change?: Partial<MeshOptions>) => Promise<Mesh> };

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'beacon-mesh-'));
}

const base = { now: Date.now, failed: () => undefined };

async function withTokens(): Promise<Kit & { readonly tokenFolder: string }> {
  const tokenFolder = await folder();
  return { tokenFolder, open: (self, change) => keep(openMesh({ self, tokenFolder, ...base, ...change })) };
}

async function withTls(): Promise<Kit> {
  return {
    async open(self, change) {
      const leaf = await authority.issue({ names: certificateNames(self, 'beacon') });
      return keep(openMesh({ self, tls: await writeTlsFiles(leaf, authority.cert), ...base, ...change }));
    },
  };
}

async function keep(opening: Promise<Mesh>): Promise<Mesh> {
  const mesh = await opening;
  closers.push(() => mesh.close());
  return mesh;
}

/** Serves every RPC of `desc` by a stub that notes it was reached, with whose context. */
async function serve(mesh: Mesh, descs: readonly DescService[], address = '127.0.0.1:0') {
  const reached: { method: string; context: CallContext }[] = [];
  const server = mesh.createServer();
  for (const desc of descs) {
    const stubs = Object.fromEntries(
      desc.methods.map((method) => [
        method.localName,
        method.methodKind === 'unary'
          ? async (_: unknown, context: CallContext) => {
              reached.push({ method: `${desc.typeName}/${method.name}`, context });
              return create(method.output);
            }
          : (_: unknown, context: CallContext) => {
              reached.push({ method: `${desc.typeName}/${method.name}`, context });
              return NO_REQUESTS();
            },
      ]),
    );
    host<DescService, CallContext>(server, desc, stubs as never, {
      authenticate: mesh.authenticate,
      onError: () => undefined,
    });
  }
  const bound = await mesh.listen(server, address);
  closers.push(() => drainRpc(server, 20));
  return { address: bound, reached };
}

/** Calls every RPC of a service; resolves to the code each was refused with, or '' where it was let in. */
async function tryAll(client: unknown, desc: DescService, context: CallContext): Promise<Record<string, string>> {
  const codes: Record<string, string> = {};
  for (const method of desc.methods) {
    const call = (client as Record<string, (request: unknown, context: CallContext) => unknown>)[method.localName] as (
      request: unknown,
      context: CallContext,
    ) => unknown;
    const name = `${desc.typeName}/${method.name}`;
    try {
      if (method.methodKind === 'unary') await call(create(method.input), context);
      else for await (const _ of call(NO_REQUESTS(), context) as AsyncIterable<unknown>);
      codes[name] = '';
    } catch (error) {
      codes[name] = (error as BeaconError).code;
    }
  }
  return codes;
}

test.each([
  ['tokens', withTokens],
  ['certificates', withTls],
])(
  'with %s, every caller reaches exactly what the table gives it',
  async (_, kitOf) => {
    const kit = await kitOf();
    for (const self of IDENTITIES.filter((identity) => SERVES[identity].length > 0)) {
      const { address, reached } = await serve(await kit.open(self), SERVES[self]);
      for (const caller of IDENTITIES) {
        const mesh = await kit.open(caller);
        for (const desc of SERVES[self]) {
          const dialed = await mesh.dial(desc, self, address);
          const before = reached.length;
          const codes = await tryAll(dialed.service, desc, contextOf(ADMIN));
          dialed.close();
          const allowed = Object.keys(codes).filter((name) => PEERS[self][caller]?.includes(name));
          expect(
            Object.keys(codes).filter((name) => codes[name] === ''),
            `${caller} at ${self}`,
          ).toEqual(allowed);
          expect(reached.length - before).toBe(allowed.length);
        }
      }
    }
  },
  60_000,
);

test('the rows that matter most', () => {
  const signer = (name: string) => `${ReceiptSignerService.typeName}/${name}`;
  expect(PEERS['receipt-signer'].decision).not.toContain(signer('Fence'));
  expect(PEERS['receipt-signer'].decision).not.toContain(signer('GrantLease'));
  expect(PEERS['receipt-signer']['kill-switch']).not.toContain(signer('Seal'));
  expect(PEERS['receipt-signer'].gateway).not.toContain(signer('Seal'));
  expect(PEERS['receipt-signer'].gateway).not.toContain(signer('Fence'));
  expect(PEERS['kill-switch'].decision).toBeUndefined();
});

test('a token of an agent, no token, and a token of another folder reach nothing', async () => {
  const kit = await withTokens();
  const { address, reached } = await serve(await kit.open('receipt-signer'), [ReceiptSignerService]);
  const strangers = await (await withTokens()).open('decision');
  const agent = dial(ReceiptSignerService, address, {
    metadata: (): Record<string, string> => ({ authorization: `Bearer bcn_agent_${'A'.repeat(43)}` }),
  });
  const nobody = dial(ReceiptSignerService, address);
  const stranger = await strangers.dial(ReceiptSignerService, 'receipt-signer', address);
  for (const { service, close } of [agent, nobody, stranger]) {
    const codes = await tryAll(service, ReceiptSignerService, contextOf(ADMIN));
    expect(new Set(Object.values(codes))).toEqual(new Set(['unauthenticated']));
    close();
  }
  expect(reached).toEqual([]);
});

test('over TLS a stolen token is worth nothing, and a certificate that could be two services is none', async () => {
  const tokens = await withTokens();
  await tokens.open('decision');
  const stolen = (await readFile(join(tokens.tokenFolder, 'decision.token'), 'utf8')).trim();
  const kit = await withTls();
  const server = await kit.open('receipt-signer', { tokenFolder: tokens.tokenFolder });
  const { address, reached } = await serve(server, [ReceiptSignerService]);
  const plain = dial(ReceiptSignerService, address, {
    metadata: (): Record<string, string> => ({ authorization: `Bearer ${stolen}` }),
    deadlineMs: () => Date.now() + 500,
  });
  closers.push(() => plain.close());
  await expect(plain.service.getStatus(create(signerPb.GetStatusRequestSchema), undefined)).rejects.toBeDefined();
  for (const names of [['decision.beacon', 'kill-switch.beacon'], ['decision.other'], ['spiffe://beacon/decision/x']]) {
    const leaf = await authority.issue({ names });
    const mesh = await kit.open('decision', { tls: await writeTlsFiles(leaf, authority.cert) });
    const dialed = await mesh.dial(ReceiptSignerService, 'receipt-signer', address);
    closers.push(() => dialed.close());
    await expect(
      dialed.service.getStatus(create(signerPb.GetStatusRequestSchema), contextOf(ADMIN)),
    ).rejects.toMatchObject({ code: 'unauthenticated' });
  }
  expect(reached).toEqual([]);
  expect(identityOf(['decision.beacon', 'spiffe://beacon/decision'], 'beacon')).toBe('decision');
});

const next = await newAuthority('CN=next');

describe('when an authority is taken out of the file', () => {
  const hurried = { reloadMs: 50, distrustAfterMs: 200 };
  const both = `${authority.cert}\n${next.cert}`;
  const leafOf = (self: Identity, from = authority) => from.issue({ names: certificateNames(self, 'beacon') });

  async function connected(signer: TlsFiles, decision: TlsFiles) {
    const kit = await withTls();
    const server = await kit.open('receipt-signer', { tls: { ...signer, ...hurried } });
    const { address } = await serve(server, [ReceiptSignerService]);
    const client = await kit.open('decision', { tls: { ...decision, ...hurried } });
    const dialed = await client.dial(ReceiptSignerService, 'receipt-signer', address);
    closers.push(() => dialed.close());
    const ask = () =>
      dialed.service.getStatus(create(signerPb.GetStatusRequestSchema), {
        ...contextOf(ADMIN),
        deadlineMs: Date.now() + 1_000,
      });
    await ask();
    return () =>
      ask().then(
        () => 'answered',
        ({ code }: BeaconError) => code,
      );
  }

  test('a client ends the connections that stand on it: the other end need not', async () => {
    const files = await writeTlsFiles(await leafOf('decision', next), both);
    const ask = await connected(await writeTlsFiles(await leafOf('receipt-signer'), both), files);
    await writeTlsFiles(await leafOf('decision', next), next.cert, files.folder);
    await expect.poll(ask, { timeout: 5_000 }).not.toBe('answered');
    // Who is trusted again is reached again.
    await writeTlsFiles(await leafOf('decision', next), both, files.folder);
    await expect.poll(ask, { timeout: 5_000 }).toBe('answered');
  });

  test('a server ends them too', async () => {
    const files = await writeTlsFiles(await leafOf('receipt-signer', next), both);
    const ask = await connected(files, await writeTlsFiles(await leafOf('decision'), both));
    await writeTlsFiles(await leafOf('receipt-signer', next), next.cert, files.folder);
    await expect.poll(ask, { timeout: 5_000 }).not.toBe('answered');
  });

  test('no call is lost where both ends have a certificate of one that is left', async () => {
    const [signer, decision] = [
      await writeTlsFiles(await leafOf('receipt-signer'), both),
      await writeTlsFiles(await leafOf('decision'), both),
    ];
    const ask = await connected(signer, decision);
    await writeTlsFiles(await leafOf('receipt-signer', next), next.cert, signer.folder);
    await writeTlsFiles(await leafOf('decision', next), next.cert, decision.folder);
    const untilMs = Date.now() + 1_000;
    const answers = new Set<string>();
    while (Date.now() < untilMs) answers.add(await ask());
    expect([...answers]).toEqual(['answered']);
  });
});

test('a service that answers under another name is not called', async () => {
  const kit = await withTls();
  const { address } = await serve(await kit.open('scoring'), [ReceiptSignerService]);
  const dialed = await (await kit.open('decision')).dial(ReceiptSignerService, 'receipt-signer', address);
  closers.push(() => dialed.close());
  const context = { ...contextOf(ADMIN), deadlineMs: Date.now() + 1_000 };
  await expect(dialed.service.getStatus(create(signerPb.GetStatusRequestSchema), context)).rejects.toMatchObject({
    message: expect.stringContaining('names'),
  });
});

test('the gateway speaks for whom it names; every other service is itself, whatever it says', async () => {
  const kit = await withTokens();
  const decision = await serve(await kit.open('decision'), [DecisionService]);
  const agent: Principal = {
    role: 'agent',
    provenance: 'authenticated',
    subject: 'token:1',
    tenantId: 't',
    agentId: 'a',
    expiresAtMs: 4_102_444_800_000,
  };
  const gateway = await (await kit.open('gateway')).dial(DecisionService, 'decision', decision.address);
  closers.push(() => gateway.close());
  const sent = contextOf(agent);
  await gateway.service.execute({ $typeName: 'beacon.v1.ExecuteRequest' }, sent);
  const { context } = decision.reached[0] as { context: CallContext };
  expect(context).toMatchObject({ principal: agent, requestDigest: sent.requestDigest, traceId: sent.traceId });
  expect(Math.abs(context.deadlineMs - sent.deadlineMs)).toBeLessThan(200);

  const signer = await serve(await kit.open('receipt-signer'), [ReceiptSignerService]);
  const liar = await (await kit.open('decision')).dial(ReceiptSignerService, 'receipt-signer', signer.address);
  closers.push(() => liar.close());
  await liar.service.seal(create(signerPb.SealRequestSchema), contextOf(ADMIN));
  const reached = signer.reached[0]?.context as CallContext;
  expect(reached.principal).toEqual({ role: 'auditor', provenance: 'authenticated', subject: 'service:decision' });
  expect(reached.requestDigest).not.toBe(sent.requestDigest);
  expect(reached.traceId).toBe(sent.traceId);
});

test('a role stays what it is behind the gateway, and the gateway cannot name another service', async () => {
  const kit = await withTokens();
  const { address, reached } = await serve(await kit.open('kill-switch'), [KillSwitchService]);
  const gateway = await (await kit.open('gateway')).dial(KillSwitchService, 'kill-switch', address);
  closers.push(() => gateway.close());
  const revoke = (principal: Principal) =>
    gateway.service.revoke(create(RevokeRequestSchema, { scope: 'global' }), contextOf(principal));
  for (const role of ['agent', 'auditor'] as const) {
    const asked = { ...ADMIN, role, ...(role === 'agent' ? { tenantId: 't', agentId: 'a' } : {}) };
    await expect(revoke(asked)).rejects.toMatchObject({ code: 'permission_denied' });
  }
  await expect(revoke({ ...ADMIN, subject: 'service:decision' })).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(revoke({ ...ADMIN, role: 'root' } as never)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(revoke({ ...ADMIN, expiresAtMs: 'never' } as never)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(revoke({ ...ADMIN, role: 'agent' })).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(reached).toEqual([]);
  await revoke({ ...ADMIN, role: 'operator' });
  expect(reached).toHaveLength(1);
});

test('a service has only its own kinds of receipt sealed, and only decision an ALLOW', async () => {
  const sealed: string[] = [];
  const signer = sealingOnlyTheirs({
    seal: async (request: signerPb.SealRequest) => {
      sealed.push(...request.drafts.map(({ kind }) => kind));
      return create(signerPb.SealResponseSchema);
    },
    async *sealStream(requests: AsyncIterable<signerPb.SealStreamRequest>) {
      for await (const { sequence } of requests) yield create(signerPb.SealStreamResponseSchema, { sequence });
    },
  } as unknown as Service<typeof ReceiptSignerService, CallContext>);
  const by = (subject: string) => contextOf({ role: 'auditor', provenance: 'authenticated', subject });
  const seal = (subject: string, kind: string, allow = false) =>
    signer.seal(create(signerPb.SealRequestSchema, { drafts: [{ kind, allow }] }), by(subject));
  const stream = async (subject: string, kind: string) => {
    const one = async function* () {
      yield create(signerPb.SealStreamRequestSchema, { request: { drafts: [{ kind }] } });
    };
    for await (const _ of signer.sealStream(one(), by(subject)));
  };
  const refused = { code: 'permission_denied' };
  await expect(seal('service:scoring', 'decision', true)).rejects.toMatchObject(refused);
  await expect(seal('service:scoring', 'score', true)).rejects.toMatchObject(refused);
  await expect(seal('service:decision', 'revocation')).rejects.toMatchObject(refused);
  await expect(seal('service:kill-switch', 'decision', true)).rejects.toMatchObject(refused);
  await expect(seal('token:admin', 'decision')).rejects.toMatchObject(refused);
  await expect(stream('service:scoring', 'score')).rejects.toMatchObject(refused);
  await expect(stream('service:decision', 'revocation')).rejects.toMatchObject(refused);
  expect(sealed).toEqual([]);
  await seal('service:decision', 'decision', true);
  await seal('service:scoring', 'score');
  await seal('service:kill-switch', 'revocation');
  await stream('service:decision', 'decision');
  expect(sealed).toEqual(['decision', 'score', 'revocation']);
});

test('plain gRPC stays on this machine: other addresses, open folders and a missing token folder are refused', async () => {
  const kit = await withTokens();
  const mesh = await kit.open('receipt-signer');
  const refused = { code: 'failed_precondition' };
  const server = mesh.createServer();
  for (const address of ['0.0.0.0:0', '[::]:0', '10.0.0.1:0', 'localhost:0', '127.0.0.1.example.org:0']) {
    await expect(mesh.listen(server, address)).rejects.toMatchObject(refused);
    await expect(mesh.dial(ReceiptSignerService, 'receipt-signer', address)).rejects.toMatchObject(refused);
  }
  const sockets = join(await folder(), 'sockets');
  await mkdir(sockets, { mode: 0o700 });
  await chmod(sockets, 0o755);
  await expect(mesh.listen(server, `unix:${sockets}/s`)).rejects.toMatchObject(refused);
  await expect(mesh.listen(server, 'unix:s')).rejects.toMatchObject(refused);
  await chmod(sockets, 0o700);
  expect((await serve(mesh, [], `unix:${sockets}/s`)).address).toBe(`unix:${sockets}/s`);
  const bare = await keep(openMesh({ self: 'receipt-signer', ...base }));
  await expect(bare.listen(server, '127.0.0.1:0')).rejects.toMatchObject(refused);
});

test('a deadline no gRPC could carry is none', async () => {
  const kit = await withTokens();
  const { address, reached } = await serve(await kit.open('decision'), [DecisionService]);
  const gateway = await (await kit.open('gateway')).dial(DecisionService, 'decision', address);
  closers.push(() => gateway.close());
  const context = { ...contextOf(ADMIN), deadlineMs: Number.MAX_SAFE_INTEGER };
  expect(await gateway.service.execute({ $typeName: 'beacon.v1.ExecuteRequest' }, context)).toEqual(
    create(ExecuteResponseSchema),
  );
  expect(reached[0]?.context.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});
