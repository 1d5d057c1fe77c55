// How a package's rules reach the decision: each module is held to a Rego package of its own, and generated rules hand what
// it says on as more hits, for its tenants alone. Nothing of a package is ever in `package beacon`.

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stage } from '../build.ts';
import { type Package, refused, runOpa } from './read.ts';

const ADDED = join(import.meta.dirname, '..', 'added');
/** What a package says, and the set of the pack that takes it. */
const SAID = { hits: 'added', obligations: 'added_obligations' } as const;
const ROOTS = ['beacon', 'added', 'tables', 'tenants'];

/** Lays pack and packages out under `folder`; the folder OPA is given. */
export function stageAll(
  folder: string,
  packages: readonly Package[],
  named: { revision: string },
  opa: string,
): string {
  const target = stage(folder, named.revision, ROOTS);
  for (const name of ['added.rego', 'testing.rego']) cpSync(join(ADDED, name), join(target, 'beacon', name));
  const said = packages.map((one) => ({ one, says: modulesOf(one, opa) }));
  for (const { one } of said) lay(target, one);
  writeFileSync(join(target, 'beacon', 'added_by.rego'), handedOn(said));
  const tenants = packages.flatMap(({ tenants: list, overlay }) => list.map((tenant) => [tenant, overlay] as const));
  put(target, 'tenants', 'data.json', JSON.stringify(Object.fromEntries(tenants)));
  return target;
}

function lay(target: string, { name, rules, tables, guardrails }: Package): void {
  for (const [file, text] of Object.entries(rules)) put(target, join('added', name), file, text);
  for (const [table, text] of Object.entries(tables)) put(target, join('tables', name, table), 'data.yaml', text);
  for (const [tenant, stages] of Object.entries(guardrails)) {
    // One member a folder, so that OPA refuses what the pack's own file says already: nothing of it is replaced.
    const place = join('beacon', 'guardrails', 'tenants', tenant);
    put(target, place, 'data.json', JSON.stringify(stages));
  }
}

function put(target: string, place: string, name: string, text: string): void {
  mkdirSync(join(target, place), { recursive: true });
  writeFileSync(join(target, place, name), text);
}

type Says = Readonly<Record<keyof typeof SAID, boolean>>;
type Path = readonly { readonly value: unknown }[];
type Head = { readonly key?: unknown; readonly ref: Path };
type Module = {
  readonly package?: { readonly path: Path };
  readonly rules?: readonly { readonly head: Head }[];
  readonly errors?: readonly { readonly message: string; readonly location?: { readonly row: number } }[];
};

/** Reads each module as OPA does. Throws `failed_precondition` for one outside the package's own place. */
function modulesOf(one: Package, opa: string): Says {
  const says: Record<string, boolean> = { hits: false, obligations: false };
  const folder = mkdtempSync(join(tmpdir(), 'beacon-policy-'));
  try {
    for (const [file, text] of Object.entries(one.rules)) {
      writeFileSync(join(folder, file), text);
      const module = parsed(runOpa(opa, ['parse', '--format', 'json', file], folder), file);
      const path = (module.package?.path ?? []).map(({ value }) => value);
      const own = path[0] === 'data' && path[1] === 'added' && path[2] === one.name;
      const isTest = file.endsWith('_test.rego');
      if (!own || (!isTest && path.length !== 3)) {
        const wanted = `package added.${one.name}${isTest ? ' (or below it)' : ''}`;
        throw refused(`rules/${file}`, `is in package ${path.slice(1).join('.')}; a package's rules are in ${wanted}`);
      }
      for (const { head } of module.rules ?? []) note(says, head, file, isTest);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return says as Says;
}

/** A complete rule, or one with a deeper name, would be handed on as nothing at all. */
function note(says: Record<string, boolean>, head: Head, file: string, isTest: boolean): void {
  const name = String(head.ref[0]?.value);
  if (!Object.hasOwn(says, name)) return;
  if (isTest) throw refused(`rules/${file}`, `${name} stands in a test, which is in no bundle`);
  if (head.key === undefined || head.ref.length !== 1) {
    throw refused(`rules/${file}`, `${name} is a set: write \`${name} contains {…} if …\``);
  }
  says[name] = true;
}

function parsed(text: string, file: string): Module {
  let module: Module;
  try {
    module = JSON.parse(text);
  } catch {
    throw refused(`rules/${file}`, text.trim().slice(0, 400) || 'cannot be read');
  }
  const [error] = module.errors ?? [];
  if (error) throw refused(`rules/${file}:${error.location?.row ?? 1}`, error.message);
  return module;
}

function handedOn(said: readonly { readonly one: Package; readonly says: Says }[]): string {
  const rules = Object.entries(SAID).flatMap(([from, to]) => [
    // So that the set is there though no package adds to it, and of any form: one that is wrong is denied when it comes.
    `${to} contains ["", input] if false`,
    ...said.flatMap(({ one: { name, tenants }, says }) => {
      if (!says[from as keyof Says]) return [];
      const who = `input.identity.tenant_id in {${tenants.map((tenant) => JSON.stringify(tenant)).join(', ')}}`;
      return [
        `${to} contains [${JSON.stringify(name)}, row] if {\n\t${who}\n\tsome row in data.added.${name}.${from}\n}`,
      ];
    }),
  ]);
  return `package beacon\n\n${rules.join('\n\n')}\n`;
}
