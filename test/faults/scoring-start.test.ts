// Scoring that starts while a signer is away: the logs that are there are scored, and the other's when it comes.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call, execute } from '../beacond.ts';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet({}, { decisionReplicas: 1 });
});
afterAll(async () => {
  await fleet?.stop();
});

const AGENT = 'scored';

async function counted(): Promise<number> {
  const { body } = await call(fleet, 'GET', `/api/scalar/${AGENT}?tenant_id=local`, undefined, fleet.adminToken);
  return Number(body.total_receipts);
}

async function allowed(): Promise<void> {
  await vi.waitFor(
    async () => {
      const { status } = await execute(fleet, { agent_id: AGENT });
      expect(status).toBe(200);
    },
    { timeout: 30_000, interval: 100 },
  );
}

test('is up with one of two signers, and counts the other’s receipts once that is back', async () => {
  const [here, away] = fleet.signers as [ServiceProcess, ServiceProcess];
  await away.end('SIGKILL');
  await allowed();
  await fleet.scoring.end();
  await fleet.scoring.start();
  expect(fleet.scoring.stderr).toContain(`signer ${away.ready.service}`);
  await allowed();
  await vi.waitFor(async () => expect(await counted()).toBeGreaterThanOrEqual(2), { timeout: 20_000, interval: 200 });
  const before = await counted();
  await away.start();
  await here.end('SIGKILL');
  await allowed();
  await vi.waitFor(async () => expect(await counted()).toBeGreaterThan(before), { timeout: 30_000, interval: 200 });
  await here.start();
});
