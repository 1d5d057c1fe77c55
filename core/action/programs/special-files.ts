// Programs on files whose reading a table cannot hold: rm, dd, tee, grep, chmod.

import { type Arg, literal } from '../../shell/values.ts';
import { isLockFile } from '../lock-files.ts';
import { resolvePath, scopeOf } from '../paths.ts';
import { placeOf } from '../places.ts';
import { isCopied } from './brought.ts';
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
import { plantStream } from './edits.ts';
import { plantCarried } from './plant.ts';
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
  const one = { effect: 'delete', operation: 'delete' } as const;
  // A copy that this line made holds nothing of its own; a lock file is one file, whatever is removed beside it.
  const copies = targets.filter((item) => isCopied(call.invocation.state, item.id));
  const locks = targets.filter((item) => many && !copies.includes(item) && !item.glob && isLockFile(item.id));
  const rest = targets.filter((item) => !copies.includes(item) && !locks.includes(item));
  if (copies.length > 0) emit(call, { ...one, targets: copies, flags: ['copied_here'] });
  if (locks.length > 0) emit(call, { ...one, targets: locks });
  if (rest.length > 0) emit(call, { ...one, ...(many && { effect: 'delete_many' }), targets: rest, flags });
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
  if (to) plantCarried(call.meaning, call.invocation.state, source, target(call, to), call.invocation.frame);
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

export function holdsHomes(path: string, glob: boolean, call: Call): boolean {
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
  for (const item of targets) plantStream(call.meaning, item, stdin, call.invocation);
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
  // Whoever starts it is its owner while it runs: in the project it is a build's result, elsewhere it waits for somebody.
  const lends =
    /^[4-7][0-7]{3}$|(?:^|,)[augo]*u[augo]*[+=][rwx]*s/.test(mode.text) &&
    operands.some(({ text }) =>
      /^(?:temporary|home|system|machine)$/.test(
        scopeOf(resolvePath(text, call.invocation.state.cwd, call.meaning.where.home), call.meaning.where),
      ),
    );
  // The hooks of a repository itself are in no commit, so nobody reviewed what is switched on here.
  const starts =
    /(?:^|,)[ugoa]*[+=][rwst]*x|^[0-7]?[1357][0-7]{2}$/.test(mode.text) &&
    operands.some(({ text }) => {
      const path = resolvePath(text, call.invocation.state.cwd, call.meaning.where.home);
      const { tags } = placeOf(path, /[*?]/.test(text), call.meaning.where);
      return tags.includes('git_dir') && tags.includes('schedule');
    });
  emit(call, {
    ...(starts && { effect: 'schedule' as const, operation: 'switch on' }),
    ...(opens && { effect: 'security_disable' as const }),
    ...(!opens &&
      flags.includes('setuid') &&
      (call.invocation.frame.flags.includes('via_sudo') || lends) && { effect: 'identity_change' as const }),
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
  // By that mark a system asks before it starts what was fetched.
  const unmarks =
    call.tool === 'xattr' &&
    call.args.some(({ text }) => /^-\w*[cd]/.test(text)) &&
    (call.args.some(({ text }) => text === 'com.apple.quarantine') ||
      call.args.some(({ text }) => /^-\w*c/.test(text)));
  emit(call, {
    ...(unmarks && { effect: 'system_change' as const }),
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
  return word?.known && /^(?:which|type|where)$/.test(call.tool) ? { text: `${path}\n`, origins: [] } : { origins: [] };
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

export const FILE_SPECIALS: { readonly [name: string]: Special } = {
  rm,
  dd,
  grep,
  counts,
  tee,
  chmod,
  chattr,
  pwd,
  mktemp,
  which,
  listing,
  hostname,
  path_text: pathText,
};
