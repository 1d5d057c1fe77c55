// Programs on files whose reading a table cannot hold: rm, dd, find, tee, grep, chmod.

import { type Arg, literal } from '../../shell/values.ts';
import { placeOf } from '../places.ts';
import {
  byRule,
  type Call,
  emit,
  emitNone,
  emitOptionFiles,
  has,
  outOf,
  SILENT,
  type Special,
  target,
} from './call.ts';
import { fillsDisk } from './special-carriers.ts';

const rm: Special = (call) => {
  const targets = call.given.operands.map((word) => target(call, word));
  if (targets.length === 0) return emitNone(call);
  const recursive = call.flags.includes('recursive');
  const many =
    recursive ||
    targets.some((item) => item.glob) ||
    call.flags.includes('bulk') ||
    call.invocation.frame.flags.includes('bulk');
  const flags = targets.some((item) => item.glob) ? ['glob'] : [];
  emit(call, { effect: many ? 'delete_many' : 'delete', operation: 'delete', targets, flags });
  return SILENT;
};

const dd: Special = (call) => {
  const pairs = new Map<string, Arg>();
  for (const arg of call.args) {
    const at = arg.text.indexOf('=');
    if (at > 0) pairs.set(arg.text.slice(0, at), { ...arg, text: arg.text.slice(at + 1) });
  }
  const from = pairs.get('if');
  const to = pairs.get('of');
  const source = from ? [target(call, from)] : [];
  if (source.length > 0) emit(call, { effect: 'read', operation: 'read', targets: source });
  const block = pairs.get('bs') ?? pairs.get('obs');
  const plainFile = to !== undefined && !to.text.startsWith('/dev/');
  if (to)
    emit(call, {
      effect: plainFile && fillsDisk(from?.text ?? '', pairs.get('count')?.text, block?.text) ? 'flood' : 'overwrite',
      operation: 'write',
      targets: [target(call, to)],
      flags: ['truncate'],
      residue: [from?.text ?? ''],
    });
  if (!from && !to) emitNone(call);
  return outOf({ ...call, effect: 'read' }, source);
};

const grep: Special = (call) => {
  const { operands, options } = call.given;
  const files = options.has('-e') || options.has('-f') || options.has('--files') ? operands : operands.slice(1);
  emitOptionFiles(call);
  let targets = files.filter((word) => word.text !== '-').map((word) => target(call, word));
  if (
    targets.length === 0 &&
    (call.flags.includes('recursive') || call.rule.defaultOperand) &&
    !call.invocation.frame.flags.includes('pipeline_sink')
  ) {
    targets = [target(call, literal('.'))];
  }
  if (targets.length === 0) {
    emit(call, { effect: 'none', operation: 'search' });
    return {
      origins: call.invocation.frame.stdin.origins,
      ...(call.invocation.frame.stdin.paths && { paths: call.invocation.frame.stdin.paths }),
    };
  }
  // How many, or whether at all, shows nothing of what is there.
  const counts =
    call.args.some((arg) => /^-[a-zA-Z]*[cq][a-zA-Z]*$|^--(?:count|quiet|silent)$/.test(arg.text)) &&
    !/^r/.test(call.tool);
  emit(call, { targets, operation: 'search', ...(counts && { metadata: true }) });
  if (counts) return { origins: ['file'] };
  const pattern = (call.given.options.get('-e') ?? operands.slice(0, 1)).map((word) => word.text).join('\n');
  const wide = targets.filter(({ id, glob }) => id.startsWith('file:') && holdsHomes(id.slice(5), glob, call));
  // Whoever looks for secrets in every home finds them.
  if (wide.length > 0 && (pattern === '' || pattern === '.' || HUNTS.test(pattern)) && !has(call, '-l'))
    emit(call, { effect: 'read_credential', targets: wide, operation: 'search' });
  if (has(call, '-l') || has(call, '-L') || has(call, '--files'))
    return { origins: ['file'], paths: everythingUnder(files) };
  return outOf({ ...call, effect: 'read' }, targets);
};

const HUNTS = /passw|secret|api.?key|access.?key|token|credential|private|AKIA|BEGIN\b|ghp_|sk-|xox[bp]/i;

function holdsHomes(path: string, glob: boolean, call: Call): boolean {
  const { tags } = placeOf(path, glob, call.meaning.where);
  return tags.includes('home') || tags.includes('root') || path === '/etc' || path === '/root';
}

