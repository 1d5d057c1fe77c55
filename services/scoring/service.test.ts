import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallContext, Role } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { SealResponseSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import {
  EmitScoreRequestSchema,
  GetScoreRequestSchema,
  ImportReceiptsRequestSchema,
  ListScoresRequestSchema,
} from '../../gen/beacon/v1/scoring_service_pb.js';
import { MemoryEventBus } from '../../ports/event-bus/memory.ts';
import { MemoryScoreStore } from '../../ports/score-store/memory.ts';
import { ScoreFollower } from './follow.ts';
import { NOW, newSigner, TestLog } from './log.fixture.ts';
import { ScoringService } from './service.ts';

const as = (role: Role): CallContext => ({
  principal: { role, provenance: 'authenticated', subject: 'token:x' },
  deadlineMs: NOW + 1_000,
  requestDigest: '',
  traceId: '0'.repeat(32),
});
const who = { tenantId: 't', agentId: 'a' };

describe('scoring service', () => {
  let log: TestLog;
  let store: MemoryScoreStore;
  let follower: ScoreFollower;
  let service: ScoringService;

  beforeEach(async () => {
    log = new TestLog();
    store = new MemoryScoreStore();
    const shared = { store, source: log, keys: log.keys, now: () => NOW };
    const onFault = (fault: unknown) => {
      throw fault;
    };
    follower = new ScoreFollower({ ...shared, bus: new MemoryEventBus(), onFault });
    await follower.start();
    const sourceOf = (logId: string) => (logId === log.logId ? log : undefined);
    service = new ScoringService({ ...shared, sourceOf, follower, signer: log });
  });
  afterEach(() => follower.stop());

  const get = async (over: Record<string, string> = {}) => {
    const { score } = await service.getScore(create(GetScoreRequestSchema, { ...who, ...over }), as('auditor'));
    if (!score) throw new Error('no score');
    return score;
  };
  const imported = async (...receipts: Uint8Array[]) => {
    const request = create(ImportReceiptsRequestSchema, { ...who, receipts });
    return (await service.importReceipts(request, as('admin'))).findings;
  };

  it('has what is in the log at the moment of asking', async () => {
    expect(await get()).toMatchObject({ score: 300, band: 'poor', totalReceipts: 0n, asOf: '2025-06-01' });
    log.work();
    const score = await get();
    expect(score).toMatchObject({ tenantId: 't', agentId: 'a', validReceipts: 3n, version: 'beacon.score.v1' });
    expect(score.score).toBe(300 + score.factors.reduce((sum, factor) => sum + factor.points, 0));
    expect(score.factors).toHaveLength(7);
  });

  it('states a past day, and refuses a future one or what is no date', async () => {
    log.work();
    expect((await get({ asOf: '2025-05-31' })).validReceipts).toBe(0n);
    expect((await get({ asOf: '2025-06-01' })).validReceipts).toBe(3n);
    for (const asOf of ['2025-06-02', '2025-02-30', 'yesterday', '2025-6-1']) {
      await expect(get({ asOf })).rejects.toMatchObject({ code: 'invalid_argument', field: 'as_of' });
    }
    await expect(get({ agentId: 'a/b' })).rejects.toMatchObject({ code: 'invalid_argument', field: 'agent_id' });
  });

  it('answers for everybody, as of today, when a clock was once a year ahead', async () => {
    log.work();
    const before = await get();
    log.nowMs += 400 * 86_400_000;
    log.work();
    expect(await get()).toEqual(before);
    const { scores } = await service.listScores(create(ListScoresRequestSchema, {}), as('auditor'));
    expect(scores).toEqual([before]);
    expect((await store.read({ tenantId: 't', agentId: 'a' }))?.score).toBe(before.score);
  });

  it('lists by page', async () => {
    for (const agent_id of ['c', 'a', 'b']) log.work({ agent_id });
    const list = async (over: object) =>
      (await service.listScores(create(ListScoresRequestSchema, over), as('auditor'))).scores.map((s) => s.agentId);
    expect(await list({ tenantId: 't' })).toEqual(['a', 'b', 'c']);
    expect(await list({ tenantId: 't', after: 'a', limit: 1 })).toEqual(['b']);
    await expect(list({ limit: 1_001 })).rejects.toMatchObject({ code: 'invalid_argument', field: 'limit' });
  });

  it('emits a score as a leaf that counts nowhere', async () => {
    log.work();
    const before = await get();
    const emitted = await service.emitScore(create(EmitScoreRequestSchema, who), as('admin'));
    expect(emitted.score).toEqual(before);
    const leaf = readReceipt(log.leaves[3] as Uint8Array);
    expect(leaf).toMatchObject({ kind: 'score', receiptId: emitted.receiptId });
    expect(leaf.predicate).toMatchObject({
      event: 'SCALAR_SCORE',
      billable: false,
      score: before.score,
      band: before.band,
      as_of: '2025-06-01',
      version: 'beacon.score.v1',
    });
    expect(await get()).toEqual(before);
  });

  it('finds out about receipts from elsewhere, and records each finding', async () => {
    log.work();
    const before = await get();
    const predicate = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated' };
    const good = log.leaves[1] as Uint8Array;
    const payload = JSON.parse(Buffer.from(good).toString()).payload as string;
    const unsigned = { payloadType: 'application/vnd.in-toto+json', payload, signatures: [] };
    const stranger = newSigner();
    const impostor = { ...stranger, publicKey: { ...stranger.publicKey, keyId: log.signer.publicKey.keyId } };
    const cases: [Uint8Array, string][] = [
      [Buffer.from(JSON.stringify(unsigned)), 'unsigned'],
      [Buffer.from(payload, 'base64'), 'unsigned'],
      [Buffer.from('{"payload":'), 'malformed'],
      [Buffer.alloc(0), 'malformed'],
      [Buffer.alloc(70_000, 0x20), 'malformed'],
      [log.sign('action', predicate, 1, stranger), 'unknown_key'],
      [log.sign('action', predicate, 1, impostor), 'bad_signature'],
      [log.sign('outcome', predicate, 1), 'not_in_ledger'],
      [log.sign('action', predicate, 4_000), 'not_in_ledger'],
      [good, 'already_counted'],
    ];
    const findings = await imported(...cases.map(([bytes]) => bytes));
    expect(findings.map((finding) => finding.reason)).toEqual(cases.map(([, reason]) => reason));
    expect(findings.map((finding) => finding.qualified)).toEqual([...Array(9).fill(false), true]);
    expect(readReceipt(log.leaves[3] as Uint8Array)).toMatchObject({
      kind: 'import',
      receiptId: findings[0]?.receiptId,
    });
    const after = await get();
    expect(after).toMatchObject({ score: before.score, validReceipts: 3n, totalReceipts: 12n });
    expect(after.unqualified.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'bad_signature 1',
      'malformed 3',
      'not_in_ledger 2',
      'unknown_key 1',
      'unsigned 2',
    ]);
    expect(after.factors).toEqual(before.factors);
  });

  it('lets no agent, operator or auditor emit or import', async () => {
    for (const role of ['agent', 'operator', 'auditor'] as const) {
      const emit = service.emitScore(create(EmitScoreRequestSchema, who), as(role));
      await expect(emit).rejects.toMatchObject({ code: 'permission_denied' });
      const request = create(ImportReceiptsRequestSchema, { ...who, receipts: [Buffer.from('x')] });
      await expect(service.importReceipts(request, as(role))).rejects.toMatchObject({ code: 'permission_denied' });
    }
    expect(log.size()).toBe(0);
  });

  it('takes 1 to 256 receipts, and says so when the signer refuses', async () => {
    await expect(imported()).rejects.toMatchObject({ code: 'invalid_argument', field: 'receipts' });
    const many = Array.from({ length: 257 }, () => Buffer.from('x'));
    await expect(imported(...many)).rejects.toMatchObject({ code: 'invalid_argument', field: 'receipts' });
    log.seal = async () => create(SealResponseSchema, { refused: 'no_lease' });
    await expect(imported(Buffer.from('x'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('names very long agents by a digest', async () => {
    const long = { tenantId: 't'.repeat(128), agentId: 'a'.repeat(128) };
    const { receiptId } = await service.emitScore(create(EmitScoreRequestSchema, long), as('admin'));
    expect(receiptId).not.toBe('');
  });
});
