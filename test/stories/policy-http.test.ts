// Policies from a server: it may be away, lie or be somebody else; what it was believed before goes on deciding, until it
// expires, and never the built-in bundle.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { BundleServer, pack } from '../bundle-server.ts';
import { type Made, makeBundle, spoiled, strangerKey, writePolicyKeys } from '../policy-bundle.ts';

const dataDir = newDataDir();
const keys = join(dataDir, 'policy-keys.json');
const token = join(dataDir, 'policy-token');
const server = new BundleServer({ token: 'for-the-story' });
let env: Record<string, string>;
let beacond: Beacond;

beforeAll(async () => {
  writePolicyKeys(keys);
  writeFileSync(token, 'for-the-story\n', { mode: 0o600 });
  await server.start();
  env = {
    BEACON_POLICY_URL: server.url,
    BEACON_POLICY_KEYS: keys,
    BEACON_POLICY_TOKEN_FILE: token,
    BEACON_POLICY_POLL_MS: '100',
  };
});
afterAll(async () => {
  await beacond?.end();
  await server.stop();
  removeDataDir(dataDir);
});

const status = async () => (await call(beacond, 'GET', '/api/policy', undefined, beacond.adminToken)).body;
const activate = (body: unknown) => call(beacond, 'POST', '/api/policy/activate', body, beacond.adminToken);
const hold = async ({ files }: Pick<Made, 'files'>) => server.hold(await pack(files));
const refusedReason = async () => ((await status()).refused as { reason: string } | null)?.reason;
const until = <T>(what: () => Promise<T>, wanted: T) =>
  expect.poll(what, { timeout: 15_000, interval: 50 }).toBe(wanted);
const decision = async () => (await execute(beacond)).body.decision;

async function refusing(): Promise<string | undefined> {
  const metrics = await (await fetch(`${beacond.http}/metrics`)).text();
  return /^beacon_policy_source_refused (\d)$/m.exec(metrics)?.[1];
}

const first = makeBundle({ version: 2, strict: true });

test('does not start without a bundle: the built-in one decides nothing here', async () => {
  await expect(startBeacond({ dataDir, env })).rejects.toThrow('does not start');
  await hold(makeBundle({ version: 2, strict: false, key: strangerKey }));
  await expect(startBeacond({ dataDir, env })).rejects.toThrow('unknown_key');
  await server.stop();
  await expect(startBeacond({ dataDir, env })).rejects.toThrow('unreachable');
  await server.start();
  await hold(first);
  beacond = await startBeacond({ dataDir, env });
  expect(await status()).toMatchObject({ digest: first.digest, version: 2, refused: null });
  expect(await decision()).toBe('DENY');
});

test('takes a newer one while it runs, with a receipt that says where from', async () => {
  const second = makeBundle({ version: 3, strict: false });
  await hold(second);
  await until(async () => (await status()).digest, second.digest);
  expect(await decision()).toBe('ALLOW');
  const { receipt_id } = await status();
  const headers = { authorization: `Bearer ${beacond.adminToken}` };
  const stored = await fetch(`${beacond.http}/api/receipts/${receipt_id}`, { headers });
  const { predicate } = readReceipt(new Uint8Array(await stored.arrayBuffer()));
  expect(predicate).toMatchObject({ cause: 'http', version: 3, previous_digest: first.digest, cases: 1 });
  expect(predicate.canary).toMatchObject({ milder: 1, stricter: 0, routes: { 'DENY>ALLOW': 1 } });
});

test('what is not the next bundle is refused by name, and the good one stays', async () => {
  const { digest } = await status();
  const good = makeBundle({ version: 4, strict: true });
  const whole = await pack(good.files);
  const bad: [string, Uint8Array][] = [
    ['rollback', await pack(first.files)],
    ['same_version', await pack(makeBundle({ version: 3, strict: true }).files)],
    ['unknown_key', await pack(makeBundle({ version: 4, strict: true, key: strangerKey }).files)],
    ['unsigned', await pack(spoiled(good, { 'manifest.dsse.json': undefined }).files)],
    ['digest_mismatch', await pack(spoiled(good, { 'data.json': first.files.get('data.json') }).files)],
    ['not_loadable', await pack(makeBundle({ version: 4, strict: false, reckless: true }).files)],
    ['failed_case', await pack(makeBundle({ version: 4, strict: true, expects: 'ALLOW' }).files)],
    ['bad_file_name', await pack(new Map([...good.files, ['../data.json', Buffer.from('{}')]]))],
    ['unreadable', whole.subarray(0, whole.length / 2)],
    ['unreadable', Buffer.from('<html>')],
  ];
  for (const [reason, archive] of bad) {
    server.hold(archive);
    await until(refusedReason, reason);
    expect((await status()).digest, reason).toBe(digest);
    expect((await activate({})).status, reason).toBe(409);
    expect(await decision(), reason).toBe('ALLOW');
  }
  const metrics = await (await fetch(`${beacond.http}/metrics`)).text();
  for (const [reason] of bad) expect(metrics).toContain(`beacon_policy_refused_total{reason="${reason}"}`);
  expect(beacond.stderr()).not.toContain('for-the-story');
});

test('a server that is away changes nothing, over a restart either, until the bundle expires: then nothing runs', async () => {
  const short = makeBundle({ version: 5, strict: false, expiresAtMs: Date.now() + 8_000 });
  await hold(short);
  await until(async () => (await status()).digest, short.digest);
  await server.stop();
  await until(refusedReason, 'unreachable');
  expect(await refusing()).toBe('1');
  expect((await activate({})).status).toBe(409);
  expect(await decision()).toBe('ALLOW');
  await beacond.end();
  beacond = await startBeacond({ dataDir, env });
  expect(await status()).toMatchObject({ digest: short.digest, version: 5, refused: { reason: 'unreachable' } });
  expect(await decision()).toBe('ALLOW');
  await until(decision, 'DENY');
  expect(JSON.stringify((await execute(beacond)).body.reasons)).toContain('"policy_expired"');
  const next = makeBundle({ version: 6, strict: false });
  await hold(next);
  await server.start();
  await until(decision, 'ALLOW');
  expect(await status()).toMatchObject({ digest: next.digest, refused: null });
  expect(await refusing()).toBe('0');
});

test('an admin who asks is not put off with "unchanged", and may go back by force', async () => {
  const next = makeBundle({ version: 7, strict: true });
  await hold(next);
  expect(await activate({})).toMatchObject({ status: 200, body: { digest: next.digest } });
  await hold(first);
  expect((await activate({})).status).toBe(409);
  expect(await activate({ force: true })).toMatchObject({ status: 200, body: { digest: first.digest, version: 2 } });
});