function everythingUnder(roots: readonly Arg[]): Arg[] {
  const words = roots.length > 0 ? roots : [literal('.')];
  return words.map((word) => ({
    ...word,
    text: /[*?[]/.test(word.text) ? word.text : `${word.text.replace(/\/$/, '')}/*`,
    glob: true,
  }));
}

const counts: Special = (call) => {
  byRule(call);
  return { origins: ['file'] };
};

const LISTS_NAMES = new Set(['ls', 'fd', 'fdfind', 'find']);

const tee: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const targets = call.given.operands.map((word) => target(call, word));
  const append = call.flags.includes('append');
  if (targets.length === 0) return emitNone(call);
  emit(call, {
    tool: 'file',
    operation: append ? 'append' : 'write',
    effect: 'write',
    targets,
    flags: append ? [] : ['truncate'],
    residue: [stdin.text ?? ''],
  });
  for (const item of targets)
    call.invocation.state.files.set(
      item.id,
      stdin.text === undefined && stdin.origins.length === 0 ? { origins: ['generated'] } : stdin,
    );
  return stdin;
};

const RUNS_ANYTHING =
  /(?:^|\/)(?:(?:ba|z|da|k|c|fi|a)?sh|env|find|vim?|nano|less|awk|perl|ruby|php|lua|node|python[\d.]*|cp|dd|tar|busybox|bash)$/;

const chmod: Special = (call) => {
  // `chmod -x file`: the mode looks like an option.
  const mode =
    call.args.find((arg) => /^[-+=ugoa0-7][-+=ugoarwxXst0-7,]*$/.test(arg.text) && !/^-[Rvcf]+$/.test(arg.text)) ??
    literal('');
  const operands = call.args.filter((arg) => arg !== mode && !/^-[A-Za-z-]/.test(arg.text));
  const flags: string[] = [];
  if (
    /^[0-7]*[0-7][0-7][2367]$|(?:^|,)[oa]*[oa+]?\+[rx]*w|o=.*w|a[+=].*w|^\+w/.test(mode.text) &&
    /[2367]$|[oa].*w/.test(mode.text)
  )
    flags.push('world_writable');
  if (/^[2467][0-7]{3}$|[ug]?\+[rwx]*s/.test(mode.text)) flags.push('setuid');
  // Whoever starts it then has the rights of its owner, and it runs whatever it is told.
  const opens = flags.includes('setuid') && operands.some((word) => RUNS_ANYTHING.test(word.text));
  emit(call, {
    ...(opens && { effect: 'security_disable' as const }),
    ...(!opens &&
      flags.includes('setuid') &&
      call.invocation.frame.flags.includes('via_sudo') && { effect: 'identity_change' as const }),
    targets: operands.map((word) => target(call, word)),
    flags,
    residue: [mode.text],
  });
  return SILENT;
};

/** Rights by which a program acts as somebody else, or past what guards files and processes. */
const POWERS =
  /cap_(?:setuid|setgid|setfcap|setpcap|sys_\w+|dac_\w+|chown|fowner|fsetid|bpf|perfmon|mac_\w+|net_admin|net_raw)/i;

const chattr: Special = (call) => {
  if (call.tool === 'setcap') {
    const text = call.args.map((arg) => arg.text).join(' ');
    if (!/(?:^|\s)-r(?:\s|$)/.test(text)) {
      const targets = call.given.operands.slice(1).map((word) => target(call, word));
      emit(call, { effect: POWERS.test(text) ? 'security_disable' : 'system_change', targets, residue: [text] });
      return SILENT;
    }
  }
  const operands = call.given.operands.filter((word) => !/^[-+=][A-Za-z]+$/.test(word.text));
  emit(call, {
    targets: operands.map((word) => target(call, word)),
    residue: [
      call.args
        .map((arg) => arg.text)
        .sort()
        .join(' '),
    ],
  });
  return SILENT;
};

/** Expressions of find that take no value. */
const FIND_VALUES =
  /^-(?:name|iname|path|ipath|wholename|iwholename|regex|iregex|lname|ilname|type|xtype|maxdepth|mindepth|mtime|atime|ctime|mmin|amin|cmin|newer\w*|size|user|group|uid|gid|perm|links|inum|samefile|fstype|printf|regextype|used|context|D|files0-from)$/;

