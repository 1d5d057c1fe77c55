// Making and reading are mirrors; every liberty a forger could take with the form is refused before any signature.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { preAuthEncoding, readEnvelope, writeEnvelope } from './dsse.ts';
import { BeaconError } from './errors.ts';
import { buildJwks, parseJwks, privateKeyFromSeed, publicKeyFrom, signerOf, thumbprint } from './jwk.ts';
import { buildStatement, readReceipt, type StatementInput, signEnvelope } from './receipt.ts';
import { verifyReceipt } from './verify.ts';
import { VerifyError } from './verify-error.ts';

const key = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(1)));
const other = signerOf(privateKeyFromSeed(new Uint8Array(32).fill(2)));
const keys = [key.publicKey];

const input: StatementInput = {
  kind: 'decision',
  actionId: `act_${'0'.repeat(32)}`,
  fingerprint: 'ab'.repeat(32),
  signer: {
    receipt_id: '0123456789ab-7',
    sealed_at: '2026-01-02T03:04:05.678Z',
    lease: { term: 3, not_after: '2026-01-02T03:04:10.000Z' },
    permit: { id: `pmt_${'1'.repeat(32)}`, not_after: '2026-01-02T03:04:09.000Z' },
  },
  predicate: { decision: 'ALLOW', route: 'WARN', tenant_id: 't', agent_id: 'a', reasons: [{ rule: 'r', code: 'ü' }] },
};
const payload = buildStatement(input);
const envelope = signEnvelope(payload, key);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof VerifyError || thrown instanceof BeaconError) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

/** The statement with one thing changed, signed by the right key. */
function signedStatement(change: (statement: Record<string, never>) => void): Uint8Array {
  const statement = JSON.parse(Buffer.from(payload).toString());
  change(statement);
  return signEnvelope(Buffer.from(JSON.stringify(statement)), key);
}

test('DSSE: the pre-authentication encoding counts bytes', () => {
  expect(Buffer.from(preAuthEncoding(Buffer.from('é'))).toString()).toBe('DSSEv1 28 application/vnd.in-toto+json 2 é');
});

test('the envelope is one line in the promised order, the signer’s fields stand first', () => {
  const text = Buffer.from(envelope).toString();
  expect(text).toMatch(
    /^\{"payloadType":"application\/vnd\.in-toto\+json","payload":"[A-Za-z0-9+/]+=*","signatures":\[\{"keyid":"[\w-]{43}","sig":"[A-Za-z0-9+/]{86}=="\}\]\}$/,
  );
  expect(Object.keys(JSON.parse(Buffer.from(payload).toString()).predicate).slice(0, 5)).toEqual([
    'receipt_id',
    'sealed_at',
    'lease',
    'permit',
    'decision',
  ]);
});

test('what was sealed is what is read', () => {
  expect(verifyReceipt(envelope, keys)).toMatchObject({
    kind: 'decision',
    receiptId: '0123456789ab-7',
    logId: '0123456789ab',
    index: 7,
    sealedAt: '2026-01-02T03:04:05.678Z',
    actionId: input.actionId,
    fingerprint: input.fingerprint,
    keyId: key.publicKey.keyId,
    tenantId: 't',
    agentId: 'a',
    route: 'WARN',
    lease: { term: 3 },
    permit: { id: `pmt_${'1'.repeat(32)}` },
    predicate: { reasons: [{ rule: 'r', code: 'ü' }] },
  });
});

