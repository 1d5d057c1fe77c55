// `beacon explain` against a scripted server: what is sent, what a person sees, and the exit status.

import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => {
  stub.reset();
  stub.answers['POST /api/explain'] = { body: denied };
});

const part = { targets: ['file:/'], systems: ['filesystem'], scope: 'system', reversible: 'irreversible' };
const denied = {
  route: 'DENY',
  would_run: false,
  reasons: [{ rule: 'beacon.effects.disk_destroy', code: 'disk_destroy', message: 'It removes the system.' }],
  constraints: [],
  fingerprint: 'f'.repeat(64),
  parts: [
    { ...part, tool: 'ls', operation: 'ls', effect: 'read', flags: [] },
    {
      ...{ ...part, tool: 'rm', operation: 'delete', effect: 'disk_destroy', flags: ['recursive', 'force'] },
      externality: { destination_type: 'file', external_write: false, tenant_provenance: 'verified' },
      derived_from: { destination_type: { source: 'effect', detail: 'disk_destroy', part: 2 } },
      route: 'DENY',
    },
    { ...part, tool: 'sh', operation: 'run', effect: 'run_opaque', targets: ['file:/\u001b[31mx'], flags: [] },
  ],
  externality: {
    destination_type: 'file',
    external_write: false,
    reversibility: 'unknown',
    tenant_provenance: 'verified',
  },
  derived_from: {
    destination_type: { source: 'effect', detail: 'disk_destroy', part: 2 },
    tenant_provenance: { source: 'caller', detail: 'the credential\u001b[31m is bound' },
  },
  changes: [
    { kind: 'level', fact: 'L0', suppose: 'it stood at L0', route: 'DENY', direction: 'stricter' },
    { kind: 'form', fact: 'dry_run', suppose: 'it were a dry run', route: 'ALLOW', direction: 'milder' },
  ],
  unchanged: [
    { kind: 'approval', fact: 'approval', suppose: 'a person had approved it', route: 'DENY', direction: 'same' },
    { kind: 'level', fact: 'L1', suppose: 'it stood at L1', route: 'DENY', direction: 'same' },
  ],
  changes_complete: false,
  findings: [{ kind: 'github_token', class: 'secret', where: 'actions.0.command', confidence: 'high' }],
  facts: { score: 300, valid_receipts: 0, level: 'L2', approved: false, missing: [] },
  policy_digest: 'e'.repeat(64),
  policy_revision: 'r7',
};
const allowed = { ...denied, route: 'WARN', would_run: true };

test('a person sees parts, effects, X(a), findings, rules and route; 1 when it would not run', async () => {
  const { exit, out } = await stub.beacon(['explain', '--', 'rm', '-rf', '/']);
  expect(exit).toBe(1);
  for (const shown of [
    ...['✖ DENY', 'would not run', 'It removes the system. (beacon.effects.disk_destroy: disk_destroy)'],
    ...['1. ls  read', '2. rm delete  disk_destroy', '3. sh run  run_opaque', 'recursive, force', 'irreversible'],
    ...['github_token', '300 at L2', 'r7 eeeeeeeeeeee', 'f'.repeat(64)],
    ...['disk_destroy  alone DENY', '     destination_type  file   ← effect disk_destroy\n'],
    ...['\n  destination_type   file      ← effect disk_destroy, part 2', '\n  external_write     false\n'],
    ...['tenant_provenance  verified  ← the credential is bound\n', 'not everything was tried'],
    ...['  ↓ ALLOW  if it were a dry run\n  ↑ DENY   if it stood at L0\n  = DENY  even if a person had approved it\n'],
  ]) {
    expect(out).toContain(shown);
  }
  // What caller and surface say stands once, with the whole.
  expect(out.match(/tenant_provenance/g)).toHaveLength(1);
  expect(out).not.toContain('it stood at L1');
  expect(out).not.toContain('\u001b');
});

test('in colour where colour is wanted, and nothing of the agent’s colours the terminal', async () => {
  const { out } = await stub.beacon(['explain', '--', 'ls'], {
    env: { BEACON_URL: stub.url, BEACON_TOKEN: 'x' },
    colour: true,
  });
  expect(out).toContain('\u001b[33mdisk_destroy\u001b[39m');
  expect(out).toContain('\u001b[32mread\u001b[39m');
  expect(out).toContain('\u001b[35mrun_opaque\u001b[39m');
  expect(out).toContain('\u001b[35munknown ');
  expect(out).toContain('↓ \u001b[32mALLOW\u001b[39m');
  expect(out).not.toContain('\u001b[31mx');
  expect(stripVTControlCharacters(out)).toContain('✖ DENY');
});

test('what must be kept is told in words', async () => {
  const constraints = [
    { kind: 'mark_untrusted' },
    { kind: 'sandbox', required: false },
    { classes: ['secret', 'pii'], kind: 'redact_output' },
  ];
  stub.answers['POST /api/explain'] = { body: { ...allowed, constraints } };
  const { out } = await stub.beacon(['explain', '--', 'ls']);
  const shown = ['mark_untrusted', 'sandbox (required: false)', 'redact_output (classes: secret, pii)'];
  expect(out).toContain(shown.map((words) => `  with ${words}\n`).join(''));
});

test('0 when it would run, only then', async () => {
  stub.answers['POST /api/explain'] = { body: allowed };
  expect((await stub.beacon(['explain', '--', 'ls'])).exit).toBe(0);
  for (const body of [
    { ...allowed, route: 'APPROVAL' },
    { ...allowed, would_run: false },
    { ...allowed, route: undefined },
  ]) {
    stub.answers['POST /api/explain'] = { body };
    expect((await stub.beacon(['explain', '--', 'ls'])).exit).toBe(1);
  }
});

