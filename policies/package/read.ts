// A tenant's policy package as it lies in its folder, read whole and strictly: a misspelt name would hold nothing.
// Where its rules and tables end up is said here and in join.ts, never by the package.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Ajv } from 'ajv';
import { BeaconError } from '../../core/errors.ts';
import { checkGuardrails, schemaFault } from '../build.ts';
import type { WrittenCase } from './cases.ts';

const HERE = import.meta.dirname;
const MAX_SOURCE_BYTES = 4 * 1_048_576;
const MAX_SOURCES = 256;
const LISTS = ['protected_branches', 'protected_branch_prefixes', 'protected_paths', 'regions'];

export type Package = {
  /** In Rego: `package added.<name>`, `data.tables.<name>`. */
  readonly name: string;
  readonly revision: string;
  /** For whom its rules hold; nobody else's actions are touched. */
  readonly tenants: readonly string[];
  readonly folder: string;
  /** As the pack's tenant.rego reads it. */
  readonly overlay: Readonly<Record<string, unknown>>;
  /** By tenant. */
  readonly guardrails: Readonly<Record<string, unknown>>;
  /** Rego by file name, tests included. */
  readonly rules: Readonly<Record<string, string>>;
  /** Of its own rules: YAML text by the name without its ending. */
  readonly tables: Readonly<Record<string, string>>;
  readonly cases: readonly WrittenCase[];
};

/** Throws `failed_precondition` naming the file and what is wrong with it. */
export function readPackage(folder: string, opa: string): Package {
  const about = readManifest(folder);
  const rules = sources(folder, 'rules', '.rego');
  const tables = sources(folder, 'data', '.yaml');
  const caseFiles = sources(folder, 'cases', '.yaml');
  const texts: Record<string, string> = { overlay: '{}', guardrails: '{version: 1, tenants: {}}' };
  for (const name of ['overlay', 'guardrails']) {
    const text = readText(folder, `${name}.yaml`);
    if (text !== undefined) texts[name] = text;
  }
  for (const [name, text] of Object.entries(caseFiles)) texts[`cases/${name}`] = text;
  const values = parseYaml(texts, opa);
  const cases = Object.entries(values).filter(([name]) => name.startsWith('cases/'));
  return {
    ...about,
    folder,
    overlay: readOverlay(values.overlay),
    guardrails: readGuardrails(values.guardrails, about.tenants),
    rules,
    tables: Object.fromEntries(Object.entries(tables).map(([name, text]) => [basename(name, '.yaml'), text])),
    cases: cases.flatMap(([name, value]) => readCaseFile(name, value, about.tenants)),
  };
}

export function isPackage(folder: string): boolean {
  return statSync(join(folder, 'policy.json'), { throwIfNoEntry: false })?.isFile() === true;
}

function readManifest(folder: string): Pick<Package, 'name' | 'revision' | 'tenants'> {
  const text = readText(folder, 'policy.json');
  if (text === undefined) {
    throw refused('policy.json', `is not in ${folder}; beacon policy init makes a package`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused('policy.json', `is not JSON (${(cause as Error).message})`);
  }
  return checked<Pick<Package, 'name' | 'revision' | 'tenants'>>('policy.json', value, 'manifest');
}

function readOverlay(value: unknown): Readonly<Record<string, unknown>> {
  const overlay = checked<Record<string, unknown>>('overlay.yaml', value, 'overlay');
  const unheard = unreadMember(overlay, readFileSync(join(HERE, '..', 'beacon', 'tenant.rego'), 'utf8'));
  if (unheard !== undefined) throw refused('overlay.yaml', `${unheard}: no rule of this pack reads it`);
  const known = effectNames();
  const odd = Object.keys((overlay.effects ?? {}) as object).find((effect) => !known.has(effect));
  if (odd !== undefined) throw refused('overlay.yaml', `effects.${odd}: there is no such effect (docs/policies.md)`);
  const asMap = (list: unknown) => Object.fromEntries((list as string[]).map((name) => [name, true]));
  return Object.fromEntries(
    Object.entries(overlay).map(([name, held]) => [name, LISTS.includes(name) ? asMap(held) : held]),
  );
}

/** The pack's tenant.rego checks every member it has rules for, by name. */
export function unreadMember(overlay: object, tenantRego: string): string | undefined {
  return Object.keys(overlay).find((name) => !tenantRego.includes(`"${name}"`));
}

/** Every effect the pack has a row for. */
export function effectNames(): ReadonlySet<string> {
  const { beacon } = JSON.parse(readFileSync(join(HERE, '..', 'bundle', 'data.json'), 'utf8'));
  return new Set(Object.keys(beacon.effects));
}

function readGuardrails(value: unknown, tenants: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    checkGuardrails(value);
  } catch (cause) {
    throw new BeaconError('failed_precondition', (cause as Error).message);
  }
  const held = (value as { tenants: Record<string, unknown> }).tenants;
  const stranger = Object.keys(held).find((tenant) => !tenants.includes(tenant));
  if (stranger !== undefined) {
    throw refused('guardrails.yaml', `tenants.${stranger}: policy.json does not name this tenant`);
  }
  return held;
}