describe('trust comes from the keys given, never from the envelope', () => {
  test('another key: unknown_key, even under a trusted name', () => {
    expect(codeOf(() => verifyReceipt(envelope, [other.publicKey]))).toBe('unknown_key');
    expect(codeOf(() => verifyReceipt(envelope, []))).toBe('unknown_key');
    const forged = signEnvelope(payload, { publicKey: key.publicKey, sign: other.sign });
    expect(codeOf(() => verifyReceipt(forged, keys))).toBe('bad_signature');
  });

  test('a keyid that belongs to another key, trusted or not: keyid_mismatch', () => {
    const renamed = signEnvelope(payload, { publicKey: other.publicKey, sign: key.sign });
    expect(codeOf(() => verifyReceipt(renamed, keys))).toBe('keyid_mismatch');
    expect(codeOf(() => verifyReceipt(renamed, [other.publicKey, key.publicKey]))).toBe('keyid_mismatch');
  });

  test('a caller’s own name for a key is not believed', () => {
    const alias = { keyId: other.publicKey.keyId, bytes: key.publicKey.bytes };
    const renamed = signEnvelope(payload, { publicKey: alias, sign: key.sign });
    expect(codeOf(() => verifyReceipt(renamed, [alias]))).toBe('keyid_mismatch');
  });

  test('any of several keys will do: receipts outlive a rotation', () => {
    expect(verifyReceipt(envelope, [other.publicKey, key.publicKey]).kind).toBe('decision');
  });
});

describe('only one spelling of an envelope is accepted', () => {
  const text = Buffer.from(envelope).toString();
  const { payload: body, signatures } = JSON.parse(text);
  const [{ keyid, sig }] = signatures;
  const spell = (value: unknown) => JSON.stringify(value);
  const payloadType = 'application/vnd.in-toto+json';
  test.each([
    ['space', text.replace(':', ': '), 'non_canonical'],
    ['newline after', `${text}\n`, 'non_canonical'],
    ['escape', text.replace('application/', 'application\\/'), 'non_canonical'],
    ['order', spell({ payload: body, payloadType, signatures }), 'non_canonical'],
    ['unknown member', spell({ payloadType, payload: body, signatures, note: 1 }), 'non_canonical'],
    [
      'unknown member beside the signature',
      spell({ payloadType, payload: body, signatures: [{ keyid, sig, x: 1 }] }),
      'non_canonical',
    ],
    ['base64 without padding', text.replace('==', ''), 'non_canonical'],
    ['base64url', spell({ payloadType, payload: `-_-_${body.slice(4)}`, signatures }), 'malformed'],
    ['stray bits in base64', text.replace(/.==/, (end) => `${end.startsWith('A') ? 'B' : 'R'}==`), 'non_canonical'],
    ['two signatures', spell({ payloadType, payload: body, signatures: [...signatures, ...signatures] }), 'malformed'],
    ['no signature', spell({ payloadType, payload: body, signatures: [] }), 'malformed'],
    ['member given twice', text.replace('{"payloadType"', `{"payload":"","payloadType"`), 'malformed'],
    ['other payload type', text.replace('in-toto', 'in_toto'), 'malformed'],
    ['short signature', spell({ payloadType, payload: body, signatures: [{ keyid, sig: 'AAAA' }] }), 'malformed'],
    ['array', '[]', 'malformed'],
    ['nothing', '', 'malformed'],
  ])('%s', (_name, spoiled, code) => {
    expect(spoiled).not.toBe(text);
    expect(codeOf(() => verifyReceipt(Buffer.from(spoiled), keys))).toBe(code);
  });

  test('longer than a leaf can be', () => {
    const long = { payload: new Uint8Array(50_000), keyId: keyid, signature: new Uint8Array(64) };
    expect(codeOf(() => writeEnvelope(long))).toBe('payload_too_large');
    expect(codeOf(() => readEnvelope(Buffer.alloc(65_536, 0x20)))).toBe('too_large');
  });

  test('a mutated spelling never reads as the same receipt', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 0, maxLength: 3 }), fc.nat(2), (at, insert, cut) => {
        const spoiled = text.slice(0, at) + insert + text.slice(at + cut);
        fc.pre(spoiled !== text);
        expect(codeOf(() => verifyReceipt(Buffer.from(spoiled), keys))).not.toBe('accepted');
      }),
      { numRuns: 500 },
    );
  });
});

