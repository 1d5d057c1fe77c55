// From packages to a bundle: laid out, checked, tested, compiled, and tried: their cases, and every case of the pack asked
// again as their tenants, none of which may be routed milder than without them. Writes only what passed all of it.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CaseFault, MadePackage, RegoTest } from '../../clients/cli/policy-tools.ts';
import { BeaconError } from '../../core/errors.ts';
import { type PolicyCase, readCases } from '../../core/policy-cases.ts';
import { MANIFEST_FILE } from '../../core/policy-manifest.ts';
import { ROUTES, type Route } from '../../core/route.ts';
import { loadBundle } from '../../ports/policy-engine/bundle-folder.ts';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { WasmPolicyEngine } from '../../ports/policy-engine/wasm.ts';
import { evaluate } from '../../services/decision/judge.ts';
import { BUILD_FLAGS, BUNDLE, caseFile, dropTests, failingCases, unpack, writeBundle } from '../build.ts';
import { bundleCase, type CaseRun, runCase } from './cases.ts';
import { stageAll } from './join.ts';
import { type Package, readPackage, refused, runOpa } from './read.ts';

/** Asked this often to time it; an added rule that is slow is slow for every decision. */
const TIMED_EVALUATIONS = 500;
const MAX_SHOWN_MILDER = 20;

