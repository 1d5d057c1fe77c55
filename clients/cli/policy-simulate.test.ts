// What cannot be asked again is counted by its cause; only receipts that verify count.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { canonicalJson, sha256Hex } from '../../core/canonical-json.ts';
import { buildStatement, signEnvelope } from '../../core/receipt.ts';
import { BUNDLE } from '../../policies/build.ts';
import { caseInput } from '../../policies/case-input.ts';
import { policyTools } from '../../policies/package/tools.ts';
import { LOG_ID, receiptSigner, strangerSigner } from '../../test/sealed-log.ts';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';
import { readSince } from './policy-simulate.ts';

let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => stub.reset());

const input = caseInput({ parts: [{ effect: 'read', tool: 'ls', operation: 'ls' }] });
const evidence = `{"salt":"00","summary":"ls","input":${canonicalJson(input)}}`;

function decision(index: number, change: object = {}, signer = receiptSigner): Buffer {
  const statement = buildStatement({
    kind: 'decision',
    actionId: `act_${'0'.repeat(32)}`,
    fingerprint: 'f'.repeat(64),
    signer: { receipt_id: `${LOG_ID}-${index}`, sealed_at: `2026-01-01T00:00:0${index}.000Z` },
    predicate: {
      ...{ decision: 'DENY', route: 'DENY', reasons: [{ rule: 'beacon.old', code: 'old' }] },
      ...{ tenant_id: 't', agent_id: 'a', policy: { digest: 'd', revision: 'old' } },
      ...{ evidence_digest: sha256Hex(Buffer.from(evidence)), envelope_digest: sha256Hex(canonicalJson(input)) },
      ...change,
    },
  });
  return Buffer.from(signEnvelope(statement, signer));
}

function serve(receipts: readonly Buffer[], kept: Readonly<Record<number, string>>): void {
  const list = receipts.map((bytes) => ({ receipt: JSON.parse(bytes.toString()) }));
  stub.answers['GET /api/receipts'] = { body: { receipts: list, next: 0, size: list.length } };
  for (const [index, body] of Object.entries(kept)) {
    stub.answers[`GET /api/receipts/${LOG_ID}-${index}/evidence`] = { body };
  }
}
const simulate = (...more: string[]) =>
  stub.beacon(['policy', 'simulate', '--bundle', BUNDLE, ...more], { policyTools });

test('each that cannot be asked again is counted by its cause', async () => {
  const zero = { evidence: 'none', evidence_digest: undefined };
  serve([decision(5), decision(4, zero), decision(3), decision(2), decision(1, {}, strangerSigner)], {
    5: evidence,
    3: evidence.replace('"ls"', '"rm"'),
    1: evidence,
  });
  const { exit, out } = await simulate('--json');
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    ...{ found: 5, replayed: 1, milder: 1, recorded_by: { old: 1 } },
    not_replayed: { not_kept: 1, other_evidence: 1, erased: 1, unsigned: 1 },
    changes: [{ was: 'DENY', is: 'ALLOW', milder: true, because: { code: 'old' }, count: 1 }],
  });
  const { out: shown } = await simulate();
  for (const text of ['zero retention', 'erased', 'does not verify', 'not what its receipt names', 'no longer old']) {
    expect(shown).toContain(text);
  }
  expect((await simulate('--refuse-milder')).exit).toBe(1);
});

test('a Beacon that stops answering is no diff', async () => {
  serve([decision(1)], {});
  stub.answers[`GET /api/receipts/${LOG_ID}-1/evidence`] = {
    status: 503,
    body: { code: 'unavailable', detail: 'away' },
  };
  expect(await simulate()).toMatchObject({ exit: 3, out: '' });
});

test('wrong usage: 2; without the tools it says where they are', async () => {
  for (const more of [
    ['--limit', '0'],
    ['--limit', 'x'],
    ['--since', 'yesterday'],
    ['--since', '0d'],
  ]) {
    expect((await simulate(...more)).exit, more.join(' ')).toBe(2);
  }
  const { exit, err } = await stub.beacon(['policy', 'simulate', '--bundle', BUNDLE]);
  expect([exit, err]).toEqual([1, expect.stringContaining('clone')]);
});

test('--since: a time, or how long ago', () => {
  const now = Date.parse('2026-06-15T12:00:00Z');
  expect(readSince('90m', now)).toBe(now - 5_400_000);
  expect(readSince('7d', now)).toBe(now - 7 * 86_400_000);
  expect(readSince('2026-06-01', now)).toBe(Date.parse('2026-06-01T00:00:00Z'));
});
