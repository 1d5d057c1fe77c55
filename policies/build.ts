// Builds the committed policy bundle with the pinned OPA: format, strict check, Rego tests, Wasm, digest, canaries and the
// cases of cases/*.json, which every Beacon runs through the Wasm before it activates the bundle.
// `node policies/build.ts` writes policies/bundle; `--check` builds elsewhere and exits 1 naming each file that differs.
// `--guardrails FILE --out FOLDER` builds a bundle of one's own, with that guardrails.yaml in it.

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Ajv, type ErrorObject } from 'ajv';
import { caseFault, readCases } from '../core/policy-cases.ts';
import { policyDigest } from '../core/policy-digest.ts';
import { POLICY_FILES } from '../core/policy-manifest.ts';
import { readVerdict } from '../core/route.ts';
import { FINDING_KINDS } from '../ports/detectors/kinds.ts';
import { loadBundle } from '../ports/policy-engine/bundle-folder.ts';
import { WasmPolicyEngine } from '../ports/policy-engine/wasm.ts';

export const OPA_VERSION = '1.22.0';
/** No cases by themselves: what the others are laid over, and what is about tenants' tables that this bundle has not. */
const NOT_CASES = ['base.json', 'overlays.json', 'tenants.json'];
const ENTRYPOINT = 'beacon/decide';
export const BUILD_FLAGS = ['-b', '-t', 'wasm', '-e', ENTRYPOINT, '--capabilities', 'capabilities.json'];
const HERE = import.meta.dirname;
/** Of findings; a guardrail may hold a whole one. */
const CLASSES = ['secret', 'pii', 'injection'];
/** The pack as it ships. */
export const BUNDLE = join(HERE, 'bundle');
/** Slow or absent in the Wasm engine: refused when compiling, not when a decision first needs them. */
const REFUSED_BUILTINS = /^(regex\.|re_match$|glob\.|yaml\.|sprintf$|rand\.|time\.|walk$|net\.|json\.is_valid$)/;

/** The path of an OPA of exactly OPA_VERSION. Throws with what to do when there is none. */
export function findOpa(env: NodeJS.ProcessEnv = process.env): string {
  const cache = env.BEACON_TEST_CACHE ?? join(homedir(), '.cache', 'beacon-test');
  const cached = [join(cache, `opa-${OPA_VERSION}`, 'opa'), join(cache, 'bin', 'opa')];
  const candidates = [env.BEACON_OPA, env.BEACON_TEST_OPA, 'opa', ...cached].filter((path) => path !== undefined);
  for (const candidate of candidates) {
    try {
      const text = execFileSync(candidate, ['version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      if (text.includes(`Version: ${OPA_VERSION}\n`)) return candidate;
    } catch {
      // Not there or not runnable: the next candidate.
    }
  }
  throw new Error(
    `OPA ${OPA_VERSION}, which compiles Rego, was not found (BEACON_OPA, PATH, $BEACON_TEST_CACHE/opa-${OPA_VERSION}). ` +
      'npm test installs it; or, with Go: CGO_ENABLED=0 GOBIN=<folder> go install -trimpath ' +
      `github.com/open-policy-agent/opa@v${OPA_VERSION}, and BEACON_OPA=<folder>/opa`,
  );
}

/** What OPA may compile to: the Wasm package's own list, less what REFUSED_BUILTINS names. */
function capabilities(): string {
  const packageMain = createRequire(import.meta.url).resolve('@open-policy-agent/opa-wasm');
  const stated = JSON.parse(readFileSync(join(packageMain, '..', '..', 'capabilities.json'), 'utf8'));
  stated.builtins = stated.builtins.filter((builtin: { name: string }) => !REFUSED_BUILTINS.test(builtin.name));
  return JSON.stringify({ ...stated, features: ['rego_v1'] });
}

/**
 * Lays the sources out as OPA wants them. The paths OPA sees are embedded in the Wasm, so they are relative to the
 * stage and the same on every machine.
 */
export function stage(folder: string, revision: string, roots: readonly string[] = ['beacon']): string {
  const target = join(folder, 'pack');
  cpSync(join(HERE, 'beacon'), join(target, 'beacon'), { recursive: true });
  for (const name of readdirSync(join(HERE, 'data')).sort()) {
    const place = join(target, 'beacon', basename(name, '.yaml'));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'data.yaml'), table(join(HERE, 'data', name)));
  }
  writeFileSync(join(target, '.manifest'), JSON.stringify({ revision, roots, rego_version: 1 }));
  writeFileSync(join(folder, 'capabilities.json'), capabilities());
  return target;
}

