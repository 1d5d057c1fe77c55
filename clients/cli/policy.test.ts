import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const BUILT_IN = fileURLToPath(new URL('../../policies/bundle', import.meta.url));
let stub: StubBeacon;
let bundle: string;

beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(async () => {
  stub.reset();
  bundle = join(stub.folder, 'bundle');
  cpSync(BUILT_IN, bundle, { recursive: true, force: true });
});

const sign = (...change: string[]) =>
  stub.beacon(['policy', 'sign', 'bundle', '--key', 'k.pem', '--version', '3', '--expires', '2999-01-31', ...change]);

test('makes a key once, signs with it, and verifies with its public half', async () => {
  const made = await stub.beacon(['policy', 'key', 'k.pem']);
  expect(made.exit).toBe(0);
  expect(statSync(join(stub.folder, 'k.pem')).mode & 0o077).toBe(0);
  expect((await stub.beacon(['policy', 'key', 'k.pem'])).out).toBe(made.out);
  await stub.save('keys.json', made.out);
  const signed = await sign('--json');
  expect(signed).toMatchObject({ exit: 0, err: '' });
  const { digest } = JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8'));
  expect(JSON.parse(signed.out)).toMatchObject({ version: 3, expires_at: '2999-01-31T00:00:00.000Z', digest });
  const verified = await stub.beacon(['policy', 'verify', 'bundle', '--keys', 'keys.json']);
  expect(verified).toMatchObject({ exit: 0 });
  expect(verified.out).toContain(digest);
  expect((await sign()).exit).toBe(0);
  writeFileSync(join(bundle, 'data.json'), '{}');
  const spoiled = await stub.beacon(['policy', 'verify', 'bundle', '--keys', 'keys.json']);
  expect(spoiled).toMatchObject({ exit: 1 });
  expect(spoiled.err).toContain('digest_mismatch');
  const refused = await sign();
  expect(refused).toMatchObject({ exit: 1 });
  expect(refused.err).toContain('failed_precondition');
});

test('signs no bundle whose cases nobody could run', async () => {
  await stub.beacon(['policy', 'key', 'k.pem']);
  const path = join(bundle, 'cases.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"expect"', '"expcet"'));
  const refused = await sign();
  expect(refused).toMatchObject({ exit: 1 });
  expect(refused.err).toContain('failed_precondition');
});

test('wrong usage: 2', async () => {
  await stub.beacon(['policy', 'key', 'k.pem']);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  await stub.save('rsa.pem', rsa.export({ type: 'pkcs8', format: 'pem' }));
  await stub.save('text.pem', 'no key');
  for (const change of [
    ['--version', '0'],
    ['--version', '1.5'],
    ['--expires', '2001-01-01'],
    ['--expires', 'soon'],
    ['--key', 'rsa.pem'],
    ['--key', 'text.pem'],
    ['--key', 'absent.pem'],
  ]) {
    expect((await sign(...change)).exit, change.join(' ')).toBe(2);
  }
  expect((await stub.beacon(['policy', 'sign', 'bundle'])).exit).toBe(2);
});

test('a folder without a bundle is named, and what makes one: 2', async () => {
  await stub.beacon(['policy', 'key', 'k.pem']);
  mkdirSync(join(stub.folder, 'unbuilt'), { recursive: true });
  writeFileSync(join(stub.folder, 'unbuilt', 'policy.json'), '{}');
  const signing = ['--key', 'k.pem', '--version', '3', '--expires', '2999-01-31'];
  const unbuilt = await stub.beacon(['policy', 'sign', 'unbuilt', ...signing]);
  expect(unbuilt).toMatchObject({ exit: 2 });
  expect(unbuilt.err).toContain('unbuilt: this package is not built yet (beacon policy build unbuilt)');
  const nowhere = await stub.beacon(['policy', 'sign', 'nowhere', ...signing]);
  expect(nowhere).toMatchObject({ exit: 2 });
  expect(nowhere.err).toContain('nowhere: there is no bundle');
});

test('shows what is active, and asks for activation with and without force', async () => {
  const policy = { name: 'pack', revision: '1.0', version: 4, digest: 'd'.repeat(64), expires_at: null };
  const refused = { reason: 'rollback', message: 'refused (rollback)', at: '2026-01-01T00:00:00.000Z' };
  stub.answers['GET /api/policy'] = { body: { ...policy, receipt_id: null, refused } };
  const status = await stub.beacon(['policy', 'status']);
  expect(status.exit).toBe(0);
  expect(status.out).toContain('refused (rollback)');
  stub.answers['POST /api/policy/activate'] = { body: { ...policy, refused: null, changed: true } };
  expect((await stub.beacon(['policy', 'activate', '--json'])).exit).toBe(0);
  expect((await stub.beacon(['policy', 'activate', '--force'])).exit).toBe(0);
  const bodies = stub.seen.filter(({ method }) => method === 'POST').map(({ body }) => body);
  expect(bodies).toEqual([{ force: false }, { force: true }]);
});
