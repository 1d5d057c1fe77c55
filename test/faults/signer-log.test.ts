// A signer whose log was put back to an older copy, as from a backup: it would give new receipts the ids of those that were
// answered since. Redis remembers how far each log had come.

import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { logIdOf } from '../../core/ids.ts';
import { execute } from '../beacond.ts';
import { type Fleet, type ServiceProcess, startFleet } from '../separate.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const AT_ONCE = 4;

let fleet: Fleet;
let signer: ServiceProcess;
let redis: Redis;
beforeAll(async () => {
  fleet = await startFleet({}, { decisionReplicas: 1 });
  [signer] = fleet.signers as [ServiceProcess];
  redis = new Redis(fleet.redis.address);
});
afterAll(async () => {
  redis?.disconnect();
  await fleet?.stop();
});

/** Decides until the log has grown by a decision and Redis reflects that; gives how far it has come. */
async function grown(from: number): Promise<number> {
  const logId = logIdOf(signer.ready.origin as string);
  const reached = async () => Number(await redis.hget('beacon:position:actions', logId));
  await vi.waitFor(
    async () => {
      // One at a time would all go to the signer that answered last.
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => execute(fleet)));
      expect(answers.map(({ body }) => `${body.receipt_id}`.split('-')[0])).toContain(logId);
    },
    { timeout: 30_000, interval: 50 },
  );
  await vi.waitFor(async () => expect(await reached()).toBeGreaterThan(from), { timeout: 30_000, interval: 100 });
  return reached();
}

test('an older copy of a signer’s log does not start while Redis knows more of it, and the log itself does', async () => {
  const [folder, newer, older] = ['signer-a', 'signer-a.newer', 'signer-a.older'].map((name) =>
    join(fleet.folder, name),
  ) as [string, string, string];
  const before = await grown(0);
  await signer.end();
  await cp(folder, older, { recursive: true });
  await signer.start();
  const then = await grown(before);
  await signer.end();
  await rename(folder, newer);
  await rename(older, folder);
  await expect(signer.start()).rejects.toThrow(/reflect \d+ receipts, the log has \d+/);
  await signer.end();
  await rename(folder, older);
  await rename(newer, folder);
  await signer.start();
  expect(await grown(then)).toBeGreaterThan(then);
});
