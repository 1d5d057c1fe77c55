// guardrails.yaml from the file to the decision: built into a bundle with the pinned OPA, read by the schema, decided by Wasm.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readVerdict } from '../core/route.ts';
import { loadBundle } from '../ports/policy-engine/bundle-folder.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { buildBundle, failingCases, findOpa } from './build.ts';
import { caseInput, encode } from './case-input.ts';

const folder = mkdtempSync(join(tmpdir(), 'beacon-guardrails-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FILE = `
version: 1
tenants:
  acme:
    output: { email: redact }
    pre_flight: { secret: block }
    tools: { unlisted: warn, pinned: { github/search: sha256:${'0'.repeat(64)} } }
    input: { phone: { action: block, confidence: medium }, iban: warn }
`;

function build(text: string): string {
  const file = join(folder, 'guardrails.yaml');
  const out = join(folder, 'bundle');
  writeFileSync(file, text);
  buildBundle(out, findOpa(), file);
  return out;
}

const finding = (kind: string, group: string, confidence: string) => ({
  kind,
  class: group,
  where: 'action.text',
  confidence,
  digest: '0'.repeat(64),
});

test('a file becomes decisions', { timeout: 60_000 }, async () => {
  const policy = await new WasmPolicyEngine().activate(await loadBundle(build(FILE)));
  const decide = (tenant_id: string, effect: string, found: object) =>
    readVerdict(
      policy.evaluate(
        encode(
          caseInput({ identity: { tenant_id }, parts: [{ effect, tool: 'x', operation: 'x' }], findings: [found] }),
        ),
      ),
    );
  const blocked = decide('acme', 'read', finding('aws_access_key', 'secret', 'high'));
  expect(blocked).toMatchObject({ route: 'DENY' });
  expect(blocked.reasons[0]).toMatchObject({ rule: 'beacon.guardrails.block', code: 'guardrail_block' });
  expect(blocked.reasons[0]?.message).toMatch(/`secret` blocked at the stage pre_flight.*aws_access_key/);
  expect(blocked.obligations).toContainEqual({ kind: 'notify', reason: 'guardrail_block' });
  expect(decide('other', 'read', finding('aws_access_key', 'secret', 'high')).route).toBe('WARN');
  expect(decide('acme', 'prompt', finding('phone', 'pii', 'low')).route).toBe('WARN');
  expect(decide('acme', 'prompt', finding('phone', 'pii', 'medium')).route).toBe('DENY');
  const redacted = decide('acme', 'output', finding('email', 'pii', 'low'));
  expect(redacted).toMatchObject({ route: 'WARN' });
  expect(redacted.obligations).toContainEqual({ kind: 'redact_output', classes: ['pii'] });
});

test('pinned definitions of tools become decisions', { timeout: 60_000 }, async () => {
  const policy = await new WasmPolicyEngine().activate(await loadBundle(build(FILE)));
  const described = (tenant_id: string, target: string) => {
    const parts = [{ effect: 'output', tool: 'github', operation: 'describe', targets: [target] }];
    return readVerdict(policy.evaluate(encode(caseInput({ identity: { tenant_id }, parts }))));
  };
  const pinned = `tool:search@sha256:${'0'.repeat(64)}`;
  const other = `tool:search@sha256:${'1'.repeat(64)}`;
  expect(described('acme', pinned).route).toBe('ALLOW');
  expect(described('acme', other)).toMatchObject({ route: 'DENY', reasons: [{ code: 'tool_changed' }] });
  expect(described('acme', `tool:new@sha256:${'0'.repeat(64)}`)).toMatchObject({ route: 'WARN' });
  expect(described('other', other).route).toBe('ALLOW');
});

test('a bundle with guardrails still meets the cases of the pack', { timeout: 60_000 }, async () => {
  expect(await failingCases(build(FILE))).toEqual([]);
});

test.each([
  [
    'a word that is no action',
    'version: 1\ntenants: { acme: { input: { email: stop } } }',
    'guardrails.yaml: tenants.acme.input.email: must be one of block, redact, warn',
  ],
  [
    'a stage that is none',
    'version: 1\ntenants: { acme: { midway: { email: block } } }',
    'tenants.acme.midway: is not a field here',
  ],
  ['another version', 'version: 2\ntenants: {}', 'version: must'],
  [
    'a key nobody reads',
    'version: 1\ntenants: { acme: { input: { email: { action: block, confidense: low } } } }',
    'input.email.confidense: is not a field here',
  ],
  [
    'a digest that is none',
    'version: 1\ntenants: { acme: { tools: { pinned: { github/search: abc } } } }',
    'tools.pinned.github',
  ],
  [
    'a tool without its server',
    `version: 1\ntenants: { acme: { tools: { pinned: { search: sha256:${'0'.repeat(64)} } } } }`,
    'tools.pinned.search: must match pattern',
  ],
  [
    'a word for the others that is none',
    'version: 1\ntenants: { acme: { tools: { unlisted: redact } } }',
    'tools.unlisted: must be one of allow, warn, block',
  ],
  ['no tenants', 'version: 1', "must have required property 'tenants'"],
])('%s stops the build', { timeout: 60_000 }, (_name, text, fault) => {
  expect(() => build(text)).toThrow(fault);
});

test('the file that ships guards nothing by itself', () => {
  const data = JSON.parse(readFileSync(join(import.meta.dirname, 'bundle', 'data.json'), 'utf8'));
  expect(data.beacon.guardrails).toEqual({ version: 1, tenants: {} });
});

test('a kind that no detector has stops the build, by its place', () => {
  for (const [line, place] of [
    ['output: { ibna: block }', 'tenants.acme.output.ibna'],
    ['pre_flight: { secret: block, hiden_unicode: block }', 'tenants.acme.pre_flight.hiden_unicode'],
  ]) {
    expect(() => build(`version: 1\ntenants:\n  acme:\n    ${line}\n`)).toThrow(`${place}: is no kind of finding`);
  }
});
