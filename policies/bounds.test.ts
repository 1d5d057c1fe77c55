// Invariant 5: the costliest inputs that fit are judged within a bounded time. Parts against parts, findings against
// parts and long lists of reasons each took seconds once.

import { beforeAll, expect, test } from 'vitest';
import type { Fragment } from '../core/policy-cases.ts';
import { MAX_REASONS, readVerdict } from '../core/route.ts';
import { MAX_INPUT_BYTES, type PolicySnapshot } from '../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { bundleWithTenants, caseInput, encode } from './case-input.ts';

const MOST_MS = 1_000;
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const finding = (kind: string) => ({ kind, class: 'secret', where: 'action.code', confidence: 'high', digest: 'ab' });
const flags = ['recursive', 'glob', 'only_copy', 'untracked', 'self_governance', 'unresolved_target'];
const branches = (part: number) => many(64, (index) => `branch:origin/feature-${part}-${index}-${'x'.repeat(100)}`);

const COSTLY: Record<string, Fragment> = {
  'a long list nobody reads': { parts: [{ effect: 'read' }], context: { list: many(120_000, () => 0) } },
  'many parts with many flags': { parts: many(360, (index) => ({ effect: 'delete_many', tool: `t${index}`, flags })) },
  'many branches': { parts: many(20, (index) => ({ effect: 'vcs_push', to: 'repo', targets: branches(index) })) },
  'secrets fetched and sent': {
    parts: many(300, (index) => ({ effect: index % 2 ? 'secret_fetch' : 'send', to: 'own', tool: `t${index}` })),
  },
  'findings and requests': {
    parts: many(150, (index) => ({ effect: 'fetch', tool: `t${index}` })),
    findings: many(1_000, (index) => finding(`kind_${index}`)),
  },
  'findings of every kind': {
    parts: [{ effect: 'send', to: 'own' }],
    findings: many(2_400, (index) => finding(`k${index}`)),
  },
};

let policy: PolicySnapshot;
beforeAll(async () => {
  policy = await new WasmPolicyEngine().activate(await bundleWithTenants());
});

test.each(Object.keys(COSTLY))('%s', (name) => {
  const bytes = encode(caseInput(COSTLY[name] as Fragment));
  expect(bytes.length).toBeLessThanOrEqual(MAX_INPUT_BYTES);
  const start = performance.now();
  const verdict = readVerdict(policy.evaluate(bytes));
  expect(performance.now() - start).toBeLessThan(MOST_MS);
  expect(verdict.reasons[0]?.rule).not.toBe('beacon.builtin');
  expect(verdict.reasons.length).toBeLessThanOrEqual(MAX_REASONS);
});
