// The caller's context: read strictly, bounded, and cleared of secrets before anything sees it.

import { invalidArgument } from '../errors.ts';
import { refuseNul } from '../nul.ts';
import { type Detect, replaceFound } from './redact.ts';
import type { ActionContext } from './types.ts';

/** Characters of the context as JSON. */
export const MAX_CONTEXT = 16 * 1024;
export const MAX_CONTEXT_DEPTH = 8;
const MAX_PATH = 4_096;
const MAX_TRACKED = 1_000;
const MAX_KEY = 128;

type Json = { readonly [key: string]: unknown };

/** Undefined and null are an empty context. Throws `invalid_argument` naming `context.…`. */
export function readContext(value: unknown): ActionContext {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidArgument('context', 'must be an object');
  const size = { left: MAX_CONTEXT };
  // A copy: what was checked is what is used.
  const context = checkedCopy(value, 'context', 0, size) as Json;
  refuseNul(context, 'context');
  path(context.cwd, 'context.cwd');
  path(context.workspace, 'context.workspace');
  path(context.home, 'context.home');
  boolean(context.attended, 'context.attended');
  readGit(context.git);
  return context as ActionContext;
}

/** What is read here or by who settles the region. Anything else is carried to the policy, whose rules may know it. */
const READ_KEYS = {
  context: ['cwd', 'workspace', 'home', 'attended', 'git', 'parent_action_id', 'traceparent', 'region'],
  'context.git': ['branch', 'head', 'dirty', 'tracked', 'untracked', 'staged'],
  'context.git.staged': ['files', 'lines', 'bytes'],
} as const;

export type UnreadKey = { readonly path: string; readonly read: readonly string[] };

/** Keys that nothing of Beacon's own looks at, and which keys are read in their place: misspelt, they would change nothing. */
export function unreadKeys(context: Json): UnreadKey[] {
  const git = isObject(context.git) ? context.git : {};
  const places = [
    ['context', context],
    ['context.git', git],
    ['context.git.staged', isObject(git.staged) ? git.staged : {}],
  ] as const;
  return places.flatMap(([place, value]) => {
    const read: readonly string[] = READ_KEYS[place];
    return Object.keys(value)
      .filter((key) => !read.includes(key))
      .map((key) => ({ path: `${place}.${key}`, read }));
  });
}

function readGit(value: unknown): void {
  if (value === undefined) return;
  if (!isObject(value)) throw invalidArgument('context.git', 'must be an object');
  const { branch, head, dirty, tracked, staged } = value as Json;
  readStaged(staged);
  text(branch, 'context.git.branch', 256);
  text(head, 'context.git.head', 256);
  boolean(dirty, 'context.git.dirty');
  if (tracked === undefined) return;
  if (!Array.isArray(tracked)) throw invalidArgument('context.git.tracked', 'must be a list of paths');
  if (tracked.length > MAX_TRACKED) throw invalidArgument('context.git.tracked', `at most ${MAX_TRACKED} paths`);
  tracked.forEach((item, index) => {
    if (item === undefined) throw invalidArgument(`context.git.tracked.${index}`, 'must be a string');
    text(item, `context.git.tracked.${index}`, MAX_PATH);
  });
}

function readStaged(value: unknown): void {
  if (value === undefined) return;
  if (!isObject(value)) throw invalidArgument('context.git.staged', 'must be an object');
  for (const name of ['files', 'lines', 'bytes']) {
    const count = value[name];
    if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= 0))
      throw invalidArgument(`context.git.staged.${name}`, 'must be a number that is not negative');
  }
}

function isObject(value: unknown): value is Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function text(value: unknown, field: string, limit: number): void {
  if (value === undefined) return;
  if (typeof value !== 'string') throw invalidArgument(field, 'must be a string');
  if (value.length > limit) throw invalidArgument(field, `at most ${limit} characters`);
}

function path(value: unknown, field: string): void {
  text(value, field, MAX_PATH);
  if (value === undefined) return;
  const given = value as string;
  if (!given.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(given))
    throw invalidArgument(field, 'must be an absolute path');
}

function boolean(value: unknown, field: string): void {
  if (value !== undefined && typeof value !== 'boolean') throw invalidArgument(field, 'must be true or false');
}

/** Plain JSON only, well-formed, within size and depth. */
function checkedCopy(value: unknown, field: string, depth: number, size: { left: number }): unknown {
  if (depth > MAX_CONTEXT_DEPTH) throw invalidArgument(field, `nested deeper than ${MAX_CONTEXT_DEPTH}`);
  const spend = (amount: number) => {
    size.left -= amount;
    if (size.left < 0) throw invalidArgument('context', `larger than ${MAX_CONTEXT} characters`);
  };
  if (value === null || typeof value === 'boolean') {
    spend(4);
    return value;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw invalidArgument(field, 'must be a number within 2^53');
    }
    spend(8);
    return value;
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalidArgument(field, 'must be well-formed text');
    spend(value.length + 2);
    return value;
  }
  if (Array.isArray(value)) {
    spend(2 + value.length);
    return Array.from(value, (item, index) => checkedCopy(item, `${field}.${index}`, depth + 1, size));
  }
  if (!isObject(value)) throw invalidArgument(field, 'must be plain JSON');
  const copy: { [key: string]: unknown } = {};
  for (const [key, item] of Object.entries(value)) {
    if (key.length > MAX_KEY || !key.isWellFormed() || key === '__proto__')
      throw invalidArgument(field, 'has a key that cannot be read');
    spend(key.length + 4);
    copy[key] = item === undefined ? undefined : checkedCopy(item, `${field}.${key}`, depth + 1, size);
  }
  return copy;
}

/** Every string, keys too, with what is found in it replaced by `[kind:digest8]`. */
export function redactContext(context: ActionContext, detect: Detect): ActionContext {
  return redactValue(context, 'context', detect) as ActionContext;
}

function redactValue(value: unknown, field: string, detect: Detect): unknown {
  if (typeof value === 'string') return replaceFound(value, detect(value, field));
  if (Array.isArray(value)) return value.map((item, index) => redactValue(item, `${field}.${index}`, detect));
  if (!isObject(value)) return value;
  const out: { [key: string]: unknown } = {};
  for (const [key, item] of Object.entries(value)) {
    const name = replaceFound(key, detect(key, field));
    if (typeof item === 'string') {
      // The name belongs to what is looked for: `{"password": "…"}`.
      const prefix = `${key}=`;
      const found = detect(prefix + item, `${field}.${name}`).filter((one) => one.end > prefix.length);
      out[name] = replaceFound(
        prefix + item,
        found.map((one) => ({ ...one, start: Math.max(one.start, prefix.length) })),
      ).slice(prefix.length);
    } else out[name] = redactValue(item, `${field}.${name}`, detect);
  }
  return out;
}