function readCaseFile(file: string, value: unknown, tenants: readonly string[]): WrittenCase[] {
  const { cases } = checked<{ cases: WrittenCase[] }>(file, value, 'cases');
  for (const { name: called, tenant } of cases) {
    if (tenant !== undefined && !tenants.includes(tenant)) {
      throw refused(file, `${called}: tenant ${tenant} is none of the package's; its rules would not be asked`);
    }
  }
  return cases;
}

/** OPA's own reader, so that what is checked here is what it makes of the file later. */
function parseYaml(texts: Readonly<Record<string, string>>, opa: string): Record<string, unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'beacon-policy-'));
  try {
    const names = Object.keys(texts);
    names.forEach((name, index) => {
      mkdirSync(join(folder, `at${index}`));
      writeFileSync(join(folder, `at${index}`, 'file.yaml'), texts[name] as string);
    });
    const told = asked(() => runOpa(opa, ['eval', '--format', 'json', '-d', '.', 'data'], folder));
    const parsed = told.result?.[0]?.expressions?.[0]?.value as Record<string, unknown> | undefined;
    if (parsed === undefined) {
      const message = String(told.errors?.[0]?.message ?? 'cannot be read');
      const at = names[Number(/^at(\d+)\//.exec(message)?.[1] ?? Number.NaN)];
      throw refused(
        at === undefined ? 'the package' : at.endsWith('.yaml') ? at : `${at}.yaml`,
        message.replace(/^at\d+\/file\.yaml: /, ''),
      );
    }
    return Object.fromEntries(names.map((name, index) => [name, parsed[`at${index}`] ?? {}]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type OpaAnswer = { result?: { expressions?: { value: unknown }[] }[]; errors?: { message: string }[] };

function asked(run: () => string): OpaAnswer {
  try {
    return JSON.parse(run()) as OpaAnswer;
  } catch {
    return {};
  }
}

/** What OPA writes on stdout, whether it is content or not. */
export function runOpa(opa: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(opa, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1_048_576,
    });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout?: string; stderr?: string };
    return stdout || stderr || '';
  }
}

function sources(folder: string, sub: string, ending: string): Record<string, string> {
  const names = list(join(folder, sub)).filter((name) => !name.startsWith('.'));
  const odd = names.find((name) => !name.endsWith(ending) || !/^[a-z][a-z0-9_]{0,63}\.[a-z]+$/.test(name));
  if (odd !== undefined) {
    throw refused(`${sub}/${odd}`, `what lies here is called a-z, 0-9 and _, and ends with ${ending}`);
  }
  if (names.length > MAX_SOURCES) throw refused(sub, `more than ${MAX_SOURCES} files`);
  return Object.fromEntries(names.sort().map((name) => [name, readText(folder, join(sub, name)) ?? '']));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isFile()) throw refused(name, 'is not a file');
  if (found.size > MAX_SOURCE_BYTES) throw refused(name, `has more than ${MAX_SOURCE_BYTES} bytes`);
  return readFileSync(path, 'utf8');
}

const ajv = new Ajv({ allErrors: true, strict: false });

function checked<T>(file: string, value: unknown, schema: 'manifest' | 'overlay' | 'cases'): T {
  const all = JSON.parse(readFileSync(join(HERE, '..', 'package.schema.json'), 'utf8'));
  const validate = ajv.getSchema(`package#/definitions/${schema}`) ?? compileOnce(all, schema);
  if (!validate(value)) throw refused(file, schemaFault(validate.errors));
  return value as T;
}

function compileOnce(all: object, schema: string) {
  if (!ajv.getSchema('package')) ajv.addSchema(all, 'package');
  return ajv.compile({ $ref: `package#/definitions/${schema}` });
}

export function refused(file: string, why: string): BeaconError {
  return new BeaconError('failed_precondition', `${file}: ${why}`);
}