/** One table: a file, or the files of a folder one after the other. */
function table(path: string): string {
  if (path.endsWith('.yaml')) return readFileSync(path, 'utf8');
  const names = readdirSync(path).filter((name) => name.endsWith('.yaml'));
  const text = names.map((name) => readFileSync(join(path, name), 'utf8')).join('');
  const keys = [...text.matchAll(/^([a-z_]+):/gm)].map((match) => match[1]);
  // OPA would take the last of two rows of one name without a word.
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new Error(`${basename(path)}: ${twice} stands there twice`);
  return text;
}

/** Builds into `output` (created). Throws when formatting, the strict check, a Rego test or the build fails. */
export function buildBundle(output: string, opa: string = findOpa(), guardrails?: string): void {
  const pack = JSON.parse(readFileSync(join(HERE, 'pack.json'), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'beacon-policy-'));
  const run = (...args: string[]) => execFileSync(opa, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const target = stage(folder, pack.revision);
    if (guardrails !== undefined)
      writeFileSync(join(target, 'beacon', 'guardrails', 'data.yaml'), readFileSync(guardrails, 'utf8'));
    const told = run('eval', '--format', 'json', '-d', join('pack', 'beacon', 'guardrails', 'data.yaml'), 'data');
    checkGuardrails(JSON.parse(told.toString()).result[0].expressions[0].value);
    run('fmt', '--fail', '--list', 'pack/beacon');
    run('check', '--strict', '--capabilities', 'capabilities.json', '-b', 'pack');
    runTests(opa, folder);
    dropTests(target);
    run('build', ...BUILD_FLAGS, '-o', 'bundle.tar.gz', 'pack');
    writeBundle(output, unpack(folder), pack);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tests are run, not shipped. */
export function dropTests(target: string): void {
  for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('_test.rego')) rmSync(join(target, name));
  }
}

/** The folder of what `opa build … -o bundle.tar.gz` made in `folder`. */
export function unpack(folder: string): string {
  const out = join(folder, 'out');
  mkdirSync(out);
  execFileSync('tar', ['-xzf', 'bundle.tar.gz', '-C', 'out'], { cwd: folder, stdio: 'pipe' });
  return out;
}

