// `beacon policy`: signs and checks policy bundles without a running Beacon; shows and activates them at one.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { BeaconError } from '../../core/errors.ts';
import { buildJwks, parseJwks, signerOf } from '../../core/jwk.ts';
import { readCases } from '../../core/policy-cases.ts';
import { policyDigest } from '../../core/policy-digest.ts';
import {
  describePolicy,
  MANIFEST_FILE,
  POLICY_FILES,
  type PolicyManifest,
  signManifest,
  verifyPolicy,
} from '../../core/policy-manifest.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { findBeacon, type Json } from './beacon.ts';
import { EXIT, usage } from './failure.ts';
import { bundleFolder, readBundle, readOrUsage } from './policy-bundle.ts';
import { definePolicyExplain } from './policy-explain.ts';
import { defineInstall } from './policy-install.ts';
import { definePackages } from './policy-package.ts';
import { defineSimulate } from './policy-simulate.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type SignOptions = { key: string; version: string; expires: string; json?: true };
type VerifyOptions = { keys: string; json?: true };
type ActivateOptions = { force?: true; json?: true };

export function define(program: Command, world: World, exits: Exits): void {
  const policy = program.command('policy').description('make, test, sign, check, install and show policies');
  definePackages(policy, world, exits);
  policy
    .command('key')
    .description('the JWK set (for BEACON_POLICY_KEYS) of a signing key; makes the key when there is none')
    .argument('<file>', 'private key (Ed25519, PKCS #8 PEM)')
    .action(exits((file: string) => showKey(file, world)));
  policy
    .command('sign')
    .description(`writes ${MANIFEST_FILE} beside a bundle`)
    .argument('<dir>', 'a bundle, or a package that was built')
    .requiredOption('--key <file>', 'private key (Ed25519, PKCS #8 PEM)')
    .requiredOption('--version <n>', 'a whole number, larger than that of the bundle it replaces')
    .requiredOption('--expires <date>', 'RFC 3339 date or time; from then on the bundle denies everything')
    .option('--json')
    .action(exits((dir: string, options: SignOptions) => sign(dir, options, world)));
  policy
    .command('verify')
    .description('whether a signed bundle would be accepted now')
    .argument('<dir>', 'a bundle, or a package that was built')
    .requiredOption('--keys <file>', 'JWK set of the keys that may sign')
    .option('--json')
    .action(exits((dir: string, options: VerifyOptions) => verify(dir, options, world)));
  defineInstall(policy, world, exits);
  definePolicyExplain(policy, world, exits);
  defineSimulate(policy, world, exits);
  policy
    .command('status')
    .description('the active bundle, and why the one at its source was refused')
    .option('--json')
    .action(exits(async (options: { json?: true }) => show(await ask(world, 'GET', '/api/policy'), options, world)));
  policy
    .command('activate')
    .description('looks at the source of bundles now (admin)')
    .option('--force', 'also goes back to an older version; this stands in the ledger')
    .option('--json')
    .action(
      exits(async (options: ActivateOptions) =>
        show(await ask(world, 'POST', '/api/policy/activate', { force: options.force === true }), options, world),
      ),
    );
}

async function showKey(file: string, world: World): Promise<number> {
  const path = resolve(world.cwd, file);
  const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeNew(path, made).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw usage(`cannot write ${file} (${error.code})`);
  });
  world.out(`${buildJwks([(await readKey(path, file)).publicKey])}\n`);
  return EXIT.yes;
}

