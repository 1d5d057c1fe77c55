// Searches (find, fd): what they can find, as patterns, and what is done with it.

import { type Arg, literal } from '../../shell/values.ts';
import { type Call, emit, type Special, target } from './call.ts';
import { holdsHomes } from './special-files.ts';

/** Expressions of find that take no value. */
const FIND_VALUES =
  /^-(?:name|iname|path|ipath|wholename|iwholename|regex|iregex|lname|ilname|type|xtype|maxdepth|mindepth|mtime|atime|ctime|mmin|amin|cmin|newer\w*|size|user|group|uid|gid|perm|links|inum|samefile|fstype|printf|regextype|used|context|D|files0-from)$/;

const find: Special = (call) => {
  const words = call.args;
  let at = 0;
  while (at < words.length && /^-(?:[HLP]|O\d|D)/.test((words[at] as Arg).text)) at += 1;
  const roots: Arg[] = [];
  while (at < words.length && !/^[-(!]/.test((words[at] as Arg).text)) roots.push(words[at++] as Arg);
  const search: Search[] = [{ names: [], pruned: false, acts: false }];
  const actions: (() => void)[] = [];
  let onlyEmpty = false;
  let anything = false;
  const matched = (): Arg[] => matches(roots, anything ? EVERYTHING : search);
  const current = () => search.at(-1) as Search;
  for (; at < words.length; at += 1) {
    const { text } = words[at] as Arg;
    if (/^-i?(?:name|path|wholename)$/.test(text)) {
      // What it is not says nothing of what it is.
      if (!/^(?:!|-not)$/.test(words[at - 1]?.text ?? '')) {
        const name = words[at + 1]?.text ?? '*';
        current().names.push(text.startsWith('-i') ? name.toLowerCase() : name);
      }
    }
    if (/^(?:!|-not)$/.test(text) && words[at + 1]?.text === '(') anything = true;
    if (/^-(?:o|or)$|^,$/.test(text)) search.push({ names: [], pruned: false, acts: false });
    if (text === '-prune') current().pruned = true;
    if (/^-(?:delete|exec|execdir|ok|okdir|print0?|printf|fprint\w*|ls|fls)$/.test(text)) current().acts = true;
    if (text === '-empty') onlyEmpty = true;
    if (FIND_VALUES.test(text)) at += 1;
    else if (text === '-delete') actions.push(() => deleteFound(call, matched(), search, onlyEmpty));
    else if (text === '-fprint' || text === '-fprintf' || text === '-fls' || text === '-fprint0') {
      const file = words[at + 1];
      if (file)
        actions.push(() =>
          emit(call, { effect: 'overwrite', operation: 'write', targets: [target(call, file)], flags: ['truncate'] }),
        );
      at += text === '-fprintf' ? 2 : 1;
    } else if (/^-(?:exec|execdir|ok|okdir)$/.test(text)) {
      const start = at + 1;
      while (at + 1 < words.length && !/^[;+]$/.test((words[at + 1] as Arg).text)) at += 1;
      const inner = words.slice(start, at + 1);
      at += 1;
      actions.push(() => runFound(call, inner, matched()));
    }
  }
  const targets = (roots.length > 0 ? roots : [literal('.')]).map((word) => target(call, word));
  emit(call, { effect: 'read', operation: 'list', targets, metadata: true });
  for (const action of actions) action();
  const hunted = hunting(call, matched());
  return {
    origins: ['file'],
    paths: matched().map((word) => (hunted.includes(word.text) ? { ...word, origins: ['credential'] as const } : word)),
  };
};

/** What stands between two `-o` of a search. */
type Search = { readonly names: string[]; pruned: boolean; acts: boolean };
const EVERYTHING: readonly Search[] = [{ names: [], pruned: false, acts: false }];

/** What a search can give, as patterns: `ROOT/*.log`, or `ROOT/*` when nothing narrows it. */
function matches(roots: readonly Arg[], search: readonly Search[]): Arg[] {
  const bases = roots.length > 0 ? roots : [literal('.')];
  // `-name x -prune -o …`: what is passed over is not found.
  const kept = search.filter(({ pruned, acts }) => !pruned || acts);
  const names = new Set((kept.length > 0 ? kept : search).map(patternOf));
  const all = names.has('*') || names.size > MAX_NAMES ? ['*', ...[...names].slice(0, MAX_NAMES)] : [...names];
  return bases.flatMap((root) =>
    [...new Set(all)].map((name) => ({
      ...root,
      text: `${root.text === '/' ? '' : root.text.replace(/\/$/, '')}/${name}`,
      glob: true,
    })),
  );
}

const MAX_NAMES = 8;

/** A name alone narrows what is found; of several that must all fit none is the whole truth. */
function patternOf({ names }: Search): string {
  const only = names.length === 1 ? (names[0] as string) : '*';
  // `*/.ssh/*` is found at any depth, also right below.
  const below = only.startsWith('*/') ? only.slice(2) : only;
  return below.includes('/') && below === only ? '*' : below;
}

function deleteFound(call: Call, found: readonly Arg[], search: readonly Search[], onlyEmpty: boolean): void {
  const filtered = search.some(({ names }) => names.length > 0);
  const flags = ['recursive', 'bulk', ...(filtered ? ['filtered'] : []), ...(onlyEmpty ? ['empty_only'] : [])];
  emit(call, {
    effect: 'delete_many',
    operation: 'delete',
    tool: 'rm',
    targets: found.map((word) => target(call, word)),
    flags,
    metadata: false,
    residue: [call.args.map((arg) => arg.text).join('\0')],
  });
}

/** Names under which keys and passwords lie. */
const KEEPS_SECRETS =
  /^\*?(?:\*?(?:id_\w*|\.env|\.netrc|\.pgpass|\.npmrc|\.pypirc|secrets?|credentials?|passw\w*|tokens?|private|kubeconfig|wallet)[\w*.-]*|\.(?:pem|key|p12|pfx|jks|ppk|kdbx|keystore|asc|env|ovpn))$/i;

/** Looked for in every home or the whole machine and then opened, they are what is read. */
function hunting(call: Call, found: readonly Arg[]): string[] {
  return found
    .filter((word) => KEEPS_SECRETS.test(word.text.slice(word.text.lastIndexOf('/') + 1)))
    .filter((word) => {
      const { id } = target(call, { ...word, text: word.text.replace(/\/[^/]*$/, '') || '/', glob: false });
      return id.startsWith('file:') && holdsHomes(id.slice(5), false, call);
    })
    .map((word) => word.text);
}

function huntFound(call: Call, found: readonly Arg[]): void {
  const hunted = hunting(call, found);
  const targets = found.filter((word) => hunted.includes(word.text)).map((word) => target(call, word));
  if (targets.length > 0) emit(call, { effect: 'read_credential', operation: 'read', targets });
}

function runFound(call: Call, inner: readonly Arg[], found: readonly Arg[]): void {
  if (inner.length === 0) return;
  if (!/^(?:ls|stat|file|wc|echo|printf|basename|dirname|test|\[|du)$/.test(inner[0]?.text ?? ''))
    huntFound(call, found);
  const words = inner.flatMap((word) => {
    if (!word.text.includes('{}')) return [word];
    return found.map((item) => ({ ...item, text: word.text.replaceAll('{}', () => item.text) }));
  });
  const { state, frame } = call.invocation;
  call.walk.words(words, state, { ...frame, flags: [...new Set([...frame.flags, 'bulk'])] });
}

const fd: Special = (call) => {
  const at = call.args.findIndex((arg) => /^(?:-x|-X|--exec|--exec-batch)$/.test(arg.text));
  const before = (at < 0 ? call.args : call.args.slice(0, at)).filter((arg) => !arg.text.startsWith('-'));
  const roots = before.slice(1);
  emit(call, {
    effect: 'read',
    operation: 'list',
    metadata: true,
    targets: (roots.length > 0 ? roots : [literal('.')]).map((word) => target(call, word)),
  });
  const found = matches(roots, EVERYTHING);
  if (at >= 0) {
    const inner = call.args.slice(at + 1);
    runFound(call, inner.some((word) => word.text.includes('{')) ? inner : [...inner, literal('{}')], found);
  }
  return { origins: ['file'], paths: found };
};

export const SEARCH_SPECIALS: { readonly [name: string]: Special } = { find, fd };