function runTests(opa: string, folder: string): void {
  try {
    execFileSync(opa, ['test', '--timeout', '60s', '-b', 'pack'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (error) {
    throw new Error(`opa test failed:\n${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
  }
}

type Pack = { readonly name: string; readonly revision: string; readonly platform?: object };

/** `cases`: instead of the pack's own. */
export function writeBundle(output: string, built: string, pack: Pack, cases = caseFile()): void {
  const wasm = readFileSync(join(built, 'policy.wasm'));
  const data = readFileSync(join(built, 'data.json'));
  const manifest = {
    name: pack.name,
    revision: pack.revision,
    digest: policyDigest(wasm, data),
    entrypoint: ENTRYPOINT,
    opa_version: OPA_VERSION,
    ...(pack.platform ? { platform: pack.platform } : { roots: ['beacon'] }),
  };
  mkdirSync(output, { recursive: true });
  writeFileSync(join(output, 'policy.wasm'), wasm);
  writeFileSync(join(output, 'data.json'), data);
  writeFileSync(join(output, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(HERE, 'canaries.json'), join(output, 'canaries.json'));
  writeFileSync(join(output, 'cases.json'), cases);
}

/** A guardrail that is misspelt would guard nothing: said here, and denied by the policy besides. */
export function checkGuardrails(guardrails: unknown): void {
  const ajv = new Ajv({ allErrors: true, strict: false });
  const valid = ajv.compile(JSON.parse(readFileSync(join(HERE, 'guardrails.schema.json'), 'utf8')));
  if (!valid(guardrails)) throw new Error(`guardrails.yaml: ${schemaFault(valid.errors)}`);
  const { tenants } = guardrails as { tenants: Record<string, Record<string, object>> };
  for (const [tenant, stages] of Object.entries(tenants)) {
    for (const [stage, entities] of Object.entries(stages)) {
      const unknown = stage === 'tools' ? [] : Object.keys(entities).filter((name) => !isEntity(name));
      if (unknown.length === 0) continue;
      const what = `tenants.${tenant}.${stage}.${unknown[0]}: is no kind of finding and no class`;
      throw new Error(`guardrails.yaml: ${what} (secret, pii, injection; kinds: docs/detectors.md)`);
    }
  }
}

function isEntity(name: string): boolean {
  return CLASSES.includes(name) || FINDING_KINDS.has(name);
}

/** The field, and what it may be. Of the faults of several alternatives: the deepest, and a name before a value. */
export function schemaFault(errors: readonly ErrorObject[] | null | undefined): string {
  const rank = ({ instancePath, keyword }: ErrorObject) =>
    2 * instancePath.split('/').length + (keyword === 'additionalProperties' || keyword === 'required' ? 1 : 0);
  const [error] = [...(errors ?? [])].sort((one, other) => rank(other) - rank(one));
  const { instancePath = '', message = 'is not what it must be', params = {}, propertyName } = error ?? {};
  const { additionalProperty, allowedValues } = params as { additionalProperty?: string; allowedValues?: unknown[] };
  const where = [...instancePath.split('/').slice(1), additionalProperty ?? propertyName ?? ''];
  const field = where.filter((name) => name !== '').join('.');
  let fault = message;
  if (additionalProperty !== undefined) fault = 'is not a field here';
  else if (allowedValues !== undefined) fault = `must be one of ${allowedValues.join(', ')}`;
  return field === '' ? fault : `${field}: ${fault}`;
}

/** core/policy-cases.ts reads it. One case a line, so that a change of one shows as one. `more`: groups beside the pack's. */
export function caseFile(more: Readonly<Record<string, readonly object[]>> = {}): string {
  const folder = join(HERE, 'cases');
  const base = JSON.parse(readFileSync(join(folder, 'base.json'), 'utf8'));
  // Nobody's name: what an operator lays over the pack for a tenant changes no case of the pack.
  base.input.identity.tenant_id = 'cases.beacon';
  const own = readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !NOT_CASES.includes(name))
    .sort()
    .map((name) => [basename(name, '.json'), JSON.parse(readFileSync(join(folder, name), 'utf8'))] as const);
  const groups = [...own, ...Object.entries(more)].map(([name, list]: readonly [string, readonly object[]]) => {
    return `${JSON.stringify(name)}:[\n${list.map((one) => JSON.stringify(one)).join(',\n')}\n]`;
  });
  return `{"base":${JSON.stringify(base)},\n"cases":{\n${groups.join(',\n')}\n}}\n`;
}

/** Names of committed files that a fresh build does not give byte for byte. */
export function driftingFiles(committed: string, opa: string = findOpa()): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-policy-check-'));
  try {
    buildBundle(folder, opa);
    return POLICY_FILES.filter((name) => {
      const path = join(committed, name);
      return !existsSync(path) || !readFileSync(path).equals(readFileSync(join(folder, name)));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What fails of a bundle's own cases: each would keep it from being activated anywhere. */
export async function failingCases(folder: string): Promise<string[]> {
  const policy = await new WasmPolicyEngine().activate(await loadBundle(folder));
  return readCases(readFileSync(join(folder, 'cases.json'))).flatMap((one) => {
    const fault = caseFault(one, readVerdict(policy.evaluate(one.input)));
    return fault === undefined ? [] : [`${one.name}: ${fault}`];
  });
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { check: { type: 'boolean' }, guardrails: { type: 'string' }, out: { type: 'string' } },
  });
  const committed = BUNDLE;
  if (values.guardrails !== undefined && values.out === undefined)
    throw new Error('--guardrails needs --out: the bundle in this folder is the one that ships');
  if (values.check !== true) {
    const output = values.out ?? committed;
    buildBundle(output, findOpa(), values.guardrails);
    const failing = await failingCases(output);
    for (const line of failing) console.error(`a case fails: ${line}`);
    if (failing.length > 0) return 1;
    console.log(readFileSync(join(output, 'manifest.json'), 'utf8'));
    return 0;
  }
  const drift = driftingFiles(committed);
  for (const name of drift)
    console.error(`policies/bundle/${name} is not what the sources build; run: node policies/build.ts`);
  return drift.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
