// Lines of a file that run later (hooks of an installation, recipes, steps, layers, profiles, settings): what stands there is
// read as what it will do. Only what may never be done is told besides the place itself; the rest is for whoever approves
// the file, or is the ordinary work of a build.

import { sendsAll } from './code-markers.ts';
import type { Draft } from './draft.ts';
import { gravity } from './effects.ts';
import { PIPELINE, pipelineSteps } from './groovy-steps.ts';
import { hostAccess } from './host-access.ts';
import * as later from './later-lines.ts';
import { foreignSources } from './lock-files.ts';
import { notebookLines } from './notebook-lines.ts';
import { finishPart } from './parts.ts';
import type { Where } from './paths.ts';
import type { ActionPart } from './types.ts';
import { projectLeaves } from './whole-folder.ts';

const MAX_ADDED = 64 * 1024;
/** Lock files are long. */
const MAX_LOCKED = 1024 * 1024;
/** Read one by one; what is beyond is read as one text. */
const MAX_COMMANDS = 256;
const NEVER = gravity('download_execute');

/** Reads a command; bound by the caller, since this file knows no shell. */
export type ReadLine = (command: string, inContainer?: boolean) => readonly Draft[];

/** On this machine, on a runner that is thrown away, in an image that is built, or as a setting that stays. */
type Runs = 'here' | 'runner' | 'image' | 'setting';
type Family = { readonly file: RegExp; readonly runs: Runs; readonly commands: (text: string) => readonly string[] };

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

const COMPOSE = /(?:^|\/)(?:(?:docker-|podman-)?compose(?:[.-][\w.-]+)?|container-compose)\.ya?ml$/;

/** Cells as they are edited, or as the file holds them: a line is a string of a list. */
const cellLines = (text: string) => [
  notebookLines(text.replace(/^\s{0,40}"(?=[!%])/gm, '').replace(/(?:\\n)?",?[^\S\n]{0,40}$/gm, '')),
];