const find: Special = (call) => {
  const words = call.args;
  let at = 0;
  while (at < words.length && /^-(?:[HLP]|O\d|D)/.test((words[at] as Arg).text)) at += 1;
  const roots: Arg[] = [];
  while (at < words.length && !/^[-(!]/.test((words[at] as Arg).text)) roots.push(words[at++] as Arg);
  const names: string[] = [];
  const actions: (() => void)[] = [];
  let onlyEmpty = false;
  const matched = (): Arg[] => matches(roots, names);
  for (; at < words.length; at += 1) {
    const { text } = words[at] as Arg;
    if (text === '-name' || text === '-iname' || text === '-path' || text === '-wholename')
      names.push(words[at + 1]?.text ?? '*');
    if (text === '-empty') onlyEmpty = true;
    if (FIND_VALUES.test(text)) at += 1;
    else if (text === '-delete') actions.push(() => deleteFound(call, matched(), names, onlyEmpty));
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

/** What a search can give, as patterns: `ROOT/*.log`, or `ROOT/*` when nothing narrows it. */
function matches(roots: readonly Arg[], names: readonly string[]): Arg[] {
  const bases = roots.length > 0 ? roots : [literal('.')];
  const name = names.length === 1 && !names[0]?.includes('/') ? (names[0] as string) : '*';
  return bases.map((root) => ({
    ...root,
    text: `${root.text === '/' ? '' : root.text.replace(/\/$/, '')}/${name}`,
    glob: true,
  }));
}

function deleteFound(call: Call, found: readonly Arg[], names: readonly string[], onlyEmpty: boolean): void {
  const flags = ['recursive', 'bulk', ...(names.length > 0 ? ['filtered'] : []), ...(onlyEmpty ? ['empty_only'] : [])];
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
  const found = matches(roots, []);
  if (at >= 0) {
    const inner = call.args.slice(at + 1);
    runFound(call, inner.some((word) => word.text.includes('{')) ? inner : [...inner, literal('{}')], found);
  }
  return { origins: ['file'], paths: found };
};

const pwd: Special = (call) => {
  emit(call, { effect: 'none' });
  const { cwd } = call.invocation.state;
  return cwd === undefined ? { origins: [] } : { text: `${cwd}\n`, origins: [] };
};

const mktemp: Special = (call) => {
  emit(call, { residue: [], targets: [] });
  return { text: '/tmp/mktemp.0\n', origins: [] };
};

const pathText: Special = (call) => {
  emit(call, { effect: 'none' });
  const word = call.given.operands[0];
  if (!word?.known) return { origins: word?.origins ?? [] };
  const at = word.text.lastIndexOf('/');
  const text = call.tool === 'basename' ? word.text.slice(at + 1) : at < 0 ? '.' : word.text.slice(0, at) || '/';
  return { text: `${text}\n`, origins: [] };
};

const which: Special = (call) => {
  emit(call, { effect: 'none' });
  const word = call.given.operands[0];
  const path = word?.text.includes('/') ? word.text : `/usr/bin/${word?.text}`;
  return word?.known && /^(?:which|type)$/.test(call.tool) ? { text: `${path}\n`, origins: [] } : { origins: [] };
};

const listing: Special = (call) => {
  const out = byRule(call);
  return LISTS_NAMES.has(call.tool) ? { ...out, paths: everythingUnder(call.given.operands) } : out;
};

const hostname: Special = (call) => {
  const name = call.given.operands[0];
  if (name) emit(call, { effect: 'system_change', operation: 'set', residue: [name.text], metadata: false });
  else emit(call, { effect: 'read' });
  return { origins: ['file'] };
};

/** Editors run commands: `vim -c '!cmd'`, `emacs --eval`. */
const editor: Special = (call) => {
  const text = call.args.map((arg) => arg.text).join('\n');
  for (const match of text.matchAll(/(?:^|[:+|\s])!\s{0,4}([^\n!]{1,2000})/g)) {
    call.walk.text(match[1] as string, call.invocation.state, call.invocation.frame);
  }
  const runs = /!|\bsystem\s{0,4}\(|shell-command|call-process|:py|:lua|:perl|:ruby|--eval/.test(text);
  if (runs) call.walk.judge.opaque('editor', text, [], call.invocation.frame);
  const files = call.given.operands.filter((word) => !word.text.startsWith('+')).map((word) => target(call, word));
  emit(call, { targets: files });
  const secret = files.filter(
    ({ id, glob }) =>
      id.startsWith('file:') && placeOf(id.slice(5), glob, call.meaning.where).tags.includes('credential'),
  );
  // What it opens it shows.
  if (secret.length > 0) emit(call, { effect: 'read', operation: 'read', targets: secret });
  return SILENT;
};

export const FILE_SPECIALS: { readonly [name: string]: Special } = {
  editor,
  rm,
  dd,
  grep,
  counts,
  tee,
  chmod,
  chattr,
  find,
  fd,
  pwd,
  mktemp,
  which,
  listing,
  hostname,
  path_text: pathText,
};
