// What a person is shown of one receipt, and of the bundle that decided.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildStatement, type ReceiptKind, signEnvelope } from '../../core/receipt.ts';
import { LOG_ID, receiptSigner } from '../../test/sealed-log.ts';
import { type StubBeacon, startStubBeacon } from './cli.fixture.ts';

const DIGEST = 'a9'.repeat(32);
const ID = `${LOG_ID}-7`;
const parties = { tenant_id: 'acme', agent_id: 'demo', client_provenance: 'authenticated' };
const decision = {
  ...parties,
  ...{ route: 'DENY', decision: 'DENY', reasons: [{ rule: 'beacon.effects.read', code: 'read' }] },
  obligations: [{ kind: 'sandbox' }],
  parts: ['ls', 'git', 'rm', 'mv', 'cp'].map((tool) => ({ tool, operation: 'run', effect: 'read' })),
  ...{ part_count: 5, score: 300, level: 'L2', policy: { digest: DIGEST, revision: '0.1.0' } },
  ...{ externality: { external_write: false }, envelope_digest: 'b'.repeat(64), epoch: 4 },
};

function sealed(kind: ReceiptKind, predicate: Readonly<Record<string, unknown>>): Buffer {
  const signer = { receipt_id: ID, sealed_at: '2026-01-02T03:04:05.678Z' };
  const payload = buildStatement({ kind, actionId: 'act_1', fingerprint: 'f'.repeat(64), signer, predicate });
  return Buffer.from(signEnvelope(payload, receiptSigner));
}

let stub: StubBeacon;
beforeAll(async () => {
  stub = await startStubBeacon();
});
afterAll(() => stub.close());
beforeEach(() => stub.reset());

async function shown(kind: ReceiptKind, predicate: Readonly<Record<string, unknown>>, ...options: string[]) {
  stub.answers[`GET /api/receipts/${ID}`] = { body: sealed(kind, predicate) };
  stub.answers[`GET /api/receipts/${ID}/proof`] = { body: 'proof' };
  const { exit, out } = await stub.beacon(['receipts', ID, ...options]);
  expect(exit).toBe(0);
  return out;
}

test('a decision says who, what, when, where it stands and how to check it, and holds no JSON', async () => {
  const out = await shown('decision', decision);
  for (const line of [
    `decision ${ID}  DENY read\n`,
    '  route        DENY, so the answer was DENY\n',
    '  agent        demo of tenant acme, authenticated\n',
    '  when         2026-01-02T03:04:05.678Z\n',
    '  action       act_1\n',
    '  what         ls run (read), git run (read), rm run (read), and 2 parts more\n',
    '  reasons      beacon.effects.read: read\n',
    '  constraints  sandbox\n',
    '  score        300 at L2\n',
    `  policy       0.1.0 ${DIGEST.slice(0, 12)}\n`,
    '  epoch        4\n',
    `  log          ${LOG_ID}, index 7\n`,
    `  key          ${receiptSigner.publicKey.keyId} (as it says: not verified here)\n`,
    '  also in it   externality, 1 digest (--json)\n',
    `    beacon receipts ${ID} --out receipt.json --proof receipt.tlog-proof\n`,
    '    beacon verify receipt.json --proof receipt.tlog-proof\n',
  ]) {
    expect(out).toContain(line);
  }
  expect(out).not.toMatch(/[{[]/);
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('what a kind says besides stands by its name, and nothing in it reaches the terminal as it is', async () => {
  const predicate = { ...parties, status: 'failed', 'odd_\u001b[31mname': 'x\u001b[2Jy', details: { exit: 1 } };
  const out = await shown('outcome', predicate);
  expect(out).toContain(`outcome ${ID}  failed\n`);
  expect(out).toMatch(/\n {2}status {7}failed\n {2}odd name {5}xy\n/);
  expect(out).toContain('also in it   details (--json)\n');
  expect(out).not.toContain('\u001b');
});

test('what was saved is what is to be verified', async () => {
  const out = await shown('decision', decision, '--out', 'my receipt.json', '--proof', 'p.tlog-proof');
  expect(out).toContain("    beacon verify 'my receipt.json' --proof p.tlog-proof\n");
  expect(out).not.toContain('    beacon receipts');
});

test('--json is the stored bytes', async () => {
  expect(await shown('decision', decision, '--json')).toBe(sealed('decision', decision).toString());
});

test('execute shows the digest that the receipt of this very answer binds', async () => {
  const answer = { decision: 'DENY', route: 'DENY', receipt_id: ID, reasons: [], constraints: [] };
  const receipt = JSON.parse(sealed('decision', decision).toString());
  const told = async (more: object) => {
    stub.answers['POST /api/execute'] = { body: { ...answer, policy_revision: '0.1.0', ...more } };
    const { out } = await stub.beacon(['execute', '--agent', 'a', '--tenant', 't', '--', 'ls']);
    return /^ {2}policy +(.*)$/m.exec(out)?.[1];
  };
  expect(await told({ receipt })).toBe(`0.1.0 ${DIGEST.slice(0, 12)}`);
  expect(await told({ receipt: null })).toBe('0.1.0');
  expect(await told({ receipt: { ...receipt, payload: '?' } })).toBe('0.1.0');
  expect(await told({ receipt, receipt_id: `${LOG_ID}-8` })).toBe('0.1.0');
});
