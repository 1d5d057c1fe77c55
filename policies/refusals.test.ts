// Policies that misbehave, compiled here with the pinned OPA: what the engine makes of undefined results, conflicts,
// hungry evaluations and builtins that are not there.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { POLICY_FILES } from '../core/policy-manifest.ts';
import { readVerdict } from '../core/route.ts';
import type { PolicyBundle } from '../ports/policy-engine/port.ts';
import { REPLACE_ABOVE_BYTES, WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { driftingFiles, findOpa } from './build.ts';
import { BUNDLE, encode } from './case-input.ts';

const DENY = '{"route": "DENY", "reasons": [{"rule": "test", "code": "test", "message": "Test."}], "obligations": []}';
let folder: string;
let opa: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'beacon-refusals-'));
  opa = findOpa();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The body of package beacon, compiled; its canary is `{"canary": true}`. */
function compiled(body: string): PolicyBundle {
  writeFileSync(join(folder, 'policy.rego'), `package beacon\n\n${body}\n`);
  const flags = ['-t', 'wasm', '-e', 'beacon/decide', '-o', 'bundle.tar.gz', 'policy.rego'];
  execFileSync(opa, ['build', ...flags], { cwd: folder, stdio: 'pipe' });
  execFileSync('tar', ['-xzf', 'bundle.tar.gz'], { cwd: folder, stdio: 'pipe' });
  const wasm = new Uint8Array(readFileSync(join(folder, 'policy.wasm')));
  return { wasm, data: encode({}), revision: 'test', canaries: [encode({ canary: true })] };
}

const activate = (bundle: PolicyBundle) => new WasmPolicyEngine().activate(bundle);

test('an undefined result is undefined, which is DENY', async () => {
  const snapshot = await activate(compiled(`decide := ${DENY} if input.canary`));
  expect(snapshot.evaluate(encode({}))).toBeUndefined();
  expect(readVerdict(snapshot.evaluate(encode({})))).toMatchObject({ route: 'DENY' });
});

test('a policy that gives its canary no verdict is refused, though that would deny', async () => {
  await expect(activate(compiled(`decide := ${DENY} if input.other`))).rejects.toMatchObject({
    code: 'failed_precondition',
  });
  await expect(activate(compiled('decide := false'))).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('a conflict inside is thrown as an Error and leaves the next evaluation alone', async () => {
  const body = `decide := ${DENY} if input.canary\n\ndecide := {"route": input.routes[_]}`;
  const snapshot = await activate(compiled(body));
  const scope = (globalThis as unknown as { WebAssembly: { Instance: new (...given: unknown[]) => object } })
    .WebAssembly;
  const instances = vi.spyOn(scope, 'Instance');
  expect(() => snapshot.evaluate(encode({ routes: ['ALLOW', 'DENY'] }))).toThrow(Error);
  expect(snapshot.evaluate(encode({ routes: ['DENY'] }))).toEqual({ route: 'DENY' });
  expect(instances).toHaveBeenCalledTimes(1);
  instances.mockRestore();
});

test('memory that grew is given back, and an evaluation that wants too much fails alone', async () => {
  const body = `decide := ${DENY} if input.canary

decide := {"sum": sum([total | 
	some n in numbers.range(1, input.n)
	some m in numbers.range(1, input.m)
	total := n + m
])} if input.n`;
  const snapshot = await activate(compiled(body));
  const small = snapshot.evaluate(encode({ n: 3, m: 3 }));
  expect(small).toEqual({ sum: 36 });
  snapshot.evaluate(encode({ n: 1_000, m: 400 }));
  expect(snapshot.evaluate(encode({ n: 3, m: 3 }))).toEqual(small);
  expect(() => snapshot.evaluate(encode({ n: 4_000, m: 4_000 }))).toThrow(Error);
  expect(snapshot.evaluate(encode({ n: 3, m: 3 }))).toEqual(small);
  expect(REPLACE_ABOVE_BYTES).toBeGreaterThan(0);
});

test.each(['crypto.sha256(input.x) == "a"', 'time.now_ns() > 0', 'sprintf("%v", [input.x]) == "a"'])(
  'a policy that calls %s is refused when loaded, not when reached',
  async (call) => {
    const bundle = compiled(`decide := ${DENY} if input.canary\n\ndecide := {"route": "DENY"} if ${call}`);
    await expect(activate(bundle)).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('builtins'),
    });
  },
);

test('the committed bundle is what the sources build', () => {
  expect(driftingFiles(BUNDLE, opa)).toEqual([]);
}, 60_000);

test('drift is named file by file', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'beacon-drift-'));
  try {
    expect(driftingFiles(elsewhere, opa)).toEqual([...POLICY_FILES]);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
}, 60_000);
