import { createHash, generateKeyPairSync } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { signerOf } from '../../core/jwk.ts';
import { buildStatement, signEnvelope } from '../../core/receipt.ts';
import { Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import { type DecisionAnswer, DecisionAnswerSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import { type Asked, Believer, Disbelief, MAX_CLOCK_DIFFERENCE_MS } from './believe.ts';

const NOW_MS = Date.parse('2026-11-21T12:00:00.000Z');
const signer = signerOf(generateKeyPairSync('ed25519').privateKey);
const received = Buffer.from('{"code":"ls"}');
const digest = createHash('sha256').update(received).digest('hex');
const iso = (ms: number) => new Date(ms).toISOString();
const asked: Asked = { received, repeatable: false, tookMs: 5 };

type Change = {
  index?: number;
  sealedAtMs?: number;
  permitEndMs?: number;
  leaseEndMs?: number;
  predicate?: Record<string, unknown>;
  answer?: (answer: DecisionAnswer) => void;
};

function answered(change: Change = {}): DecisionAnswer {
  const { index = 1, sealedAtMs = NOW_MS, permitEndMs = NOW_MS + 30_000, leaseEndMs = NOW_MS + 30_000 } = change;
  const receiptId = `0123456789ab-${index}`;
  const permit = { id: `pmt_${'1'.repeat(32)}`, not_after: iso(permitEndMs) };
  const actionId = `act_${'2'.repeat(32)}`;
  const fingerprint = '3'.repeat(64);
  const payload = buildStatement({
    kind: 'decision',
    actionId,
    fingerprint,
    signer: {
      receipt_id: receiptId,
      sealed_at: iso(sealedAtMs),
      lease: { term: 1, not_after: iso(leaseEndMs) },
      permit,
    },
    predicate: {
      route: 'ALLOW',
      decision: 'ALLOW',
      tenant_id: 't',
      agent_id: 'a',
      obligations: [{ kind: 'sandbox' }],
      request_digest: digest,
      ...change.predicate,
    },
  });
  const answer = create(DecisionAnswerSchema, {
    decision: Decision.ALLOW,
    route: Route.ALLOW,
    receiptId,
    actionId,
    fingerprint,
    obligations: [{ kind: 'sandbox', parametersJson: '' }],
    permit: { id: permit.id, notAfter: timestampFromMs(permitEndMs), term: 1n },
    requestDigest: digest,
    receipt: signEnvelope(payload, signer),
  });
  change.answer?.(answer);
  return answer;
}

const believer = (keys = [signer.publicKey]) =>
  new Believer({ tenantId: 't', agentId: 'a', keys: () => keys, now: () => NOW_MS });
const disbelieved = (change: Change, how: Partial<Asked> = {}) =>
  expect(() => believer().believe(answered(change), { ...asked, ...how })).toThrow(Disbelief);

test('an ALLOW whose receipt says the same is passed on as it is', () => {
  const answer = answered();
  expect(believer().believe(answer, asked)).toBe(answer);
});

test.each<[string, Change]>([
  ['another tenant', { predicate: { tenant_id: 'u' } }],
  ['another agent', { predicate: { agent_id: 'b' } }],
  ['another request in the receipt', { predicate: { request_digest: '0'.repeat(64) } }],
  ['another request in the answer', { answer: (a) => Object.assign(a, { requestDigest: '0'.repeat(64) }) }],
  ['a milder route', { predicate: { route: 'WARN' } }],
  ['an obligation left out', { answer: (a) => Object.assign(a, { obligations: [] }) }],
  ['an obligation exchanged', { predicate: { obligations: [{ kind: 'notify' }] } }],
  ['no obligations in the receipt', { predicate: { obligations: null } }],
  ['another permit', { answer: (a) => Object.assign(a.permit ?? {}, { id: `pmt_${'9'.repeat(32)}` }) }],
  ['another fingerprint', { answer: (a) => Object.assign(a, { fingerprint: '9'.repeat(64) }) }],
  ['another receipt id', { answer: (a) => Object.assign(a, { receiptId: '0123456789ab-2' }) }],
  ['decision ALLOW with route DENY', { answer: (a) => Object.assign(a, { route: Route.DENY }) }],
  ['decision DENY with route ALLOW', { answer: (a) => Object.assign(a, { decision: Decision.DENY }) }],
  ['a denial with a permit', { answer: (a) => Object.assign(a, { decision: Decision.DENY, route: Route.DENY }) }],
  ['no route at all', { answer: (a) => Object.assign(a, { route: Route.UNSPECIFIED }) }],
  ['a repetition nobody asked for', { answer: (a) => Object.assign(a, { repeatedAnswer: true }) }],
])('%s is not believed', (_, change) => disbelieved(change));

test('a permit or lease that ended before the answer came is none, by the signer’s own clock', () => {
  disbelieved({ permitEndMs: NOW_MS + 100 }, { tookMs: 100 });
  disbelieved({ leaseEndMs: NOW_MS + 100 }, { tookMs: 100 });
  expect(believer().believe(answered({ permitEndMs: NOW_MS + 100 }), { ...asked, tookMs: 99 })).toBeDefined();
});

test('clocks may differ by so much and no more', () => {
  const off = (ms: number): Change => ({
    sealedAtMs: NOW_MS + ms,
    permitEndMs: NOW_MS + ms + 1_000,
    leaseEndMs: NOW_MS + ms + 1_000,
  });
  for (const ms of [-MAX_CLOCK_DIFFERENCE_MS, MAX_CLOCK_DIFFERENCE_MS - 1]) {
    expect(believer().believe(answered(off(ms)), asked)).toBeDefined();
  }
  disbelieved(off(-MAX_CLOCK_DIFFERENCE_MS - 1_000));
  disbelieved(off(MAX_CLOCK_DIFFERENCE_MS));
});

test('no receipt counts twice, but for a repetition under a key', () => {
  const one = believer();
  one.believe(answered(), asked);
  expect(() => one.believe(answered(), asked)).toThrow(/shown before/);
  one.believe(answered({ index: 2 }), asked);
  const repeated = answered({ answer: (a) => Object.assign(a, { repeatedAnswer: true }) });
  expect(one.believe(repeated, { ...asked, repeatable: true })).toBe(repeated);
  expect(() => one.believe(answered(), asked)).toThrow(/shown before/);
});

test('signed by a key that is not pinned, or spoilt, it is nobody’s', () => {
  const other = signerOf(generateKeyPairSync('ed25519').privateKey);
  expect(() => believer([other.publicKey]).believe(answered(), asked)).toThrow(/unknown_key/);
  disbelieved({ answer: (a) => a.receipt.fill(a.receipt[0] as number, 0, 2) });
});

test('a denial needs no receipt to be one', () => {
  const denial = answered({
    answer: (a) =>
      Object.assign(a, { decision: Decision.DENY, route: Route.DENY, permit: undefined, receipt: new Uint8Array() }),
  });
  expect(believer([]).believe(denial, asked)).toBe(denial);
});
