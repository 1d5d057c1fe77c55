// Tools for git: `git_push {remote, branch}` is `git push remote branch`.

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
