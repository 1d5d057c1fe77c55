// Shell builtins that change what later words mean (cd, export, set, alias, read) or run text (eval, trap, source).
// A builtin that only prints or tests is left to the tables of programs.

import type { Invocation, Walk } from './frame.ts';
import { type Arg, codeOrigins, literal, NO_STREAM, type ShellState, type Stream, unresolved } from './values.ts';

const SILENT: Stream = { text: '', origins: [] };

/** Undefined when the command is no such builtin. */
export function runBuiltin(walk: Walk, invocation: Invocation): Stream | undefined {
  const { words, state, frame } = invocation;
  const program = words[0] as Arg;
  if (!program.known || !Object.hasOwn(BUILTINS, program.text)) return undefined;
  const builtin = BUILTINS[program.text] as Builtin;
  return builtin(words.slice(1), state, walk, invocation, frame);
}

type Builtin = (
  args: readonly Arg[],
  state: ShellState,
  walk: Walk,
  invocation: Invocation,
  frame: Invocation['frame'],
) => Stream | undefined;

const changeDirectory: Builtin = (args, state, _walk, invocation) => {
  const target = args.find((arg) => !arg.text.startsWith('-') || arg.text === '-') ?? literal('~');
  // With CDPATH a bare name may be found in any of its folders.
  const searched = state.vars.has('CDPATH') || invocation.assignments.some(({ name }) => name === 'CDPATH');
  const sure =
    target.known && target.text !== '-' && !target.glob && (!searched || /^(?:[/~]|\.\.?(?:\/|$))/.test(target.text));
  state.cwd = sure ? joinPath(state.cwd, target.text) : undefined;
  state.vars.set('PWD', state.cwd === undefined ? unresolved('PWD') : literal(state.cwd));
  // Where nobody knows, but not the same as anywhere else.
  if (state.cwd !== undefined) state.exported.delete('PWD');
  else state.exported.set('PWD', `${state.exported.get('PWD') ?? ''}/${target.text}`);
  return SILENT;
};

/** Kept as written when relative and the directory is unknown; targets are resolved elsewhere. */
function joinPath(cwd: string | undefined, path: string): string | undefined {
  if (path.startsWith('/') || path.startsWith('~')) return path;
  if (cwd === undefined) return undefined;
  return `${cwd}/${path}`;
}

/** Names by which programs find their account, cluster or server: these are likely exported already. */
const AMBIENT =
  /^(?:AWS|AZURE|ARM|GOOGLE|GCLOUD|CLOUDSDK|KUBE|DOCKER|COMPOSE|PODMAN|GIT|GH|GITHUB|GITLAB|NPM|npm_config|PIP|UV|CARGO|GOPROXY|TF|HELM|VAULT|CONSUL|NOMAD|PG|MYSQL|REDIS|MONGO|DATABASE|DB|SSH|STRIPE|HEROKU|FLY|VERCEL|TWINE|ANSIBLE|PULUMI|http_proxy|https_proxy|HTTP_PROXY|HTTPS_PROXY|HOME|USER|PATH|NODE_ENV|RAILS_ENV)(?:_|CONFIG|HOST|PORT|USER|DATABASE|PASSWORD|SERVICE|$)/;

/** `NAME=value` alone: changes what later programs see when the name was exported before. */
export function setAmbient(state: ShellState, name: string, text: string): void {
  if (state.exported.has(name) || AMBIENT.test(name)) state.exported.set(name, text);
}

const declare: Builtin = (args, state, walk, invocation) => {
  const exports = invocation.words[0]?.text === 'export' || args.some((arg) => /^-[A-Za-z]*x/.test(arg.text));
  for (const arg of args) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(\+?=)|$)/.exec(arg.text);
    if (!match) continue;
    const name = match[1] as string;
    if (match[2] !== undefined) {
      const text = arg.text.slice(match[0].length);
      state.vars.set(name, { text, known: arg.known, origins: arg.origins });
    }
    if (exports) state.exported.set(name, state.vars.get(name)?.text ?? `$${name}`);
    else if (match[2] !== undefined) setAmbient(state, name, state.vars.get(name)?.text ?? '');
  }
  // Setting the environment of everything that follows is judged by name, as for any program.
  walk.judge.run(invocation, walk);
  return SILENT;
};

