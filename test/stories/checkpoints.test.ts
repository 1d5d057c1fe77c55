// The five checkpoints of one action as an agent sees them: guard, open, assumption, approval, outcome. What a person has
// to allow runs once and never on another's word.

import { expect, test } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

inBothModes((beacon) => {
  const post = (path: string, body: unknown, token?: string) => call(beacon, 'POST', path, body, token);
  const guard = (command: string, agent = 'steps') =>
    post('/api/guard', {
      agent_id: agent,
      tenant_id: 'local',
      surface: 'api',
      action: { kind: 'shell', command, cwd: '/w' },
      context: { cwd: '/w', workspace: '/w' },
    });

  test('guard, open once, believe, close once', async () => {
    const { body: guarded } = await guard('ls');
    expect(guarded).toMatchObject({ decision: 'ALLOW', route: 'ALLOW' });
    const permit = (guarded.permit as { id: string }).id;
    const opened = await post('/api/actions', { permit });
    expect(opened).toMatchObject({ status: 200, body: { state: 'open', action_id: guarded.action_id } });
    expect((await post('/api/actions', { permit })).body.action_id).toBe(guarded.action_id);
    const path = `/api/actions/${guarded.action_id}`;
    expect((await post(`${path}/assumptions`, { statement: 'it is empty' })).body.receipt_id).toMatch(/-\d+$/);
    const closed = await post(`${path}/outcome`, { status: 'succeeded' });
    expect(closed).toMatchObject({ status: 200, body: { state: 'closed', outcome: 'succeeded' } });
    expect((await post(`${path}/outcome`, { status: 'failed' })).status).toBe(409);
    const found = await call(beacon, 'GET', path);
    expect(found.body).toMatchObject({ state: 'closed', outcome: 'succeeded' });
    expect(found.body.receipt_ids).toHaveLength(4);
  });

  test('what needs a person waits, runs once when approved, and not for another agent', async () => {
    const ask = (agent: string) => guard('rm -rf src', agent);
    const { body: asked } = await ask('waits');
    expect(asked).toMatchObject({ decision: 'DENY', route: 'APPROVAL' });
    const path = `/api/actions/${asked.action_id}/approval`;
    expect((await call(beacon, 'GET', path)).body.status).toBe('pending');
    expect((await post(path, { approve: true })).status).toBe(401);
    expect((await post(path, { approve: true, reason: 'story' }, beacon.adminToken)).body.status).toBe('approved');
    expect((await ask('another')).body.decision).toBe('DENY');
    expect((await ask('waits')).body.decision).toBe('ALLOW');
    expect((await ask('waits')).body.decision).toBe('DENY');
    expect((await call(beacon, 'GET', path)).body.status).toBe('used');
  });

  test('what a person denied stays denied', async () => {
    const { body: asked } = await guard('rm -rf src', 'denied');
    const path = `/api/actions/${asked.action_id}/approval`;
    const answered = await post(path, { approve: false, reason: 'no' }, beacon.adminToken);
    expect(answered.body.status).toBe('denied');
    expect((await post(path, { approve: true }, beacon.adminToken)).status).toBe(409);
    expect((await guard('rm -rf src', 'denied')).body.decision).toBe('DENY');
  });

  test('what has been closed stays closed, and what was used stays used, whoever tells of it late', async () => {
    const closed: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      const { body } = await guard('ls');
      await post('/api/actions', { permit: (body.permit as { id: string }).id });
      await post(`/api/actions/${body.action_id}/assumptions`, { statement: 'it is empty' });
      await post(`/api/actions/${body.action_id}/outcome`, { status: 'succeeded' });
      closed.push(`/api/actions/${body.action_id}`);
    }
    const used: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { body } = await guard('rm -rf src', `uses-${i}`);
      used.push(`/api/actions/${body.action_id}/approval`);
      await post(used.at(-1) as string, { approve: true }, beacon.adminToken);
      expect((await guard('rm -rf src', `uses-${i}`)).body.decision).toBe('ALLOW');
    }
    // Longer than whoever follows a log takes to look at it again.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const path of closed) {
      const { body } = await call(beacon, 'GET', path);
      expect(body).toMatchObject({ state: 'closed', outcome: 'succeeded' });
      expect(new Set(body.receipt_ids as string[]).size).toBe(4);
      expect(body.receipt_ids).toHaveLength(4);
    }
    for (const path of used) expect((await call(beacon, 'GET', path)).body.status).toBe('used');
  });

  test('an action that is not there, a permit nobody gave', async () => {
    const nothing = `/api/actions/act_${'0'.repeat(32)}`;
    expect((await call(beacon, 'GET', nothing)).status).toBe(404);
    expect((await post(`${nothing}/outcome`, { status: 'failed' })).status).toBe(404);
    expect((await post('/api/actions', { permit: `pmt_${'0'.repeat(32)}` })).status).toBe(404);
    expect((await execute(beacon, { code: 'ls', decision: 'ALLOW' })).status).toBe(400);
  });
});
