// Whoever follows a log writes what is missing, and only that; what it left alone is there.

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildStatement, type ReceiptKind, signEnvelope } from '../../core/receipt.ts';
import { MemoryActionStore } from '../../ports/action-store/memory.ts';
import { RedisActionStore } from '../../ports/action-store/redis.ts';
import { MemoryEarlyReceipts } from '../../ports/early-receipts/memory.ts';
import type { EarlyReceipts } from '../../ports/early-receipts/port.ts';
import { MemoryIdempotency } from '../../ports/idempotency/memory.ts';
import { RedisIdempotency } from '../../ports/idempotency/redis.ts';
import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import { memorySigningKeys } from '../../ports/signing-key/memory.ts';
import { openRedis, type RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, type RedisServer, redisOfSuite, startRedis } from '../../test/redis-server.ts';
import { project } from './project.ts';
import { Projector } from './projector.ts';
import { readView, withoutVoided } from './replay.ts';

const LOG = 'a'.repeat(12);
const OTHER = 'b'.repeat(12);
const TIME = '2030-01-01T00:00:00.000Z';
const settings = { idempotencyTtlMs: 9e9 };
const key = memorySigningKeys().current();
const act = (n: number) => `act_${String(n).padStart(32, '0')}`;
const keyed = (n: number) => ({ tenantId: 't', agentId: 'a', key: `k${n}` });

type Told = { readonly kind: ReceiptKind; readonly action: number; readonly predicate: Record<string, unknown> };

const refused = (action: number, over = {}): Told => {
  const key = { idempotency_key_digest: `k${action}`, proposal_digest: 'd' };
  return { kind: 'decision', action, predicate: { decision: 'DENY', route: 'DENY', ...key, ...over } };
};
const allowed = (action: number) => refused(action, { decision: 'ALLOW', route: 'ALLOW' });
const asked = (action: number) => refused(action, { route: 'APPROVAL', approval: { not_after: TIME } });
const unkeyed = (action: number) => refused(action, { idempotency_key_digest: undefined, proposal_digest: undefined });
const opened = (action: number): Told => ({ kind: 'action', action, predicate: { opened_at: TIME, deadline: TIME } });
const closed = (action: number): Told => ({
  kind: 'outcome',
  action,
  predicate: { status: 'succeeded', closed_at: TIME },
});
const approved = (action: number): Told => ({ kind: 'approval', action, predicate: { status: 'approved' } });
const voided = (action: number, index: number): Told => ({
  kind: 'void',
  action,
  predicate: { voids: `${LOG}-${index}`, reason: 'unanswered' },
});

function logOf(told: readonly Told[], logId = LOG): StoredRecord[] {
  return told.map(({ kind, action, predicate }, index) => {
    const permit = { id: `pmt_${String(action).padStart(32, '0')}`, not_after: TIME };
    const allowed = predicate.decision === 'ALLOW' ? { lease: { term: 1, not_after: TIME }, permit } : {};
    const signer = { receipt_id: `${logId}-${index}`, sealed_at: TIME, ...allowed };
    const input = { kind, actionId: act(action), fingerprint: 'f'.repeat(64), signer };
    const statement = buildStatement({ ...input, predicate: { tenant_id: 't', agent_id: 'a', ...predicate } });
    return { index, tenantId: 't', leaf: signEnvelope(statement, key) };
  });
}

function counting() {
  const written: string[] = [];
  class Actions extends MemoryActionStore {
    override putAction(...[action, at]: Parameters<MemoryActionStore['putAction']>) {
      written.push(`${action.actionId.slice(-1)}@${at.index}`);
      return super.putAction(action, at);
    }
  }
  class Keys extends MemoryIdempotency {
    override complete(...args: Parameters<MemoryIdempotency['complete']>) {
      written.push(args[0].key);
      return super.complete(...args);
    }
  }
  return { written, stores: { actions: new Actions(), idempotency: new Keys() } };
}

type Stores = ConstructorParameters<typeof Projector>[1]['stores'];

