// Tools that are a command by another name: `git_push {remote, branch}` is `git push remote branch`, `pip_install
// {packages}` is `pip install packages`.

import { type Given, snakeCase, type ToolCall, textOf } from './tool-arguments.ts';

/** Arguments of git tools, in the order git takes them. */
const GIT: { readonly [subcommand: string]: readonly string[] } = {
  push: ['remote', 'branch refspec ref'],
  pull: ['remote', 'branch'],
  fetch: ['remote', 'branch'],
  checkout: ['branch branch_name ref'],
  add: ['files paths path'],
  commit: [],
  reset: ['ref commit'],
  status: [],
  log: [],
  diff: ['target'],
  show: ['revision'],
  diff_staged: [],
  diff_unstaged: [],
  merge: ['branch'],
  rebase: ['branch onto'],
  clone: ['url repo'],
  create_branch: ['branch_name branch'],
  branch: [],
  tag: ['name tag'],
};

/** `git_push {remote, branch}` is `git push remote branch`. */
export function asCommand(call: ToolCall, name: string): string[] | undefined {
  const joined = name.startsWith('git_')
    ? name.slice(4)
    : /^git(?:_server|_mcp)?$/.test(snakeCase(call.server))
      ? name
      : undefined;
  if (joined === undefined || !Object.hasOwn(GIT, joined)) return undefined;
  const { given } = call;
  const verb =
    ({ diff_staged: 'diff', diff_unstaged: 'diff', create_branch: 'branch' } as { readonly [name: string]: string })[
      joined
    ] ?? joined;
  const folder = textOf(given, 'repo_path repository_path');
  const words = ['git', ...(folder === undefined ? [] : ['-C', folder]), verb];
  const on = (key: string) => given[key] === true;
  if (on('force')) words.push('--force');
  if (on('force_with_lease')) words.push('--force-with-lease');
  if (on('hard') || given.mode === 'hard') words.push('--hard');
  if (on('delete')) words.push('--delete');
  if (on('tags')) words.push('--tags');
  if (on('amend')) words.push('--amend');
  const message = textOf(given, 'message');
  if (message !== undefined && (verb === 'commit' || verb === 'tag')) words.push('-m', message);
  if (verb === 'branch' && joined === 'branch') return words;
  for (const names of GIT[joined] as readonly string[]) {
    const value = names
      .split(' ')
      .map((key) => given[key])
      .find((item) => item !== undefined);
    if (Array.isArray(value)) words.push(...value.filter((item) => typeof item === 'string'));
    else if (typeof value === 'string' && value !== '') words.push(value);
    else if (names === 'remote' && GIT[joined]?.[1] !== undefined && hasValue(given, GIT[joined]?.[1] as string))
      words.push('origin');
  }
  return words;
}

function hasValue(given: Given, names: string): boolean {
  return names.split(' ').some((name) => typeof given[name] === 'string');
}

const MANAGERS =
  'pip pip3 npm pnpm yarn uv cargo gem go composer apt apt_get brew dnf yum apk pacman choco winget snap conda'.split(
    ' ',
  );

/** The words of an installation, when the call names what is installed and by what. */
export function asInstall(given: Given, name: string): string[] | undefined {
  const match =
    /^(?:(\w+?)_)?(?:install|add)(?:_(?:packages?|dependenc(?:y|ies)|modules?|librar(?:y|ies)))?(?:_(\w+))?$/.exec(
      name,
    );
  if (!match) return undefined;
  const said = textOf(given, 'manager package_manager packageManager') ?? match[1] ?? match[2];
  const manager = MANAGERS.find((one) => one === said?.toLowerCase().replace(/-/g, '_'));
  if (manager === undefined) return undefined;
  const named = [given.packages, given.package, given.dependencies, given.modules, given.name].flat();
  const packages = named.filter((item): item is string => typeof item === 'string' && item.trim() !== '');
  const program = manager === 'apt_get' ? 'apt-get' : manager;
  const venv = textOf(given, 'venv virtualenv virtual_env');
  const verb = /^(?:pnpm|yarn|uv|cargo)$/.test(program) ? 'add' : 'install';
  const wide = given.global === true || given.system === true;
  return [
    ...(venv !== undefined && /^pip3?$/.test(program) ? [`${venv}/bin/${program}`] : [program]),
    verb,
    ...(wide && /^(?:npm|pnpm)$/.test(program) ? ['-g'] : []),
    ...packages,
  ];
}
