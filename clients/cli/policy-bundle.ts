// What the verbs about policy bundles share: where a bundle lies, its files, and the tools of those who make one.

import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseStrictJson } from '../../core/strict-json.ts';
import { CliFailure, EXIT, usage } from './failure.ts';
import type { PolicyTools } from './policy-tools.ts';
import type { World } from './world.ts';

/** Where `build` puts the bundle of a package. */
export const BUNDLE_FOLDER = 'bundle';
const MAX_MANIFEST_BYTES = 65_536;

export async function toolsOf(world: World): Promise<PolicyTools> {
  if (world.policyTools) return world.policyTools();
  const how = 'run it from a clone of Beacon, where the pack and its tools are';
  throw new CliFailure(EXIT.no, 'failed_precondition', `this needs the sources of the policy: ${how}`);
}

/** The folder itself, or the bundle inside it when it is a package's. Throws `usage` naming `dir` when there is none. */
export function bundleFolder(dir: string, world: World): string {
  const folder = resolve(world.cwd, dir);
  const names = entries(folder).map(({ name }) => name);
  if (names.includes('policy.wasm')) return folder;
  if (!names.includes('policy.json')) throw usage(`${dir}: there is no bundle (beacon policy build makes one)`);
  const built = join(folder, BUNDLE_FOLDER);
  if (entries(built).length > 0) return built;
  throw usage(`${dir}: this package is not built yet (beacon policy build ${dir})`);
}

/** The digest that the bundle of a folder states; undefined without one. The folder may be anybody's: only a small file is read. */
export async function statedDigest(dir: string, world: World): Promise<string | undefined> {
  try {
    const path = join(bundleFolder(dir, world), 'manifest.json');
    const found = lstatSync(path);
    if (!found.isFile() || found.size > MAX_MANIFEST_BYTES) return undefined;
    const { digest } = parseStrictJson(await readFile(path)) as { digest?: unknown };
    return typeof digest === 'string' ? digest : undefined;
  } catch {
    return undefined;
  }
}

function entries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

export async function readBundle(folder: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const read = names.map(async (name) => [name, await readOrUsage(join(folder, name), name)] as const);
  return new Map(await Promise.all(read));
}

export async function readOrUsage(path: string, shown: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (thrown) {
    throw usage(`cannot read ${shown} (${(thrown as NodeJS.ErrnoException).code})`);
  }
}
