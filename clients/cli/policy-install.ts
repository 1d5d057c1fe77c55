// `beacon policy install`: a signed bundle, verified here as a Beacon would, into the folder a Beacon watches; then that
// Beacon is asked what it made of it. What it refuses is taken out again.

import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { BeaconError } from '../../core/errors.ts';
import { parseJwks } from '../../core/jwk.ts';
import {
  MANIFEST_FILE,
  manifestId,
  POLICY_FILES,
  type PolicyManifest,
  PolicyRefused,
  verifyPolicy,
  verifySigned,
} from '../../core/policy-manifest.ts';
import { readReceipt } from '../../core/receipt.ts';
import { type Beacon, findBeacon, type Json } from './beacon.ts';
import { CliFailure, EXIT, usage } from './failure.ts';
import { bundleFolder, readBundle, readOrUsage } from './policy-bundle.ts';
import { type Placed, placeBundle } from './policy-place.ts';
import { plain, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type Options = { keys?: string; to?: string; force?: true; offline?: true; json?: true };
type Done = 'activated' | 'unchanged' | 'placed' | 'waiting';
type Ending = { readonly done: Done; readonly status?: Json; readonly note?: string; readonly advice?: string };

/** A folder is looked at every two seconds; the rest is for a busy machine. */
const SEEN_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 200;
const OTHER_PACK = 'it was built over another pack than this Beacon’s; build it again to have the rules of this one';

export function defineInstall(policy: Command, world: World, exits: Exits): void {
  policy
    .command('install')
    .description('puts a signed bundle where a Beacon watches, and says what that Beacon made of it')
    .argument('<dir>', 'a signed bundle, or a package whose bundle is signed')
    .option('--keys <file>', 'JWK set of the keys that may sign (BEACON_POLICY_KEYS when not given)')
    .option('--to <dir>', 'the folder the Beacon watches (BEACON_POLICY_DIR when not given)')
    .option('--force', 'also goes back to an older version (admin); this stands in the ledger')
    .option('--offline', 'for a Beacon that is not running: only puts it there')
    .option('--json')
    .action(exits((dir: string, options: Options) => install(dir, options, world)));
}

async function install(dir: string, options: Options, world: World): Promise<number> {
  const { keys = world.env.BEACON_POLICY_KEYS, to = world.env.BEACON_POLICY_DIR, force = false } = options;
  if (!keys) throw usage('--keys: is needed, or BEACON_POLICY_KEYS');
  if (!to) throw usage('--to: is needed, or BEACON_POLICY_DIR');
  const target = resolve(world.cwd, to);
  const trusted = parseJwks(await readOrUsage(resolve(world.cwd, keys), keys));
  const folder = bundleFolder(dir, world);
  const { files, envelope } = await readFolder(folder);
  const last = await installed(target, trusted);
  const manifest = verifyPolicy(envelope, trusted, files, { nowMs: Date.now(), last, force });
  const advice = await passesItsCases(folder, world);
  const beacon = options.offline ? undefined : await findBeacon(world);
  const before = await beacon?.ask('GET', '/api/policy');
  if (before) requireTurn(manifest, before, force);
  const placed = await placeBundle(target, new Map([...files, [MANIFEST_FILE, envelope as Uint8Array]]));
  if (!beacon || !before) return show({ done: 'placed', advice }, manifest, target, options, world);
  const ending = await outcome(beacon, manifest, before, force).catch((refusal) => takeOut(placed, refusal, manifest));
  const lines = ending.done === 'activated' ? await rehearsed(beacon, ending.status) : {};
  return show({ ...ending, advice }, manifest, target, options, world, lines);
}

async function readFolder(folder: string) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.'));
  const known = names.filter((name) => name === MANIFEST_FILE || (POLICY_FILES as readonly string[]).includes(name));
  const files = await readBundle(folder, known);
  for (const name of names) if (!known.includes(name)) files.set(name, new Uint8Array());
  const envelope = files.get(MANIFEST_FILE);
  files.delete(MANIFEST_FILE);
  return { files, envelope };
}

/** The bundle that lies there, when it is one of ours: none may fall behind it. */
async function installed(folder: string, trusted: Parameters<typeof verifySigned>[1]) {
  try {
    const { files, envelope } = await readFolder(folder);
    const manifest = verifySigned(envelope, trusted, files);
    return { version: manifest.version, id: manifestId(manifest) };
  } catch {
    // Nothing, or nothing that ever decided.
    return undefined;
  }
}

/** What else a person should know of it; empty when nothing. */
async function passesItsCases(folder: string, world: World): Promise<string> {
  if (world.policyTools === undefined) return '';
  const bundle = await (await world.policyTools()).open(folder);
  const { failing, cases } = await bundle.runCases();
  if (failing.length === 0) return bundle.otherPack ? OTHER_PACK : '';
  throw new PolicyRefused('failed_case', `cases that fail: ${failing.length} of ${cases}, the first: ${failing[0]}`);
}

/** What would be refused there is not put there. */
function requireTurn({ version, digest }: PolicyManifest, active: Json, force: boolean): void {
  const running = Number(active.version);
  if (force || version > running || (version === running && digest === active.digest)) return;
  const word = version < running ? 'rollback' : 'same_version';
  const how = '--force goes back (admin)';
  throw new PolicyRefused(word, `version ${running} is active at the running Beacon; ${how}`);
}

