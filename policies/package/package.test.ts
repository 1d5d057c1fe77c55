// A package passes as it was made; whatever it says, it makes nothing milder than the pack.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { BUNDLE, findOpa } from '../build.ts';
import { bundleWithTenants } from '../case-input.ts';
import { makePackage, milderThan, readsOverlay } from './make.ts';
import { unreadMember } from './read.ts';
import { scaffold } from './scaffold.ts';
import { policyTools } from './tools.ts';

let home: string;
let folder: string;
let opa: string;
let count = 0;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'beacon-package-'));
  opa = findOpa();
});
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  count += 1;
  folder = join(home, `p${count}`);
  scaffold(folder, { name: 'acme', tenants: ['acme', 'acme-eu'] });
});

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
const rules = (body: string) => write('rules/rules.rego', `package added.acme\n\n${body}\n`);
/** Without what the scaffold's own rules are held to. */
const bare = () => {
  write('cases/cases.yaml', 'cases: []\n');
  write('rules/rules_test.rego', 'package added.acme\n');
  write('overlay.yaml', '{}\n');
};
const make = (output?: string) => makePackage([folder], opa, output);
const refusal = async () => {
  try {
    await make();
  } catch (thrown) {
    return thrown as Error & { code: string };
  }
  throw new Error('it was not refused');
};
const verdictOf = async (command: string, tenant = 'acme') => {
  const out = join(folder, 'bundle');
  const made = await make(out);
  const bundle = await policyTools.open(out);
  const body = { tenant_id: tenant, agent_id: 'a', action: { kind: 'shell', command } };
  return { made, verdict: bundle.decide(body, {}) };
};

