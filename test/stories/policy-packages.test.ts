// A tenant's policy package from an empty folder to what the running Beacon decides by: made, tested, built, simulated on
// what was decided, signed, installed, refused and taken out again.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findOpa } from '../../policies/build.ts';
import { type Beacond, call, newDataDir, removeDataDir, startBeacond } from '../beacond.ts';

const CLI = fileURLToPath(new URL('../../bin/beacon.mjs', import.meta.url));
const BUILT_IN = fileURLToPath(new URL('../../policies/bundle', import.meta.url));
const home = newDataDir();
const watched = join(home, 'watched');
const opa = findOpa();
let beacond: Beacond;

function beacon(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, BEACON_DATA_DIR: join(home, 'data'), BEACON_OPA: opa, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}
const policy = (...args: string[]) => {
  const { status, stdout, stderr } = beacon(['policy', ...args, '--json']);
  return { status, stderr, body: JSON.parse(stdout.trim().split('\n').at(-1) as string) };
};
const sign = (dir: string, version: number, key = 'policy.pem') =>
  policy('sign', dir, '--key', key, '--version', String(version), '--expires', '2999-01-31');
const install = (dir: string, ...more: string[]) =>
  policy('install', dir, '--keys', 'keys.json', '--to', 'watched', ...more);
const propose = async (command: string, agent = 'builder', tenant = 'acme') => {
  const body = { agent_id: agent, tenant_id: tenant, action: { kind: 'shell', command, cwd: '/w' } };
  const context = { cwd: '/w', workspace: '/w' };
  return (await call(beacond, 'POST', '/api/guard', { ...body, context }, beacond.adminToken)).body;
};
const active = async () => (await call(beacond, 'GET', '/api/policy', undefined, beacond.adminToken)).body;
const digestOf = (dir: string) => JSON.parse(readFileSync(join(home, dir, 'manifest.json'), 'utf8')).digest;
const shown = () => readdirSync(watched).filter((name) => !name.startsWith('.'));

beforeAll(async () => {
  writeFileSync(join(home, 'keys.json'), beacon(['policy', 'key', 'policy.pem']).stdout);
  mkdirSync(watched);
  const env = { BEACON_POLICY_DIR: watched, BEACON_POLICY_KEYS: join(home, 'keys.json') };
  beacond = await startBeacond({ dataDir: home, env });
});
afterAll(async () => {
  await beacond.end();
  removeDataDir(home);
});

test('init, test, build: a package passes at once, for people and for programs', () => {
  const made = beacon(['policy', 'init', 'acme']);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  expect(made.stdout).toContain('rules/rules.rego');
  expect(beacon(['policy', 'init', 'acme'])).toMatchObject({ status: 1, stderr: expect.stringContaining('conflict') });
  const tested = beacon(['policy', 'test', 'acme']);
  expect([tested.status, tested.stdout]).toEqual([0, expect.stringContaining('none is milder')]);
  expect(policy('build', 'acme')).toMatchObject({ status: 0, body: { ok: true, digest: digestOf('acme/bundle') } });
  cpSync(join(home, 'acme'), join(home, 'broken'), { recursive: true });
  writeFileSync(join(home, 'broken/cases/cases.yaml'), 'cases: [{name: reads, command: ls, expect: {route: DENY}}]\n');
  const failing = beacon(['policy', 'test', 'broken']);
  expect([failing.status, failing.stdout]).toEqual([1, expect.stringContaining('ALLOW instead of DENY')]);
  writeFileSync(join(home, 'broken/rules/rules.rego'), 'package added.acme\n\nx := y\n');
  expect(policy('test', 'broken')).toMatchObject({
    status: 1,
    body: { error: { code: 'failed_precondition', message: expect.stringContaining('rules/rules.rego:3') } },
  });
});

test('without OPA it says how to get it', () => {
  const nowhere = { PATH: '/nonexistent', BEACON_OPA: '/nonexistent/opa', BEACON_TEST_CACHE: '/nonexistent' };
  const { status, stderr } = beacon(['policy', 'test', 'acme'], nowhere);
  expect([status, stderr]).toEqual([1, expect.stringContaining('go install')]);
});