/** The first that fits. */
const FAMILIES: readonly Family[] = [
  {
    file: /(?:^|\/)(?:\.git\/hooks|\.husky|\.githooks)\/[\w./-]+$|(?:^|\/)\.(?:bashrc|zshrc|profile|bash_profile|zprofile|bash_login|zshenv|envrc)$/,
    runs: 'here',
    commands: (text) => [text],
  },
  { file: /\.ipynb$/, runs: 'here', commands: cellLines },
  // What stands between the brackets is run where a package with it is installed.
  {
    file: /\.gypi?$/,
    runs: 'here',
    commands: (text) => [...text.matchAll(/<!@?\(([^()\n]{1,2000})\)/g)].map((match) => match[1] as string),
  },
  { file: PIPELINE, runs: 'runner', commands: pipelineSteps },
  {
    file: /(?:^|\/)\.(?:github\/workflows|github\/actions\/[\w./-]+|forgejo\/workflows|gitea\/workflows|gitlab\/ci|buildkite|woodpecker|tekton)\/[^/]+\.ya?ml$|(?:^|\/)(?:\.gitlab-ci|azure-pipelines|bitbucket-pipelines|\.travis|\.drone|cloudbuild|buildspec|\.?appveyor|\.cirrus|\.woodpecker|\.semaphore|wercker|bitrise|codemagic)\.ya?ml$|(?:^|\/)\.circleci\/config\.ya?ml$/,
    runs: 'runner',
    commands: later.steps,
  },
  { file: /(?:^|\/)(?:GNU)?[Mm]akefile(?:\.\w+)?$|\.(?:mk|mak)$/, runs: 'here', commands: later.makeLines },
  {
    file: /(?:^|\/)(?:package|composer|deno|turbo|\.?devcontainer)\.jsonc?$|(?:^|\/)\.(?:vscode\/(?:tasks|launch|settings)|lintstagedrc|simple-git-hooks|huskyrc)(?:\.json)?$/,
    runs: 'here',
    commands: later.jsonLines,
  },
  {
    file: /(?:^|\/)(?:[Jj]ustfile|\.justfile|Procfile[\w.-]*|[Tt]askfile\.(?:dist\.)?ya?ml|\.pre-commit-(?:config|hooks)\.yaml|\.?lefthook(?:-local)?\.ya?ml|\.overcommit\.yml|tox\.ini|setup\.cfg|pyproject\.toml|Cargo\.toml|mise\.toml|\.mise\.toml)$/,
    runs: 'here',
    commands: later.steps,
  },
  {
    file: /(?:^|\/)(?:setup|conftest|noxfile|tasks|dodo|fabfile|sitecustomize|usercustomize|hatch_build|SConstruct|wscript)(?:\.py)?$|\.pth$/,
    runs: 'here',
    commands: later.code('python3 -c'),
  },
  {
    file: /(?:^|\/)(?:[\w.-]+\.config|[Gg]ulpfile|[Gg]runtfile|\.\w+rc|\.pnpmfile|karma\.conf|Jakefile)\.[cm]?[jt]s$/,
    runs: 'here',
    commands: later.code('node -e'),
  },
  {
    file: /(?:^|\/)(?:[Rr]akefile|Gemfile|Podfile|Fastfile|Vagrantfile|Brewfile|Guardfile|extconf\.rb)$|\.(?:rake|gemspec)$/,
    runs: 'here',
    commands: (text) => [...later.code('ruby -e')(text), ...later.strings(text)],
  },
  {
    file: /(?:^|\/)(?:build\.rs|build\.zig|mix\.exs|CMakeLists\.txt|meson\.build|pom\.xml|BUILD(?:\.bazel)?|WORKSPACE|build\.xml|magefile\.go|Package\.swift)$|\.(?:gradle(?:\.kts)?|cmake|bzl|sbt|csproj|vcxproj|targets)$/,
    runs: 'here',
    commands: later.strings,
  },
  {
    file: /(?:^|\/)(?:[\w.-]+\.)?(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.dockerfile$/i,
    runs: 'image',
    commands: later.layers,
  },
  { file: COMPOSE, runs: 'image', commands: later.steps },
  {
    file: /(?:^|\/)(?:\.(?:npmrc|yarnrc|yarnrc\.yml|condarc|gemrc|pnpmrc)|bunfig\.toml|pip\.(?:conf|ini)|uv\.toml|\.cargo\/config(?:\.toml)?)$/,
    runs: 'setting',
    commands: later.settings,
  },
  {
    file: /(?:^|\/)(?:\.gitconfig|\.git\/config(?:\.worktree)?|\.config\/git\/config|\.gitmodules)$/,
    runs: 'setting',
    commands: later.gitSettings,
  },
];

/** `added`: the lines that are new; `before`: those they replace, undefined where nobody knows what was there. */
export function plantedIn(
  path: string,
  added: string,
  before: string | undefined,
  where: Where,
  read: ReadLine,
): Draft[] {
  if (added === '') return [];
  const plain = path.replaceAll('\\', '/');
  const family = FAMILIES.find(({ file }) => file.test(plain));
  const hook = HOOKS.find(([file]) => file.test(plain))?.[1];
  const foreign = foreignSources(plain, added.slice(0, MAX_LOCKED), before?.slice(0, MAX_LOCKED));
  if (foreign.length > 0) return [asked('source', foreign)];
  if (family === undefined && hook === undefined) return [];
  const text = added.slice(0, MAX_ADDED);
  const hooks = hook === undefined ? [] : hooksIn(text, hook, before);
  const commands = [...hooks, ...(family?.commands(text) ?? [])];
  const runs = family?.runs ?? 'here';
  const grants = COMPOSE.test(plain) ? hostAccess(text).filter((line) => !before?.includes(line)) : [];
  // What was there before is not planted; a remark that becomes a line is.
  const had = new Set(before === undefined || before === '' ? [] : family?.commands(before));
  const fresh = [...new Set(commands)].filter((command) => command.trim() !== '' && !had.has(command));
  return [
    ...(hooks.length > 0 && before !== undefined ? [asked('hook', hooks)] : []),
    ...(grants.length > 0 ? [asked('host access', grants)] : []),
    ...told(fresh, runs, where, read),
  ];
}

function hooksIn(text: string, key: RegExp, before: string | undefined): string[] {
  return [...text.matchAll(key)]
    .map((match) => match[1] as string)
    .filter((command) => before === undefined || !before.includes(command))
    .map(later.unescaped);
}

function asked(operation: string, residue: readonly string[]): Draft {
  return {
    tool: 'file',
    operation,
    effect: 'schedule',
    targets: [],
    flags: [],
    residue: [residue.join('\n')],
    scope: 'workspace',
  };
}

function told(commands: readonly string[], runs: Runs, where: Where, read: ReadLine): Draft[] {
  const single = commands.slice(0, MAX_COMMANDS);
  const rest = commands.slice(MAX_COMMANDS);
  return [...single, ...(rest.length > 0 ? [rest.join('\n')] : [])].flatMap((command) => {
    const drafts = read(command, runs === 'image').map((draft) => [draft, finished(draft, where)] as const);
    const dumps = sendsAll(command);
    const taken = runs === 'here' && projectLeaves(read(command), where);
    const grave = drafts
      .filter(
        ([draft, part]) =>
          (GRAVE[runs](draft, part) && !(part.effect === 'download_execute' && guessed(draft, command))) ||
          (dumps && REACHES.has(part.effect)) ||
          (taken && part.effect === 'send'),
      )
      .map(([draft]) => draft);
    // Where an image is built whoever approves its file judges what it fetches.
    const fetched = runs === 'image' && drafts.some(([, { effect }]) => effect === 'download_execute');
    return fetched ? [...grave, asked('layer', [command])] : grave;
  });
}

/** Its place may make it graver than the draft says. */
function finished(draft: Draft, where: Where): ActionPart {
  return finishPart(draft, { where, mask: same, digest: same, sensitive: () => undefined });
}

const same = (text: string) => text;
const LOSES = new Set(['delete', 'delete_many', 'infra_destroy', 'database_destroy']);

const leaks = (draft: Draft, { effect }: ActionPart) =>
  draft.externality?.sensitive_payload === 'secret' && gravity(effect) >= gravity('send');

const PRODUCTION = /(?:^|[-_./:])prod(?:uction)?(?:$|[-_./:])/i;
/** Where a machine keeps what it cannot make again. An uninstall of one's own program is none of these. */
const KEPT = /^file:\/(?:etc|var\/lib|var\/backups|srv|home|boot|root|mnt|media|data)(?:\/|$)/;

/** What is lost for good, and not only to this workspace. */
function destroys(draft: Draft, { effect, flags, scope, targets }: ActionPart): boolean {
  if (flags.includes('dry_run') || flags.includes('regenerable') || flags.includes('unresolved_target')) return false;
  if (LOSES.has(effect) && (flags.includes('production') || targets.some((target) => PRODUCTION.test(target))))
    return true;
  if (draft.effect !== 'delete_many') return false;
  return scope === 'home' || (scope === 'system' && targets.some((target) => KEPT.test(target)));
}

/** Who may come in, and what starts by itself: outside the workspace no build changes that. */
const admits = (draft: Draft, { effect, scope }: ActionPart) =>
  (effect === 'identity_change' || effect === 'schedule') &&
  (scope === 'home' || scope === 'system') &&
  draft.targets.some(({ id }) => id.startsWith('file:'));

/** No registry stands behind what is run or installed. */
const unregistered = (_draft: Draft, { effect, flags }: ActionPart) =>
  (effect === 'run_opaque' && flags.includes('from_url')) ||
  (effect === 'install_local' && flags.includes('foreign_index'));

const REACHES = new Set(['send', 'run_opaque']);
const FETCHES =
  /\b(?:urlopen|urlretrieve|(?:requests|httpx)\.get|https?\.get|fetch|axios(?:\.get)?|URI\.open|Net::HTTP\.get\w{0,20}|open-uri)\b\s{0,4}(?:\(|['"])/;

/** A build file that names its home page or a client among its needs, and evaluates its version file, fetches nothing. */
function guessed({ tool, flags }: Draft, command: string): boolean {
  if (!/^(?:python3|node|ruby) -/.test(command)) return false;
  return flags.includes('opaque_address') || (/^(?:python|node|ruby)/.test(tool) && !FETCHES.test(command));
}

/** A project's own keys and settings are there for its builds; what leaves with them is told as leaving. */
const own = ({ effect, scope }: ActionPart) =>
  effect === 'read_credential' && (scope === 'workspace' || scope === 'unknown' || scope === 'temporary');

const GRAVE: { readonly [runs in Runs]: (draft: Draft, part: ActionPart) => boolean } = {
  here: (draft, part) =>
    (gravity(part.effect) >= NEVER && !own(part)) ||
    [leaks, destroys, admits, unregistered].some((is) => is(draft, part)),
  /** On a runner that is thrown away, whoever approves the definition judges what it fetches. */
  runner: (draft, part) => (gravity(part.effect) >= NEVER && part.effect !== 'download_execute') || leaks(draft, part),
  /** Secrets are mounted to be read there, and its disks are its own. */
  image: (draft, part) => part.effect === 'remote_shell' || part.effect === 'flood' || leaks(draft, part),
  setting: (_draft, part) => gravity(part.effect) >= gravity('schedule'),
};
