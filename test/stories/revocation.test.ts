// Revoked means stopped: for the one named and for nobody else, across a restart, until reinstated; all of it in the ledger.

import { afterAll, expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const dataDir = newDataDir();
let beacond: Beacond | undefined;
afterAll(async () => {
  await beacond?.end();
  removeDataDir(dataDir);
});

const decisionOf = async (on: Beacond, agent: string) => (await execute(on, { agent_id: agent })).body;

test('revoke, restart, reinstate', async () => {
  beacond = await startBeacond({ dataDir });
  expect((await decisionOf(beacond, 'x')).decision).toBe('ALLOW');
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
  expect(logs[0]?.fence_index).toBeGreaterThan(0);
  const denied = await decisionOf(beacond, 'x');
  expect(denied).toMatchObject({ decision: 'DENY' });
  expect(JSON.stringify(denied.reasons)).toContain('"revoked"');
  expect((await decisionOf(beacond, 'y')).decision).toBe('ALLOW');

  await beacond.end();
  beacond = await startBeacond({ dataDir });
  expect((await decisionOf(beacond, 'x')).decision).toBe('DENY');
  expect((await decisionOf(beacond, 'y')).decision).toBe('ALLOW');

  const back = await call(
    beacond,
    'POST',
    '/api/revocations',
    { scope: 'agent:x', operation: 'reinstate', reason: 'story' },
    beacond.adminToken,
  );
  expect(back.status).toBe(200);
  expect((await decisionOf(beacond, 'x')).decision).toBe('ALLOW');
  const fences = (await receiptsOf(beacond, 'revocation')).filter((one) => one.form === 'fence');
  expect(fences.map(({ operation, scope }) => `${operation} ${scope}`)).toEqual([
    'revoke agent:x',
    'reinstate agent:x',
  ]);
});

test('an operator may revoke but not reinstate; an agent may do neither', async () => {
  const on = beacond as Beacond;
  const minted = await call(on, 'POST', '/api/tokens', { role: 'operator' }, on.adminToken);
  const operator = minted.body.token as string;
  const agent = (await call(on, 'POST', '/api/agents/z/tokens', { tenant_id: 'local' }, on.adminToken)).body
    .token as string;
  const change = (operation: string, token?: string) =>
    call(on, 'POST', '/api/revocations', { scope: 'agent:z', operation, reason: 'r' }, token);
  expect((await change('revoke', agent)).status).toBe(403);
  expect((await change('revoke')).status).toBe(401);
  expect((await change('revoke', operator)).status).toBe(200);
  expect((await change('reinstate', operator)).status).toBe(403);
  expect((await change('reinstate', on.adminToken)).status).toBe(200);
});

test('a permit issued before a revocation opens nothing after it', async () => {
  const on = beacond as Beacond;
  const guard = await call(on, 'POST', '/api/guard', {
    agent_id: 'p',
    tenant_id: 'local',
    surface: 'api',
    action: { kind: 'shell', command: 'ls', cwd: '/w' },
  });
  const permit = (guard.body.permit as { id: string }).id;
  await call(
    on,
    'POST',
    '/api/revocations',
    { scope: 'agent:local/p', operation: 'revoke', reason: '' },
    on.adminToken,
  );
  const opened = await call(on, 'POST', '/api/actions', { permit });
  expect(opened.status).toBe(409);
  expect(String(opened.body.detail)).toContain('revoked');
});

test('a second answer to the same idempotency key is no way around a stop', async () => {
  const on = beacond as Beacond;
  const body = { agent_id: 'idem', code: 'ls', idempotency_key: 'once' };
  const first = await execute(on, body);
  expect(first.body.decision).toBe('ALLOW');
  await call(on, 'POST', '/api/revocations', { scope: 'agent:idem', operation: 'revoke', reason: '' }, on.adminToken);
  const again = await execute(on, body);
  expect(again.body).toMatchObject({ decision: 'DENY', receipt_id: first.body.receipt_id });
});

async function receiptsOf(on: Beacond, kind: string): Promise<Record<string, unknown>[]> {
  const { body } = await call(on, 'GET', `/api/receipts?kind=${kind}&limit=1000`, undefined, on.adminToken);
  const receipts = body.receipts as { receipt_id: string }[];
  return Promise.all(
    receipts.map(async ({ receipt_id }) => {
      const stored = await fetch(`${on.http}/api/receipts/${receipt_id}`, {
        headers: { authorization: `Bearer ${on.adminToken}` },
      });
      return readReceipt(new Uint8Array(await stored.arrayBuffer())).predicate as Record<string, unknown>;
    }),
  );
}