test('--json is the whole answer, for programs', async () => {
  const { exit, out } = await stub.beacon(['explain', '--json', '--', 'rm', '-rf', '/']);
  expect([exit, JSON.parse(out)]).toEqual([1, denied]);
});

test('what is sent: words quoted as shell text, one word as it is, stdin, other kinds', async () => {
  const sent = async (argv: string[], stdin = '') => {
    await stub.beacon(['explain', ...argv], {
      env: { BEACON_URL: stub.url, BEACON_TOKEN: 'secret-token' },
      stdin: Buffer.from(stdin),
    });
    return (stub.seen.at(-1)?.body as { action: unknown } | undefined)?.action;
  };
  expect(await sent(['--', 'rm', '-rf', 'a b'])).toEqual({ kind: 'shell', command: "rm -rf 'a b'" });
  expect(stub.seen.at(-1)).toMatchObject({
    authorization: 'Bearer secret-token',
    body: { agent_id: 'explain', tenant_id: 'local', context: { cwd: stub.folder } },
  });
  expect(await sent(['--', 'ls | sh'])).toEqual({ kind: 'shell', command: 'ls | sh' });
  expect(await sent(['-'], 'from\nstdin')).toEqual({ kind: 'shell', command: 'from\nstdin' });
  expect(await sent(['--kind', 'prompt', '--', 'don’t', 'do', 'that;'])).toEqual({
    kind: 'prompt',
    text: 'don’t do that;',
  });
  expect(await sent(['--kind', 'http', '--', '{"method":"POST","url":"https://e.example/"}'])).toEqual({
    ...{ kind: 'http', method: 'POST', url: 'https://e.example/' },
  });
  expect(
    await sent(['--kind', 'tools', '-'], '{"tool":"github","tools":[{"name":"search"}],"nextCursor":"x"}'),
  ).toEqual({
    ...{ kind: 'output', tool: 'github', tools: [{ name: 'search' }] },
  });
  await sent(['--agent', 'a', '--tenant', 't', '--surface', 'sdk', '--context', '{"attended":false}', '--', 'ls']);
  expect(stub.seen.at(-1)?.body).toMatchObject({
    ...{ agent_id: 'a', tenant_id: 't', surface: 'sdk', context: { attended: false } },
  });
});

test.each([
  [['explain']],
  [['explain', '--kind', 'nothing', '--', 'ls']],
  [['explain', '--kind', 'constructor', '--', 'ls']],
  [['explain', '--kind', 'http', '--', 'ls']],
  [['explain', '--context', '[]', '--', 'ls']],
  [['explain', '--nothing', '--', 'ls']],
])('wrong usage: 2 for %j, and nothing is sent', async (argv) => {
  expect((await stub.beacon(argv)).exit).toBe(2);
  expect(stub.seen).toEqual([]);
});

test('a bundle that is not the running one is another verb’s, which is named', async () => {
  const asked = await stub.beacon(['explain', '--bundle', '../my acme', '--', 'ls']);
  expect(asked.exit).toBe(2);
  expect(asked.err).toContain("try beacon policy explain --bundle '../my acme'");
  expect(stub.seen).toEqual([]);
  expect((await stub.beacon(['explain', '--help'])).out).toContain('beacon policy explain --bundle <dir> -- COMMAND');
});

test('who stands in a package is told that its bundle is not the one that runs', async () => {
  const hinted = async (...argv: string[]) => (await stub.beacon([...argv, '--', 'ls'])).out;
  const hint =
    'the bundle of this folder (dddddddddddd) is not the one that runs: beacon policy explain --bundle . asks it';
  expect(await hinted('explain')).not.toContain('bundle');
  await stub.save('policy.wasm', '');
  await stub.save('manifest.json', JSON.stringify({ digest: 'd'.repeat(64) }));
  expect(await hinted('explain')).toContain(hint);
  expect(await hinted('policy', 'explain')).toContain(hint);
  expect(JSON.parse(await hinted('explain', '--json'))).toEqual(denied);
  const large = JSON.stringify({ digest: 'd'.repeat(64), more: ' '.repeat(65_536) });
  for (const manifest of [JSON.stringify({ digest: denied.policy_digest }), '{', '{"digest":7}', large]) {
    await stub.save('manifest.json', manifest);
    expect(await hinted('explain')).not.toContain('of this folder');
  }
  await stub.save('manifest.json', JSON.stringify({ digest: '\u001b[2Jdd' }));
  expect(await hinted('explain')).toContain('folder (dd)');
  // Whoever owns the folder must not be able to keep the command waiting.
  rmSync(join(stub.folder, 'manifest.json'));
  execFileSync('mkfifo', [join(stub.folder, 'manifest.json')]);
  expect(await hinted('explain')).not.toContain('of this folder');
});

test('3 when nobody answers; a refusal’s code is printed', async () => {
  const nobody = { env: { BEACON_URL: 'http://127.0.0.1:9' } };
  expect((await stub.beacon(['explain', '--', 'ls'], nobody)).exit).toBe(3);
  stub.answers['POST /api/explain'] = { status: 403, body: { code: 'permission_denied', detail: 'no' } };
  expect(await stub.beacon(['explain', '--', 'ls'])).toMatchObject({
    ...{ exit: 1, err: expect.stringContaining('permission_denied') },
  });
});

test('a bare list of tools: says the form it takes', async () => {
  const { exit, err } = await stub.beacon(['explain', '--kind', 'tools', '--', '[{"name":"search"}]']);
  expect({ exit, err }).toEqual({
    exit: 2,
    err: 'beacon: usage: COMMAND, as tools/list answers, {"tool": SERVER, "tools": […]}, is a JSON object\n',
  });
});
