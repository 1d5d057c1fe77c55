// What the shell knows while a line is walked: words after expansion, variables, streams, and where things came from.

import type { Function as FunctionNode } from 'unbash';

/** Where text that cannot be read here came from. */
export type Origin =
  | 'download'
  | 'decoded'
  | 'credential'
  | 'secret'
  /** Taken from a store of secrets in the same line. */
  | 'stored'
  | 'personal'
  | 'regulated'
  | 'file'
  /** Told about this place, and known to whoever has the repository. */
  | 'public'
  | 'generated'
  /** What a shell says whose commands come from elsewhere. */
  | 'session'
  /** Read from a named pipe: whatever somebody else writes into it. */
  | 'channel';

/** One word after expansion. When `known` is false, `text` holds `$NAME` in place of what could not be resolved. */
export type Arg = {
  readonly text: string;
  readonly known: boolean;
  readonly glob: boolean;
  readonly origins: readonly Origin[];
};

export type Value = {
  readonly text: string;
  readonly known: boolean;
  readonly origins: readonly Origin[];
  /** Elements of an array. */
  readonly items?: readonly Arg[];
};

/** What flows into or out of a command: its text when that can be told, else where it came from. */
export type Stream = {
  readonly text?: string;
  readonly origins: readonly Origin[];
  /** When it lists file names: patterns they all fall under. */
  readonly paths?: readonly Arg[];
  /** What is seen of its text, where the whole is not known. */
  readonly shown?: string;
  /** The file it is the content of. */
  readonly file?: Arg;
};

export type ShellState = {
  readonly vars: Map<string, Value>;
  readonly functions: Map<string, FunctionNode>;
  readonly aliases: Map<string, string>;
  /** Set for every program that follows, by name. */
  readonly exported: Map<string, string>;
  /** Files written in the same line, by canonical target. */
  readonly files: Map<string, Stream>;
  /** `$1 …`; undefined when not known. */
  params: readonly Arg[] | undefined;
  /** Undefined when not known. */
  cwd: string | undefined;
};

export const NO_STREAM: Stream = { origins: [] };
const NO_ORIGINS: readonly Origin[] = [];
/** A variable longer than this is no longer followed: `a=$a$a` doubles. */
export const MAX_VALUE = 64 * 1024;

export function literal(text: string): Arg {
  return { text, known: true, glob: false, origins: NO_ORIGINS };
}

export function unknownArg(text: string, origins: readonly Origin[] = NO_ORIGINS): Arg {
  return { text, known: false, glob: false, origins };
}

export function newState(cwd: string | undefined, home: string | undefined): ShellState {
  const vars = new Map<string, Value>();
  const set = (name: string, text: string) => vars.set(name, { text, known: true, origins: NO_ORIGINS });
  set('HOME', home ?? '~');
  set('TMPDIR', '/tmp');
  set('IFS', ' \t\n');
  set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  if (cwd !== undefined) set('PWD', cwd);
  // Numbers whose value changes nothing about what a command does.
  for (const name of ['RANDOM', 'SECONDS', 'UID', 'EUID', 'PPID', 'LINENO', 'BASHPID', '?', '#']) set(name, '0');
  // Not 0, which would be everybody: what this line started, and itself.
  set('!', 'named-background');
  set('$', 'named-self');
  return { vars, functions: new Map(), aliases: new Map(), exported: new Map(), files: new Map(), params: [], cwd };
}

/** A subshell: changes inside stay inside, files stay written. */
export function forkState(state: ShellState): ShellState {
  return {
    vars: new Map(state.vars),
    functions: new Map(state.functions),
    aliases: new Map(state.aliases),
    exported: new Map(state.exported),
    files: state.files,
    params: state.params,
    cwd: state.cwd,
  };
}

/** After a branch that may or may not have run: what differs is no longer known. */
export function joinState(state: ShellState, other: ShellState): void {
  for (const [name, value] of other.vars) {
    if (state.vars.get(name)?.text !== value.text) state.vars.set(name, unresolved(name, value.origins));
  }
  for (const name of state.vars.keys()) if (!other.vars.has(name)) state.vars.set(name, unresolved(name, NO_ORIGINS));
  for (const [name, body] of other.functions) state.functions.set(name, body);
  for (const [name, body] of other.aliases) state.aliases.set(name, body);
  for (const [name, text] of other.exported) {
    const before = state.exported.get(name);
    if (before !== text) state.exported.set(name, `${before ?? ''}|${text}`);
  }
  if (state.cwd !== other.cwd) {
    state.exported.set('PWD', `${state.cwd ?? ''}|${other.cwd ?? ''}`);
    state.cwd = undefined;
  }
  if (state.params !== other.params) state.params = undefined;
}

/** Variables that usually hold secrets: what they hold is unknown, what it is is not. */
export const SECRET_NAME =
  /SECRET|TOKEN|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH_?KEY|PGPASS|_PAT$|^(?!.*(?:PUBLIC|PUB|CACHE|PRIMARY|SORT|PARTITION|FOREIGN|INDEX|ROUTING|GROUP|ROW|MAP|DICT|HOT|SHORTCUT|REGISTRY|CONFIG|OBJECT|S3|FILE)_KEY$)\$?\w+_KEY$/i;

/** Without what says nothing about where code comes from. */
export function codeOrigins(origins: readonly Origin[]): readonly Origin[] {
  return origins.filter((origin) => origin !== 'secret' && origin !== 'stored');
}

export function unresolved(name: string, origins: readonly Origin[] = NO_ORIGINS): Value {
  const secret = SECRET_NAME.test(name) && !origins.includes('secret');
  return { text: `$${name}`, known: false, origins: secret ? [...origins, 'secret'] : origins };
}

export function joinOrigins(left: readonly Origin[], right: readonly Origin[]): readonly Origin[] {
  if (right.length === 0) return left;
  if (left.length === 0) return right;
  return [...new Set([...left, ...right])];
}
