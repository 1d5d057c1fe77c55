// Variants of the built-in bundle, signed by a key of the test, put into a folder that a beacond watches.

import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildJwks, signerOf } from '../core/jwk.ts';
import { policyDigest } from '../core/policy-digest.ts';
import { describePolicy, MANIFEST_FILE, POLICY_FILES, signManifest } from '../core/policy-manifest.ts';

const BUILT_IN = fileURLToPath(new URL('../policies/bundle', import.meta.url));
const DAY_MS = 86_400_000;

export const policyKey = signerOf(generateKeyPairSync('ed25519').privateKey);
export const strangerKey = signerOf(generateKeyPairSync('ed25519').privateKey);

export type Variant = {
  readonly version: number;
  /** Denies even what only reads. */
  readonly strict: boolean;
  /** Allows whatever no rule but a ladder denies. */
  readonly reckless?: boolean;
  readonly expiresAtMs?: number;
  /** Instead of the built-in ones. */
  readonly canaries?: string;
  /** What its one case, looking into a folder, expects; what the variant does unless told otherwise. */
  readonly expects?: string;
  readonly key?: typeof policyKey;
};
export type Made = { readonly digest: string; readonly files: ReadonlyMap<string, Uint8Array> };

/** The files of a variant with its signed manifest; no two versions have the same digest. */
export function makeBundle({ version, strict, reckless = false, key = policyKey, ...variant }: Variant): Made {
  const expiresAtMs = variant.expiresAtMs ?? Date.now() + DAY_MS;
  const files = builtInFiles();
  const data = JSON.parse(Buffer.from(files.get('data.json') as Uint8Array).toString());
  const { reading, never } = data.beacon.ladders;
  if (reckless) for (const level of Object.keys(never)) never[level] = 'ALLOW';
  if (strict) for (const level of Object.keys(reading)) reading[level] = 'DENY';
  if (variant.canaries !== undefined) files.set('canaries.json', Buffer.from(variant.canaries));
  const { base } = JSON.parse(Buffer.from(files.get('cases.json') as Uint8Array).toString());
  const looking = { name: 'ls', parts: [{ effect: 'read', tool: 'ls', operation: 'ls' }] };
  const expected = { route: variant.expects ?? (strict ? 'DENY' : 'ALLOW'), codes: ['read'] };
  files.set('cases.json', Buffer.from(JSON.stringify({ base, cases: { story: [{ ...looking, expect: expected }] } })));
  data.beacon.variant = version;
  files.set('data.json', Buffer.from(JSON.stringify(data)));
  const digest = policyDigest(files.get('policy.wasm') as Uint8Array, files.get('data.json') as Uint8Array);
  const built = { name: 'story', revision: `0.1.0-${version}`, digest };
  files.set('manifest.json', Buffer.from(JSON.stringify(built)));
  const manifest = describePolicy(files, { ...built, version, expiresAtMs });
  return { digest, files: new Map([...files, [MANIFEST_FILE, signManifest(manifest, key)]]) };
}

export function builtInFiles(): Map<string, Uint8Array> {
  return new Map(POLICY_FILES.map((name) => [name, readFileSync(join(BUILT_IN, name))]));
}

/** The folder then holds these files and no others; the manifest comes last. */
export function place(folder: string, { files }: Pick<Made, 'files'>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(join(folder, name));
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
}

export function spoiled({ files, digest }: Made, change: Readonly<Record<string, Uint8Array | undefined>>): Made {
  const changed = new Map(files);
  for (const [name, bytes] of Object.entries(change)) {
    if (bytes === undefined) changed.delete(name);
    else changed.set(name, bytes);
  }
  return { digest, files: changed };
}

export function writePolicyKeys(path: string): void {
  writeFileSync(path, buildJwks([policyKey.publicKey]));
}
