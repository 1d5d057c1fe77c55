// SIGTERM ends Beacon in order, whoever is still waiting for an answer or has not finished asking.

import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const dataDir = newDataDir();
afterAll(() => removeDataDir(dataDir));

test('callers who wait for an approval or dawdle over a body do not keep it from ending with 0', async () => {
  const beacond = await startBeacond({ dataDir, env: { BEACON_DRAIN_MS: '300' } });
  const asked = await execute(beacond, { code: 'rm -rf src' });
  expect(asked.body.route).toBe('APPROVAL');
  const waiting = fetch(`${beacond.http}/api/actions/${asked.body.action_id}/approval?wait=60`).catch(() => 'cut');
  const { hostname, port } = new URL(beacond.http);
  const dawdler = connect(Number(port), hostname);
  dawdler.on('error', () => {});
  dawdler.write('POST /api/execute HTTP/1.1\r\nhost: localhost\r\n');
  dawdler.write('content-type: application/json\r\ncontent-length: 9\r\n\r\n{');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await beacond.end()).toBe(0);
  expect(await waiting).toBe('cut');
}, 30_000);
