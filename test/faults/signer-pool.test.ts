// The pool over real signers in processes of their own, which are killed, stopped and started again under load.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, expect, test } from 'vitest';
import { BeaconError } from '../../core/errors.ts';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import { type PoolLimits, SignerPool } from '../../services/decision/signer-pool.ts';
import { openMesh } from '../../services/mesh.ts';
import { callFor, lease, type Meshes, newSigner, type Signer } from './signer-process.fixture.ts';

const LIMITS: Partial<PoolLimits> = { attemptMs: 300, statusMs: 200, settleMs: 500 };

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function world(count: number, limits: Partial<PoolLimits> = {}, ageMs?: number) {
  const folder = await mkdtemp(join(tmpdir(), 'beacon-pool-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  const tokenFolder = join(folder, 'tokens');
  await mkdir(tokenFolder, { mode: 0o700 });
  const failed = () => undefined;
  const [asDecision, asKillSwitch] = await Promise.all(
    (['decision', 'kill-switch'] as const).map((self) => openMesh({ self, tokenFolder, now: Date.now, failed })),
  );
  const signers = await Promise.all(
    Array.from({ length: count }, (_, i) =>
      newSigner(join(folder, `${i}`), tokenFolder, { asDecision, asKillSwitch } as Meshes, closers, ageMs),
    ),
  );
  await Promise.all(signers.map((signer) => signer.start()));
  const voided: string[] = [];
  const events: string[] = [];
  const pool = new SignerPool({
    signers: signers.map(({ address, decision }) => ({ name: address, service: decision })),
    now: Date.now,
    context: () => callFor(5_000),
    failed: (event, error) => events.push(`${event} ${String(error)}`),
    voided: (reason) => voided.push(reason),
    limits: { ...LIMITS, ...limits },
  });
  await pool.start();
  closers.push(() => pool.stop());
  return { pool, signers, voided, events };
}

let drawn = 0;
/** A request of two drafts, as an Execute has. */
function allow(): { readonly actionId: string; readonly request: pb.SealRequest } {
  drawn += 1;
  const actionId = `act_${drawn.toString(16).padStart(32, '0')}`;
  const permitId = `pmt_${drawn.toString(16).padStart(32, '0')}`;
  const common = { actionId, fingerprint: 'f'.repeat(64), tenantId: 't' };
  const predicate = { decision: 'ALLOW', route: 'ALLOW', tenant_id: 't', agent_id: 'a' };
  const decision = create(pb.DraftSchema, {
    ...common,
    kind: 'decision',
    allow: true,
    scopes: ['agent:t/a', `permit:${permitId}`],
    permitNotAfter: timestampFromMs(Date.now() + 30_000),
    predicateJson: Buffer.from(JSON.stringify(predicate)),
  });
  const action = create(pb.DraftSchema, {
    ...common,
    kind: 'action',
    predicateJson: Buffer.from(JSON.stringify({ tenant_id: 't', agent_id: 'a', permit_id: permitId })),
  });
  return { actionId, request: create(pb.SealRequestSchema, { drafts: [decision, action] }) };
}

type Outcome = { readonly actionId: string; readonly receiptId?: string; readonly code?: string };

async function ask(pool: SignerPool, timeoutMs = 3_000): Promise<Outcome> {
  const { actionId, request } = allow();
  try {
    const { receipts, refused } = await pool.seal(request, callFor(timeoutMs));
    return refused === '' ? { actionId, receiptId: receipts[0]?.receiptId ?? '' } : { actionId, code: refused };
  } catch (error) {
    return { actionId, code: (error as BeaconError).code };
  }
}

/** `width` callers at once, each asking again as soon as it is answered, until `until` resolves. */
async function load(pool: SignerPool, width: number, until: Promise<unknown>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let over = false;
  until.finally(() => {
    over = true;
  });
  const caller = async () => {
    while (!over) {
      const outcome = await ask(pool);
      outcomes.push(outcome);
      // A refusal that costs nothing must not keep the clock from moving.
      if (outcome.code !== undefined) await sleep(20);
    }
  };
  await Promise.all(Array.from({ length: width }, caller));
  return outcomes;
}

async function everything(signers: readonly Signer[]): Promise<Receipt[]> {
  const all: Receipt[] = [];
  for (const { decision } of signers) {
    for (let start = 0n; ; ) {
      const page = await decision.listReceipts(
        create(pb.ListReceiptsRequestSchema, { start, limit: 1_000 }),
        callFor(5_000),
      );
      all.push(...page.receipts.map(({ envelope }) => readReceipt(envelope)));
      if (page.next >= page.size) break;
      start = page.next;
    }
  }
  return all;
}

/** Every answer has the one receipt that counts; what was never answered has none. */
async function reconcile(signers: readonly Signer[], outcomes: readonly Outcome[]) {
  const receipts = await everything(signers);
  const voids = receipts.filter(({ kind }) => kind === 'void').map(({ predicate }) => String(predicate.voids));
  expect(new Set(voids).size).toBe(voids.length);
  const standing = new Map<string, string[]>();
  for (const { kind, actionId, receiptId } of receipts) {
    if (kind === 'void' || voids.includes(receiptId)) continue;
    standing.set(`${kind} ${actionId}`, [...(standing.get(`${kind} ${actionId}`) ?? []), receiptId]);
  }
  for (const { actionId, receiptId } of outcomes) {
    expect(standing.get(`decision ${actionId}`) ?? []).toEqual(receiptId === undefined ? [] : [receiptId]);
    expect(standing.get(`action ${actionId}`) ?? []).toHaveLength(receiptId === undefined ? 0 : 1);
  }
  return { voids: voids.length };
}

const answered = (outcomes: readonly Outcome[]) => outcomes.filter(({ receiptId }) => receiptId !== undefined);
const noSuspects = (pool: SignerPool) => () => pool.members().reduce((sum, { suspects }) => sum + suspects, 0);
const allWell = (pool: SignerPool) => () => pool.members().every(({ well }) => well);

test('a signer that is stopped for a while: calls go on, and what it sealed unanswered is voided', async () => {
  const { pool, signers, voided } = await world(2);
  const story = (async () => {
    await sleep(300);
    signers[0]?.signal('SIGSTOP');
    await sleep(1_200);
    signers[0]?.signal('SIGCONT');
    await sleep(500);
  })();
  const outcomes = await load(pool, 48, story);
  expect(outcomes.filter(({ code }) => code !== undefined)).toEqual([]);
  await expect.poll(noSuspects(pool), { timeout: 10_000 }).toBe(0);
  const { voids } = await reconcile(signers, outcomes);
  expect(voids).toBeGreaterThan(0);
  expect(voided).toHaveLength(voids);
}, 60_000);

test('a signer that is killed and started again: calls go on, and each decision counts once', async () => {
  const { pool, signers } = await world(2);
  const story = (async () => {
    for (const signer of signers) {
      await sleep(300);
      signer.signal('SIGKILL');
      await signer.ended();
      await sleep(400);
      await signer.start();
      await expect.poll(allWell(pool), { timeout: 5_000 }).toBe(true);
    }
  })();
  const outcomes = await load(pool, 48, story);
  await story;
  expect(outcomes.filter(({ code }) => code !== undefined)).toEqual([]);
  await expect.poll(noSuspects(pool), { timeout: 10_000 }).toBe(0);
  await reconcile(signers, outcomes);
}, 60_000);

test('a signer that is drained under load ends at once, and nothing is lost or voided', async () => {
  const { pool, signers, voided } = await world(2);
  const [first] = signers as [Signer];
  const story = (async () => {
    await sleep(300);
    const began = Date.now();
    first.signal('SIGTERM');
    expect(await first.ended()).toBe(0);
    expect(Date.now() - began).toBeLessThan(4_000);
  })();
  const outcomes = await load(pool, 48, story);
  await story;
  expect(outcomes.filter(({ code }) => code !== undefined)).toEqual([]);
  expect(noSuspects(pool)()).toBe(0);
  await first.start();
  await expect.poll(allWell(pool), { timeout: 5_000 }).toBe(true);
  await reconcile(signers, outcomes);
  expect(voided).toEqual([]);
}, 60_000);

test('connections that grow old are renewed under load, and nothing is lost or voided', async () => {
  const { pool, signers, voided, events } = await world(1, { streamAgeMs: 200 }, 400);
  const outcomes = await load(pool, 16, sleep(2_500));
  // A stream refused before it was read is opened again; whoever waited on it does not notice.
  expect(events.filter((event) => !event.includes('REFUSED_STREAM'))).toEqual([]);
  expect(outcomes.filter(({ code }) => code !== undefined)).toEqual([]);
  expect(signers[0]?.streams()).toBeGreaterThan(4);
  expect(noSuspects(pool)()).toBe(0);
  await reconcile(signers, outcomes);
  expect(voided).toEqual([]);
}, 60_000);

test('no signer left is unavailable, and nobody is answered; the first one back is used', async () => {
  const { pool, signers } = await world(2);
  const first = await ask(pool);
  expect(first.receiptId).toBeDefined();
  for (const signer of signers) signer.signal('SIGKILL');
  for (const signer of signers) await signer.ended();
  const lost = await Promise.all(Array.from({ length: 20 }, () => ask(pool, 1_000)));
  expect(answered(lost)).toEqual([]);
  expect((await ask(pool)).code).toBe('unavailable');
  expect(pool.ready()).toBe(false);
  await expect(pool.getStatus()).rejects.toMatchObject({ code: 'unavailable' });
  await signers[1]?.start();
  await expect.poll(() => pool.ready(), { timeout: 5_000 }).toBe(true);
  expect((await ask(pool)).receiptId).toBeDefined();
}, 60_000);

test('a signer without a lease is passed over; with none leased, the refusal is the answer', async () => {
  const { pool, signers } = await world(2);
  const [a, b] = signers as [Signer, Signer];
  // Ends within the clock bound: signed under it, nothing is answered.
  await lease(a.killSwitch, 1);
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(pool)));
  expect(answered(outcomes)).toHaveLength(20);
  await lease(b.killSwitch, 1);
  expect((await ask(pool)).code).toBe('no_lease');
}, 60_000);

