import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { preAuthEncoding, writeEnvelope } from './dsse.ts';
import { signerOf } from './jwk.ts';
import {
  describePolicy,
  MANIFEST_TYPE,
  MAX_POLICY_FILE_BYTES,
  manifestId,
  type PolicyFiles,
  PolicyRefused,
  signManifest,
  verifyPolicy,
  verifySigned,
} from './policy-manifest.ts';
import { signEnvelope } from './receipt.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const key = signerOf(generateKeyPairSync('ed25519').privateKey);
const stranger = signerOf(generateKeyPairSync('ed25519').privateKey);
const trusted = [key.publicKey];
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const files = new Map([
  ['policy.wasm', bytes('wasm')],
  ['data.json', bytes('{}')],
  ['manifest.json', bytes('{"a":1}')],
  ['canaries.json', bytes('[]')],
  ['cases.json', bytes('{"cases":{}}')],
]);
const facts = { name: 'pack', revision: '1.2.0', version: 7, expiresAtMs: NOW + 1_000 };
const manifest = describePolicy(files, facts);
const envelope = signManifest(manifest, key);
const last = { version: 7, id: manifestId(manifest) };

const having = (change: Record<string, Uint8Array>): PolicyFiles => new Map([...files, ...Object.entries(change)]);
const signed = (value: unknown) => {
  const payload = bytes(JSON.stringify(value));
  const signature = key.sign(preAuthEncoding(payload, MANIFEST_TYPE));
  return writeEnvelope({ payload, keyId: key.publicKey.keyId, signature }, MANIFEST_TYPE);
};

function reasonOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PolicyRefused);
    expect(thrown).toMatchObject({ code: 'failed_precondition' });
    return (thrown as PolicyRefused).reason;
  }
  return 'accepted';
}
const refusal = (given: Uint8Array | undefined, held: PolicyFiles = files, check = {}, keys = trusted) =>
  reasonOf(() => verifyPolicy(given, keys, held, { nowMs: NOW, ...check }));

test('accepts exactly what was signed, once more after a restart, and a newer one', () => {
  expect(verifyPolicy(envelope, trusted, files, { nowMs: NOW })).toEqual(manifest);
  expect(verifyPolicy(envelope, [stranger.publicKey, ...trusted], files, { nowMs: NOW, last })).toEqual(manifest);
  const newer = describePolicy(files, { ...facts, version: 8 });
  expect(refusal(signManifest(newer, key), files, { last })).toBe('accepted');
});

test('refuses what nobody, or nobody trusted, has signed', () => {
  expect(refusal(undefined)).toBe('unsigned');
  expect(refusal(signManifest(manifest, stranger))).toBe('unknown_key');
  expect(refusal(envelope, files, {}, [])).toBe('unknown_key');
  const payload = bytes(JSON.stringify(manifest));
  const forged = (signature: Uint8Array) =>
    writeEnvelope({ payload, keyId: key.publicKey.keyId, signature }, MANIFEST_TYPE);
  expect(refusal(forged(new Uint8Array(64)))).toBe('bad_signature');
  expect(refusal(forged(stranger.sign(preAuthEncoding(payload, MANIFEST_TYPE))))).toBe('bad_signature');
  // A signature over the same bytes as another type of statement is none over this one.
  expect(refusal(forged(key.sign(preAuthEncoding(payload))))).toBe('bad_signature');
  expect(refusal(signEnvelope(payload, key))).toBe('malformed');
});

test('refuses an expired one to the millisecond, and tells it from one that was active before', () => {
  expect(refusal(envelope, files, { nowMs: NOW + 999 })).toBe('accepted');
  expect(refusal(envelope, files, { nowMs: NOW + 1_000 })).toBe('expired');
  expect(refusal(envelope, files, { nowMs: NOW + 1_000, force: true })).toBe('expired');
  expect(verifySigned(envelope, trusted, files)).toEqual(manifest);
});

test('refuses an older version, and another bundle of the same, unless forced', () => {
  const older = signManifest(describePolicy(files, { ...facts, version: 6 }), key);
  expect(refusal(older, files, { last })).toBe('rollback');
  expect(refusal(older, files, { last, force: true })).toBe('accepted');
  const other = signManifest(describePolicy(files, { ...facts, revision: '1.2.1' }), key);
  expect(refusal(other, files, { last })).toBe('same_version');
  expect(refusal(other, files, { last, force: true })).toBe('accepted');
  // Force opens nothing else.
  expect(refusal(undefined, files, { last, force: true })).toBe('unsigned');
  expect(refusal(envelope, having({ 'data.json': bytes('[]') }), { last, force: true })).toBe('digest_mismatch');
});

test('refuses files that are not those of the manifest, each of them', () => {
  for (const name of files.keys()) {
    expect(refusal(envelope, having({ [name]: bytes('other') })), name).toBe('digest_mismatch');
    expect(refusal(envelope, new Map([...files].filter(([held]) => held !== name))), name).toBe('missing_file');
  }
  expect(refusal(envelope, having({ 'more.rego': bytes('') }))).toBe('extra_file');
  expect(refusal(envelope, having({ 'data.json': new Uint8Array(MAX_POLICY_FILE_BYTES + 1) }))).toBe('too_large');
  expect(refusal(signed({ ...manifest, digest: 'a'.repeat(64) }))).toBe('digest_mismatch');
});

test('refuses a signed manifest that names other files, wherever they would lead', () => {
  const hash = 'a'.repeat(64);
  for (const name of ['../data.json', '/etc/passwd', 'a/b', '..', 'C:\\x', 'x\u0000', '']) {
    expect(refusal(signed({ ...manifest, files: { ...manifest.files, [name]: hash } })), name).toBe('bad_file_name');
    expect(refusal(envelope, having({ [name]: bytes('') })), name).toBe('bad_file_name');
  }
  expect(refusal(signed({ ...manifest, files: { ...manifest.files, other: hash } }))).toBe('extra_file');
  const { 'data.json': _, ...fewer } = manifest.files;
  expect(refusal(signed({ ...manifest, files: fewer }))).toBe('missing_file');
});

test('refuses a signed manifest that is none', () => {
  const { version, ...unversioned } = manifest;
  for (const value of [
    null,
    [],
    'text',
    unversioned,
    { ...manifest, version: 0 },
    { ...manifest, version: 1.5 },
    { ...manifest, version: String(version) },
    { ...manifest, expires_at: '2026-02-30T00:00:00.000Z' },
    { ...manifest, expires_at: 'never' },
    { ...manifest, revision: 'a b' },
    { ...manifest, name: '' },
    { ...manifest, digest: 'x' },
    { ...manifest, files: [] },
    { ...manifest, files: { ...manifest.files, 'data.json': 1 } },
    { ...manifest, more: 1 },
  ]) {
    expect(['malformed', 'bad_file_name', 'missing_file'], JSON.stringify(value)).toContain(refusal(signed(value)));
  }
  expect(refusal(bytes('{}'))).toBe('malformed');
  expect(refusal(new Uint8Array(70_000))).toBe('malformed');
});

test('describes only a whole bundle', () => {
  expect(reasonOf(() => describePolicy(new Map(), facts))).toBe('missing_file');
  expect(reasonOf(() => describePolicy(files, { ...facts, version: 0 }))).toBe('malformed');
  expect(reasonOf(() => describePolicy(having({ x: bytes('') }), facts))).toBe('extra_file');
});
