// One key, one decision, one receipt: under concurrency, retries and restarts. Another body is a conflict.

import { expect, test } from 'vitest';
import { call, execute } from '../beacond.ts';
import { inBothModes } from '../modes.ts';

inBothModes((beacond) => {
  /** Leaves of every log that holds decisions. */
  const count = async () => {
    const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { origin: string; size: number }[];
    const sizes = logs.filter(({ origin }) => origin.includes('receipt-signer')).map(({ size }) => size);
    expect(sizes.length).toBeGreaterThan(0);
    return sizes.reduce((sum, size) => sum + size, 0);
  };

  test('a hundred concurrent copies give one decision receipt', async () => {
    const before = await count();
    const copies = Array.from({ length: 100 }, () => execute(beacond, { idempotency_key: 'k1' }));
    const answers = await Promise.all(copies);
    expect(new Set(answers.map(({ body }) => body.receipt_id)).size).toBe(1);
    expect(answers.every(({ status, body }) => status === 200 && body.decision === 'ALLOW')).toBe(true);
    // Execute seals the decision and the opened action.
    expect((await count()) - before).toBe(2);
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
    await beacond.restart(signal);
    const again = await execute(beacond, { idempotency_key: `before-${signal}` });
    expect(again.body.receipt_id).toBe(first.body.receipt_id);
    expect(again.body.repeated_answer).toBe(true);
    expect((await execute(beacond, { idempotency_key: `before-${signal}`, code: 'pwd' })).status).toBe(409);
  });

  test('a denied request is answered with the same denial', async () => {
    const first = await execute(beacond, { idempotency_key: 'denied', code: 'rm -rf /' });
    const again = await execute(beacond, { idempotency_key: 'denied', code: 'rm -rf /' });
    expect(again.body).toMatchObject({
      decision: 'DENY',
      receipt_id: first.body.receipt_id,
      reason: first.body.reason,
    });
  });
});
