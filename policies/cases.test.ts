// Every case of cases/*.json through the committed Wasm.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Case } from '../core/policy-cases.ts';
import { readVerdict } from '../core/route.ts';
import type { PolicySnapshot } from '../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';
import { failingCases } from './build.ts';
import { BUNDLE, bundleWithTenants, caseInput, encode, readJson } from './case-input.ts';

const files = readdirSync(join(import.meta.dirname, 'cases')).filter(
  (name) => name !== 'base.json' && name !== 'overlays.json',
);
let policy: PolicySnapshot;

beforeAll(async () => {
  policy = await new WasmPolicyEngine().activate(await bundleWithTenants());
});

test('the committed bundle passes the cases it carries, and would not if one were another', async () => {
  expect(await failingCases(BUNDLE)).toEqual([]);
  const folder = mkdtempSync(join(tmpdir(), 'beacon-cases-'));
  try {
    cpSync(BUNDLE, folder, { recursive: true });
    const text = readFileSync(join(folder, 'cases.json'), 'utf8');
    writeFileSync(join(folder, 'cases.json'), text.replace('"route":"DENY"', '"route":"ALLOW"'));
    expect(await failingCases(folder)).toEqual([expect.stringContaining('DENY instead of ALLOW')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe.each(files)('%s', (file) => {
  const cases = readJson(file) as Case[];
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const verdict = readVerdict(policy.evaluate(encode(caseInput(one))));
    expect(verdict).toMatchObject({ route: one.expect.route });
    const codes = verdict.reasons.map((reason) => reason.code);
    expect(codes).toEqual(expect.arrayContaining([...one.expect.codes]));
    for (const reason of verdict.reasons) {
      expect(reason.rule).toMatch(/^beacon\.[a-z_]+\.[a-z_]+$/);
      expect(reason.rule).not.toBe('beacon.builtin');
      expect(reason.message).toMatch(/[.]$/);
    }
    if (one.expect.obligations !== undefined) {
      expect(verdict.obligations.map((obligation) => obligation.kind)).toEqual(one.expect.obligations);
    }
  });
});