function follower(log: readonly StoredRecord[], stores: Stores, logId = LOG, early?: EarlyReceipts): Projector {
  const scan = async (start: number, limit: number) => log.slice(start, start + limit);
  return new Projector(
    { logId, size: () => log.length, scan },
    { stores, settings, ...(early && { early }) },
    () => {},
  );
}
const record = (records: readonly StoredRecord[], stores: Stores) =>
  project(withoutVoided(records.map(readView)), { stores, settings });

test('what a replica has recorded is not written again, and what it has not is', async () => {
  const log = logOf([refused(1), opened(1), refused(2), opened(2), unkeyed(3), closed(1)]);
  const { stores, written } = counting();
  await record([log[0], log[1], log[4]] as StoredRecord[], stores);
  written.length = 0;
  await follower(log, stores).follow();
  expect(written).toEqual(['2@3', 'k2', '1@5']);
  expect([await stores.actions.position(LOG), await stores.idempotency.position(LOG)]).toEqual([6, 6]);
});

test('a row without its key, and a key without its row, are written', async () => {
  const log = logOf([refused(1), refused(2)]);
  const { stores, written } = counting();
  const [first, second] = log.map(readView);
  await stores.actions.putAction({ ...(await rowOf(log[0] as StoredRecord)) }, first?.at ?? { logId: '', index: 0 });
  const done = { proposalDigest: 'd', receiptId: `${LOG}-1`, actionId: act(2), expiresAtMs: 9e15 };
  await stores.idempotency.complete(keyed(2), done, second?.at ?? { logId: '', index: 0 });
  written.length = 0;
  await follower(log, stores).follow();
  expect(written.sort()).toEqual(['1@0', '2@1', 'k1', 'k2']);
});

test('an approval is written though the row of its action says that it was recorded', async () => {
  class Forgetting extends MemoryActionStore {
    forgets = true;
    override async putApproval(...args: Parameters<MemoryActionStore['putApproval']>) {
      if (!this.forgets) await super.putApproval(...args);
    }
  }
  const log = logOf([asked(1), asked(2), approved(2)]);
  const stores = { actions: new Forgetting(), idempotency: new MemoryIdempotency() };
  await record(log, stores);
  stores.actions.forgets = false;
  await record(log.slice(1, 2), stores);
  await follower(log, stores).follow();
  const approvals = await Promise.all([1, 2].map((n) => stores.actions.getApproval(act(n))));
  expect(approvals.map((approval) => approval?.status)).toEqual(['pending', 'approved']);
});

test('what two logs tell of one action comes together after a loss, whichever is read first', async () => {
  const used: Told = { kind: 'approval', action: 3, predicate: { status: 'used', approved_action_id: act(2) } };
  const decided = logOf([allowed(1), asked(2), allowed(3)]);
  const followed = logOf([opened(1), closed(1), approved(2), used], OTHER);
  for (const logs of [
    [decided, followed],
    [followed, decided],
  ]) {
    const stores = { actions: new MemoryActionStore(), idempotency: new MemoryIdempotency() };
    const early = new MemoryEarlyReceipts();
    for (const log of logs) await follower(log, stores, log === decided ? LOG : OTHER, early).follow();
    expect(await stores.actions.getAction(act(1))).toMatchObject({ state: 'closed', openedAtMs: Date.parse(TIME) });
    expect(await stores.actions.getApproval(act(2))).toMatchObject({ status: 'used' });
    for (const n of [1, 2, 3]) expect(await early.of(act(n))).toEqual([]);
  }
});

async function rowOf(stored: StoredRecord) {
  const { stores } = counting();
  await record([stored], stores);
  return (await stores.actions.getAction(readView(stored).actionId)) as NonNullable<
    Awaited<ReturnType<MemoryActionStore['getAction']>>
  >;
}

/** Everything that the stores can be asked for about these actions. */
async function held(stores: Stores, actions: readonly number[]) {
  const claims = actions.map((n) => stores.idempotency.claim(keyed(n), 'x', 1));
  const rows = actions.map((n) => Promise.all([stores.actions.getAction(act(n)), stores.actions.getApproval(act(n))]));
  return [await Promise.all(rows), await Promise.all(claims)];
}