test('requests beyond the bound are shed while a signer is silent, and none is answered late', async () => {
  const { pool, signers, events } = await world(1, { maxPending: 50, statusMs: 20_000 });
  await ask(pool);
  signers[0]?.signal('SIGSTOP');
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => ask(pool, 500)));
  const shed = outcomes.filter(({ code }) => code === 'resource_exhausted');
  expect(shed).toHaveLength(150);
  expect(outcomes.filter(({ code }) => code === 'deadline_exceeded')).toHaveLength(50);
  expect(pool.members()[0]).toMatchObject({ pending: 50, suspects: 50 });
  signers[0]?.signal('SIGCONT');
  // A late answer is enough to begin; the time by which nothing more can come is asked for by looking again.
  await expect
    .poll(
      async () => {
        await pool.getStatus();
        return noSuspects(pool)();
      },
      { timeout: 10_000 },
    )
    .toBe(0);
  const { voids } = await reconcile(signers, outcomes);
  expect(voids).toBe(100);
  expect(events.join()).toContain('signer.lost');
}, 60_000);

const closing = (receiptId: string) =>
  create(pb.SealRequestSchema, {
    drafts: [
      create(pb.DraftSchema, {
        kind: 'void',
        actionId: 'act_0',
        fingerprint: 'f'.repeat(64),
        tenantId: 't',
        predicateJson: Buffer.from(JSON.stringify({ voids: receiptId, reason: 'test', tenant_id: 't', agent_id: 'a' })),
      }),
    ],
  });

