// The data folder of `beacond all` is one instance's alone, and nobody else's to read.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Beacond, removeDataDir, startBeacond } from '../beacond.ts';

let beacond: Beacond;
beforeAll(async () => {
  beacond = await startBeacond();
});
afterAll(async () => {
  expect(await beacond.end()).toBe(0);
  removeDataDir(beacond.dataDir);
});

test('two instances on one data folder: the second refuses and says why', async () => {
  await expect(startBeacond({ dataDir: beacond.dataDir })).rejects.toThrow(/in use|locked|another/i);
});

test('the data folder is closed to others and so is the admin token', () => {
  const mode = (path: string) => execFileSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).trim();
  expect(mode(join(beacond.dataDir, 'data'))).toBe('700');
  expect(mode(join(beacond.dataDir, 'data', 'admin.token'))).toBe('600');
  expect(readFileSync(join(beacond.dataDir, 'data', 'admin.token'), 'utf8').trim()).toMatch(/^bcn_admin_/);
});
