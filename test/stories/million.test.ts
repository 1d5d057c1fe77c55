// A ledger of a million receipts does not make the start slow: state is read from where it was saved, not replayed.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const RECEIPTS = 1_000_000;
/** Promised to operators, so held here although it is a time. */
const READY_WITHIN_MS = 3_000;
const FILL = fileURLToPath(new URL('../fill-ledger.ts', import.meta.url));
const dataDir = newDataDir();
afterAll(() => removeDataDir(dataDir));

test('with a million receipts on disk, ready within three seconds of process start', { timeout: 900_000 }, async () => {
  await promisify(execFile)(process.execPath, [FILL, join(dataDir, 'data'), String(RECEIPTS)]);
  const beacond = await startBeacond({ dataDir });
  expect(beacond.readyMs).toBeLessThan(READY_WITHIN_MS);
  const { body } = await execute(beacond);
  expect(body.decision).toBe('ALLOW');
  expect(Number(String(body.receipt_id).split('-')[1])).toBeGreaterThanOrEqual(RECEIPTS);
  const auth = { headers: { authorization: `Bearer ${beacond.adminToken}` } };
  const early = await fetch(
    `${beacond.http}/api/receipts/${String(body.receipt_id).split('-')[0]}-17/proof?wait=5`,
    auth,
  );
  expect(early.status).toBe(200);
  const logs = (await call(beacond, 'GET', '/api/logs')).body as unknown as { size: number }[];
  expect(logs[0]?.size).toBeGreaterThan(RECEIPTS);
  expect(await beacond.end()).toBe(0);
});
