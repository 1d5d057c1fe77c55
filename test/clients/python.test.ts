// A client nobody here wrote code for: Python's gRPC, generated from proto/, asks the running gateway for decisions.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { call } from '../beacond.ts';
import { type Fleet, startFleet } from '../separate.ts';
import { describeWithPython, newPythonClient, type PythonClient } from './python.ts';

describeWithPython('a Python client', () => {
  let python: PythonClient;
  let fleet: Fleet;
  let token: string;
  beforeAll(async () => {
    python = await newPythonClient();
    fleet = await startFleet();
    const minted = await call(fleet, 'POST', '/api/agents/snake/tokens', { tenant_id: 'local' }, fleet.adminToken);
    token = String(minted.body.token);
    const isAllowed = async () => expect((await ask('other', 'ls')).decision).toBe('DECISION_ALLOW');
    await vi.waitFor(isAllowed, { timeout: 30_000 });
  });
  afterAll(async () => {
    await fleet?.stop();
    python?.remove();
  });

  const ask = (agent: string, command: string, credential?: string) =>
    python.ask(fleet.gateway.ready.grpc as string, agent, command, credential ? { token: credential } : {});

  test('ALLOW, with the receipt that lies in the log', async () => {
    const said = await ask('snake', 'ls -la', token);
    expect(said).toMatchObject({
      decision: 'DECISION_ALLOW',
      route: 'ROUTE_ALLOW',
      provenance: 'CLIENT_PROVENANCE_AUTHENTICATED',
    });
    expect(said.action_receipt_id).not.toBe('');
    expect(readReceipt(Buffer.from(said.receipt as string)).receiptId).toBe(said.receipt_id);
    const { body } = await call(fleet, 'GET', `/api/receipts/${said.receipt_id}`, undefined, fleet.adminToken);
    expect(JSON.stringify(body.receipt ?? body)).toBe(said.receipt);
  });

  test('DENY is an answer too, with its rule and its receipt', async () => {
    const said = await ask('snake', 'rm -rf /', token);
    expect(said).toMatchObject({ decision: 'DECISION_DENY', route: 'ROUTE_DENY', action_receipt_id: '' });
    expect(said.rules?.length).toBeGreaterThan(0);
    expect(readReceipt(Buffer.from(said.receipt as string)).predicate.decision).toBe('DENY');
  });

  test('a wrong token, none for a minted name, and another agent’s are refused', async () => {
    expect(await ask('snake', 'ls', 'bcn_agent_wrong')).toMatchObject({ error: 'UNAUTHENTICATED' });
    expect(await ask('snake', 'ls')).toMatchObject({ error: 'PERMISSION_DENIED' });
    expect(await ask('other', 'ls', token)).toMatchObject({ error: 'PERMISSION_DENIED' });
  });
});
