// Milder forms that the rules name themselves: a dry run, --force-with-lease, named paths, what the lock file holds, a
// secret handed on unseen, without sudo. Each is supposed only where the tool has it.

import { externalityOf } from '../action/effects.ts';
import { PROGRAMS } from '../action/programs/registry.ts';
import type { Rule } from '../action/programs/rule.ts';
import type { ActionPart, Effect } from '../action/types.ts';
import type { EvaluatedInput } from '../envelope.ts';
import { withParts } from './parts.ts';
import type { Supposition } from './supposition.ts';

type Form = {
  readonly fact: string;
  readonly fits: (part: ActionPart) => boolean;
  readonly suppose: (parts: readonly ActionPart[]) => string;
  readonly become: (part: ActionPart) => ActionPart;
};

/** Dry runs named in one sentence. */
const MAX_NAMED = 3;
/** Roots everything hangs on: naming what lies in them is no milder form. */
const ROOTS = ['root_target', 'home_target', 'system_target'];
const NAMELESS = ['glob', 'bulk', 'unresolved_target', 'recursive', 'replaces_many'];

const FORMS: readonly Form[] = [
  {
    fact: 'dry_run',
    fits: (part) => !part.flags.includes('dry_run') && dryRunOf(part) !== undefined,
    suppose: (parts) =>
      `it were a dry run (${[...new Set(parts.map(dryRunOf))]
        .slice(0, MAX_NAMED)
        .map((one) => `\`${one}\``)
        .join(', ')})`,
    become: (part) => flagged(withEffect(part, 'read'), 'dry_run'),
  },
  {
    fact: 'with_lease',
    fits: (part) => part.effect === 'vcs_force_push' && !part.flags.includes('with_lease'),
    suppose: () => 'it pushed with --force-with-lease',
    become: (part) => flagged(part, 'with_lease'),
  },
  {
    fact: 'named_paths',
    fits: ({ effect, flags }) =>
      (effect === 'delete_many' ||
        ((effect === 'delete' || effect === 'overwrite' || effect === 'write') && isMany(flags))) &&
      !ROOTS.some((root) => flags.includes(root)),
    suppose: () => 'it named each file, without wildcards or whole folders',
    become: (part) => {
      const named = { ...part, flags: part.flags.filter((flag) => !NAMELESS.includes(flag)) };
      return part.effect === 'delete_many' ? withEffect(named, 'delete') : named;
    },
  },
  {
    fact: 'pinned',
    fits: ({ effect, flags }) => effect === 'install_local' && !flags.includes('pinned'),
    suppose: () => 'it installed only what the lock file holds',
    become: (part) => flagged(part, 'pinned'),
  },
  {
    fact: 'to_process',
    fits: ({ effect, flags }) => effect === 'secret_fetch' && !flags.includes('to_process'),
    suppose: () => 'it handed the secret straight to the process that needs it, unprinted',
    become: (part) => flagged({ ...part, flags: part.flags.filter((flag) => flag !== 'printed') }, 'to_process'),
  },
  {
    fact: 'without_sudo',
    fits: ({ flags }) => flags.includes('via_sudo'),
    suppose: () => 'it ran without sudo',
    become: (part) => ({ ...part, flags: part.flags.filter((flag) => flag !== 'via_sudo' && flag !== 'privileged') }),
  },
];

/** Each form once, for every part that has it; then, for a compound action, the mildest form of each part together. */
export function suppositionsOfForm(input: EvaluatedInput): Supposition[] {
  const { parts } = input.action;
  const single = FORMS.flatMap((form) => {
    const indexes = parts.flatMap((part, index) => (form.fits(part) ? [index] : []));
    return indexes.length === 0 ? [] : [{ form, indexes }];
  });
  const supposition = (
    fact: string,
    suppose: string,
    indexes: readonly number[],
    become: Form['become'],
  ): Supposition => ({
    kind: 'form',
    fact,
    suppose,
    parts: indexes.map((index) => index + 1),
    input: () =>
      withParts(
        input,
        parts.map((part, index) => (indexes.includes(index) ? become(part) : part)),
      ),
  });
  const each = single.map(({ form, indexes }) =>
    supposition(form.fact, form.suppose(indexes.map((index) => parts[index] as ActionPart)), indexes, form.become),
  );
  const all = [...new Set(single.flatMap(({ indexes }) => indexes))].sort((left, right) => left - right);
  if (single.length < 2 || all.length < 2) return each;
  const mildest = (part: ActionPart) => FORMS.find((form) => form.fits(part))?.become(part) ?? part;
  const said = `each took the milder form there is for it (${single.map(({ form }) => form.fact).join(', ')})`;
  return [...each, supposition('milder_forms', said, all, mildest)];
}

function isMany(flags: readonly string[]): boolean {
  return NAMELESS.some((flag) => flag !== 'recursive' && flags.includes(flag));
}

function flagged(part: ActionPart, flag: string): ActionPart {
  return { ...part, flags: [...new Set([...part.flags, flag])].sort() };
}

function withEffect(part: ActionPart, effect: Effect): ActionPart {
  const externality = { ...externalityOf(effect), sensitive_payload: part.externality.sensitive_payload };
  return { ...part, effect, reversible: externality.reversibility, externality };
}

/** Subcommands that show what another one would do. */
const PLANS: Readonly<Record<string, string>> = {
  'terraform apply': 'terraform plan',
  'terraform destroy': 'terraform plan -destroy',
  'tofu apply': 'tofu plan',
  'tofu destroy': 'tofu plan -destroy',
  'pulumi up': 'pulumi preview',
};

/** How the program's own table spells the dry run of this operation; undefined where it has none, or nothing changes. */
function dryRunOf({ tool, operation, effect }: ActionPart): string | undefined {
  if (effect === 'read' || effect === 'none') return undefined;
  const name = tool === operation ? tool : `${tool} ${operation}`;
  const plan = Object.hasOwn(PLANS, name) ? PLANS[name] : undefined;
  if (plan !== undefined) return plan;
  const program = tool === 'kubernetes' ? 'kubectl' : tool;
  const rule = Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program] : undefined;
  const found = rule === undefined ? undefined : spelling(rule, operation === tool ? '' : operation, []);
  if (found === undefined) return undefined;
  const client = program === 'kubectl' ? '=client' : '';
  return [program, ...found.path, `${found.option}${client}`].join(' ');
}

type Spelt = { readonly path: readonly string[]; readonly option: string };

/** The subcommand whose operation it is, and its option; an option of the program serves every subcommand. */
function spelling(rule: Rule, operation: string, path: readonly string[]): Spelt | undefined {
  for (const [names, own] of Object.entries(rule.subcommands ?? {})) {
    for (const name of names.split('|')) {
      const found = spelling({ ...own, options: { ...rule.options, ...own.options } }, operation, [...path, name]);
      if (found) return found;
    }
  }
  const called = rule.operation ?? path.join(' ');
  if (called !== operation && !operation.startsWith(`${called} `)) return undefined;
  const spelt = Object.entries(rule.options ?? {}).find(([, option]) => option.flags?.includes('dry_run'))?.[0];
  if (spelt === undefined) return undefined;
  const option = spelt.split('|').find((one) => one.startsWith('--')) ?? (spelt.split('|')[0] as string);
  return { path, option };
}