test('a void goes to the log of what it voids, past the caller’s deadline too, and is owed while that signer is away', async () => {
  const { pool, signers } = await world(2);
  const asked = await Promise.all(Array.from({ length: 12 }, () => ask(pool)));
  const late = { ...callFor(5_000), deadlineMs: Date.now() - 1 };
  const [owed = '', ...rest] = asked.map(({ receiptId = '' }) => receiptId);
  for (const receiptId of rest) await pool.seal(closing(receiptId), late);
  const origins = await Promise.all(
    signers.map(({ decision }) => decision.getStatus(create(pb.GetStatusRequestSchema), callFor(5_000))),
  );
  const home = signers[origins.findIndex(({ origin }) => origin.endsWith(owed.slice(0, 12)))] as Signer;
  home.signal('SIGSTOP');
  await expect(pool.seal(closing(owed), late)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  home.signal('SIGCONT');
  const voids = async () => (await everything(signers)).filter(({ kind }) => kind === 'void');
  await expect
    .poll(async () => new Set((await voids()).map(({ predicate }) => predicate.voids)), { timeout: 10_000 })
    .toEqual(new Set([owed, ...rest]));
  for (const { logId, predicate } of await voids()) expect(String(predicate.voids).slice(0, 12)).toBe(logId);
});

test('of signers of equal rank each gets its share of what is asked at once', async () => {
  const { pool } = await world(2);
  const logs: string[] = [];
  for (const { receiptId } of await Promise.all(Array.from({ length: 6 }, () => ask(pool)))) {
    logs.push(receiptId?.split('-')[0] ?? '');
  }
  expect(logs.filter((log) => log === logs[0]).length).toBe(3);
}, 60_000);

test('a receipt is read from the log its id names', async () => {
  const { pool } = await world(2);
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(pool)));
  expect(new Set(outcomes.map(({ receiptId }) => receiptId?.split('-')[0])).size).toBe(2);
  for (const { receiptId = '', actionId } of outcomes) {
    const { envelope } = await pool.getReceipt(create(pb.GetReceiptRequestSchema, { receiptId }), callFor(2_000));
    expect(readReceipt(envelope)).toMatchObject({ receiptId, actionId });
  }
  const other = create(pb.GetReceiptRequestSchema, { receiptId: '0123456789ab-0' });
  await expect(pool.getReceipt(other, callFor(2_000))).rejects.toMatchObject({ code: 'not_found' });
}, 60_000);