test('simulate: what was recorded, as the package would have decided it', async () => {
  expect((await propose('ls')).route).toBe('ALLOW');
  expect((await propose('git push origin feature/x')).route).toBe('WARN');
  expect((await propose('git push origin feature/y', 'other')).route).toBe('WARN');
  expect((await propose('git push origin feature/z', 'other', 'globex')).route).toBe('WARN');
  expect((await propose('rm -rf /')).route).toBe('DENY');
  const { status, body } = policy('simulate', '--bundle', 'acme', '--refuse-milder');
  expect([status, body.replayed, body.milder, body.stricter, body.unchanged]).toEqual([0, 5, 0, 2, 3]);
  expect(body).toMatchObject({ complete: true, not_replayed: {}, found: 5, bundle: { name: 'acme' } });
  expect(body.changes).toMatchObject([
    { was: 'WARN', is: 'APPROVAL', milder: false, count: 2, agents: 2, because: { rule: 'tenant.acme.freeze' } },
  ]);
  expect(policy('simulate', '--bundle', 'acme', '--agent', 'builder').body).toMatchObject({ replayed: 3, stricter: 1 });
  expect(policy('simulate', '--bundle', 'acme', '--limit', '2').body).toMatchObject({ replayed: 2, complete: false });
  expect(policy('simulate', '--bundle', 'acme', '--since', '2999-01-01').body).toMatchObject({ replayed: 0 });
  expect(beacon(['policy', 'simulate', '--bundle', 'acme', '--since', 'soon']).status).toBe(2);
  const { stdout } = beacon(['policy', 'simulate', '--bundle', 'acme']);
  expect(stdout).toContain('none milder');
  expect(stdout).toContain('WARN → APPROVAL');
});

test('explain: by the bundle that is not installed, beside the one that decides', () => {
  const push = ['--agent', 'builder', '--tenant', 'acme', '--', 'git', 'push', 'origin', 'feature/x'];
  expect(beacon(['policy', 'explain', ...push])).toMatchObject({ status: 0, stdout: expect.stringContaining('WARN') });
  const { status, body } = policy(
    'explain',
    '--bundle',
    'acme',
    '--json',
    ...push.slice(0, 4),
    'git push origin feature/x',
  );
  expect([status, body.route, body.running.route]).toEqual([1, 'APPROVAL', 'WARN']);
  expect(body).toMatchObject({ bundle: { name: 'acme' }, policy_digest: digestOf('acme/bundle') });
  const { stdout } = beacon(['policy', 'explain', '--bundle', 'acme', ...push]);
  expect(stdout).toContain('By acme 0.1.0, which is not installed');
  expect(stdout).toContain('change_freeze');
  expect(beacon(['policy', 'explain', '--score', '300', ...push]).status).toBe(2);
  const alone = beacon(['policy', 'explain', '--bundle', 'acme', '--approved', ...push], {
    BEACON_DATA_DIR: join(home, 'none'),
  });
  expect([alone.status, alone.stdout]).toEqual([0, expect.stringContaining('facts are as stated')]);
});

test('install: verified, put there at once, and told what the Beacon made of it', async () => {
  const unsigned = install('acme');
  expect([unsigned.status, unsigned.body.error.message]).toEqual([1, expect.stringContaining('(unsigned)')]);
  expect(sign('acme', 1).status).toBe(0);
  const done = install('acme');
  expect(done).toMatchObject({
    status: 0,
    body: { result: 'activated', version: 1, canary: { milder: 0, stricter: 2 } },
  });
  expect(await active()).toMatchObject({ digest: digestOf('acme/bundle'), version: 1, refused: null });
  expect(await propose('git push origin feature/x')).toMatchObject({
    route: 'APPROVAL',
    reasons: [{ rule: 'tenant.acme.freeze', code: 'change_freeze' }, {}],
  });
  expect((await propose('git push origin feature/z', 'other', 'globex')).route).toBe('WARN');
  expect(install('acme').body.result).toBe('unchanged');
  expect(shown()).toHaveLength(6);
});

test('a milder candidate is loud', () => {
  const { status, body } = policy('simulate', '--bundle', BUILT_IN, '--refuse-milder');
  expect([status, body.milder]).toEqual([1, 1]);
  expect(body.changes[0]).toMatchObject({
    was: 'APPROVAL',
    is: 'WARN',
    milder: true,
    because: { code: 'change_freeze' },
  });
  const { stdout } = beacon(['policy', 'simulate', '--bundle', BUILT_IN]);
  expect(stdout).toContain('✖ 1 milder');
  expect(stdout).toContain('no longer change_freeze');
});

