// For which environment something is provisioned, as far as the line tells, and whether it applies a plan that was saved.
// A name may make it stricter always; milder only what is made or changed and can be put back.

import { literal } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { resolvePath } from '../paths.ts';
import { byRule, type Call, emit, emitOptionFiles, has, optionValue, residueOf, SILENT, type Special } from './call.ts';

const PRODUCTION = /(?:^|[^a-z])(?:prod|production|prd|live)(?:$|[^a-z])/i;
const PRODUCTION_WORD = /^prod(?:uction)?(?=[A-Z\d])|(?:^|[a-z\d])(?:Prod|Production|Prd)(?:$|[A-Z\d])/;
const NON_PRODUCTION =
  /(?:^|[^a-z])(?:stag(?:e|ing)|stg|dev(?:el|elop|elopment)?|test(?:ing)?|qa|uat|sandbox|preview|demo|e2e|playground|scratch)(?:$|[^a-z])/i;

/** Options whose value says where, and those whose value is `NAME=VALUE` with a NAME that does. */
const NAMING = ['-var-file', '-s', '-i', '-l', '--profile', '-config', '--config-file', '--terragrunt-config'];
const NAMING_LONG = [
  '--stack',
  '--inventory',
  '--limit',
  '--config',
  '--queue-include-dir',
  '--terragrunt-include-dir',
];
const SETTING = ['-var', '-c', '--context', '-e', '--extra-vars', '-backend-config'];
const SAYS_WHERE =
  /(?:^|[ ,{"'])["']?(?:\w+[_:.-])?(?:env|environment|stage|workspace|tier)["']?\s*[=:]\s*["']?([\w.-]+)/i;
/** Variables by which these programs are told where. */
const AMBIENT =
  /^(?:TF_WORKSPACE|PULUMI_STACK|AWS_PROFILE|CDK_\w*ENV\w*|TF_VAR_(?:\w+_)?(?:env|environment|stage)|ENV|ENVIRONMENT|STAGE)$/;
/** Where the working copy of one environment lies: `envs/staging/network`. */
const FOLDERS = 6;

function stageNames(call: Call): string[] {
  const values = (names: readonly string[]) => names.flatMap((name) => call.given.options.get(name) ?? []);
  const named = values([...NAMING, ...NAMING_LONG]).map((word) => word.text);
  const set = values(SETTING).flatMap((word) => SAYS_WHERE.exec(word.text)?.[1] ?? []);
  const { assignments, state } = call.invocation;
  const variables = new Map(state.exported);
  for (const { name, value } of assignments) variables.set(name, value.text);
  const ambient = [...variables].flatMap(([name, value]) => (AMBIENT.test(name) ? [value] : []));
  return [...named, ...set, ...ambient, ...folderNames(call)];
}

/** Folders below the workspace, or the last ones of a path that nobody places. */
function folderNames({ invocation, meaning }: Call): string[] {
  const { cwd } = invocation.state;
  if (cwd === undefined) return [];
  const { workspace } = meaning.where;
  const path = resolvePath(cwd, undefined, meaning.where.home);
  const inside = workspace !== undefined && path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : '';
  return inside.split('/').slice(0, FOLDERS);
}

function isProduction(name: string): boolean {
  return PRODUCTION.test(name) || PRODUCTION_WORD.test(name);
}

/** A saved plan: `terraform apply FILE`, `pulumi up --plan FILE`. */
function planOf(call: Call) {
  if (call.tool === 'pulumi') return optionValue(call, '--plan');
  return call.given.operands.find((word) => word.known && !/^-|=/.test(word.text));
}

/** `plannable`: a saved plan can show it; `lasting`: nowhere is it taken back. */
function provision(call: Call, { plannable = false, lasting = false }): ReturnType<Special> {
  const { operands } = call.given;
  if (optionValue(call, '--method')?.text === 'prepare-change-set')
    return byRule({ ...call, effect: 'read', flags: [...call.flags, 'dry_run'] });
  const planned = plannable && call.effect === 'infra_change';
  const plan = planned ? planOf(call) : undefined;
  const names = stageNames(call);
  const stacks = operands.map((word) => word.text);
  const production = [...names, ...stacks].some(isProduction);
  // Who names a plan's file may name it as they like; a stack is what is changed.
  const telling = plan === undefined ? [...names, ...stacks] : names;
  const back = call.effect === 'infra_change' && !lasting;
  const outside = back && telling.some((name) => NON_PRODUCTION.test(name));
  const flags = [
    ...call.flags,
    ...(optionValue(call, '--require-approval')?.text === 'never' ? ['force'] : []),
    ...(planned ? [plan ? 'saved_plan' : 'unplanned'] : []),
    ...(production ? ['production'] : outside ? ['non_production'] : []),
  ];
  const read = { ...call, flags };
  if (plan === undefined) return byRule(read);
  emitOptionFiles(read);
  emit(read, { targets: [planTarget(call, plan.text)], residue: residueOf(read, operands) });
  return { origins: ['file'] };
}

/** What is chosen here holds for what follows in the line, and is part of what is approved there. */
const select: Special = (call) => {
  const name = call.given.operands.at(-1) ?? optionValue(call, '-s');
  const variable = call.tool === 'pulumi' ? 'PULUMI_STACK' : 'TF_WORKSPACE';
  if (name !== undefined) call.invocation.state.exported.set(variable, name.text);
  return byRule(call);
};

/** `pulumi config set --secret NAME VALUE`. */
const keepSecret: Special = (call) => {
  const value = call.given.operands[1];
  if (has(call, '--secret') && value?.known) call.meaning.secret(value.text);
  return byRule(call);
};

/** `terragrunt run --all -- apply`: the command behind it, in one unit or in all. */
const terragruntRun: Special = (call) => {
  const words = call.args.filter((word) => word.text !== '--');
  const { state, frame } = call.invocation;
  const all = words.some((word) => word.text === '--all' || word.text === '-a' || word.text === '--graph');
  const rest = words.filter((word) => !/^(?:--all|-a|--graph)$/.test(word.text));
  if (call.operation.endsWith('exec')) return rest.length === 0 ? SILENT : call.walk.words(rest, state, frame);
  // Its own name would be read as itself again.
  if (rest[0]?.text === 'run' || rest[0]?.text === 'exec') return byRule(call);
  return call.walk.words([literal('terragrunt'), ...(all ? [literal('run-all')] : []), ...rest], state, frame);
};

/** Modules that only look. */
const LOOKING =
  /^(?:ansible\.builtin\.)?(?:ping|setup|gather_facts|debug|stat|getent|service_facts|package_facts|assert|find|wait_for|wait_for_connection)$/;

/** The environment a playbook is for, and modules that change nothing. */
export function ansibleStage(call: Call, module: string): Call {
  const stacks = call.given.operands.map((word) => word.text);
  const names = [...stageNames(call), ...stacks];
  if (LOOKING.test(module)) return { ...call, effect: 'read' };
  if (call.effect !== 'infra_change') return call;
  const production = names.some(isProduction);
  const outside = names.some((name) => NON_PRODUCTION.test(name));
  const stage = production ? ['production'] : outside ? ['non_production'] : [];
  return { ...call, flags: [...call.flags, ...stage] };
}

export const PROVISION_SPECIALS: { readonly [name: string]: Special } = {
  provision: (call) => provision(call, {}),
  'provision-apply': (call) => provision(call, { plannable: true }),
  'provision-lasting': (call) => provision(call, { lasting: true }),
  'provision-select': select,
  'provision-secret': keepSecret,
  'terragrunt-run': terragruntRun,
};

/** Where a plan lies; an approval of one file covers no other. */
function planTarget(call: Call, text: string) {
  const { cwd } = call.invocation.state;
  return plainTarget(`plan:${resolvePath(text, cwd, call.meaning.where.home)}`);
}
