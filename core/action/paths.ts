// File paths without a file system: resolved lexically to `file:/…`, and sorted into where they lie.

import type { Effort } from '../shell/frame.ts';
import type { ActionContext, Scope } from './types.ts';

/** What the context tells about places; every path is absolute and normalised. */
export type Where = {
  readonly cwd: string | undefined;
  readonly workspace: string | undefined;
  readonly home: string | undefined;
  /** Undefined when the adapter said nothing about git. */
  readonly tracked: ReadonlySet<string> | undefined;
  /** Undefined when the adapter did not say what is there besides. */
  readonly untracked?: ReadonlySet<string> | undefined;
  readonly dirty: boolean | undefined;
  readonly branch: string | undefined;
  /** What it has taken so far to understand the proposal of this context. */
  readonly effort?: Effort;
};

const efforts = new WeakMap<ActionContext, Effort>();
/** As the last directory asked about saw it. */
const seen = new WeakMap<ActionContext, { readonly cwd: string | undefined; readonly where: Where }>();

const HOMES = /^(\/root|\/home\/[^/]+|\/Users\/[^/]+|\/[A-Za-z]:\/Users\/[^/]+)(?=\/|$)/;

export function whereFrom(context: ActionContext, cwd?: string): Where {
  const last = seen.get(context);
  if (last && last.cwd === cwd) return last.where;
  const where = readWhere(context, cwd);
  seen.set(context, { cwd, where });
  return where;
}

function readWhere(context: ActionContext, cwd: string | undefined): Where {
  const given = context.cwd === undefined ? undefined : normalise(context.cwd);
  const here = cwd === undefined || cwd === '' ? given : resolvePath(cwd, given, undefined);
  const named = context.workspace === undefined ? (given ?? here) : normalise(context.workspace);
  const home = typeof context.home === 'string' ? normalise(context.home) : HOMES.exec(named ?? here ?? '')?.[1];
  const workspace = named !== undefined && isWorkspace(named, home) ? named : undefined;
  const base = workspace ?? here;
  const tracked = pathSet(context.git?.tracked, base, home);
  const untracked = pathSet(context.git?.untracked, base, home);
  const effort = efforts.get(context) ?? { work: 0 };
  efforts.set(context, effort);
  const { dirty, branch } = context.git ?? {};
  return { cwd: here, workspace, home, tracked, untracked, dirty, branch, effort };
}

/** A list that is none, or holds anything but paths, was not told. */
function pathSet(list: unknown, base: string | undefined, home: string | undefined): ReadonlySet<string> | undefined {
  if (!Array.isArray(list) || !list.every((path) => typeof path === 'string')) return undefined;
  return new Set(list.map((path) => resolvePath(path, base, home)));
}

/** A home, the root or the system is nobody's workspace, whatever the caller says. */
function isWorkspace(path: string, home: string | undefined): boolean {
  if (!path.startsWith('/') || path === '/' || path === home || HOMES.exec(path)?.[0] === path) return false;
  return (
    !CRITICAL.some((folder) => under(path, folder)) &&
    !SYSTEM.includes(path) &&
    !TEMPORARY.includes(path) &&
    !/^\/(?:home|Users|srv|mnt|media|Volumes)$/.test(path)
  );
}

/** Absolute when it can be: `~/…` stays when the home folder is unknown, `./…` when the directory is. */
export function resolvePath(text: string, cwd: string | undefined, home: string | undefined): string {
  let path = /^file:\/\//i.test(text) ? fromFileUrl(text) : text;
  if (/^[A-Za-z]:[\\/]/.test(path)) path = `/${path.replaceAll('\\', '/')}`;
  if (path === '~' || path.startsWith('~/')) {
    return home === undefined ? normaliseUnder('~', path.slice(1)) : normalise(home + path.slice(1));
  }
  if (path.startsWith('/')) return normalise(path);
  if (cwd === undefined) return normaliseUnder('.', path);
  if (cwd === '~' || cwd.startsWith('~/')) return resolvePath(`${cwd}/${path}`, undefined, home);
  if (!cwd.startsWith('/')) return normaliseUnder('.', `${cwd}/${path}`);
  return normalise(`${cwd}/${path}`);
}