test('a replica that just started waits for a signer that does not answer yet, before it says of a receipt that it cannot tell', async () => {
  const { pool, signers } = await world(2);
  const answers = [await ask(pool), await ask(pool)];
  const late = signers[1] as Signer;
  late.signal('SIGSTOP');
  const fresh = new SignerPool({
    signers: signers.map(({ address, decision }) => ({ name: address, service: decision })),
    now: Date.now,
    context: () => callFor(5_000),
    failed: () => undefined,
    voided: () => undefined,
    limits: LIMITS,
  });
  await fresh.start();
  closers.push(() => fresh.stop());
  const read = answers.map(({ receiptId = '' }) =>
    fresh.getReceipt(create(pb.GetReceiptRequestSchema, { receiptId }), callFor(5_000)),
  );
  await sleep(100);
  late.signal('SIGCONT');
  for (const { envelope } of await Promise.all(read)) expect(envelope.length).toBeGreaterThan(0);
}, 60_000);

test('what no signer would take is refused at once, not tried elsewhere', async () => {
  const { pool, signers } = await world(2);
  const bad = create(pb.SealRequestSchema, {
    drafts: [{ ...allow().request.drafts[0], kind: 'nonsense' } as pb.Draft],
  });
  const failure = await pool.seal(bad, callFor(2_000)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(BeaconError);
  expect(await everything(signers)).toEqual([]);
}, 60_000);
