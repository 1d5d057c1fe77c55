// The same proposal with more told by the client: the branch, what git holds, where the workspace is. Each is read again
// from the raw proposal, so that it counts as it would count when it is told.

import type { ActionContext, ActionPart, Effect } from '../action/types.ts';
import { MAX_READINGS, MAX_REREAD_CHARACTERS, type Subject, type Supposition } from './supposition.ts';

/** A name nobody protects by accident. */
const OWN_BRANCH = 'a-branch-of-your-own';
const PROTECTED_BRANCH = 'main';
/** Files named as held or not held by git. */
const MAX_FILES = 16;

const PUSHES = new Set<Effect>(['vcs_push', 'vcs_force_push']);
const OF_FILES = new Set<Effect>(['write', 'overwrite', 'delete', 'delete_many', 'build', 'discard_work']);

type Telling = {
  readonly fact: string;
  readonly suppose: string;
  readonly parts: number[];
  readonly told: ActionContext;
};

/** `any`: also for a proposal that is too long to be read again, to tell whether something was left out. */
export function toldSuppositions(subject: Subject, any = false): Supposition[] {
  if (!any && subject.characters > MAX_REREAD_CHARACTERS) return [];
  const tellings = [...branch(subject), ...gitHolds(subject), ...workspace(subject)].slice(0, MAX_READINGS);
  return tellings.map(({ told, ...what }) => ({ kind: 'told', ...what, input: () => readAgain(subject, told) }));
}

/** What cannot be read is not supposed: a list may have grown too long. */
function readAgain({ read, input }: Subject, told: ActionContext) {
  try {
    const { action, externality, findings, context } = read(told);
    return { ...input, action, externality, findings, context };
  } catch {
    return undefined;
  }
}

function partsWhere(subject: Subject, fits: (part: ActionPart) => boolean): number[] {
  return subject.input.action.parts.flatMap((part, index) => (fits(part) ? [index + 1] : []));
}

function branch(subject: Subject): Telling[] {
  const { told } = subject;
  const parts = partsWhere(subject, (part) => PUSHES.has(part.effect) && part.flags.includes('branch_unknown'));
  if (parts.length === 0 || told.git?.branch !== undefined) return [];
  const named = (name: string): ActionContext => ({ ...told, git: { ...told.git, branch: name } });
  const fact = 'git.branch';
  return [
    {
      fact,
      parts,
      suppose: 'the client told the branch (git.branch), one that is not protected',
      told: named(OWN_BRANCH),
    },
    { fact, parts, suppose: 'the client told the branch (git.branch), a protected one', told: named(PROTECTED_BRANCH) },
  ];
}

function gitHolds(subject: Subject): Telling[] {
  const { told, input } = subject;
  const parts = partsWhere(subject, (part) => OF_FILES.has(part.effect) && filesOf(part).length > 0);
  if (parts.length === 0) return [];
  const concerned = parts.map((number) => input.action.parts[number - 1] as ActionPart);
  const files = [...new Set(concerned.flatMap(filesOf))].slice(0, MAX_FILES);
  const what = files.length === 1 ? (files[0] as string) : `these ${files.length} files`;
  const other = (list: readonly string[] | undefined) =>
    list?.filter((path) => !files.some((file) => file === path || file.endsWith(`/${path}`)));
  const { tracked, untracked } = told.git ?? {};
  const held = {
    ...told.git,
    dirty: false,
    tracked: [...(other(tracked) ?? []), ...files],
    untracked: other(untracked) ?? [],
  };
  const lost = { ...told.git, tracked: other(tracked) ?? [], untracked: [...(other(untracked) ?? []), ...files] };
  const all = (flag: string) => concerned.every((part) => part.flags.includes(flag));
  return [
    ...(all('tracked') && told.git?.dirty === false
      ? []
      : [
          {
            fact: 'git.tracked',
            parts,
            suppose: `git held ${what} unchanged (git.tracked, git.dirty: false)`,
            told: { ...told, git: held },
          },
        ]),
    ...(all('untracked') || all('only_copy')
      ? []
      : [
          {
            fact: 'git.untracked',
            parts,
            suppose: `${what} existed and git did not hold ${files.length === 1 ? 'it' : 'them'} (git.untracked)`,
            told: { ...told, git: lost },
          },
        ]),
  ];
}

function filesOf({ targets }: ActionPart): string[] {
  return targets.flatMap((target) => (target.startsWith('file:') ? [target.slice(5)] : []));
}

/** Only where nobody said where the agent works. */
function workspace(subject: Subject): Telling[] {
  const { told, input } = subject;
  if (told.workspace !== undefined || told.cwd !== undefined) return [];
  const parts = partsWhere(
    subject,
    (part) => OF_FILES.has(part.effect) && filesOf(part).some((file) => file[0] === '/'),
  );
  const [first] = parts.flatMap((number) => filesOf(input.action.parts[number - 1] as ActionPart));
  const folder = first?.replace(/\/[^/]*$/, '') ?? '';
  if (!folder.startsWith('/')) return [];
  const suppose = `the client told that it works in ${folder} (cwd, workspace)`;
  return [{ fact: 'workspace', parts, suppose, told: { ...told, cwd: folder, workspace: folder } }];
}
