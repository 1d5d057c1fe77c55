// Signed policy bundles over separate services: every replica activates for itself, an admin's word reaches all of them.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { call, execute } from '../beacond.ts';
import { makeBundle, place, writePolicyKeys } from '../policy-bundle.ts';
import { type Fleet, startFleet } from '../separate.ts';

const home = mkdtempSync(join(tmpdir(), 'beacon-fleet-policy-'));
const folder = join(home, 'bundle');
const keys = join(home, 'keys.json');
let fleet: Fleet;

beforeAll(async () => {
  writePolicyKeys(keys);
  fleet = await startFleet({ BEACON_POLICY_DIR: folder, BEACON_POLICY_KEYS: keys });
  await vi.waitFor(async () => expect(await digests()).not.toContain('no decision'), { timeout: 30_000 });
});
afterAll(async () => {
  await fleet?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** What a run of decisions, which the replicas take in turns, was evaluated by. */
async function digests(): Promise<ReadonlySet<unknown>> {
  const answers = await Promise.all(Array.from({ length: 8 }, () => execute(fleet)));
  return new Set(
    answers.map(({ body }) => {
      if (!body.receipt) return 'no decision';
      const { predicate } = readReceipt(Buffer.from(JSON.stringify(body.receipt)));
      return (predicate.policy as { digest: string }).digest;
    }),
  );
}
const only = (digest: string) => expect.poll(async () => [...(await digests())], { timeout: 15_000 }).toEqual([digest]);

test('every replica takes the bundle, keeps it over a restart, and goes back when an admin forces it', async () => {
  const strict = makeBundle({ version: 2, strict: true });
  place(folder, strict);
  await only(strict.digest);
  expect((await execute(fleet)).body.decision).toBe('DENY');

  const older = makeBundle({ version: 1, strict: false });
  place(folder, older);
  const [replica] = fleet.decisions;
  await replica?.end('SIGKILL');
  await replica?.start();
  await only(strict.digest);

  const activate = (force: boolean) => call(fleet, 'POST', '/api/policy/activate', { force }, fleet.adminToken);
  expect(await activate(false)).toMatchObject({ status: 409, body: { code: 'failed_precondition' } });
  expect((await activate(true)).status).toBe(200);
  expect([...(await digests())]).toEqual([older.digest]);
  const shown = await call(fleet, 'GET', '/api/policy', undefined, fleet.adminToken);
  expect(shown.body).toMatchObject({ digest: older.digest, version: 1 });
});
