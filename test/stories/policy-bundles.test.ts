// A signed bundle takes over while decisions go on; a bad one changes nothing; what was activated holds over restarts.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacond, call, execute, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';
import { builtInFiles, type Made, makeBundle, place, spoiled, strangerKey, writePolicyKeys } from '../policy-bundle.ts';

const dataDir = newDataDir();
const folder = join(dataDir, 'bundle');
const keys = join(dataDir, 'policy-keys.json');
const env = { BEACON_POLICY_DIR: folder, BEACON_POLICY_KEYS: keys };
let beacond: Beacond;

beforeAll(async () => {
  mkdirSync(folder);
  writePolicyKeys(keys);
  beacond = await startBeacond({ dataDir, env });
});
afterAll(async () => {
  await beacond.end();
  removeDataDir(dataDir);
});

const status = async () => (await call(beacond, 'GET', '/api/policy', undefined, beacond.adminToken)).body;
const activate = (body: unknown, token = beacond.adminToken) =>
  call(beacond, 'POST', '/api/policy/activate', body, token);
const decide = async () => (await execute(beacond)).body;
const digestIn = (answer: Record<string, unknown>) => {
  const { predicate } = readReceipt(Buffer.from(JSON.stringify(answer.receipt)));
  return (predicate.policy as { digest: string }).digest;
};
const refusedReason = async () => ((await status()).refused as { reason: string } | null)?.reason;

async function until<T>(what: () => Promise<T>, wanted: T): Promise<void> {
  await expect.poll(what, { timeout: 15_000, interval: 50 }).toBe(wanted);
}

async function restart(): Promise<void> {
  await beacond.end();
  beacond = await startBeacond({ dataDir, env });
}

async function policyReceipts(): Promise<Record<string, unknown>[]> {
  const { body } = await call(beacond, 'GET', '/api/receipts?kind=policy&limit=100', undefined, beacond.adminToken);
  return Promise.all(
    (body.receipts as { receipt_id: string }[]).map(async ({ receipt_id }) => {
      const stored = await fetch(`${beacond.http}/api/receipts/${receipt_id}`, {
        headers: { authorization: `Bearer ${beacond.adminToken}` },
      });
      return readReceipt(new Uint8Array(await stored.arrayBuffer())).predicate as Record<string, unknown>;
    }),
  );
}

const first = makeBundle({ version: 2, strict: true });

test('starts with the built-in bundle and takes a signed one without a restart', async () => {
  const builtIn = JSON.parse(Buffer.from(builtInFiles().get('manifest.json') as Uint8Array).toString());
  expect(await status()).toMatchObject({ name: 'built-in', version: 0, expires_at: null, refused: null });
  const before = await decide();
  expect(before.decision).toBe('ALLOW');
  expect(digestIn(before)).toBe(builtIn.digest);
  place(folder, first);
  await until(async () => (await status()).digest, first.digest);
  const after = await decide();
  expect(after).toMatchObject({ decision: 'DENY', policy_revision: '0.1.0-2' });
  expect(digestIn(after)).toBe(first.digest);
  const [receipt] = await policyReceipts();
  expect(receipt).toMatchObject({ digest: first.digest, version: 2, revision: '0.1.0-2', cause: 'folder' });
  expect(receipt).toMatchObject({ previous_digest: builtIn.digest, forced: false, rollback: false });
  // Seven inputs: the built-in canaries, denied by both, and the decision before, which would be denied now.
  const canary = { inputs: 7, milder: 0, stricter: 1, routes: { 'ALLOW>DENY': 1 } };
  expect(receipt).toMatchObject({ cases: 1, canary });
  expect(beacond.stderr()).toContain('"cases":1,"canary":{"inputs":7,');
  expect(await status()).toMatchObject({ receipt_id: receipt?.receipt_id, version: 2 });
  const metrics = await (await fetch(`${beacond.http}/metrics`)).text();
  expect(metrics).toContain(`beacon_policy_info{digest="${first.digest}",revision="0.1.0-2",version="2"} 1`);
  expect(metrics).not.toContain(`beacon_policy_info{digest="${builtIn.digest}"`);
});

test('a bundle that is not what it must be is refused by name, and the good one stays', async () => {
  const good = makeBundle({ version: 3, strict: false });
  const allowed = JSON.parse(Buffer.from(builtInFiles().get('canaries.json') as Uint8Array).toString())[0];
  const bad: [string, Made][] = [
    ['unsigned', spoiled(good, { 'manifest.dsse.json': undefined })],
    ['digest_mismatch', spoiled(good, { 'data.json': Buffer.from('{"beacon":{}}') })],
    ['digest_mismatch', spoiled(good, { 'canaries.json': Buffer.from(JSON.stringify([allowed])) })],
    ['missing_file', spoiled(good, { 'canaries.json': undefined })],
    ['missing_file', spoiled(good, { 'cases.json': undefined })],
    ['digest_mismatch', spoiled(good, { 'cases.json': first.files.get('cases.json') })],
    ['extra_file', spoiled(good, { 'more.json': Buffer.from('{}') })],
    ['unknown_key', makeBundle({ version: 3, strict: false, key: strangerKey })],
    ['expired', makeBundle({ version: 3, strict: false, expiresAtMs: Date.now() - 1 })],
    ['rollback', makeBundle({ version: 1, strict: false })],
    ['same_version', makeBundle({ version: 2, strict: false })],
    ['not_loadable', makeBundle({ version: 3, strict: false, reckless: true })],
    // The built-in canaries hold for every bundle: one cannot bring softer ones along.
    ['not_loadable', makeBundle({ version: 3, strict: false, reckless: true, canaries: '[{}]' })],
    ['failed_case', makeBundle({ version: 3, strict: false, expects: 'DENY' })],
    ['malformed', spoiled(good, { 'manifest.dsse.json': Buffer.from('{}') })],
  ];
  for (const [reason, made] of bad) {
    place(folder, made);
    await until(refusedReason, reason);
    expect((await status()).digest, reason).toBe(first.digest);
    expect((await decide()).decision, reason).toBe('DENY');
    const asked = await activate({});
    expect(asked, reason).toMatchObject({ status: 409, body: { code: 'failed_precondition' } });
    expect(String(asked.body.detail)).toContain(`(${reason})`);
  }
  const metrics = await (await fetch(`${beacond.http}/metrics`)).text();
  for (const [reason] of bad) expect(metrics).toContain(`beacon_policy_refused_total{reason="${reason}"}`);
  expect(beacond.stderr()).toContain('"event":"policy.refused","reason":"rollback"');
  expect(await policyReceipts()).toHaveLength(1);
});

