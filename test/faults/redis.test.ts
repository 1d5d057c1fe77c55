// A whole decision over a real Redis that dies, stops, forgets and comes back with yesterday's file: it takes one round
// trip to know what it must know, and what it cannot know denies.

import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Decision } from '../../gen/beacon/v1/common_pb.js';
import { type DecisionAnswer, ExecuteRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { actionRecord, approvalRecord, LOG } from '../../ports/action-store/records.fixture.ts';
import { RedisActionStore } from '../../ports/action-store/redis.ts';
import { RedisBudgets } from '../../ports/budgets/redis.ts';
import { RedisIdempotency } from '../../ports/idempotency/redis.ts';
import { RedisRevocationList } from '../../ports/revocation-list/redis.ts';
import { scoreRow } from '../../ports/score-store/contract.ts';
import { RedisScoreStore } from '../../ports/score-store/redis.ts';
import { tokenRecord } from '../../ports/token-store/contract.ts';
import { RedisTokenStore } from '../../ports/token-store/redis.ts';
import { openRedis, type RedisConnection } from '../../runtime/redis.ts';
import { makeWorld, minted, shell, type World } from '../../services/decision/decision.fixture.ts';
import { askFacts, EpochMemory, gather } from '../../services/decision/gather.ts';
import { CountingProxy, ONE_ROUND_TRIP } from '../counting-proxy.ts';
import { describeWithRedis, documentedRights, type RedisServer, startRedis } from '../redis-server.ts';

const COMMAND_TIMEOUT_MS = 150;

const LIMITED = {
  agentRate: 6_000,
  turn: { actions: 6_000, windowMs: 60_000 },
  session: { actions: 6_000, windowMs: 60_000 },
};

describeWithRedis('decisions on redis', () => {
  let server: RedisServer;
  let proxy: CountingProxy;
  let redis: RedisConnection;
  let world: World;
  let list: RedisRevocationList;
  beforeAll(async () => {
    server = await startRedis();
    proxy = new CountingProxy(server.address);
  });
  afterAll(() => server?.remove());
  beforeEach(async () => {
    proxy = new CountingProxy(server.address);
    redis = await openRedis({ ...(await proxy.listen()), prefix: 'test', commandTimeoutMs: COMMAND_TIMEOUT_MS });
    await redis.command('FLUSHALL');
    world = await makeWorld({ stores: storesOn(redis), settings: { ...LIMITED, gatherTimeoutMs: 5_000 } });
    list = new RedisRevocationList(redis);
    await list.rebuild([], 1);
  });
  afterEach(() => {
    redis.close();
    proxy.close();
  });

  const execute = async (change = {}): Promise<DecisionAnswer> => {
    const request = create(ExecuteRequestSchema, { proposal: shell('ls', change) });
    return (await world.maker.execute(request, minted)).answer as DecisionAnswer;
  };
  /** What an agent would make of it: only an answered ALLOW runs. */
  const outcome = async (): Promise<'ALLOW' | string> => {
    try {
      const answer = await execute();
      return answer.decision === Decision.ALLOW ? 'ALLOW' : (answer.reasons[0]?.code ?? 'DENY');
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const ready = () => expect.poll(() => redis.usable, { timeout: 10_000 }).toBe(true);

  it('gathers everything a decision must know in one write and one reply', async () => {
    await execute();
    const { deps } = world;
    const who = { tenantId: 't', agentId: 'a', sessionId: 's', opportunityId: 'o' };
    const asker = { ...who, provenance: 'authenticated' as const, surface: 'api', isTold: false, actionId: '' };
    const admitted = { tools: ['git', 'ls'], fingerprint: 'f'.repeat(64) };
    const facts = () => gather(askFacts(asker, 'd'.repeat(64), deps), admitted, deps, new EpochMemory());
    const all = () => Promise.all([claim(), facts()]);
    const claim = () => deps.stores.idempotency.claim({ tenantId: 't', agentId: 'a', key: 'k' }, 'd', deps.env.now());
    const scopes = Array.from({ length: 64 }, (_, n) => `tool:t${n}`);
    expect(await proxy.count(all)).toEqual(ONE_ROUND_TRIP);
    await list.apply({ scope: 'tool:ls', revocationId: 'rev_2', epoch: 2, operation: 'revoke' });
    const approval = approvalRecord({ ...admitted, status: 'approved', notAfterMs: deps.env.now() + 60_000 });
    await deps.stores.actions.putApproval(approval, { logId: LOG, index: 0 });
    expect(await proxy.count(facts)).toEqual(ONE_ROUND_TRIP);
    expect((await facts()).facts).toMatchObject({
      revoked_scopes: ['tool:ls'],
      approval: { action_id: approval.actionId },
    });
    expect(await proxy.count(() => deps.stores.revocations.consult(scopes))).toEqual(ONE_ROUND_TRIP);
  });

  it('holds one turn to one limit, whichever replica is asked', async () => {
    const settings = { turn: { actions: 6, windowMs: 60_000 }, gatherTimeoutMs: 5_000 };
    const replicas = await Promise.all([1, 2].map(() => makeWorld({ stores: storesOn(redis), settings })));
    const proposal = shell('ls', { opportunityId: 'o1' });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => {
        const { maker } = replicas[n % 2] as World;
        return maker.execute(create(ExecuteRequestSchema, { proposal }), minted);
      }),
    );
    const codes = answers.map(({ answer }) => answer?.reasons[0]?.code);
    expect(codes.filter((code) => code === 'turn_limit')).toHaveLength(4);
    expect(answers.filter(({ answer }) => answer?.decision === Decision.ALLOW)).toHaveLength(6);
  });

  it('decides and answers a repeat', async () => {
    const first = await execute({ idempotencyKey: 'k' });
    expect(first.decision).toBe(Decision.ALLOW);
    const again = await execute({ idempotencyKey: 'k' });
    expect(again).toMatchObject({ receiptId: first.receiptId, repeatedAnswer: true });
    await expect(execute({ idempotencyKey: 'k', sessionId: 'other' })).rejects.toMatchObject({ code: 'conflict' });
  });

  it('needs no more rights than documented', async () => {
    await redis.command('ACL', 'SETUSER', 'gate', ...documentedRights('test', 'pass'));
    const login = { username: 'gate', password: 'pass' };
    const limited = await openRedis({ ...server.address, ...login, prefix: 'test', commandTimeoutMs: 1_000 });
    const stores = storesOn(limited);
    const tokens = new RedisTokenStore(limited, { load: () => new Map([['id:x', 'y']]), save: () => {} }, () => {});
    await tokens.start();
    await tokens.put(tokenRecord());
    expect(await tokens.revoke('tok_1')).toEqual(tokenRecord());
    expect(await tokens.isMinted('t', 'a')).toBe(true);
    await tokens.stop();
    const at = { logId: LOG, index: 1 };
    await stores.revocations.rebuild([], 1);
    for (const [n, operation] of (['revoke', 'reinstate'] as const).entries()) {
      await stores.revocations.apply({ scope: 'agent:t/x', revocationId: 'rev_1', epoch: n + 2, operation });
    }
    await stores.revocations.list();
    for (const state of ['guarded', 'open', 'closed'] as const) {
      await stores.actions.putAction(actionRecord({ state, permitId: `pmt_${state}` }), { ...at, index: at.index++ });
    }
    for (const status of ['pending', 'approved', 'used'] as const) {
      await stores.actions.putApproval(approvalRecord({ status }), { ...at, index: at.index++ });
    }
    await Promise.all([stores.actions.overdue(1, 1), stores.actions.liveInScope('global', 1, 1)]);
    await stores.actions.pendingApprovals('', 1, 1);
    await stores.actions.claimClose('x');
    await stores.actions.releaseClose('x');
    await stores.scores.fold([scoreRow()], at);
    await stores.scores.list('', '', 5);
    world = await makeWorld({ stores, settings: { agentRate: 6_000 } });
    expect((await execute({ idempotencyKey: 'k' })).decision).toBe(Decision.ALLOW);
    await world.maker.sweep();
    expect(await redis.command('ACL', 'LOG')).toEqual([]);
    limited.close();
  });

  it('denies from kill -9 until the server is back and the list rebuilt', async () => {
    expect(await outcome()).toBe('ALLOW');
    await server.kill();
    for (let n = 0; n < 5; n++) expect(await outcome()).not.toBe('ALLOW');
    await server.start();
    await ready();
    expect(await outcome()).toBe('revocation_unknown');
    await list.rebuild([], 1);
    expect(await outcome()).toBe('ALLOW');
  });

  it('rejects at once what is asked of a lost connection, and never sends it later', async () => {
    await server.kill();
    await expect.poll(() => redis.usable).toBe(false);
    const started = performance.now();
    await expect(redis.command('INCR', 'counted')).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - started).toBeLessThan(50);
    await server.start();
    await ready();
    expect(await redis.command('GET', 'counted')).toBeNull();
  });

  it('neither sends again what was under way when the connection was lost, nor later what waited behind it', async () => {
    server.pause();
    const underWay = redis.command('INCR', 'counted');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const behind = redis.command('INCR', 'counted');
    const answers = Promise.allSettled([underWay, behind]);
    const started = performance.now();
    await server.kill();
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(performance.now() - started).toBeLessThan(COMMAND_TIMEOUT_MS);
    await server.start();
    await ready();
    expect(await redis.command('GET', 'counted')).toBeNull();
  });

  it('denies while the server is stopped, within the limit, and decides again when it goes on', async () => {
    server.pause();
    const started = performance.now();
    await expect(list.consult(['global'])).rejects.toMatchObject({ code: 'unavailable' });
    expect(performance.now() - started).toBeLessThan(COMMAND_TIMEOUT_MS * 2);
    expect(await Promise.all([outcome(), outcome()])).not.toContain('ALLOW');
    server.resume();
    await expect.poll(outcome, { timeout: 10_000 }).toBe('ALLOW');
  });

  it('gives up a connection that stays silent, so that nothing heaps up behind it', async () => {
    server.pause();
    const until = performance.now() + COMMAND_TIMEOUT_MS * 20;
    while (redis.usable && performance.now() < until) await outcome();
    expect(redis.usable).toBe(false);
    server.resume();
    await ready();
    expect(await outcome()).toBe('ALLOW');
  });

  it('denies after FLUSHALL until the list is rebuilt; one revocation on top does not pass for it', async () => {
    await list.apply({ scope: 'agent:t/x', revocationId: 'rev_1', epoch: 2, operation: 'revoke' });
    expect(await outcome()).toBe('ALLOW');
    await redis.command('FLUSHALL');
    expect((await list.consult(['global'])).epoch).toBeUndefined();
    expect(await outcome()).toBe('revocation_unknown');
    const next = { scope: 'agent:t/y', revocationId: 'rev_2', epoch: 3, operation: 'revoke' } as const;
    await expect(list.apply(next)).rejects.toMatchObject({ code: 'failed_precondition' });
    expect(await outcome()).toBe('revocation_unknown');
    await list.rebuild([{ scope: 'agent:t/x', revocationId: 'rev_1', epoch: 2 }], 3);
    expect(await outcome()).toBe('ALLOW');
  });

  it('recognises yesterday’s file by its epoch, and does not let go whom it had not heard of', async () => {
    await redis.command('SAVE');
    copyFileSync(join(server.folder, 'dump.rdb'), join(server.folder, 'yesterday.rdb'));
    await list.apply({ scope: 'agent:t/a', revocationId: 'rev_1', epoch: 2, operation: 'revoke' });
    expect(await outcome()).toBe('revoked');
    await server.kill();
    copyFileSync(join(server.folder, 'yesterday.rdb'), join(server.folder, 'dump.rdb'));
    await server.start();
    await ready();
    expect(await list.consult(['agent:t/a'])).toEqual({ epoch: 1, revoked: [] });
    expect(await outcome()).toBe('revocation_unknown');
    await list.rebuild([{ scope: 'agent:t/a', revocationId: 'rev_1', epoch: 2 }], 2);
    expect(await outcome()).toBe('revoked');
  });
});

function storesOn(redis: RedisConnection) {
  return {
    revocations: new RedisRevocationList(redis),
    scores: new RedisScoreStore(redis),
    actions: new RedisActionStore(redis),
    budgets: new RedisBudgets(redis),
    idempotency: new RedisIdempotency(redis),
  };
}