export async function makePackage(folders: readonly string[], opa: string, output?: string): Promise<MadePackage> {
  const packages = folders.map((folder) => readPackage(folder, opa));
  requireApart(packages);
  const named = nameOf(packages);
  const scratch = mkdtempSync(join(tmpdir(), 'beacon-policy-'));
  try {
    const bundle = join(scratch, 'bundle');
    const rego = compile(scratch, packages, named, opa);
    const platform = await open(BUNDLE);
    const built = { ...named, platform: { revision: platform.revision, digest: platform.digest } };
    writeBundle(bundle, unpack(scratch), built);
    const policy = await open(bundle);
    const runs = packages.map((one) => one.cases.map((written) => runCase(policy, written, one.tenants)));
    const groups = packages.map(({ name }, index) => [`package ${name}`, (runs[index] ?? []).map(bundleCase)] as const);
    writeBundle(bundle, join(scratch, 'out'), built, caseFile(Object.fromEntries(groups)));
    const unread = packages.flatMap(({ tenants }) => tenants).find((tenant) => !readsOverlay(policy, tenant));
    if (unread !== undefined)
      throw refused('overlay.yaml', `the pack cannot read it, and would deny ${unread} everything`);
    const faults = runs.flat().filter(({ fault }) => fault !== undefined);
    const [failing] = faults.length === 0 ? await failingCases(bundle) : [];
    if (failing !== undefined) throw refused('cases', `as every Beacon will run them: ${failing}`);
    const milder = milderThan(platform, policy, packages, runs.flat());
    const made: MadePackage = {
      ...named,
      packages: packages.map(({ name, revision, tenants }) => ({ name, revision, tenants })),
      digest: policy.digest,
      platform: built.platform,
      rego,
      cases: runs.flat().map(toReport),
      milder: milder.slice(0, MAX_SHOWN_MILDER),
      milderCount: milder.length,
      compared: milder.compared,
      evaluationUs: { pack: timed(platform, milder.inputs), package: timed(policy, milder.inputs) },
      ok: rego.every(({ fault }) => fault === undefined) && faults.length === 0,
    };
    const ok = made.ok && milder.length === 0;
    if (ok && output !== undefined) moveInto(output, bundle);
    return { ...made, ok };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function open(folder: string): Promise<PolicySnapshot> {
  return new WasmPolicyEngine().activate(await loadBundle(folder));
}

function requireApart(packages: readonly Package[]): void {
  const names = packages.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refused('policy.json', `two packages are called ${twice}`);
  const tenants = packages.flatMap((one) => one.tenants);
  const shared = tenants.find((tenant, index) => tenants.indexOf(tenant) !== index);
  if (shared !== undefined) throw refused('policy.json', `two packages name the tenant ${shared}`);
}

function nameOf(packages: readonly Package[]): { name: string; revision: string } {
  const [only] = packages;
  if (packages.length === 1 && only) return { name: only.name, revision: only.revision };
  const name = packages.map((one) => one.name).join('.');
  const revision = packages.map((one) => `${one.name}-${one.revision}`).join('+');
  if (name.length <= 64 && revision.length <= 64) return { name, revision };
  throw new BeaconError('failed_precondition', 'the names of so many packages do not fit into one manifest');
}

/** Leaves OPA's bundle in `folder`. Throws what OPA says of it, under the package's own file names. */
function compile(folder: string, packages: readonly Package[], named: { revision: string }, opa: string): RegoTest[] {
  const target = stageAll(folder, packages, named, opa);
  const run = (...args: string[]) => {
    try {
      return execFileSync(opa, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (thrown) {
      const { stdout = '', stderr = '' } = thrown as { stdout?: string; stderr?: string };
      throw new BeaconError('failed_precondition', told(stderr.trim() || stdout.trim(), packages));
    }
  };
  run('check', '--strict', '--capabilities', 'capabilities.json', '-b', 'pack');
  const only = packages.map(({ name }) => name).join('|');
  const flags = ['test', '--format', 'json', '--timeout', '60s', '--run', `^data\\.added\\.(${only})\\b`, '-b', 'pack'];
  const rego = readTests(runOpa(opa, flags, folder), packages);
  dropTests(target);
  rmSync(join(target, 'beacon', 'testing.rego'));
  run('build', ...BUILD_FLAGS, '-o', 'bundle.tar.gz', 'pack');
  return rego;
}

/** OPA names files of the stage; people know those of their package. */
function told(text: string, packages: readonly Package[]): string {
  let shown = text;
  for (const { name } of packages) {
    const prefix = packages.length > 1 ? `${name}: ` : '';
    shown = shown
      .replaceAll(`pack/added/${name}/`, `${prefix}rules/`)
      .replaceAll(`pack/tables/${name}/`, `${prefix}data/`);
  }
  return shown.slice(0, 4_000);
}

function readTests(text: string, packages: readonly Package[]): RegoTest[] {
  type Told = {
    name: string;
    fail?: boolean;
    skip?: boolean;
    error?: unknown;
    location: { file: string; row: number };
  };
  if (text.trim() === '') return [];
  let list: Told[] | null;
  try {
    list = JSON.parse(text);
  } catch {
    throw new BeaconError('failed_precondition', told(text.trim(), packages));
  }
  const ordered = (list ?? []).sort((a, b) => a.location.row - b.location.row);
  return ordered.map(({ name, fail, skip, error, location: { file, row } }) => {
    const where = `${told(file, packages)}:${row}`;
    if (skip) return { name, where, fault: 'is skipped: a name that begins with todo_ is no test' };
    if (fail || error) return { name, where, fault: error ? 'ended with an error' : 'is not true' };
    return { name, where };
  });
}

function toReport({ written, verdict, fault, input }: CaseRun): MadePackage['cases'][number] {
  return {
    name: written.name,
    route: verdict.route,
    expected: written.expect.route as Route,
    ...(fault === undefined ? {} : { fault }),
    reasons: verdict.reasons,
    understood: input.action.parts.map(({ tool, operation, effect }) => ({ tool, operation, effect })),
  };
}

type Compared = CaseFault[] & { compared: number; inputs: readonly Uint8Array[] };

/** What the pack cannot read of a tenant it answers with a denial of everything. */
export function readsOverlay(policy: PolicySnapshot, tenant: string): boolean {
  const [one] = readCases(readFileSync(join(BUNDLE, 'cases.json')));
  const { reasons } = evaluate(policy, asTenant(one as PolicyCase, tenant));
  return reasons.every(({ code }) => code !== 'input_malformed');
}

/** The pack's own cases as each of the tenants, and the packages' cases, in the pack alone and with the packages. */
export function milderThan(
  before: PolicySnapshot,
  after: PolicySnapshot,
  packages: readonly Pick<Package, 'tenants'>[],
  runs: readonly Pick<CaseRun, 'written' | 'bytes'>[],
): Compared {
  const cases = readCases(readFileSync(join(BUNDLE, 'cases.json')));
  const tenants = packages.map((one) => one.tenants[0] as string);
  const asked = [
    ...tenants.flatMap((tenant) => cases.map((one) => ({ name: one.name, input: asTenant(one, tenant) }))),
    ...runs.map(({ written, bytes }) => ({ name: written.name, input: bytes })),
  ];
  const milder = asked.flatMap(({ name, input }) => {
    const was = evaluate(before, input).route;
    const is = evaluate(after, input).route;
    return ROUTES.indexOf(is) < ROUTES.indexOf(was) ? [{ name, was, is }] : [];
  });
  return Object.assign(milder, { compared: asked.length, inputs: asked.map(({ input }) => input) });
}

function asTenant({ input }: PolicyCase, tenant: string): Uint8Array {
  const value = JSON.parse(Buffer.from(input).toString());
  return Buffer.from(JSON.stringify({ ...value, identity: { ...value.identity, tenant_id: tenant } }));
}

/** Microseconds an evaluation takes in the middle of many. */
function timed(policy: PolicySnapshot, inputs: readonly Uint8Array[]): number {
  const times = Array.from({ length: TIMED_EVALUATIONS }, (_, index) => {
    const started = performance.now();
    evaluate(policy, inputs[index % inputs.length] as Uint8Array);
    return (performance.now() - started) * 1_000;
  });
  return Math.round(times.sort((a, b) => a - b)[TIMED_EVALUATIONS >> 1] as number);
}

/** A signature of before is of another bundle: it goes. */
function moveInto(output: string, bundle: string): void {
  mkdirSync(output, { recursive: true });
  rmSync(join(output, MANIFEST_FILE), { force: true });
  for (const name of readdirSync(bundle)) {
    const aside = join(output, `.${name}.${process.pid}`);
    // Another file system may hold the folder: copied aside, then renamed.
    execFileSync('cp', [join(bundle, name), aside]);
    renameSync(aside, join(output, name));
  }
}