/** Throws what the Beacon refuses it with. */
async function outcome(beacon: Beacon, manifest: PolicyManifest, before: Json, force: boolean): Promise<Ending> {
  const isOurs = (status: Json) => status.digest === manifest.digest && status.version === manifest.version;
  const done = isOurs(before) ? 'unchanged' : 'activated';
  try {
    const status = await beacon.ask('POST', '/api/policy/activate', { force });
    if (isOurs(status)) return { done, status };
  } catch (thrown) {
    if (!(thrown instanceof CliFailure) || thrown.code !== 'permission_denied' || force) throw thrown;
    return seenByItself(beacon, { isOurs, done, before });
  }
  throw elsewhere(before);
}

type Awaited = { isOurs(status: Json): boolean; readonly done: Done; readonly before: Json };

/** Without an admin's word: the Beacon looks at its folder by itself. */
async function seenByItself(beacon: Beacon, { isOurs, done, before }: Awaited): Promise<Ending> {
  const refusedBefore = (before.refused as Json | null)?.at;
  for (let waited = 0; waited < SEEN_WITHIN_MS; waited += LOOK_EVERY_MS) {
    const status = await beacon.ask('GET', '/api/policy');
    if (isOurs(status)) return { done, status };
    const refused = status.refused as Json | null;
    if (refused && refused.at !== refusedBefore) {
      throw new CliFailure(EXIT.no, 'failed_precondition', plain(refused.message));
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw elsewhere(before);
}

function elsewhere(active: Json): BeaconError {
  const named = `${plain(active.name)} ${plain(active.revision)}`;
  const why = `it goes on with ${named}: does it watch this folder (BEACON_POLICY_DIR)?`;
  return new BeaconError('failed_precondition', `the running Beacon did not take it; ${why}`);
}

/** A signer that is away, or a bundle that takes its time, is no fault: the Beacon goes on by itself. */
async function takeOut(placed: Placed, refusal: unknown, { version }: PolicyManifest): Promise<Ending> {
  const { code, message } = refusal as { code?: string; message: string };
  if (code === 'unavailable' || code === 'deadline_exceeded') return { done: 'waiting', note: message };
  await placed.undo();
  const why = `${message}; version ${version} was taken out again`;
  if (refusal instanceof CliFailure) throw new CliFailure(refusal.exit, refusal.code, why);
  throw new BeaconError('failed_precondition', why);
}

/** From the activation's receipt: what the cases and the comparison on recent decisions came to. */
async function rehearsed(beacon: Beacon, status: Json | undefined): Promise<Json> {
  if (typeof status?.receipt_id !== 'string') return {};
  const bytes = await beacon.fetchBytes(`/api/receipts/${status.receipt_id}`).catch(() => undefined);
  const { cases, canary } = bytes ? (readReceipt(bytes).predicate as { cases?: number; canary?: Json }) : {};
  return { ...(cases === undefined ? {} : { cases }), ...(canary === undefined ? {} : { canary }) };
}

const SAYINGS: Record<Done, string> = {
  activated: 'the running Beacon decides by it now',
  unchanged: 'the running Beacon decided by it already',
  placed: 'the next Beacon to start on this folder takes it',
  waiting: 'it is in place; the running Beacon has not taken it yet and tries again by itself',
};

function show(
  { done, status, note, advice = '' }: Ending,
  manifest: PolicyManifest,
  target: string,
  options: Options,
  world: World,
  { cases, canary }: Json = {},
): number {
  const exit = done === 'waiting' ? EXIT.noAnswer : EXIT.yes;
  const { name, revision, version, digest, expires_at } = manifest;
  if (options.json) {
    const told = { name, revision, version, digest, expires_at, folder: target, result: done };
    const receipt_id = status?.receipt_id ?? null;
    world.out(`${JSON.stringify({ ...told, receipt_id, note: note ?? null, advice, cases, canary })}\n`);
    return exit;
  }
  const { headline, fields } = terminal(world);
  const mood = done === 'activated' || done === 'unchanged' ? 'good' : 'careful';
  headline(mood, done, `${plain(name)} ${plain(revision)}: ${SAYINGS[done]}`);
  const { inputs, milder, stricter, routes } = (canary ?? {}) as Json;
  fields([
    ['version', version],
    ['expires', expires_at],
    ['digest', digest],
    ['in', target],
    ['receipt', status?.receipt_id],
    ['its cases', cases === undefined ? undefined : `${cases} ${cases === 1 ? 'passes' : 'pass'}`],
    [
      'recent inputs',
      inputs === undefined ? undefined : `${inputs} asked again: ${milder} milder, ${stricter} stricter`,
    ],
    ['', changesIn(routes as Json | undefined)],
    ['note', note],
    ['advice', advice],
  ]);
  return exit;
}

/** `WARN → APPROVAL 2`, of what stands as `WARN>APPROVAL`. */
function changesIn(routes: Json = {}): string {
  return Object.entries(routes)
    .map(([change, count]) => `${change.replace('>', ' → ')} ${count}`)
    .join(', ');
}