test('as it was made it passes, and its bundle holds its cases', { timeout: 60_000 }, async () => {
  const out = join(folder, 'bundle');
  const made = await make(out);
  expect(made).toMatchObject({ ok: true, name: 'acme', revision: '0.1.0', milder: [] });
  expect(made.rego.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
  expect(made.cases).toHaveLength(5);
  expect(made.compared).toBeGreaterThan(200);
  const opened = await policyTools.open(out);
  expect(opened).toMatchObject({ name: 'acme', revision: '0.1.0', digest: made.digest });
  const { cases, failing } = await opened.runCases();
  expect(failing).toEqual([]);
  expect(cases).toBe(made.compared);
  const push = { agent_id: 'a', action: { kind: 'shell', command: 'git push origin feature/x' } };
  const routes = ['acme', 'acme-eu', 'globex'].map((tenant_id) => opened.decide({ ...push, tenant_id }, {}).route);
  expect(routes).toEqual(['APPROVAL', 'APPROVAL', 'WARN']);
  const asked = { ...push, tenant_id: 'acme' };
  const explained = await opened.explain(asked, {});
  expect(explained).toMatchObject({
    route: 'APPROVAL',
    policy_digest: made.digest,
    facts: { level: 'L2', score: 300 },
  });
  expect(explained.parts).toMatchObject([{ tool: 'git', effect: 'vcs_push' }]);
  // What would change the route, by this bundle's rules.
  expect(explained.changes).toContainEqual(expect.objectContaining({ kind: 'approval', route: 'WARN' }));
  expect(await opened.explain(asked, { provenance: 'asserted' })).toMatchObject({ facts: { level: 'L1' } });
  expect(await opened.explain(asked, { approved: true })).toMatchObject({ route: 'WARN', would_run: true });
});

test('the same sources give the same bytes', { timeout: 60_000 }, async () => {
  const [first, second] = [join(folder, 'one'), join(folder, 'two')];
  await make(first);
  await make(second);
  for (const name of ['policy.wasm', 'data.json', 'cases.json', 'manifest.json']) {
    expect(readFileSync(join(first, name)).equals(readFileSync(join(second, name))), name).toBe(true);
  }
});

test('what fails is told, and no bundle is written', { timeout: 60_000 }, async () => {
  write('rules/rules_test.rego', 'package added.acme\n\ntest_wrong if 1 == 2\n\ntodo_test_later if true\n');
  write('cases/cases.yaml', 'cases:\n  - {name: reads, command: ls, expect: {route: DENY}}\n');
  const made = await make(join(folder, 'bundle'));
  expect(made.ok).toBe(false);
  expect(made.rego).toMatchObject([
    { name: 'test_wrong', where: 'rules/rules_test.rego:3', fault: 'is not true' },
    { name: 'todo_test_later', fault: expect.stringContaining('skipped') },
  ]);
  expect(made.cases).toMatchObject([{ name: 'reads', route: 'ALLOW', fault: 'ALLOW instead of DENY' }]);
  await expect(policyTools.open(join(folder, 'bundle'))).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('an added rule that says ALLOW, or less, or nothing that can be read, loosens nothing', {
  timeout: 60_000,
}, async () => {
  bare();
  rules(`hits contains {"route": "ALLOW", "rule": "free", "code": "free", "message": "Free."}

hits contains {"route": route, "rule": "free", "code": "free", "message": "Free."} if {
	some part in input.action.parts
	part.effect == "vcs_push"
	some route in ["ALLOW", -1, "allow", null]
}

obligations contains {"kind": "notify"} if input.action.parts[0].effect == "write"

obligations contains "nothing" if input.action.parts[0].effect == "read_credential"`);
  const { made, verdict } = await verdictOf('rm -rf /');
  expect(made).toMatchObject({ ok: true, milder: [] });
  expect(verdict).toMatchObject({ route: 'DENY', reasons: [{ rule: 'beacon.effects.disk_destroy' }] });
  const opened = await policyTools.open(join(folder, 'bundle'));
  const of = (command: string) =>
    opened.decide(
      { tenant_id: 'acme', agent_id: 'a', context: { cwd: '/w', workspace: '/w' }, action: { kind: 'shell', command } },
      {},
    );
  const pushed = of('git push origin feature/x');
  expect(pushed.route).toBe('DENY');
  expect(pushed.reasons[0]).toMatchObject({ rule: 'tenant.acme.unreadable', code: 'added_rule_unreadable' });
  const wrote = of('touch a');
  expect(wrote.route).toBe('ALLOW');
  expect(wrote.obligations).toEqual([{ kind: 'notify' }]);
  expect(wrote.reasons.map(({ rule }) => rule)).toContain('tenant.acme.free');
});

test('an added rule that fails in itself denies', { timeout: 60_000 }, async () => {
  bare();
  rules(`route := "WARN" if input.action.parts[0].tool

route := "ALLOW" if input.action.parts[0].effect == "vcs_push"

hits contains {"route": route, "rule": "r", "code": "c", "message": "M."}`);
  const { made, verdict } = await verdictOf('git push origin feature/x');
  expect(made.ok).toBe(true);
  expect(verdict).toMatchObject({ route: 'DENY', reasons: [{ code: 'policy_error' }] });
});

test('a package redefines nothing of the pack', { timeout: 60_000 }, async () => {
  const modules = {
    'rules/decide.rego': 'package beacon\n\ndecide := {"route": "ALLOW", "reasons": [], "obligations": []}\n',
    'rules/lifted.rego': 'package beacon\n\nlifted(_) := 0\n',
    'rules/words.rego': 'package beacon.words\n\nranks := {"DENY": 0}\n',
    'rules/effects.rego': 'package beacon.effects.disk_destroy\n\ncases := {}\n',
    'rules/tenants.rego': 'package tenants\n\nacme := {}\n',
    'rules/globex.rego': 'package added.globex\n\nhits contains {}\n',
    'rules/deep.rego': 'package added.acme.more\n\nhits contains {}\n',
    'rules/beacon_test.rego': 'package beacon.words\n\nranks := {"DENY": 0}\n',
    'rules/spelt.rego': 'package data["beacon"]\n\ndecide := 1\n',
  };
  for (const [name, text] of Object.entries(modules)) {
    write(name, text);
    const { code, message } = await refusal();
    expect(code, name).toBe('failed_precondition');
    expect(message, name).toContain(name);
    rmSync(join(folder, name));
  }
});

test('a package asks the pack nothing that asks the package, and hands nothing on that is no set', {
  timeout: 60_000,
}, async () => {
  bare();
  rules(`hits contains {"route": "ALLOW", "rule": "r", "code": "c", "message": "M."} if {
	d := data.beacon.decide with input.facts.level as "L3"
	d.route == "ALLOW"
}`);
  expect((await refusal()).message).toContain('recursive');
  for (const body of ['hits := []', 'hits := "DENY" if input.x', 'hits.more contains 1', 'default hits := []']) {
    rules(body);
    expect((await refusal()).message, body).toContain('hits is a set');
  }
});

test('a hit in a test would hold in no bundle', { timeout: 60_000 }, async () => {
  write('rules/more_test.rego', 'package added.acme\n\nhits contains {} if true\n');
  expect((await refusal()).message).toContain('rules/more_test.rego');
});

test('a member of the overlay that no rule reads would hold nothing', () => {
  const rego = readFileSync(join(import.meta.dirname, '..', 'beacon', 'tenant.rego'), 'utf8');
  expect(unreadMember({ tools: {}, effects: {}, protected_branches: {}, every_change_approved: true }, rego)).toBe(
    undefined,
  );
  expect(unreadMember({ tools: {}, of_a_later_pack: {} }, rego)).toBe('of_a_later_pack');
});

test('an overlay that the pack could not read would deny everything, and is seen', async () => {
  const policy = await new WasmPolicyEngine().activate(await bundleWithTenants());
  const read = ['globex', 'broken', 'misspelt', 'empty', 'nobody'].map((tenant) => readsOverlay(policy, tenant));
  expect(read).toEqual([true, false, false, false, true]);
});

test('should a package ever be milder, that is seen', { timeout: 60_000 }, async () => {
  const bundle = await loadBundle(BUNDLE);
  const data = JSON.parse(Buffer.from(bundle.data).toString());
  data.beacon.ladders.person = data.beacon.ladders.reading;
  const milder = { ...bundle, data: Buffer.from(JSON.stringify(data)) };
  const [before, after] = [new WasmPolicyEngine(), new WasmPolicyEngine()];
  const compared = milderThan(await before.activate(bundle), await after.activate(milder), [{ tenants: ['acme'] }], []);
  expect(compared.length).toBeGreaterThan(0);
  expect(compared).toContainEqual(expect.objectContaining({ was: 'APPROVAL', is: 'ALLOW' }));
});

test('no file of a package lands where the pack has its tables', { timeout: 60_000 }, async () => {
  const bad: [string, string, string][] = [
    ['overlay.yaml', 'beacon: {effects: {}}', 'beacon'],
    ['overlay.yaml', 'effects: {disk_destroy: ALLOW}', 'effects.disk_destroy'],
    ['overlay.yaml', 'effects: {disc_destroy: DENY}', 'effects.disc_destroy'],
    ['overlay.yaml', 'tools: {rm: ALOW}', 'tools.rm'],
    ['overlay.yaml', 'protected_branches: {main: false}', 'protected_branches'],
    ['overlay.yaml', 'every_change_approved: "no"', 'every_change_approved'],
    ['overlay.yaml', 'change_limits: {aproved: {lines: 5}}', 'aproved'],
    ['overlay.yaml', 'change_limits: {approved: {line: 5}}', 'line'],
    ['overlay.yaml', 'exec: {rules: {git push: forbiden}}', 'exec.rules.git push'],
    ['overlay.yaml', 'exec: {rules: {"git  push": prompt}}', 'exec.rules'],
    ['overlay.yaml', 'exec: {otherwise: allow}', 'exec.otherwise'],
    ['overlay.yaml', 'regions: {eu-west-1: true}', 'regions'],
    ['overlay.yaml', 'a: [', 'overlay.yaml'],
    ['guardrails.yaml', 'version: 1\ntenants: {globex: {input: {secret: warn}}}', 'globex'],
    ['guardrails.yaml', 'version: 1\ntenants: {acme: {inputs: {secret: warn}}}', 'guardrails.yaml'],
    ['policy.json', '{"name": "beacon/effects", "revision": "1", "tenants": ["acme"]}', 'name'],
    ['policy.json', '{"name": "acme", "revision": "1", "tenants": ["../beacon"]}', 'tenants.0'],
    ['policy.json', '{"name": "acme", "revision": "1", "tenants": []}', 'tenants'],
    ['policy.json', '{"name": "acme", "revision": "1", "tenants": ["acme"], "roots": ["beacon"]}', 'roots'],
    ['data/.effects.yaml', 'x: 1', ''],
    ['data/effects.json', '{}', 'data/effects.json'],
    ['data/..effects.yaml', '{}', ''],
    ['rules/Decide.rego', 'package beacon', 'rules/Decide.rego'],
    ['cases/cases.yaml', 'cases: [{name: x, comand: ls, expect: {route: ALLOW}}]', 'comand'],
    ['cases/cases.yaml', 'cases: [{name: x, tenant: globex, command: ls, expect: {route: ALLOW}}]', 'globex'],
  ];
  for (const [name, text, named] of bad) {
    const before = ((): string | undefined => {
      try {
        return readFileSync(join(folder, name), 'utf8');
      } catch {
        return undefined;
      }
    })();
    write(name, text);
    // What begins with a dot is an editor's, and goes nowhere.
    if (named !== '') {
      const { code, message } = await refusal();
      expect([code, message.includes(named)], `${name}: ${text} → ${message}`).toEqual(['failed_precondition', true]);
    }
    if (before === undefined) rmSync(join(folder, name));
    else write(name, before);
  }
});

test('a table that is called as one of the pack leaves that one alone', { timeout: 60_000 }, async () => {
  bare();
  rules(
    'hits contains {"route": "WARN", "rule": "r", "code": "c", "message": "M."} if data.tables.acme.effects.disk_destroy',
  );
  write('data/effects.yaml', 'disk_destroy: {}\n');
  write('data/words.yaml', 'ranks: {DENY: 0, ALLOW: 4}\n');
  const { made, verdict } = await verdictOf('rm -rf /');
  expect(made).toMatchObject({ ok: true, milder: [] });
  expect(verdict.route).toBe('DENY');
});

test('two packages become one bundle, each for its own tenants', { timeout: 60_000 }, async () => {
  const other = join(home, 'globex');
  scaffold(other, { name: 'globex', tenants: ['globex'] });
  writeFileSync(join(other, 'data/freeze.yaml'), 'active: false\neffects: {}\n');
  writeFileSync(join(other, 'cases/cases.yaml'), 'cases: []\n');
  writeFileSync(join(other, 'rules/rules_test.rego'), 'package added.globex\n');
  const out = join(home, 'both');
  const made = await makePackage([folder, other], opa, out);
  expect(made).toMatchObject({ ok: true, name: 'acme.globex', revision: 'acme-0.1.0+globex-0.1.0' });
  const opened = await policyTools.open(out);
  const route = (tenant_id: string) =>
    opened.decide({ tenant_id, agent_id: 'a', action: { kind: 'shell', command: 'git push origin feature/x' } }, {})
      .route;
  expect([route('acme'), route('globex')]).toEqual(['APPROVAL', 'WARN']);
  await expect(makePackage([folder, folder], opa)).rejects.toMatchObject({ code: 'failed_precondition' });
});