// biome-ignore lint/suspicious/noExplicitAny: each case reaches into a statement in its own way
const statements: [string, (statement: any) => void][] = [
  ['another statement type', (s) => (s._type += '2')],
  ['an extra member', (s) => (s.extra = 1)],
  ['two subjects', (s) => s.subject.push(s.subject[0])],
  ['a second digest', (s) => (s.subject[0].digest.sha512 = 'x')],
  ['an upper-case digest', (s) => (s.subject[0].digest.sha256 = 'AB'.repeat(32))],
  ['an empty subject name', (s) => (s.subject[0].name = '')],
  ['an unknown kind', (s) => (s.predicateType = 'urn:beacon:wish:v1')],
  ['an unknown version', (s) => (s.predicateType = 'urn:beacon:decision:v2')],
  ['no receipt id', (s) => delete s.predicate.receipt_id],
  ['an id with a leading zero', (s) => (s.predicate.receipt_id = '0123456789ab-07')],
  ['a time with an offset', (s) => (s.predicate.sealed_at = '2026-01-02T03:04:05.678+00:00')],
  ['a day that is none', (s) => (s.predicate.sealed_at = '2026-02-30T03:04:05.678Z')],
  ['an unknown route', (s) => (s.predicate.route = 'MAYBE')],
  ['ALLOW over a DENY route', (s) => (s.predicate.route = 'DENY')],
  ['ALLOW without a lease', (s) => delete s.predicate.lease],
  ['ALLOW without a permit', (s) => delete s.predicate.permit],
  ['DENY with a permit', (s) => Object.assign(s.predicate, { route: 'DENY', decision: 'DENY' })],
  ['a lease with an extra member', (s) => (s.predicate.lease.x = 1)],
  ['a tenant that is no string', (s) => (s.predicate.tenant_id = 7)],
  ['no agent', (s) => delete s.predicate.agent_id],
  ['a follows that is no id', (s) => (s.predicate.follows = 'x')],
];
test.each(statements)('a signed statement with %s is malformed', (_name, change) => {
  expect(codeOf(() => readReceipt(signedStatement(change)))).toBe('malformed');
});

test('a signed payload with a key given twice is malformed', () => {
  const twice = Buffer.from(payload).toString().replace('"route":"WARN"', '"route":"DENY","route":"WARN"');
  expect(codeOf(() => readReceipt(signEnvelope(Buffer.from(twice), key)))).toBe('malformed');
});

test('nobody but the signer sets the signer’s fields, and nothing unreadable is built', () => {
  const build = (change: Partial<StatementInput>) => codeOf(() => buildStatement({ ...input, ...change }));
  for (const field of ['receipt_id', 'sealed_at', 'follows', 'lease', 'permit']) {
    expect(build({ predicate: { ...input.predicate, [field]: undefined } })).toBe('invalid_argument');
  }
  expect(build({ fingerprint: 'x' })).toBe('invalid_argument');
  expect(build({ predicate: {} })).toBe('invalid_argument');
  expect(build({ actionId: '' })).toBe('invalid_argument');
});

describe('key sets', () => {
  test('RFC 8037, appendix A: thumbprint', () => {
    const x = Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url');
    expect(thumbprint(x)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
  });

  test('come back as they went, old keys included', () => {
    const set = [key.publicKey, other.publicKey];
    expect(parseJwks(Buffer.from(buildJwks(set)))).toEqual(set);
    expect(parseJwks(Buffer.from(JSON.stringify(JSON.parse(buildJwks(set)).keys[1])))).toEqual([other.publicKey]);
    expect(publicKeyFrom(key.publicKey.bytes)).toEqual(key.publicKey);
  });

  const jwk = JSON.parse(buildJwks(keys)).keys[0];
  test.each([
    ['a kid of another key', { ...jwk, kid: other.publicKey.keyId }, 'keyid_mismatch'],
    ['a private key', { ...jwk, d: 'AAAA' }, 'malformed'],
    ['another curve', { ...jwk, crv: 'X25519' }, 'malformed'],
    ['another use', { ...jwk, use: 'enc' }, 'malformed'],
    ['a short x', { ...jwk, x: 'AAAA' }, 'malformed'],
    ['a padded x', { ...jwk, x: `${jwk.x}=` }, 'non_canonical'],
    ['no kid', { ...jwk, kid: undefined }, 'malformed'],
    ['no keys', { keys: [] }, 'malformed'],
    ['the same key twice', { keys: [jwk, jwk] }, 'malformed'],
  ])('%s is refused', (_name, set, code) => {
    expect(codeOf(() => parseJwks(Buffer.from(JSON.stringify(set))))).toBe(code);
  });
});
