// The signed manifest of a policy bundle: which files it is made of, which version it is, until when it may be used.
// Making and verifying are mirrors. Pure: time, keys and files are passed in; every refusal names its reason.

import { createHash, verify } from 'node:crypto';
import { preAuthEncoding, readEnvelope, writeEnvelope } from './dsse.ts';
import { BeaconError } from './errors.ts';
import { keyObject, type PublicKey, thumbprint } from './jwk.ts';
import { policyDigest } from './policy-digest.ts';
import { isRfc3339 } from './rfc3339.ts';
import { parseStrictJson } from './strict-json.ts';

export const MANIFEST_TYPE = 'application/vnd.beacon.policy-manifest.v1+json';
/** The envelope's name beside the files it speaks for. */
export const MANIFEST_FILE = 'manifest.dsse.json';
/** What a bundle is made of, all of it and nothing else. Names are a closed list, so none can lead elsewhere. */
export const POLICY_FILES = ['policy.wasm', 'data.json', 'manifest.json', 'canaries.json', 'cases.json'] as const;
export type PolicyFile = (typeof POLICY_FILES)[number];
/** Of each file. */
export const MAX_POLICY_FILE_BYTES = 16 * 1_048_576;

export type PolicyManifest = {
  readonly name: string;
  readonly revision: string;
  /** 1 or more; grows with every bundle that is to replace another. */
  readonly version: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly expires_at: string;
  /** policyDigest() of Wasm and data. */
  readonly digest: string;
  /** SHA-256 (hex) of each file. */
  readonly files: Readonly<Record<PolicyFile, string>>;
};

/** Stable words: metrics, logs and tests rely on them. */
export const POLICY_REFUSALS = [
  'unsigned',
  'malformed',
  'unknown_key',
  'bad_signature',
  'expired',
  'rollback',
  'same_version',
  'digest_mismatch',
  'missing_file',
  'extra_file',
  'bad_file_name',
  'too_large',
  'not_loadable',
  'failed_case',
  'failed_canary',
  'unreadable',
  'unreachable',
  'not_kept',
] as const;
export type PolicyRefusal = (typeof POLICY_REFUSALS)[number];

export class PolicyRefused extends BeaconError {
  readonly reason: PolicyRefusal;

  constructor(reason: PolicyRefusal, message: string, cause?: unknown) {
    super('failed_precondition', `the policy bundle is refused (${reason}): ${message}`, { cause });
    this.name = 'PolicyRefused';
    this.reason = reason;
  }
}

export type PolicyFiles = ReadonlyMap<string, Uint8Array>;
type Signer = { readonly publicKey: { readonly keyId: string }; sign(message: Uint8Array): Uint8Array };

/** The manifest of these files. Throws `failed_precondition` when they are not a bundle's. */
export function describePolicy(
  files: PolicyFiles,
  facts: { readonly name: string; readonly revision: string; readonly version: number; readonly expiresAtMs: number },
): PolicyManifest {
  requireFileSet([...files.keys()], 'the bundle');
  const { name, revision, version } = facts;
  const hashes = POLICY_FILES.map((file) => [file, sha256(fileOf(files, file))]);
  const manifest = {
    name,
    revision,
    version,
    expires_at: new Date(facts.expiresAtMs).toISOString(),
    digest: digestOf(files),
    files: Object.fromEntries(hashes) as PolicyManifest['files'],
  };
  return readManifest(Buffer.from(JSON.stringify(manifest)));
}

/** The signed envelope's bytes. */
export function signManifest(manifest: PolicyManifest, key: Signer): Uint8Array {
  const payload = Buffer.from(JSON.stringify(manifest));
  const signature = key.sign(preAuthEncoding(payload, MANIFEST_TYPE));
  return writeEnvelope({ payload, keyId: key.publicKey.keyId, signature }, MANIFEST_TYPE);
}

export type PolicyCheck = {
  readonly nowMs: number;
  /** The bundle last activated, in this run or one before, with its manifestId(); undefined when there was none. */
  readonly last?: { readonly version: number; readonly id: string } | undefined;
  /** An admin's word that an older version is wanted. Opens nothing else. */
  readonly force?: boolean;
};

/**
 * The manifest, when a trusted key signed it and the files are exactly those it names, and its time and turn have come.
 * Throws PolicyRefused (`failed_precondition`) with the reason.
 */
export function verifyPolicy(
  envelope: Uint8Array | undefined,
  trustedKeys: readonly PublicKey[],
  files: PolicyFiles,
  check: PolicyCheck,
): PolicyManifest {
  const manifest = verifySigned(envelope, trustedKeys, files);
  if (Date.parse(manifest.expires_at) <= check.nowMs) {
    throw new PolicyRefused('expired', `version ${manifest.version} ended at ${manifest.expires_at}`);
  }
  requireTurn(manifest, check);
  return manifest;
}