/** `file:///a%20b?x#y` and `file://localhost/a b` are `/a b`. */
function fromFileUrl(text: string): string {
  const path = text
    .slice(7)
    .replace(/^localhost(?=\/)/i, '')
    .replace(/[?#].*$/s, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export function normalise(path: string): string {
  if (/^[A-Za-z]:[\\/]/.test(path)) return normaliseUnder('', `/${path.replaceAll('\\', '/')}`) || '/';
  return normaliseUnder('', path) || '/';
}

/** `base` is `` for absolute paths, `~` or `.` otherwise; leading `..` of those stay visible. */
function normaliseUnder(base: string, path: string): string {
  if (base === '' && !/\/[/.]|\/$/.test(path)) return path;
  const out: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') out.push(segment);
    else if (out.length > 0 && out.at(-1) !== '..') out.pop();
    else if (base !== '') out.push('..');
  }
  const rest = out.join('/');
  return base === '' ? `/${rest}` : rest === '' ? base : `${base}/${rest}`;
}

export function under(path: string, folder: string): boolean {
  return folder === '/' || path === folder || (path.startsWith(folder) && path[folder.length] === '/');
}

const TEMPORARY = ['/tmp', '/var/tmp', '/private/tmp', '/dev/shm', '/var/folders', '/private/var/folders'];
const SYSTEM = [
  '/etc',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/boot',
  '/var',
  '/dev',
  '/proc',
  '/sys',
  '/run',
  '/opt',
  '/snap',
  '/System',
  '/Library',
  '/Applications',
  '/private/etc',
  '/private/var',
  '/nix',
  '/C:/Windows',
  '/c:/Windows',
  '/C:/Program Files',
];

const CRITICAL = [
  '/etc',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/boot',
  '/dev',
  '/proc',
  '/sys',
  '/usr/bin',
  '/usr/sbin',
  '/usr/lib',
  '/usr/share',
  '/usr/local/bin',
  '/System',
  '/Library',
  '/private/etc',
  '/C:/Windows',
];

/** Where a resolved path lies. The workspace wins over what contains it. */
export function scopeOf(path: string, where: Where): Scope {
  if (where.workspace !== undefined && under(path, where.workspace)) return 'workspace';
  if (path.startsWith('.')) return 'unknown';
  if (path.startsWith('~')) return 'home';
  if (TEMPORARY.some((folder) => under(path, folder))) return 'temporary';
  if (where.home !== undefined && under(path, where.home)) return 'home';
  if (HOMES.test(path)) return 'home';
  if (path === '/' || SYSTEM.some((folder) => under(path, folder))) return 'system';
  return 'machine';
}

/** The path with the home folder, anyone's, written as `~`: what tables of places are keyed by. */
export function placeKey(path: string, where: Where): string {
  if (where.home !== undefined && where.home !== '/' && under(path, where.home))
    return `~${path.slice(where.home.length)}`;
  const match = HOMES.exec(path);
  return match ? `~${path.slice((match[1] as string).length)}` : path;
}

/** Shell wildcard match of one path against another, `*` and `?` not crossing `/`. Bounded: at most 200 characters of each. */
export function globMatches(pattern: string, path: string): boolean {
  const left = pattern.split('/');
  const right = path.split('/');
  return (
    left.length === right.length && left.every((segment, index) => segmentMatches(segment, right[index] as string))
  );
}

export function segmentMatches(pattern: string, text: string): boolean {
  if (pattern.length > 200 || text.length > 200) return false;
  if (text.startsWith('.') && !pattern.startsWith('.')) return false;
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    const bracket = pattern[p] === '[' ? pattern.indexOf(']', p + 2) : -1;
    if (pattern[p] === '*') {
      star = p;
      mark = t;
      p += 1;
    } else if (bracket > 0 && bracketMatches(pattern.slice(p + 1, bracket), text[t] as string)) {
      p = bracket + 1;
      t += 1;
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

function bracketMatches(set: string, character: string): boolean {
  const negated = set.startsWith('!') || set.startsWith('^');
  const body = negated ? set.slice(1) : set;
  let found = false;
  for (let index = 0; index < body.length; index += 1) {
    if (body[index + 1] === '-' && index + 2 < body.length) {
      if (character >= (body[index] as string) && character <= (body[index + 2] as string)) found = true;
      index += 2;
    } else if (body[index] === character) found = true;
  }
  return found !== negated;
}
