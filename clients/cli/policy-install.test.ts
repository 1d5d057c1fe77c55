// What install does with every answer a Beacon can give; the real one is asked in test/stories/policy-packages.test.ts.

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { BUNDLE } from '../../policies/build.ts';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

let stub: StubBeacon;
let target: string;
let ours: Record<string, unknown>;
const BUILT_IN = { name: 'built-in', version: 0, revision: '0', digest: 'd'.repeat(64), refused: null };

beforeAll(async () => {
  stub = await startStubBeacon();
  cpSync(BUNDLE, join(stub.folder, 'bundle'), { recursive: true });
  await stub.save('keys.json', (await stub.beacon(['policy', 'key', 'k.pem'])).out);
  const args = ['policy', 'sign', 'bundle', '--key', 'k.pem', '--version', '5', '--expires', '2999-01-31', '--json'];
  const { digest, version } = JSON.parse((await stub.beacon(args)).out);
  ours = { ...BUILT_IN, digest, version, receipt_id: null };
  target = join(stub.folder, 'watched');
});
afterAll(() => stub.close());
beforeEach(() => {
  stub.reset();
  rmSync(target, { recursive: true, force: true });
  stub.answers['GET /api/policy'] = { body: BUILT_IN };
  stub.answers['POST /api/policy/activate'] = { body: ours };
});

const install = (...more: string[]) =>
  stub.beacon(['policy', 'install', 'bundle', '--keys', 'keys.json', '--to', 'watched', ...more]);
const placed = () => (existsSync(target) ? readdirSync(target).filter((name) => !name.startsWith('.')).length : 0);
const activations = () => stub.seen.filter(({ method }) => method === 'POST').map(({ body }) => body);

test('activated: put there, and asked for once', async () => {
  expect(await install()).toMatchObject({ exit: 0, out: expect.stringContaining('activated') });
  expect([placed(), activations()]).toEqual([6, [{ force: false }]]);
  stub.answers['GET /api/policy'] = { body: ours };
  expect(JSON.parse((await install('--json')).out)).toMatchObject({ result: 'unchanged', version: 5 });
});

test('a Beacon that goes on with another bundle watches another place: taken out again', async () => {
  stub.answers['POST /api/policy/activate'] = { body: { ...BUILT_IN, changed: false } };
  expect(await install()).toMatchObject({ exit: 1, err: expect.stringContaining('does it watch this folder') });
  expect(placed()).toBe(0);
});

test('refused: the reason is told, and it is taken out again', async () => {
  const body = { code: 'failed_precondition', detail: 'the policy bundle is refused (failed_canary): it throws' };
  stub.answers['POST /api/policy/activate'] = { status: 409, body };
  expect(await install()).toMatchObject({ exit: 1, err: expect.stringContaining('(failed_canary)') });
  expect(placed()).toBe(0);
});

test('a signer that is away, or an answer that does not come: it stays, for the Beacon tries again', async () => {
  const body = { code: 'unavailable', detail: 'the activation could not be sealed' };
  stub.answers['POST /api/policy/activate'] = { status: 503, body };
  expect(await install()).toMatchObject({ exit: 3, out: expect.stringContaining('could not be sealed') });
  expect(placed()).toBe(6);
  // It goes on loading, and may take it after all: what it then decides by must not have been taken out.
  const late = { code: 'deadline_exceeded', detail: 'no answer in time' };
  stub.answers['POST /api/policy/activate'] = { status: 504, body: late };
  expect(await install()).toMatchObject({ exit: 3, out: expect.stringContaining('no answer in time') });
  expect(placed()).toBe(6);
});

test('no Beacon: nothing is touched, unless none is meant to be there', async () => {
  const nobody = { env: { BEACON_URL: 'http://127.0.0.1:1' } };
  const args = ['policy', 'install', 'bundle', '--keys', 'keys.json', '--to', 'watched'];
  expect((await stub.beacon(args, nobody)).exit).toBe(3);
  expect(placed()).toBe(0);
  expect((await stub.beacon([...args, '--offline'], nobody)).exit).toBe(0);
  expect(placed()).toBe(6);
  // Without a Beacon the bundle that lies there is what none may fall behind.
  cpSync(join(stub.folder, 'bundle'), join(stub.folder, 'older'), { recursive: true });
  const sign = ['policy', 'sign', 'older', '--key', 'k.pem', '--version', '4', '--expires', '2999-01-31'];
  expect((await stub.beacon(sign)).exit).toBe(0);
  const older = ['policy', 'install', 'older', '--keys', 'keys.json', '--to', 'watched', '--offline'];
  expect(await stub.beacon(older, nobody)).toMatchObject({ exit: 1, err: expect.stringContaining('(rollback)') });
  expect((await stub.beacon([...older, '--force'], nobody)).exit).toBe(0);
});

test('where to and by which keys: said, or as the Beacon has it', async () => {
  expect((await stub.beacon(['policy', 'install', 'bundle', '--to', 'watched'])).exit).toBe(2);
  expect((await stub.beacon(['policy', 'install', 'bundle', '--keys', 'keys.json'])).exit).toBe(2);
  expect((await stub.beacon(['policy', 'install', 'nothing', '--keys', 'keys.json', '--to', 'watched'])).exit).toBe(2);
  const env = { BEACON_URL: stub.url, BEACON_POLICY_DIR: target, BEACON_POLICY_KEYS: join(stub.folder, 'keys.json') };
  expect((await stub.beacon(['policy', 'install', 'bundle'], { env })).exit).toBe(0);
  expect(placed()).toBe(6);
});