/** The same without time and turn: for the bundle that was active before a restart, which an expiry does not unmake. */
export function verifySigned(
  envelope: Uint8Array | undefined,
  trustedKeys: readonly PublicKey[],
  files: PolicyFiles,
): PolicyManifest {
  if (envelope === undefined) throw new PolicyRefused('unsigned', `there is no ${MANIFEST_FILE}`);
  const manifest = readManifest(openEnvelope(envelope, trustedKeys));
  requireFileSet(Object.keys(manifest.files), 'the manifest');
  requireFileSet([...files.keys()], 'the bundle');
  for (const file of POLICY_FILES) {
    const bytes = fileOf(files, file);
    if (bytes.length > MAX_POLICY_FILE_BYTES) {
      throw new PolicyRefused('too_large', `${file} has more than ${MAX_POLICY_FILE_BYTES} bytes`);
    }
    if (sha256(bytes) !== manifest.files[file]) {
      throw new PolicyRefused('digest_mismatch', `${file} is not the one that was signed`);
    }
  }
  if (digestOf(files) !== manifest.digest) {
    throw new PolicyRefused('digest_mismatch', 'Wasm and data are not those the digest names');
  }
  return manifest;
}

function openEnvelope(envelope: Uint8Array, trustedKeys: readonly PublicKey[]): Uint8Array {
  const { payload, keyId, signature } = reading('the manifest', () => readEnvelope(envelope, MANIFEST_TYPE));
  // The keyid only chooses among keys that are trusted already.
  const key = trustedKeys.find(({ bytes }) => thumbprint(bytes) === keyId);
  if (!key) throw new PolicyRefused('unknown_key', 'it is signed by none of the trusted keys');
  if (!verify(null, preAuthEncoding(payload, MANIFEST_TYPE), keyObject(key.bytes), signature)) {
    throw new PolicyRefused('bad_signature', 'the signature is not of this manifest');
  }
  return payload;
}

const FORMS = {
  name: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  revision: /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
  expires_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  digest: /^[0-9a-f]{64}$/,
} as const;

function readManifest(payload: Uint8Array): PolicyManifest {
  const value = reading('the manifest', () => parseStrictJson(payload));
  const manifest = requireObject(value, 'the manifest');
  const known = [...Object.keys(FORMS), 'version', 'files'];
  const odd = Object.keys(manifest).find((key) => !known.includes(key));
  if (odd !== undefined) throw malformed('the manifest has a member nobody knows');
  for (const [name, form] of Object.entries(FORMS)) {
    const text = manifest[name];
    if (typeof text !== 'string' || !form.test(text)) throw malformed(`${name} is not what it must be`);
  }
  if (!isRfc3339(manifest.expires_at as string)) throw malformed('expires_at is no instant');
  if (!Number.isSafeInteger(manifest.version) || (manifest.version as number) < 1) {
    throw malformed('version is not a whole number from 1');
  }
  for (const hash of Object.values(requireObject(manifest.files, 'files'))) {
    if (typeof hash !== 'string' || !FORMS.digest.test(hash))
      throw malformed('files holds something else than SHA-256');
  }
  return manifest as PolicyManifest;
}

/** SHA-256 (hex) of everything a manifest says: equal for the same bundle signed twice. */
export function manifestId(manifest: PolicyManifest): string {
  return sha256(Buffer.from(JSON.stringify(manifest)));
}

function requireTurn(manifest: PolicyManifest, { last, force }: PolicyCheck): void {
  const { version } = manifest;
  if (last === undefined || force === true) return;
  if (version < last.version) {
    throw new PolicyRefused('rollback', `version ${version} is older than ${last.version}, which was active`);
  }
  if (version === last.version && manifestId(manifest) !== last.id) {
    throw new PolicyRefused('same_version', `another bundle was active as version ${version}`);
  }
}

function requireFileSet(names: readonly string[], where: string): void {
  for (const name of names) {
    if ((POLICY_FILES as readonly string[]).includes(name)) continue;
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(name)) {
      throw new PolicyRefused('bad_file_name', `${where} names a file that cannot be in a bundle`);
    }
    throw new PolicyRefused('extra_file', `${where} has ${name}, which is no part of a bundle`);
  }
  const missing = POLICY_FILES.find((file) => !names.includes(file));
  if (missing !== undefined) throw new PolicyRefused('missing_file', `${where} has no ${missing}`);
}

function digestOf(files: PolicyFiles): string {
  return policyDigest(fileOf(files, 'policy.wasm'), fileOf(files, 'data.json'));
}

function fileOf(files: PolicyFiles, name: PolicyFile): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw new PolicyRefused('missing_file', `there is no ${name}`);
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function malformed(message: string): PolicyRefused {
  return new PolicyRefused('malformed', message);
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw new PolicyRefused('malformed', `${what} cannot be read (${(thrown as Error).message})`, thrown);
  }
}
