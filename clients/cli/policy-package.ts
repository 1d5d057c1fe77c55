// `beacon policy init|test|build`: a tenant's policy package, from an empty folder to a bundle to sign.

import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { requireName } from '../../core/ids.ts';
import { moodOf, policyInWords } from './execute.ts';
import { EXIT, usage } from './failure.ts';
import { BUNDLE_FOLDER, toolsOf } from './policy-bundle.ts';
import type { MadePackage } from './policy-tools.ts';
import { many, plain, type Terminal, terminal } from './terminal.ts';
import type { Exits } from './verb.ts';
import type { World } from './world.ts';

type InitOptions = { name?: string; tenant?: string[]; json?: true };
type MakeOptions = { out?: string; json?: true };
const PACKAGE_NAME = /^[a-z][a-z0-9_]{0,31}$/;

export function definePackages(policy: Command, world: World, exits: Exits): void {
  policy
    .command('init')
    .description('a new policy package: overlay, rules in Rego, guardrails and cases of your tenants')
    .argument('<dir>', 'a folder that is empty or not there yet')
    .option('--name <name>', 'a-z, 0-9 and _; the folder’s name when not given')
    .option('--tenant <id...>', 'for whom it is; the package’s name when not given')
    .option('--json')
    .action(exits((dir: string, options: InitOptions) => init(dir, options, world)));
  policy
    .command('test')
    .description('runs a package’s Rego tests and cases, and shows that nothing became milder than the pack')
    .argument('<dir...>', 'packages; several become one bundle')
    .option('--json')
    .action(exits((dirs: string[], options: MakeOptions) => make(dirs, options, world)));
  policy
    .command('build')
    .description('the same, and writes the bundle to sign')
    .argument('<dir...>', 'packages; several become one bundle')
    .option('--out <dir>', `where the bundle goes; ${BUNDLE_FOLDER} in the package when not given`)
    .option('--json')
    .action(
      exits((dirs: string[], options: MakeOptions) => {
        const [only, another] = dirs;
        if (options.out === undefined && another !== undefined) throw usage('--out: is needed for several packages');
        return make(dirs, { ...options, out: options.out ?? join(only as string, BUNDLE_FOLDER) }, world);
      }),
    );
}

async function init(dir: string, options: InitOptions, world: World): Promise<number> {
  const folder = resolve(world.cwd, dir);
  const name = options.name ?? basename(folder).toLowerCase().replaceAll(/[.-]/g, '_');
  if (!PACKAGE_NAME.test(name)) throw usage(`--name: must be a-z, 0-9 and _, and begin with a letter (not ${name})`);
  const tenants = (options.tenant ?? [name]).map((tenant) => requireName('--tenant', tenant));
  const files = (await toolsOf(world)).scaffold(folder, { name, tenants });
  if (options.json) world.out(`${JSON.stringify({ folder, name, tenants, files })}\n`);
  else {
    const { headline, line, style } = terminal(world);
    headline('good', 'made', `${plain(dir)}, for ${plain(tenants.join(', '))}`);
    for (const file of files) line(`  ${plain(file)}`);
    line(`\n  ${style('dim', 'next')}  beacon policy test ${plain(dir)}`);
  }
  return EXIT.yes;
}

async function make(dirs: string[], { out, json }: MakeOptions, world: World): Promise<number> {
  const tools = await toolsOf(world);
  const folders = dirs.map((dir) => resolve(world.cwd, dir));
  const output = out === undefined ? undefined : resolve(world.cwd, out);
  const made = await tools.make(folders, world.env, output);
  if (json) world.out(`${JSON.stringify(made)}\n`);
  else show(made, dirs, out, world);
  return made.ok ? EXIT.yes : EXIT.no;
}

function show(made: MadePackage, dirs: readonly string[], out: string | undefined, world: World): void {
  const view = terminal(world);
  const { headline, fields, line, style } = view;
  const whom = made.packages.flatMap(({ tenants }) => tenants).join(', ');
  const word = made.ok ? (out === undefined ? 'passes' : 'built') : 'fails';
  headline(made.ok ? 'good' : 'bad', word, `${plain(made.name)} ${plain(made.revision)}, for ${plain(whom)}`);
  showTests(made, view);
  showCases(made, view);
  line(`\n${style('bold', 'Never milder')}  ${neverMilder(made)}`);
  for (const { name, was, is } of made.milder) {
    line(`  ${style('red', `✖ ${was} became ${is}`)}  ${plain(name)}`);
  }
  const more = made.milderCount - made.milder.length;
  if (more > 0) line(`  ${style('red', `✖ and ${more} more`)}`);
  line(`\n${style('bold', 'Bundle')}`);
  const { pack, package: laid } = made.evaluationUs;
  fields([
    ['over the pack', policyInWords(made.platform.revision, made.platform.digest)],
    ['one evaluation', `${laid} µs (the pack alone ${pack} µs)`],
    ['digest', made.digest],
    ['written to', made.ok ? out : undefined],
  ]);
  if (!made.ok) return;
  const sign = `beacon policy sign ${out ?? ''} --key policy.pem --version N --expires DATE`;
  line(
    `\n  ${style('dim', 'next')}  ${out === undefined ? `beacon policy build ${dirs.map(plain).join(' ')}` : plain(sign)}`,
  );
}

function showTests({ rego }: MadePackage, { line, style }: Terminal): void {
  const failing = rego.filter(({ fault }) => fault !== undefined);
  line(`\n${style('bold', 'Rego tests')}  ${count(rego.length, failing.length)}`);
  for (const { name, where, fault } of failing) {
    line(`  ${style('red', '✖')} ${plain(where)}  ${plain(name)} ${style('dim', plain(fault))}`);
  }
}

const COLOURS = { good: 'green', careful: 'yellow', waiting: 'cyan', bad: 'red' } as const;

function showCases({ cases }: MadePackage, { line, style }: Terminal): void {
  const failing = cases.filter(({ fault }) => fault !== undefined);
  line(`\n${style('bold', 'Cases')}  ${count(cases.length, failing.length)}`);
  for (const { name, route, fault, reasons, understood } of cases) {
    const mark = fault === undefined ? style('green', '✔') : style('red', '✖');
    line(`  ${mark} ${style(COLOURS[moodOf(route)], route.padEnd(8))}  ${plain(name)}`);
    if (fault === undefined) continue;
    line(`      ${style('red', plain(fault))}`);
    const parts = understood.map(({ tool, operation, effect }) => `${tool} ${operation} (${effect})`);
    line(`      ${style('dim', 'understood as')} ${plain(parts.join(', '))}`);
    for (const { rule, code, message } of reasons)
      line(`      ${plain(message)} ${style('dim', `(${rule}: ${code})`)}`);
  }
}

function neverMilder(made: MadePackage): string {
  const { compared, milder } = made;
  const asked = `${many(compared, 'input')} decided by the pack alone and with the package`;
  return milder.length === 0
    ? `${asked}: none is milder`
    : `${asked}: ${made.milderCount} ${made.milderCount === 1 ? 'is' : 'are'}`;
}

function count(all: number, failing: number): string {
  if (all === 0) return 'none';
  return failing === 0
    ? `${all} ${all === 1 ? 'passes' : 'pass'}`
    : `${failing} of ${all} ${failing === 1 ? 'fails' : 'fail'}`;
}
