import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { DraftSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { createMemoryLedger } from '../../ports/ledger-store/memory.ts';
import type { LedgerStore } from '../../ports/ledger-store/port.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { Fences } from './fences.ts';
import { LogWriter } from './writer.ts';

const PERMIT = `pmt_${'a'.repeat(32)}`;

function draft(change: MessageInitShape<typeof DraftSchema> = {}) {
  return create(DraftSchema, {
    kind: 'outcome',
    actionId: 'act_1',
    fingerprint: 'f'.repeat(64),
    tenantId: 't',
    predicateJson: Buffer.from('{"tenant_id":"t"}'),
    ...change,
  });
}

const decision = (scopes: readonly string[]) =>
  draft({
    kind: 'decision',
    allow: true,
    scopes: [...scopes, `permit:${PERMIT}`],
    permitNotAfter: timestampFromMs(5_000),
    predicateJson: Buffer.from('{"tenant_id":"t","agent_id":"a","decision":"ALLOW","route":"ALLOW"}'),
  });

/** A store whose appends can be made to take as long as the test wants. */
function slow(store: LedgerStore, gate: () => Promise<void>): LedgerStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'append') {
        return async (records: Parameters<LedgerStore['append']>[0]) => {
          await gate();
          return target.append(records);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function setUp(gate: () => Promise<void> = async () => {}) {
  const memory = createMemoryLedger({ logId: '0123456789ab', origin: 'beacon.local/receipt-signer/0123456789ab' });
  const clock = { ms: 1_000 };
  const fences = new Fences();
  fences.grant({ term: 1, notAfterMs: 10_000 }, 1, []);
  const store = slow(memory, gate);
  const keys = memorySigningKeys();
  const writer = new LogWriter({ store, keys, fences, now: () => clock.ms, grown: () => {} });
  return { writer, store: memory, fences, clock, keys };
}

const kinds = async (store: LedgerStore) => (await store.scan(0, 100)).map(({ leaf }) => readReceipt(leaf).kind);

test('drafts of one request stand next to each other, each naming the one before', async () => {
  const { writer, store } = setUp();
  const sealed = await writer.seal([decision(['agent:t/a']), draft({ kind: 'action' })]);
  expect(sealed.leaves.map((leaf) => leaf.index)).toEqual([0, 1]);
  const [first, second] = (await store.scan(0, 2)).map(({ leaf }) => readReceipt(leaf));
  expect(first?.lease?.term).toBe(1);
  expect(first?.permit).toEqual({ id: PERMIT, not_after: '1970-01-01T00:00:05.000Z' });
  expect(second?.follows).toBe(first?.receiptId);
});

test('a fenced ALLOW leaves nothing in the log', async () => {
  const { writer, store } = setUp();
  await writer.seal([draft({ kind: 'revocation', actionId: 'rev_1' })], {
    scope: 'agent:t/a',
    operation: 'revoke',
    epoch: 2,
  });
  const sealed = await writer.seal([decision(['agent:t/a']), draft({ kind: 'action' })]);
  expect(sealed.refused).toBe('fenced');
  expect(await kinds(store)).toEqual(['revocation']);
});

test('an ALLOW is fenced by the key that would sign it, whatever scopes it came with', async () => {
  const { writer, store, fences, keys } = setUp();
  fences.move(`key:${keys.current().publicKey.keyId}`, 'revoke', 2);
  expect((await writer.seal([decision(['agent:t/a'])])).refused).toBe('fenced');
  await keys.rotate();
  expect((await writer.seal([decision(['agent:t/a'])])).refused).toBe('');
  expect(store.size()).toBe(1);
});

test('an ALLOW queued behind a fence in the same batch is refused', async () => {
  const { writer, store } = setUp();
  const before = writer.seal([decision(['agent:t/a'])]);
  const fence = writer.seal([draft({ kind: 'revocation', actionId: 'rev_1' })], {
    scope: 'agent:t/a',
    operation: 'revoke',
    epoch: 2,
  });
  const after = writer.seal([decision(['agent:t/a'])]);
  expect((await before).refused).toBe('');
  expect((await fence).leaves[0]?.index).toBe(1);
  expect((await after).refused).toBe('fenced');
  expect(await kinds(store)).toEqual(['decision', 'revocation']);
});

test('a lease that ends while the disk is slow: no ALLOW is answered, and its leaves are voided', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { writer, store, clock } = setUp(() => gate);
  const sealing = writer.seal([decision(['agent:t/a'])]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.ms = 10_001;
  open();
  expect((await sealing).refused).toBe('no_lease');
  expect(await kinds(store)).toEqual(['decision', 'void']);
  const [allowed, voided] = (await store.scan(0, 2)).map(({ leaf }) => readReceipt(leaf));
  expect(voided?.predicate.voids).toBe(allowed?.receiptId);
});

test.each([
  { ended: 'the permit', ms: 5_000 },
  { ended: 'the term it was signed in', ms: 9_800 },
])('$ended ends while the disk is slow: a lease granted since does not carry the ALLOW', async ({ ms }) => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { writer, store, fences, clock } = setUp(() => gate);
  const allow = { ...decision(['agent:t/a']), ...(ms > 5_000 ? { permitNotAfter: timestampFromMs(60_000) } : {}) };
  const sealing = writer.seal([allow]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  clock.ms = ms;
  fences.grant({ term: 2, notAfterMs: 60_000 }, 1, []);
  open();
  expect((await sealing).refused).toBe('no_lease');
  expect(await kinds(store)).toEqual(['decision', 'void']);
});

test('a draft that claims what only the signer writes takes nothing of its request with it into the log', async () => {
  const { writer, store } = setUp();
  const forged = draft({ predicateJson: Buffer.from('{"receipt_id":"0123456789ab-7"}') });
  await expect(writer.seal([draft(), forged])).rejects.toMatchObject({ code: 'invalid_argument' });
  expect(store.size()).toBe(0);
});

test('after a failed append every job of the batch fails as unavailable', async () => {
  const { writer } = setUp(async () => {
    throw new Error('disk');
  });
  const results = await Promise.allSettled([writer.seal([draft()]), writer.seal([draft()])]);
  expect(results.map((r) => (r.status === 'rejected' ? r.reason.code : 'sealed'))).toEqual([
    'unavailable',
    'unavailable',
  ]);
});

test('thousands of concurrent jobs get contiguous, unique indices', async () => {
  const { writer, store } = setUp();
  const sealed = await Promise.all(Array.from({ length: 2_000 }, () => writer.seal([draft()])));
  const indices = sealed.map(({ leaves }) => leaves[0]?.index as number).sort((a, b) => a - b);
  expect(indices).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
  expect(store.size()).toBe(2_000);
});

test('what arrives in one turn of the event loop is one group commit', async () => {
  let appends = 0;
  const { writer } = setUp(async () => {
    appends += 1;
  });
  const sealed: Promise<unknown>[] = [];
  // Two callbacks of one turn, as of two connections: promises run between them.
  const arrives = () =>
    new Promise<void>((resolve) => {
      setImmediate(() => {
        sealed.push(writer.seal([draft()]));
        resolve();
      });
    });
  await Promise.all([arrives(), arrives()]);
  await Promise.all(sealed);
  expect(appends).toBe(1);
});
