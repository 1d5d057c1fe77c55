// One key, one decision, one receipt: under concurrency, retries and restarts. Another body is a conflict.

import { afterAll, expect, test } from 'vitest';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const dataDir = newDataDir();
let beacond: Beacond;
afterAll(async () => {
  await beacond.end();
  removeDataDir(dataDir);
});

const count = async (on: Beacond) => {
  const logs = (await call(on, 'GET', '/api/logs')).body as unknown as { origin: string; size: number }[];
  return logs.find(({ origin }) => origin.includes('receipt-signer'))?.size as number;
};

test('a hundred concurrent copies give one decision receipt', async () => {
  beacond = await startBeacond({ dataDir });
  const before = await count(beacond);
  const copies = Array.from({ length: 100 }, () => execute(beacond, { idempotency_key: 'k1' }));
  const answers = await Promise.all(copies);
  expect(new Set(answers.map(({ body }) => body.receipt_id)).size).toBe(1);
  expect(answers.every(({ status, body }) => status === 200 && body.decision === 'ALLOW')).toBe(true);
  // Execute seals the decision and the opened action.
  expect((await count(beacond)) - before).toBe(2);
});

test('the same key with another body is a conflict; another agent may use it', async () => {
  const other = await execute(beacond, { idempotency_key: 'k1', code: 'pwd' });
  expect(other.status).toBe(409);
  expect(other.body).toMatchObject({ code: 'conflict', field: 'idempotency_key' });
  const another = await execute(beacond, { idempotency_key: 'k1', agent_id: 'agent-2' });
  expect(another.status).toBe(200);
});

test.each(['SIGTERM', 'SIGKILL'] as const)('both hold after a restart by %s', async (signal) => {
  const first = await execute(beacond, { idempotency_key: `before-${signal}` });
  await beacond.end(signal);
  beacond = await startBeacond({ dataDir });
  const again = await execute(beacond, { idempotency_key: `before-${signal}` });
  expect(again.body.receipt_id).toBe(first.body.receipt_id);
  expect(again.body.repeated_answer).toBe(true);
  expect((await execute(beacond, { idempotency_key: `before-${signal}`, code: 'pwd' })).status).toBe(409);
});

test('a denied request is answered with the same denial', async () => {
  const first = await execute(beacond, { idempotency_key: 'denied', code: 'rm -rf /' });
  const again = await execute(beacond, { idempotency_key: 'denied', code: 'rm -rf /' });
  expect(again.body).toMatchObject({ decision: 'DENY', receipt_id: first.body.receipt_id, reason: first.body.reason });
});