test('under load every receipt names the bundle that evaluated it', async () => {
  const variants = [4, 5, 6, 7].map((version) => makeBundle({ version, strict: version % 2 === 1 }));
  const strict = new Map([[first.digest, true], ...variants.map(({ digest }, i) => [digest, i % 2 === 1] as const)]);
  let over = false;
  const seen = new Set<string>();
  const loader = async () => {
    while (!over) {
      const answer = await decide();
      const digest = digestIn(answer);
      seen.add(digest);
      expect(answer.decision).toBe(strict.get(digest) ? 'DENY' : 'ALLOW');
    }
  };
  const loaders = Promise.all([...Array(8)].map(loader));
  for (const made of variants) {
    place(folder, made);
    await until(async () => (await status()).digest, made.digest);
  }
  over = true;
  await loaders;
  for (const { digest } of variants) expect(seen).toContain(digest);
});

test('a restart goes on with the last good one, whatever lies in the folder, and its version', async () => {
  const { digest } = await status();
  place(folder, makeBundle({ version: 6, strict: false }));
  await restart();
  expect(await status()).toMatchObject({ digest, version: 7, refused: { reason: 'rollback' } });
  expect((await decide()).decision).toBe('DENY');
  rmSync(folder, { recursive: true });
  await restart();
  expect(await status()).toMatchObject({ digest, version: 7, refused: null });
});

test('only an admin goes back, by force, and that stands in the ledger', async () => {
  const older = makeBundle({ version: 3, strict: false });
  place(folder, older);
  await until(refusedReason, 'rollback');
  const { body: minted } = await call(beacond, 'POST', '/api/tokens', { role: 'operator' }, beacond.adminToken);
  expect((await activate({ force: true }, minted.token as string)).status).toBe(403);
  expect((await activate({ force: 'yes' })).status).toBe(400);
  expect((await activate({})).status).toBe(409);
  const forced = await activate({ force: true });
  expect(forced).toMatchObject({ status: 200, body: { digest: older.digest, version: 3, changed: true } });
  expect((await activate({ force: true })).body.changed).toBe(false);
  expect((await decide()).decision).toBe('ALLOW');
  const receipt = (await policyReceipts()).find(({ receipt_id }) => receipt_id === forced.body.receipt_id);
  expect(receipt).toMatchObject({ version: 3, previous_version: 7, forced: true, rollback: true, cause: 'admin' });
  expect(receipt?.actor).toBe('token:admin');
  await restart();
  expect(await status()).toMatchObject({ digest: older.digest, version: 3 });
});

test('an expired bundle denies, over a restart too, until a newer one is there', async () => {
  place(folder, makeBundle({ version: 8, strict: false, expiresAtMs: Date.now() + 3_000 }));
  await until(async () => (await status()).version, 8);
  const before = await decide();
  expect(before.decision).toBe('ALLOW');
  await until(async () => (await decide()).decision, 'DENY');
  expect(JSON.stringify((await decide()).reasons)).toContain('"policy_expired"');
  await restart();
  expect(await status()).toMatchObject({ version: 8 });
  expect(JSON.stringify((await decide()).reasons)).toContain('"policy_expired"');
  place(folder, makeBundle({ version: 9, strict: false }));
  await until(async () => (await decide()).decision, 'ALLOW');
});

test('does not start on the built-in bundle when the one that was active cannot be used', async () => {
  await beacond.end();
  rmSync(folder, { recursive: true });
  const kept = join(dataDir, 'data', 'policy', 'active.json');
  const whole = readFileSync(kept);
  const damaged = [
    Buffer.from('{}'),
    Buffer.from(
      whole
        .toString()
        .replace('"version":9', '"version":1')
        .replace(/"id":"./, '"id":"x'),
    ),
  ];
  for (const content of damaged) {
    writeFileSync(kept, content);
    await expect(startBeacond({ dataDir, env })).rejects.toThrow('does not start');
  }
  writeFileSync(kept, whole);
  writeFileSync(keys, readFileSync(keys, 'utf8').replace(/"x":"[^"]+"/, '"x":"AA"'));
  await expect(startBeacond({ dataDir, env })).rejects.toThrow('does not start');
  writePolicyKeys(keys);
  beacond = await startBeacond({ dataDir, env });
  expect(await status()).toMatchObject({ version: 9 });
});