async function sign(dir: string, options: SignOptions, world: World): Promise<number> {
  const folder = bundleFolder(dir, world);
  const key = await readKey(resolve(world.cwd, options.key), options.key);
  const version = /^[1-9][0-9]{0,14}$/.test(options.version) ? Number(options.version) : Number.NaN;
  if (Number.isNaN(version)) throw usage('--version: must be a whole number from 1');
  const expiresAtMs = /^\d{4}-\d\d-\d\d/.test(options.expires) ? Date.parse(options.expires) : Number.NaN;
  if (!(expiresAtMs > Date.now())) throw usage('--expires: must be a date in the future, such as 2030-01-31');
  const files = await readBundle(folder, POLICY_FILES);
  const built = parseStrictJson(files.get('manifest.json') as Uint8Array) as Json;
  const digest = policyDigest(files.get('policy.wasm') as Uint8Array, files.get('data.json') as Uint8Array);
  if (built.digest !== digest) {
    throw new BeaconError('failed_precondition', 'manifest.json names another digest than Wasm and data have');
  }
  const { name, revision } = built;
  if (typeof name !== 'string' || typeof revision !== 'string') {
    throw new BeaconError('failed_precondition', 'manifest.json has no name or revision');
  }
  // A Beacon would refuse what cannot be read; whether each case holds it finds out itself.
  readCases(files.get('cases.json') as Uint8Array);
  const manifest = describePolicy(files, { name, revision, version, expiresAtMs });
  // Under its name only when it is whole: the folder may be one that is watched.
  const scratch = join(folder, `.${MANIFEST_FILE}.${process.pid}`);
  await writeNew(scratch, signManifest(manifest, key));
  await rename(scratch, join(folder, MANIFEST_FILE)).catch(async (error) => {
    await unlink(scratch).catch(() => undefined);
    throw error;
  });
  return showManifest('signed', manifest, options, world);
}

async function verify(dir: string, options: VerifyOptions, world: World): Promise<number> {
  const folder = bundleFolder(dir, world);
  const keys = parseJwks(await readOrUsage(resolve(world.cwd, options.keys), options.keys));
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
  const files = await readBundle(folder, names);
  const envelope = files.get(MANIFEST_FILE);
  files.delete(MANIFEST_FILE);
  const manifest = verifyPolicy(envelope, keys, files, { nowMs: Date.now() });
  readCases(files.get('cases.json') as Uint8Array);
  return showManifest('verified', manifest, options, world);
}

function showManifest(done: string, manifest: PolicyManifest, options: { json?: true }, world: World): number {
  if (options.json) world.out(`${JSON.stringify(manifest)}\n`);
  else {
    const { headline, fields } = terminal(world);
    const { name, revision, version, digest, expires_at } = manifest;
    headline('good', done, `${plain(name)} ${plain(revision)}`);
    fields([
      ['version', version],
      ['expires', expires_at],
      ['digest', digest],
    ]);
  }
  return EXIT.yes;
}

async function ask(world: World, method: 'GET' | 'POST', path: string, body?: Json): Promise<Json> {
  return (await findBeacon(world)).ask(method, path, body);
}

function show(answer: Json, options: { json?: true }, world: World): number {
  if (options.json) {
    world.out(`${JSON.stringify(answer)}\n`);
    return EXIT.yes;
  }
  const { headline, fields } = terminal(world);
  const refused = answer.refused as Json | null;
  headline(refused ? 'careful' : 'good', 'active', `${plain(answer.name)} ${plain(answer.revision)}`);
  fields([
    ['version', answer.version === 0 ? 'built in' : answer.version],
    ['expires', answer.expires_at ?? 'never'],
    ['digest', answer.digest],
    ['receipt', answer.receipt_id ?? ''],
    ['refused', refused ? `${plain(refused.message)} (${plain(refused.at)})` : ''],
  ]);
  return EXIT.yes;
}

async function readKey(path: string, shown: string) {
  try {
    const key = createPrivateKey(await readOrUsage(path, shown));
    if (key.asymmetricKeyType === 'ed25519') return signerOf(key);
  } catch (thrown) {
    if (thrown instanceof Error && 'exit' in thrown) throw thrown;
  }
  throw usage(`${shown}: not an Ed25519 private key (PKCS #8 PEM)`);
}

async function writeNew(path: string, content: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
