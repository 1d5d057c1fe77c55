// Reads a policy bundle from its folder (policy.wasm, data.json, manifest.json, canaries.json) and checks that manifest
// and content belong together.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BeaconError } from '../../core/errors.ts';
import { policyDigest } from '../../core/policy-digest.ts';
import type { PolicyBundle } from './port.ts';

/** Throws `failed_precondition` when a file is missing or unreadable, or when the digest is not the manifest's. */
export async function loadBundle(folder: string): Promise<PolicyBundle> {
  const read = async (name: string): Promise<Uint8Array> => {
    try {
      return await readFile(join(folder, name));
    } catch (cause) {
      throw new BeaconError('failed_precondition', `the policy bundle's ${name} cannot be read`, { cause });
    }
  };
  const [wasm, data, manifestBytes, canaryBytes] = await Promise.all([
    read('policy.wasm'),
    read('data.json'),
    read('manifest.json'),
    read('canaries.json'),
  ]);
  const manifest = parse(manifestBytes, 'manifest.json') as { digest?: unknown; revision?: unknown } | null;
  if (typeof manifest?.revision !== 'string' || typeof manifest.digest !== 'string') {
    throw new BeaconError('failed_precondition', "the policy bundle's manifest lacks digest or revision");
  }
  if (manifest.digest !== policyDigest(wasm, data)) {
    throw new BeaconError('failed_precondition', "the policy bundle is not what its manifest's digest names");
  }
  return { wasm, data, revision: manifest.revision, canaries: readCanaries(canaryBytes) };
}

/** The inputs of a canaries.json. Throws `failed_precondition` when there is none. */
export function readCanaries(bytes: Uint8Array): Uint8Array[] {
  const canaries = parse(bytes, 'canaries.json');
  if (!Array.isArray(canaries) || canaries.length === 0) {
    throw new BeaconError('failed_precondition', 'the policy bundle has no canary');
  }
  const encoder = new TextEncoder();
  return canaries.map((canary) => encoder.encode(JSON.stringify(canary)));
}

function parse(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new BeaconError('failed_precondition', `the policy bundle's ${name} is not JSON`, { cause });
  }
}
