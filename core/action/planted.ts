// Commands that a file runs later by itself (hooks of an installation, CI steps, shell profiles): what stands there is read as
// what it will do. Only what may never be done is told besides the place itself; the rest is for whoever approves the file.

import type { Draft } from './draft.ts';
import { gravity } from './effects.ts';
import { isPipeline, stepsIn } from './groovy-steps.ts';
import { finishPart } from './parts.ts';
import type { Where } from './paths.ts';
import { startsProgram } from './tool-arguments.ts';
import { resolved } from './workflow-text.ts';

const MAX_ADDED = 32 * 1024;
const MAX_COMMANDS = 64;
const NEVER = gravity('download_execute');

/** A key of a settings file whose value is a command that runs without being asked for. */
const HOOKS: readonly (readonly [path: RegExp, key: RegExp])[] = [
  [
    /(?:^|\/)package\.json$/,
    /"(?:(?:pre|post)?(?:install|uninstall)|prepare)"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){1,2000})"/g,
  ],
  [
    /(?:^|\/)composer\.json$/,
    /"(?:pre|post)-[a-z-]{1,40}-(?:cmd|dump|install|update)"\s{0,8}:\s{0,8}\[?\s{0,80}"((?:[^"\\]|\\.){1,2000})"/g,
  ],
  [
    /(?:^|\/)\.?devcontainer(?:\/[\w.-]+)?(?:\/devcontainer)?\.json$/,
    /"(?:initialize|onCreate|updateContent|postCreate|postStart|postAttach)Command"\s{0,8}:\s{0,8}"((?:[^"\\]|\\.){1,2000})"/g,
  ],
];
const CI =
  /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$|(?:^|\/)(?:\.gitlab-ci|azure-pipelines|bitbucket-pipelines|\.travis|\.drone|cloudbuild|buildspec|appveyor)\.ya?ml$|(?:^|\/)\.circleci\/config\.ya?ml$|(?:^|\/)(?:Jenkinsfile|\.woodpecker\.ya?ml)$/;
const LINE = /^\s*(?:-\s+)?(?:(?:run|script|command|cmd|sh|bash)\s*:\s*)?(?:sh\s+)?["'|>-]{0,2}\s*(\S.*?)["']?\s*$/;
const SHELL =
  /(?:^|\/)\.(?:git\/hooks|husky|githooks)\/[\w.-]+$|(?:^|\/)\.(?:bashrc|zshrc|profile|bash_profile|zprofile|bash_login|zshenv|envrc)$/;

/** Reads a command; bound by the caller, since this file knows no shell. */
export type ReadLine = (command: string) => readonly Draft[];

/** `added`: the lines that are new; `before`: those they replace, undefined where nobody knows what was there. */
export function plantedIn(
  path: string,
  added: string,
  before: string | undefined,
  where: Where,
  read: ReadLine,
): Draft[] {
  if (added === '' || added.length > MAX_ADDED) return [];
  const plain = path.replaceAll('\\', '/');
  const hook = HOOKS.find(([file]) => file.test(plain));
  if (hook) {
    const commands = [...added.matchAll(hook[1])]
      .slice(0, MAX_COMMANDS)
      .map((match) => match[1] as string)
      .filter((text) => before === undefined || !before.includes(text))
      .map(unescaped);
    const residue = commands.length === 0 ? [] : [commands.join('\n')];
    const later: Draft = {
      tool: 'file',
      operation: 'hook',
      effect: 'schedule',
      targets: [],
      flags: [],
      residue,
      scope: 'workspace',
    };
    return commands.length === 0
      ? []
      : [...(before === undefined ? [] : [later]), ...commands.flatMap((command) => never(read(command), where, true))];
  }
  if (SHELL.test(plain)) return never(read(added), where, true);
  if (isPipeline(plain)) {
    const steps = stepsIn(added).flatMap((text) => never(read(resolved(text)), where, false));
    if (steps.length > 0) return steps;
  }
  if (!CI.test(plain)) return [];
  return added
    .split('\n')
    .map((line) => LINE.exec(line)?.[1] ?? '')
    .filter((text) => text !== '' && startsProgram(text))
    .slice(0, MAX_COMMANDS)
    .flatMap((text) => never(read(resolved(text)), where, false));
}

/** On a runner that is thrown away, whoever approves the definition judges what it fetches. */
function never(drafts: readonly Draft[], where: Where, here: boolean): Draft[] {
  return drafts.filter((draft) => {
    // Its place may make it graver than the draft says.
    const { effect } = finishPart(draft, { where, mask: same, digest: same, sensitive: () => undefined });
    return (
      (gravity(effect) >= NEVER && (here || effect !== 'download_execute')) ||
      (draft.externality?.sensitive_payload === 'secret' && gravity(effect) >= gravity('send'))
    );
  });
}

const same = (text: string) => text;

function unescaped(text: string): string {
  return text.replace(/\\(["\\/])/g, '$1');
}
