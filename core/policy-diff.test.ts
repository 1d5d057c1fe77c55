import { expect, test } from 'vitest';
import { canonicalJson, sha256Hex } from './canonical-json.ts';
import { diffPolicies, isHeld, type Recorded, readRecorded, wouldBe } from './policy-diff.ts';
import type { Route } from './route.ts';

const input = {
  version: 1,
  salt: 'ab',
  identity: { tenant_id: 't', agent_id: 'a', session_id: '', client_provenance: 'authenticated' },
  action: { parts: [{ effect: 'read' }, { effect: 'write' }, { effect: 'read' }] },
};
const evidenceOf = (of: unknown) => Buffer.from(`{"salt":"00","summary":"ls","input":${canonicalJson(of)}}`);
const evidence = evidenceOf(input);
const predicate = {
  evidence_digest: sha256Hex(evidence),
  envelope_digest: sha256Hex(canonicalJson(input)),
  reasons: [{ rule: 'beacon.effects.read', code: 'read' }],
  policy: { digest: 'd', revision: '7' },
};
const receipt = (change: object = {}, route: Route = 'WARN') => ({
  receiptId: 'r-1',
  sealedAt: '2026-01-01T00:00:00.000Z',
  route,
  predicate: { ...predicate, ...change },
});

test('the input of the evidence is the one the receipt names, to the byte', () => {
  const recorded = readRecorded(receipt(), evidence) as Recorded;
  expect(recorded).toMatchObject({ route: 'WARN', policyRevision: '7', summary: 'ls', effects: ['read', 'write'] });
  expect(Buffer.from(recorded.input).toString()).toBe(canonicalJson(input));
});

test('anything else is named and not asked', () => {
  expect(readRecorded(receipt({ evidence_digest: 'x' }), evidence)).toBe('other_evidence');
  expect(readRecorded(receipt({ envelope_digest: 'x' }), evidence)).toBe('other_evidence');
  const other = evidenceOf({ ...input, version: 2 });
  expect(readRecorded(receipt({ evidence_digest: sha256Hex(other) }), other)).toBe('other_form');
  for (const text of ['{}', '[]', 'null', '{"input":{"version":1}}', '{"input":']) {
    const bytes = Buffer.from(text);
    expect(readRecorded(receipt({ evidence_digest: sha256Hex(bytes) }), bytes), text).toBe('other_form');
  }
});

const recorded = (route: Route, code: string, agentId = 'a', rule = 'beacon.effects.x') =>
  ({ ...(readRecorded(receipt({}, route), evidence) as Recorded), agentId, reasons: [{ rule, code }] }) as Recorded;
const verdict = (route: Route, code: string) => ({ route, reasons: [{ rule: 'tenant.x.y', code, message: '' }] });

test('what the kill switch or a limit of the host stopped stays stopped; an expired policy does not', () => {
  for (const [rule, code] of [
    ['beacon.revocation', 'revoked'],
    ['beacon.revocation', 'no_lease'],
    ['beacon.builtin', 'too_many_tools'],
  ] as const) {
    const held = recorded('DENY', code, 'a', rule);
    expect([isHeld(held), wouldBe(held, { route: 'ALLOW' })], code).toEqual([true, 'DENY']);
  }
  const expired = recorded('DENY', 'policy_expired', 'a', 'beacon.builtin');
  expect([isHeld(expired), wouldBe(expired, { route: 'ALLOW' })]).toEqual([false, 'ALLOW']);
  // A rule that only calls its code so is a rule.
  expect(isHeld(recorded('DENY', 'revoked', 'a', 'tenant.acme.mine'))).toBe(false);
});

test('grouped by change and cause, the milder first however few', () => {
  const diff = diffPolicies([
    { recorded: recorded('ALLOW', 'read'), verdict: verdict('APPROVAL', 'freeze') },
    { recorded: recorded('ALLOW', 'read', 'b'), verdict: verdict('APPROVAL', 'freeze') },
    { recorded: recorded('ALLOW', 'read'), verdict: verdict('DENY', 'other') },
    { recorded: recorded('DENY', 'secret'), verdict: verdict('WARN', 'fine') },
    { recorded: recorded('WARN', 'push'), verdict: verdict('WARN', 'push') },
    { recorded: recorded('DENY', 'revoked', 'a', 'beacon.revocation'), verdict: verdict('ALLOW', 'read') },
  ]);
  expect(diff).toMatchObject({ replayed: 6, unchanged: 2, milder: 1, stricter: 3, held: 1 });
  expect(diff.interrupted).toEqual({ was: 2, is: 4 });
  expect(diff.routes).toMatchObject({ was: { ALLOW: 3, DENY: 2 }, is: { ALLOW: 0, APPROVAL: 2, DENY: 2 } });
  expect(
    diff.changes.map(({ was, is, milder, because, count, agents }) => [was, is, milder, because.code, count, agents]),
  ).toEqual([
    ['DENY', 'WARN', true, 'secret', 1, 1],
    ['ALLOW', 'APPROVAL', false, 'freeze', 2, 2],
    ['ALLOW', 'DENY', false, 'other', 1, 1],
  ]);
});
