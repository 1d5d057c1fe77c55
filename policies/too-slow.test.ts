// A policy that scans more than a decision can wait for, compiled with the pinned OPA: refused before it stands beside decisions.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { findOpa } from './build.ts';

const folder = mkdtempSync(join(tmpdir(), 'beacon-too-slow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCANNING = `package beacon

decide := {"route": "DENY", "reasons": [{"rule": "r", "code": "c", "message": "m"}], "obligations": []} if {
  count({1 | some a in input.list; some b in input.list; a * b == -1}) == 0
}
`;
const listOf = (length: number) => {
  const list = Array.from({ length }, (_, at) => at);
  return new TextEncoder().encode(JSON.stringify({ list }));
};

test('a bundle that is slow on its own cases is refused while decisions go on; on a proposal it may be', async () => {
  writeFileSync(join(folder, 'scanning.rego'), SCANNING);
  const built = join(folder, 'built.tar.gz');
  execFileSync(findOpa(), ['build', '-t', 'wasm', '-e', 'beacon/decide', '-o', built, join(folder, 'scanning.rego')]);
  execFileSync('tar', ['-xzf', built, '-C', folder, '/policy.wasm', '/data.json']);
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  const bundle = { wasm: read('policy.wasm'), data: read('data.json'), revision: '1', canaries: [listOf(1)] };
  const engine = new WasmPolicyEngine();
  let longest = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 10);
  const slow = engine.activate({ ...bundle, trial: { limited: [listOf(2_000)], unlimited: [] } });
  await expect(slow).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining('more than 50 ms'),
  });
  clearInterval(ticking);
  expect(longest).toBeLessThan(1_000);
  await engine.activate({ ...bundle, trial: { limited: [listOf(1)], unlimited: [listOf(2_000)] } });
});