/** The same numbers every time, from a seed. */
function dice(seed: number) {
  let state = seed;
  return (sides: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
}

/** Logs as they come: what follows a decision stands anywhere behind it. */
function anyLog(roll: (sides: number) => number): Told[] {
  const told: Told[] = [];
  const first = new Map<number, number>();
  while (told.length < 40) {
    const n = first.size === 0 || roll(3) === 0 ? first.size : roll(first.size);
    if (!first.has(n)) {
      first.set(n, told.length);
      told.push(([refused, asked, unkeyed] as const)[roll(3)]?.(n) as Told);
      if (roll(2) === 0) told.push(opened(n));
    } else {
      const next = [opened(n), closed(n), approved(n), voided(n, first.get(n) ?? 0)];
      told.push(next[roll(10) === 0 ? 3 : roll(3)] as Told);
    }
  }
  return told;
}

describe.each([['memory'], ['redis']])('%s', (engine) => {
  const run = engine === 'redis' ? describeWithRedis : describe;
  run('beside what was recorded live, by whomever', () => {
    let server: RedisServer | undefined;
    let redis: RedisConnection | undefined;
    beforeAll(async () => {
      if (engine !== 'redis') return;
      server = await startRedis();
      redis = await openRedis({ ...server.address, prefix: 'test', commandTimeoutMs: 2_000 });
    });
    afterAll(async () => {
      redis?.close();
      await server?.remove();
    });
    beforeEach(async () => void (await redis?.command('FLUSHALL')));
    const stores = (): Stores =>
      redis
        ? { actions: new RedisActionStore(redis), idempotency: new RedisIdempotency(redis) }
        : { actions: new MemoryActionStore(), idempotency: new MemoryIdempotency() };

    test('following leaves what projecting every leaf leaves', async () => {
      for (let seed = 1; seed <= 25; seed++) {
        const roll = dice(seed);
        const log = logOf(anyLog(roll));
        const live = log.filter(() => roll(3) > 0);
        const late = logOf([refused(0), opened(1), closed(2), refused(3)], OTHER);
        const prepared = async () => {
          await redis?.command('FLUSHALL');
          const made = stores();
          for (const one of live) await record([one], made);
          for (const one of late) await record([one], made);
          return made;
        };
        const all = Array.from({ length: 41 }, (_, n) => n);
        const plain = await prepared();
        await record(log, plain);
        const wanted = await held(plain, all);
        const followed = await prepared();
        await follower(log, followed).follow();
        expect(await held(followed, all), `seed ${seed}`).toEqual(wanted);
      }
    });
  });
});

test('asked to look while it is at it, it looks once more behind', async () => {
  const { stores } = counting();
  const log = logOf([refused(1), refused(2)]);
  const sizes = [1, 2];
  const projector = new Projector(
    {
      logId: LOG,
      size: () => sizes.shift() ?? log.length,
      scan: async (start, limit) => log.slice(start, start + limit),
    },
    { stores, settings },
    () => {},
  );
  projector.look();
  projector.look();
  await vi.waitFor(async () => expect(await stores.actions.position(LOG)).toBe(2));
  expect(sizes).toEqual([]);
  await projector.stop();
});

describeWithRedis('a Redis that loses what it has', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });
  beforeEach(async () => void (await redis.command('FLUSHALL')));

  test.each([[0], [2]])('between what was found there and the word that it is there, from %i on', async (from) => {
    const log = logOf([refused(1), opened(1), refused(2), opened(2)]);
    let flushes = 0;
    class Losing extends RedisActionStore {
      override async recorded(...args: Parameters<RedisActionStore['recorded']>) {
        const found = await super.recorded(...args);
        if (flushes++ === 0) await redis.command('FLUSHALL');
        return found;
      }
    }
    const stores = { actions: new Losing(redis), idempotency: new RedisIdempotency(redis) };
    await record(log, stores);
    for (const store of [stores.actions, stores.idempotency]) await store.advance({ logId: LOG, index: from });
    const projector = follower(log, stores);
    await projector.follow();
    expect(flushes).toBe(1);
    expect(await stores.actions.position(LOG)).toBe(0);
    await projector.follow();
    expect(await stores.actions.position(LOG)).toBe(4);
    expect((await stores.actions.getAction(act(1)))?.state).toBe('open');
    expect((await stores.idempotency.claim(keyed(2), 'd', 1)).kind).toBe('done');
  });
});