test('an older one, a stranger’s, or one whose cases fail leaves everything as it was', async () => {
  cpSync(join(home, 'acme/bundle'), join(home, 'first'), { recursive: true });
  const freeze = join(home, 'acme/data/freeze.yaml');
  writeFileSync(freeze, `${readFileSync(freeze, 'utf8')}season: winter\n`);
  expect(policy('build', 'acme').status).toBe(0);
  expect(readdirSync(join(home, 'acme/bundle'))).not.toContain('manifest.dsse.json');
  expect(sign('acme', 2).status).toBe(0);
  expect(install('acme').body).toMatchObject({ result: 'activated', version: 2 });
  const second = digestOf('acme/bundle');
  const stays = async () => expect(await active()).toMatchObject({ digest: second, version: 2, refused: null });

  const older = install('first');
  expect([older.status, older.body.error.message]).toEqual([1, expect.stringContaining('(rollback)')]);
  // Into a folder that nobody watches yet just as little: the running one says what was active.
  const elsewhere = policy('install', 'first', '--keys', 'keys.json', '--to', 'elsewhere');
  expect([elsewhere.status, elsewhere.body.error.message]).toEqual([1, expect.stringContaining('(rollback)')]);
  expect(existsSync(join(home, 'elsewhere'))).toBe(false);
  await stays();

  // Trusted by whoever installs, and by no Beacon: it was there for a moment, and is no more.
  writeFileSync(join(home, 'strange.json'), beacon(['policy', 'key', 'strange.pem']).stdout);
  cpSync(join(home, 'acme/bundle'), join(home, 'strange'), { recursive: true });
  expect(sign('strange', 3, 'strange.pem').status).toBe(0);
  const strange = policy('install', 'strange', '--keys', 'strange.json', '--to', 'watched');
  expect([strange.status, strange.body.error.message]).toEqual([1, expect.stringContaining('taken out again')]);
  expect(strange.body.error.message).toContain('(unknown_key)');
  expect(JSON.parse(readFileSync(join(watched, 'manifest.json'), 'utf8')).digest).toBe(second);
  await expect.poll(async () => (await active()).refused, { timeout: 10_000 }).toBe(null);
  await stays();

  cpSync(join(home, 'acme/bundle'), join(home, 'failing'), { recursive: true });
  const cases = join(home, 'failing/cases.json');
  writeFileSync(cases, readFileSync(cases, 'utf8').replace('"route":"ALLOW"', '"route":"DENY"'));
  expect(sign('failing', 3).status).toBe(0);
  const failing = install('failing');
  expect([failing.status, failing.body.error.message]).toEqual([1, expect.stringContaining('(failed_case)')]);
  expect(failing.body.error.message).not.toContain('taken out');
  await stays();
});

test('back by force, by an admin alone', async () => {
  const minted = await call(beacond, 'POST', '/api/tokens', { role: 'operator' }, beacond.adminToken);
  const asOperator = { BEACON_URL: beacond.http, BEACON_TOKEN: String(minted.body.token) };
  const args = ['policy', 'install', 'first', '--keys', 'keys.json', '--to', 'watched', '--force', '--json'];
  const denied = beacon(args, asOperator);
  expect([denied.status, denied.stdout]).toEqual([1, expect.stringContaining('permission_denied')]);
  expect(await active()).toMatchObject({ version: 2 });
  expect(JSON.parse(readFileSync(join(watched, 'manifest.json'), 'utf8')).digest).toBe(digestOf('acme/bundle'));
  expect(install('first', '--force').body).toMatchObject({ result: 'activated', version: 1 });
  expect(await active()).toMatchObject({ version: 1, digest: digestOf('first') });
});

test('an operator installs too: the Beacon looks by itself', async () => {
  const minted = await call(beacond, 'POST', '/api/tokens', { role: 'operator' }, beacond.adminToken);
  const asOperator = { BEACON_URL: beacond.http, BEACON_TOKEN: String(minted.body.token) };
  const args = ['policy', 'install', 'acme', '--keys', 'keys.json', '--to', 'watched', '--json'];
  const { status, stdout } = beacon(args, asOperator);
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { result: 'activated', version: 2 }]);
});
