// Revoked means stopped: for the one named and for nobody else, across a restart, until reinstated; all of it in the ledger.

import { expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

inBothModes((beacond) => {
  const decisionOf = async (agent: string) => (await execute(beacond, { agent_id: agent })).body;

  test('revoke, restart, reinstate', async () => {
    expect((await decisionOf('x')).decision).toBe('ALLOW');
    const revoked = await call(
      beacond,
      'POST',
      '/api/revocations',
      { scope: 'agent:x', operation: 'revoke', reason: 'story' },
      beacond.adminToken,
    );
    expect(revoked.status).toBe(200);
    expect(['BARRIER', 'DRAINED']).toContain(revoked.body.level);
    const logs = revoked.body.logs as { origin: string; fence_index: number }[];
    expect(logs.length).toBeGreaterThan(0);
    // 0 where a log had nothing before.
    for (const { fence_index } of logs) expect(fence_index).toBeGreaterThanOrEqual(0);
    const denied = await decisionOf('x');
    expect(denied).toMatchObject({ decision: 'DENY' });
    expect(JSON.stringify(denied.reasons)).toContain('"revoked"');
    expect((await decisionOf('y')).decision).toBe('ALLOW');

    await beacond.restart();
    expect((await decisionOf('x')).decision).toBe('DENY');
    expect((await decisionOf('y')).decision).toBe('ALLOW');

    const back = await call(
      beacond,
      'POST',
      '/api/revocations',
      { scope: 'agent:x', operation: 'reinstate', reason: 'story' },
      beacond.adminToken,
    );
    expect(back.status).toBe(200);
    expect((await decisionOf('x')).decision).toBe('ALLOW');
    const fences = (await receiptsOf('revocation')).filter((one) => one.form === 'fence');
    expect(fences.map(({ operation, scope }) => `${operation} ${scope}`)).toEqual([
      'revoke agent:x',
      'reinstate agent:x',
    ]);
  });

  test('where nothing was under way it is drained; where a permit was given, not before that has ended', async () => {
    const revoke = (scope: string, request_id: string) => {
      const change = { scope, operation: 'revoke', reason: 'story', request_id };
      return call(beacond, 'POST', '/api/revocations', change, beacond.adminToken);
    };
    // At once where the log's followers are quick; a loaded machine is asked again.
    const idle = async () => (await revoke('agent:local/idle', 'idle')).body.level;
    await expect.poll(idle, { timeout: 20_000 }).toBe('DRAINED');
    const action = { kind: 'shell', command: 'ls', cwd: '/w' };
    const proposal = { agent_id: 'permitted', tenant_id: 'local', surface: 'api', action };
    expect((await call(beacond, 'POST', '/api/guard', proposal)).body.permit).toBeDefined();
    expect((await revoke('agent:local/permitted', 'permitted')).body.level).toBe('BARRIER');
    for (const agent of ['idle', 'permitted']) {
      const back = { scope: `agent:local/${agent}`, operation: 'reinstate', reason: 'story' };
      expect((await call(beacond, 'POST', '/api/revocations', back, beacond.adminToken)).status).toBe(200);
    }
  });

  test('an operator may revoke but not reinstate; an agent may do neither', async () => {
    const minted = await call(beacond, 'POST', '/api/tokens', { role: 'operator' }, beacond.adminToken);
    const operator = minted.body.token as string;
    const agent = (await call(beacond, 'POST', '/api/agents/z/tokens', { tenant_id: 'local' }, beacond.adminToken)).body
      .token as string;
    const change = (operation: string, token?: string) =>
      call(beacond, 'POST', '/api/revocations', { scope: 'agent:z', operation, reason: 'r' }, token);
    expect((await change('revoke', agent)).status).toBe(403);
    expect((await change('revoke')).status).toBe(401);
    expect((await change('revoke', operator)).status).toBe(200);
    expect((await change('reinstate', operator)).status).toBe(403);
    expect((await change('reinstate', beacond.adminToken)).status).toBe(200);
  });

  test('a permit issued before a revocation opens nothing after it', async () => {
    const guard = await call(beacond, 'POST', '/api/guard', {
      agent_id: 'p',
      tenant_id: 'local',
      surface: 'api',
      action: { kind: 'shell', command: 'ls', cwd: '/w' },
    });
    const permit = (guard.body.permit as { id: string }).id;
    await call(
      beacond,
      'POST',
      '/api/revocations',
      { scope: 'agent:local/p', operation: 'revoke', reason: '' },
      beacond.adminToken,
    );
    const opened = await call(beacond, 'POST', '/api/actions', { permit });
    expect(opened.status).toBe(409);
    expect(String(opened.body.detail)).toContain('revoked');
  });

  test('a second answer to the same idempotency key is no way around a stop', async () => {
    const body = { agent_id: 'idem', code: 'ls', idempotency_key: 'once' };
    const first = await execute(beacond, body);
    expect(first.body.decision).toBe('ALLOW');
    await call(
      beacond,
      'POST',
      '/api/revocations',
      { scope: 'agent:idem', operation: 'revoke', reason: '' },
      beacond.adminToken,
    );
    const again = await execute(beacond, body);
    expect(again.body).toMatchObject({ decision: 'DENY', receipt_id: first.body.receipt_id });
  });

  async function receiptsOf(kind: string): Promise<Record<string, unknown>[]> {
    const { body } = await call(beacond, 'GET', `/api/receipts?kind=${kind}&limit=1000`, undefined, beacond.adminToken);
    const receipts = body.receipts as { receipt_id: string }[];
    return Promise.all(
      receipts.map(async ({ receipt_id }) => {
        const stored = await fetch(`${beacond.http}/api/receipts/${receipt_id}`, {
          headers: { authorization: `Bearer ${beacond.adminToken}` },
        });
        return readReceipt(new Uint8Array(await stored.arrayBuffer())).predicate as Record<string, unknown>;
      }),
    );
  }
});