const evaluate: Builtin = (args, state, walk, _invocation, frame) => {
  const words = args[0]?.text === '--' ? args.slice(1) : args;
  const text = words.map((arg) => arg.text).join(' ');
  const origins = codeOrigins(words.flatMap((arg) => (arg.known ? [] : arg.origins)));
  if (origins.length > 0) walk.judge.opaque('eval', text, origins, frame);
  return walk.text(text, state, frame);
};

const readInput: Builtin = (args, state, _walk, _invocation, frame) => {
  const values = new Set(['-p', '-n', '-N', '-t', '-u', '-d', '-i', '-a']);
  const lines = frame.stdin.text?.split('\n');
  const only = lines && lines.filter((line) => line !== '').length === 1 ? lines[0] : undefined;
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as Arg;
    if (arg.text.startsWith('-')) {
      if (values.has(arg.text)) index += 1;
      continue;
    }
    const listed = frame.stdin.paths?.length === 1 ? frame.stdin.paths[0] : undefined;
    if (listed) state.vars.set(arg.text, { ...listed, items: [listed] });
    else state.vars.set(arg.text, only === undefined ? unresolved(arg.text, frame.stdin.origins) : literal(only));
  }
  return SILENT;
};

const BUILTINS: { readonly [name: string]: Builtin } = {
  cd: changeDirectory,
  pushd: changeDirectory,
  popd: (_args, state) => {
    state.cwd = undefined;
    return SILENT;
  },
  export: declare,
  declare,
  typeset: declare,
  local: declare,
  readonly: declare,
  unset: (args, state, walk, invocation) => {
    for (const arg of args) {
      state.vars.set(arg.text, { text: '', known: true, origins: [] });
      state.functions.delete(arg.text);
      if (/^[A-Za-z_]\w*$/.test(arg.text)) state.exported.set(arg.text, '(unset)');
    }
    walk.judge.run(invocation, walk);
    return SILENT;
  },
  set: (args, state, walk, invocation) => {
    const at = args.findIndex((arg) => arg.text === '--');
    if (at >= 0) state.params = args.slice(at + 1);
    else if (args[0] && !/^[-+]/.test(args[0].text)) state.params = args;
    walk.judge.run(invocation, walk);
    return SILENT;
  },
  shift: (args, state) => {
    state.params = state.params?.slice(Number(args[0]?.text ?? '1') || 1);
    return SILENT;
  },
  alias: (args, state) => {
    for (const arg of args) {
      const at = arg.text.indexOf('=');
      if (at > 0) state.aliases.set(arg.text.slice(0, at), arg.text.slice(at + 1));
    }
    return SILENT;
  },
  eval: evaluate,
  trap: (args, state, walk, _invocation, frame) => {
    const body = args.find((arg) => !arg.text.startsWith('-'));
    if (body && args.length > 1) walk.text(body.text, state, frame);
    return SILENT;
  },
  read: readInput,
  mapfile: readInput,
  readarray: readInput,
  exec: (args, state, walk, _invocation, frame) => {
    let rest = args;
    while (rest[0] && /^-[cla]+$/.test(rest[0].text)) rest = rest.slice(rest[0].text.includes('a') ? 2 : 1);
    return rest.length === 0 ? NO_STREAM : walk.words(rest, state, frame);
  },
  builtin: (args, state, walk, _invocation, frame) => (args.length === 0 ? NO_STREAM : walk.words(args, state, frame)),
  command: (args, state, walk, _invocation, frame) => {
    if (args[0] && /^-[vV]+$/.test(args[0].text)) {
      const name = args[1]?.known ? args[1].text : undefined;
      return name === undefined ? NO_STREAM : { text: `${name}\n`, origins: [] };
    }
    const rest = args[0]?.text === '-p' || args[0]?.text === '--' ? args.slice(1) : args;
    return rest.length === 0 ? NO_STREAM : walk.words(rest, state, frame);
  },
  printf: (args, state) => {
    if (args[0]?.text !== '-v' || !args[1]) return undefined;
    const text = args.slice(2);
    const only = text.length === 1 ? text[0] : text.length === 2 && text[0]?.text === '%s' ? text[1] : undefined;
    state.vars.set(args[1].text, only?.known ? only : unresolved(args[1].text));
    return SILENT;
  },
};
