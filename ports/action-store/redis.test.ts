import { beforeEach, expect, it } from 'vitest';
import type { RedisConnection } from '../../runtime/redis.ts';
import { describeWithRedis, redisOfSuite } from '../../test/redis-server.ts';
import { describeActionStore } from './contract.ts';
import { actionRecord, approvalRecord, LOG } from './records.fixture.ts';
import { RedisActionStore } from './redis.ts';

describeWithRedis('on redis', () => {
  let redis: RedisConnection;
  redisOfSuite((connection) => {
    redis = connection;
  });
  beforeEach(async () => void (await redis.command('FLUSHALL')));

  describeActionStore('redis', () => new RedisActionStore(redis));

  const at = (index: number) => ({ logId: LOG, index });

  it('gives a claim to one process of many, and takes it back when its life has passed', async () => {
    const processes = Array.from({ length: 10 }, () => new RedisActionStore(redis, { claimMs: 80 }));
    const answers = await Promise.all(processes.map((store) => store.claimPermit('x')));
    expect(answers.filter(Boolean)).toHaveLength(1);
    const late = processes[answers.indexOf(true)] as RedisActionStore;
    const heir = new RedisActionStore(redis);
    await expect.poll(() => heir.claimPermit('x')).toBe(true);
    // What it gives back is no longer its own.
    await late.releasePermit('x');
    expect(await processes[0]?.claimPermit('x')).toBe(false);
  });

  it.each([
    ['actions-open', ''],
    ['actions-open', 't'],
    ['actions-guarded', ''],
  ])('records no action where %s{%s} is of another type: it would never be closed', async (kind, tag) => {
    const store = new RedisActionStore(redis);
    const action = actionRecord({ state: 'open' });
    const key = tag === '' ? redis.key(kind, '') : redis.key(kind, action.tenantId, action.agentId);
    await redis.command('SET', key, 'put here by somebody');
    await expect(store.putAction(action, at(0))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await store.recorded(LOG, [action.actionId])).toEqual([-1]);
    await redis.command('DEL', key);
    await store.putAction(action, at(0));
    expect(await store.overdue(action.deadlineMs + 1, 10)).toHaveLength(1);
  });

  it.each(['approved', 'approvals-pending'])(
    'records no approval where %s is of another type: it could never be used',
    async (kind) => {
      const store = new RedisActionStore(redis);
      const approval = approvalRecord({ status: 'approved' });
      const key = redis.key(kind, approval.tenantId, ...(kind === 'approved' ? [approval.agentId] : []));
      await redis.command('SET', key, 'put here by somebody');
      await expect(store.putApproval(approval, at(0))).rejects.toMatchObject({ code: 'unavailable' });
      expect(await store.getApproval(approval.actionId)).toBeUndefined();
    },
  );

  it('takes rows that are gone off the list of what is overdue, so that they hide nothing', async () => {
    const store = new RedisActionStore(redis);
    await redis.command('ZADD', redis.key('actions-open', ''), 1, 'test:action:gone', 2, 'test:action:lost');
    await store.putAction(actionRecord({ state: 'open' }), at(0));
    await store.overdue(9_000, 2);
    expect(await store.overdue(9_000, 2)).toMatchObject([{ actionId: 'act_1' }]);
  });

  it('finds no action by a permit that was taken away', async () => {
    const store = new RedisActionStore(redis);
    await store.putAction(actionRecord({ state: 'guarded' }), at(0));
    await store.putAction(actionRecord({ state: 'refused', permitId: '' }), at(1));
    expect(await store.findByPermit('pmt_1')).toBeUndefined();
    expect((await store.getAction('act_1'))?.state).toBe('refused');
  });

  it('keeps an open action for ever, and one that ended for its retention', async () => {
    const store = new RedisActionStore(redis, { retentionMs: 60_000 });
    const lives = () =>
      Promise.all(
        [redis.key('action', '', 'act_1'), redis.key('permit', '', 'pmt_1')].map((key) => redis.command('PTTL', key)),
      );
    await store.putAction(actionRecord({ state: 'guarded' }), at(0));
    for (const life of await lives()) expect(life).toBeGreaterThan(60_000);
    await store.putAction(actionRecord({ state: 'open' }), at(1));
    expect(await lives()).toEqual([-1, -1]);
    await store.putAction(actionRecord({ state: 'closed' }), at(2));
    for (const life of await lives()) expect(life).toBeGreaterThan(0);
  });

  it('lists what is open page by page, and permits first when there is no time for the rest', async () => {
    const store = new RedisActionStore(redis, { listingMs: 60_000 });
    const put = (n: number, over: object) =>
      store.putAction(actionRecord({ actionId: `act_${n}`, permitId: `p${n}`, ...over }), at(n));
    // More than two pages with one deadline among them: a page cannot begin behind its score.
    for (let n = 0; n < 1_400; n++) {
      void put(n, { deadlineMs: n < 100 ? n : 9_000, scopes: n % 7 === 0 ? ['tool:git'] : [] });
    }
    await put(1_400, { deadlineMs: 9_001, scopes: ['tool:git'] });
    await put(1_401, { state: 'guarded', scopes: ['tool:git'] });
    const found = await store.liveInScope('tool:git', 1_500, 1_000);
    expect(found.more).toBe(false);
    expect(found.live.map(({ actionId }) => actionId).sort()).toEqual(
      [...Array.from({ length: 200 }, (_, n) => `act_${n * 7}`), 'act_1400', 'act_1401'].sort(),
    );
    const hasty = await new RedisActionStore(redis, { listingMs: -1 }).liveInScope('tool:git', 1_500, 1_000);
    expect(hasty).toMatchObject({ live: [{ actionId: 'act_1401' }], more: true });
  });

  it('sees a permit behind a hundred that were redeemed while it looked', async () => {
    const store = new RedisActionStore(redis);
    const guarded = Array.from({ length: 101 }, (_, n) =>
      actionRecord({ actionId: `act_${n}`, permitId: `p${n}`, state: 'guarded', permitNotAfterMs: 2_000 + n }),
    );
    for (const [n, action] of guarded.entries()) await store.putAction(action, at(n));
    // Between the list of permits and the rows it names.
    const door: ConstructorParameters<typeof RedisActionStore>[0] = {
      key: (...parts) => redis.key(...parts),
      script: (lua) => redis.script(lua),
      command: async (name, ...args) => {
        const answer = await redis.command(name, ...args);
        if (name === 'ZRANGE' && args[0] === redis.key('actions-guarded', '')) {
          await Promise.all(
            guarded.slice(0, 100).map((action, n) => store.putAction({ ...action, state: 'open' }, at(200 + n))),
          );
        }
        return answer;
      },
    };
    const { live, more } = await new RedisActionStore(door, { listingMs: 60_000 }).liveInScope('tool:git', 1_500, 100);
    expect(live).toHaveLength(100);
    expect(live[0]).toMatchObject({ actionId: 'act_100', state: 'guarded' });
    expect(more).toBe(true);
  });

  it('finds what an agent has open without looking through what others have', async () => {
    const store = new RedisActionStore(redis);
    const scopes = ['agent:t/a', 'agent:t/b'];
    for (const [n, agentId] of ['a', 'b', 'a'].entries()) {
      const over = { actionId: `act_${n}`, permitId: `p${n}`, agentId, scopes: [`agent:t/${agentId}`] };
      await store.putAction(actionRecord(over), at(n));
    }
    await redis.command('DEL', redis.key('actions-open', ''));
    const ids = () =>
      Promise.all(scopes.map(async (scope) => (await store.liveInScope(scope, 0, 9)).live.map((one) => one.actionId)));
    expect(await ids()).toEqual([['act_0', 'act_2'], ['act_1']]);
    await store.putAction(actionRecord({ actionId: 'act_0', permitId: 'p0', state: 'closed', scopes }), at(3));
    expect(await ids()).toEqual([['act_2'], ['act_1']]);
    expect(await redis.command('ZCARD', redis.key('actions-open', 't', 'a'))).toBe(1);
  });

  it('lets no index grow by what ended without a further write', async () => {
    const store = new RedisActionStore(redis, { retentionMs: 20 });
    const hourMs = 3_600_000;
    await store.putAction(actionRecord({ state: 'guarded' }), at(0));
    await store.putApproval(approvalRecord({ requestedAtMs: 8_990 }), at(0));
    await new Promise((resolve) => setTimeout(resolve, 60));
    const later = { requestedAtMs: 2 * hourMs, notAfterMs: 3 * hourMs };
    const times = { decidedAtMs: 2 * hourMs, permitNotAfterMs: 3 * hourMs };
    await store.putAction(actionRecord({ actionId: 'act_2', permitId: 'p2', state: 'guarded', ...times }), at(1));
    await store.putApproval(approvalRecord({ actionId: 'act_2', ...later }), at(1));
    for (const index of ['actions-guarded', 'approvals-pending']) {
      expect(await redis.command('ZCARD', redis.key(index, ''))).toBe(1);
    }
    expect(await redis.command('ZCARD', redis.key('approvals-pending', 't'))).toBe(1);
  });

  it('finds the approvals of one fingerprint that are still good, though others of it are used', async () => {
    const store = new RedisActionStore(redis);
    await store.putApproval(approvalRecord({ actionId: 'act_1', status: 'approved' }), at(0));
    await store.putApproval(approvalRecord({ actionId: 'act_2', status: 'approved' }), at(1));
    await store.putApproval(approvalRecord({ actionId: 'act_1', status: 'used' }), at(2));
    const { fingerprint } = approvalRecord();
    const found = await store.approvedFor('t', 'a', 5_000);
    expect(found.map(({ actionId, fingerprint: print }) => [actionId, print])).toEqual([['act_2', fingerprint]]);
  });

  it('lists what is pending without what ended before it, however much that is', async () => {
    const store = new RedisActionStore(redis);
    const minuteMs = 60_000;
    const asked = (n: number, requestedAtMs: number) =>
      approvalRecord({ actionId: `act_${n}`, requestedAtMs, notAfterMs: requestedAtMs + minuteMs });
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => store.putApproval(asked(n, n), at(n))));
    const read = await counted((door) => new RedisActionStore(door).pendingApprovals('', 3 * minuteMs, 10));
    expect(read.answer).toEqual([]);
    expect(await redis.command('ZCARD', redis.key('approvals-pending', ''))).toBe(0);
    // Those of the tenant, which nobody has listed: each new one takes older ones off.
    for (let n = 1_200; n < 1_700; n++) await store.putApproval(asked(n, 10 * minuteMs + n), at(n));
    const late = await counted((door) => new RedisActionStore(door).pendingApprovals('t', 10 * minuteMs, 10));
    expect(late.answer.map(({ actionId }) => actionId)).toEqual(
      Array.from({ length: 10 }, (_, n) => `act_${1_200 + n}`),
    );
    expect(late.commands).toBeLessThanOrEqual(501);
    expect(await redis.command('ZCARD', redis.key('approvals-pending', 't'))).toBe(500);
  });

  it('takes back a claim that was made though its answer was lost', async () => {
    const deaf: ConstructorParameters<typeof RedisActionStore>[0] = {
      key: (...parts) => redis.key(...parts),
      script: (lua) => redis.script(lua),
      command: async (name, ...args) => {
        await redis.command(name, ...args);
        throw new Error('no reply in time');
      },
    };
    await expect(new RedisActionStore(deaf).claimApproval('act_1')).rejects.toThrow(/no reply/);
    await expect.poll(() => new RedisActionStore(redis).claimApproval('act_1')).toBe(true);
  });

  async function counted<T>(work: (door: ConstructorParameters<typeof RedisActionStore>[0]) => Promise<T>) {
    let commands = 0;
    const answer = await work({
      key: (...parts) => redis.key(...parts),
      script: (lua) => redis.script(lua),
      command: (name, ...args) => {
        commands += 1;
        return redis.command(name, ...args);
      },
    });
    return { answer, commands };
  }
});
