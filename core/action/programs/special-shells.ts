// Programs that run code: shells, language interpreters, scripts by path. Text that can be seen is walked; what cannot is opaque.

import type { Invocation, Walk } from '../../shell/frame.ts';
import { type Arg, codeOrigins, joinOrigins, literal, newState, type Origin, type Stream } from '../../shell/values.ts';
import { fileTarget } from '../draft.ts';
import { placeOf } from '../places.ts';
import type { Effect } from '../types.ts';
import { broughtBy, isBuilt } from './brought.ts';
import {
  byRule,
  type Call,
  emit,
  emitNone,
  has,
  type Meaning,
  SILENT,
  type Special,
  target as targetOf,
} from './call.ts';
import { plantEdits, plantStrings, readProgramText } from './edits.ts';
import { CHECKS, INLINE, TAKES_VALUE } from './interpreter-options.ts';
import { MODULES } from './python-modules.ts';
import { served } from './special-handed.ts';
import { inherited, surroundings } from './surroundings.ts';

/** `bash -c TEXT`, `bash FILE`, `… | bash`, `bash <<EOF`. */
const shell: Special = (call) => {
  const { invocation, walk } = call;
  const { frame, state } = invocation;
  const words = call.args;
  let at = 0;
  let script = false;
  let standard = false;
  for (; at < words.length; at += 1) {
    const { text } = words[at] as Arg;
    if (text === '-' || text === '--') {
      at += 1;
      break;
    }
    if (!/^[-+]/.test(text)) break;
    if (text === '--help' || text === '--version') return emitNone(call, 'help');
    if (
      text === '--rcfile' ||
      text === '--init-file' ||
      text === '-o' ||
      text === '+o' ||
      text === '-O' ||
      text === '+O'
    )
      at += 1;
    else if (/^-[A-Za-z]*c/.test(text)) script = true;
    else if (/^-[A-Za-z]*s/.test(text)) standard = true;
  }
  const operand = words[at];
  if (script) {
    if (!operand) return emitNone(call);
    const inner = newState(state.cwd, state.vars.get('HOME')?.text);
    for (const [name, value] of state.vars) inner.vars.set(name, value);
    for (const [name, node] of state.functions) inner.functions.set(name, node);
    for (const [file, content] of state.files) inner.files.set(file, content);
    for (const [name, value] of state.exported) inner.exported.set(name, value);
    inner.params = words.slice(at + 2);
    const origins = codeOrigins(operand.origins);
    if (origins.length > 0) walk.judge.opaque('shell -c', operand.text, origins, frame);
    return walk.text(operand.text, inner, frame);
  }
  if (operand && !standard) {
    // Only read for errors in its grammar.
    if (words.length === 2 && words[0]?.text === '-n') {
      emit(call, { effect: 'read', operation: 'check', targets: [targetOf(call, operand)] });
      return SILENT;
    }
    if (operand.text === '/dev/stdin') return readStandardInput(call);
    return runFile(invocation, walk, call.meaning, operand, words.slice(at + 1), call.tool);
  }
  return readStandardInput(call);
};

function readStandardInput(call: Call): Stream {
  const { frame, state } = call.invocation;
  const { stdin } = frame;
  if (stdin.text !== undefined) {
    if (stdin.origins.includes('download')) call.walk.judge.opaque('stdin', stdin.text, stdin.origins, frame);
    return call.walk.text(stdin.text, state, { ...frame, stdin: { origins: [] } });
  }
  const { file } = stdin;
  if (file) return runFile(call.invocation, call.walk, call.meaning, file, [], call.tool);
  const reason = stdin.origins.length > 0 || frame.flags.includes('pipeline_sink') ? 'stdin' : 'interactive';
  call.walk.judge.opaque(reason, '', stdin.origins, frame);
  return { origins: reason === 'stdin' ? ['generated', 'session'] : ['generated'] };
}

/** A script or program given by its path. */
export function runFile(
  invocation: Invocation,
  walk: Walk,
  meaning: Meaning,
  file: Arg,
  args: readonly Arg[],
  interpreter = 'shell',
): Stream {
  const { state, frame } = invocation;
  if (!file.known || file.origins.length > 0) {
    if (file.origins.length > 0 || file.text.startsWith('$')) {
      walk.judge.opaque('file', file.text, file.origins, frame);
      return { origins: ['generated'] };
    }
  }
  if (/^(?:https?|ftp|npm|jsr):/i.test(file.text)) {
    walk.judge.opaque('address', file.text, ['download'], frame);
    return { origins: ['download'] };
  }
  const target = fileTarget(file, state.cwd, meaning.where, frame.remote);
  const written = state.files.get(target.id);
  if (written) {
    // Written in this very proposal: judged by what was written.
    if (written.text !== undefined && isShell(interpreter)) return walk.text(written.text, state, frame);
    if (written.text !== undefined) return readProgramText(interpreter, written.text, invocation, walk, meaning);
    walk.judge.opaque('file', target.id, written.origins, frame);
    return { origins: written.origins.includes('channel') ? ['generated', 'session'] : ['generated'] };
  }
  const path = target.id.startsWith('file:') ? target.id.slice(5) : undefined;
  const brought = path === undefined || state.files.size === 0 ? undefined : broughtBy(state, path);
  if (brought) {
    walk.judge.opaque('file', target.id, brought, frame);
    return { origins: ['generated'] };
  }
  const place = path === undefined ? undefined : placeOf(path, target.glob, meaning.where);
  const { effect, extra } = isBuilt(state, target.id)
    ? { effect: 'run_unknown' as const, extra: [] }
    : fileEffect(place?.scope, path, meaning);
  const task = TASKS.find(([pattern]) => pattern.test(path ?? `/${file.text}`))?.[1];
  if ((effect === 'build' || frame.remote !== undefined) && task !== undefined && args.length > 0)
    return walk.words([literal(task), ...args], inherited(invocation), frame);
  meaning.add({
    tool: path === undefined ? 'script' : path.slice(path.lastIndexOf('/') + 1) || 'script',
    operation: 'run',
    effect,
    targets: [target],
    flags: [...frame.flags.filter((flag) => flag !== 'piped'), 'script', ...extra],
    residue: [
      args.map((arg) => arg.text).join('\0'),
      ...surroundings(invocation, meaning.where, { effect, tool: '', targets: 1 }),
    ],
    range: frame.range,
    ...(frame.remote !== undefined && { systems: [frame.remote] }),
  });
  return { origins: ['file'] };
}

function isShell(interpreter: string): boolean {
  return /^(?:shell|sh|bash|zsh|dash|ash|ksh|source|\.)$/.test(interpreter);
}

/** Build tools that a project carries with it: as `make`, they stand for what the project says. */
const ENTRY_POINT = /\/(?:gradlew|mvnw|configure|manage\.py|artisan|bin\/(?:rails|rake|rspec|bundle))$/;

/** Whose first argument says what they do: read as the tool they are. */
const TASKS: readonly (readonly [RegExp, string])[] = [
  [/\/manage\.py$/, 'django-admin'],
  [/\/bin\/rails$/, 'rails'],
  [/\/bin\/rake$/, 'rake'],
  [/\/artisan$/, 'artisan'],
  [/\/gradlew$/, 'gradle'],
  [/\/mvnw$/, 'mvn'],
];

/** The project's own scripts are its own, as the repository holds them; anything else on disk could be anything. */
function fileEffect(
  scope: string | undefined,
  path: string | undefined,
  meaning: Meaning,
): { effect: Effect; extra: string[] } {
  const { tracked, dirty, workspace } = meaning.where;
  if (path === undefined || scope === undefined) return { effect: 'run_unknown', extra: [] };
  const own = scope === 'workspace' || (workspace === undefined && path.startsWith('./') && !path.startsWith('./..'));
  if (own) {
    if (tracked !== undefined && !tracked.has(path)) return { effect: 'run_unknown', extra: ['untracked'] };
    const extra = ['project_script'];
    if (dirty === true) extra.push('script_changed');
    // Unseen, and nobody says that it is what the repository holds.
    else if (tracked === undefined && !ENTRY_POINT.test(path)) extra.push('script_unknown');
    return { effect: 'build', extra };
  }
  return { effect: scope === 'temporary' ? 'run_opaque' : 'run_unknown', extra: [] };
}

/** `. file`: the same as running it, but in this shell. */
const source: Special = (call) => {
  const file = call.args.find((arg) => arg.text !== '--');
  // Some shells read standard input then.
  const piped = call.invocation.frame.flags.includes('pipeline_sink');
  if (piped && (!file || file.text === '-')) return readStandardInput(call);
  if (!file) return emitNone(call);
  if (
    /(?:^|\/)(?:activate(?:\.\w+)?|nvm\.sh|cargo\/env|sdkman-init\.sh|ghcup\/env)$/.test(file.text) ||
    /\.(?:bashrc|profile|bash_profile|zshrc)$/.test(file.text)
  ) {
    emit(call, { effect: 'build', operation: 'source', targets: [], residue: [file.text], flags: ['environment'] });
    return SILENT;
  }
  if (file.text === '/dev/stdin') return readStandardInput(call);
  return runFile(call.invocation, call.walk, call.meaning, file, call.args.slice(1), 'source');
};

const interpreter: Special = (call) => {
  const { args, invocation, tool, walk } = call;
  const inline = INLINE[tool];
  /** They may go through each line of files, and rewrite them. */
  const each = tool === 'perl' || tool === 'ruby';
  let editing = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] as Arg;
    const { text } = arg;
    if (
      text === '--version' ||
      text === '-V' ||
      text === '--help' ||
      text === '-h' ||
      (text === '-v' && tool !== 'python')
    ) {
      if (args.length === 1) return emitNone(call, 'help');
    }
    const equals = /^--(?:eval|print)=(.*)$/s.exec(text);
    if (equals) return inlineCode(call, { ...arg, text: equals[1] as string });
    if (inline?.test(text)) {
      if (editing || (each && /^-[A-Za-z0-9]*i/.test(text)))
        return editInPlace(call, args[at + 1] ?? literal(''), args.slice(at + 2));
      if (/^-[a-zA-Z0-9]*[np]/.test(text) && each) readEach(call, args.slice(at + 2));
      return inlineCode(call, args[at + 1] ?? literal(''));
    }
    // The code is attached: `-pe1`.
    const attached = /^-[a-zA-Z0-9]*?([np]?)[a-zA-Z0-9]*?e(.+)$/s.exec(text);
    if (attached && each && !/^-(?:M|I|r|W|x|0)/.test(text)) {
      const code = { ...arg, text: attached[2] as string };
      if (editing || /^-[a-zA-Z0-9]*?i[a-zA-Z0-9]*?e/.test(text)) return editInPlace(call, code, args.slice(at + 1));
      readEach(call, args.slice(at + 1));
      return inlineCode(call, code);
    }
    if (text === '-m' && /^py/.test(tool)) return runModule(call, at);
    if (CHECKS[tool]?.test(text)) return emitNone(call, 'check');
    if (tool === 'php' && args.length === 1 && /^(?:-[mi]|--ini|--info|--modules)$/.test(text))
      return emitNone(call, 'info');
    if (tool === 'node' && text === '--test') {
      emit(call, { effect: 'build', operation: 'test' });
      return { origins: ['file'] };
    }
    if (text === '-') return inlineStandardInput(call);
    if (tool === 'osascript' && text === '-l') {
      at += 1;
      continue;
    }
    // A server of its own: what it shows is the folder.
    if ((tool === 'php' && text === '-S') || (tool === 'ruby' && text === '-run')) return webServer(call);
    if (text.startsWith('-')) {
      editing ||= each && /^-[a-z0-9]*i/.test(text);
      if (LOADS.test(text)) loaded(call, text.includes('=') ? text.slice(text.indexOf('=') + 1) : args[at + 1]?.text);
      if (TAKES_VALUE.has(text)) at += 1;
      continue;
    }
    return runFile(invocation, walk, call.meaning, arg, args.slice(at + 1), tool);
  }
  return inlineStandardInput(call);
};

/** `bun -e CODE`, `bun FILE`, `bun run FILE`; any other word is a script of the project. */
const bun: Special = (call) => {
  const [first] = call.args;
  if (first && /^(?:-e|--eval|-p|--print|-)$|^--(?:eval|print)=|^\w+:\/\/|\.[cm]?[jt]sx?$/.test(first.text))
    return interpreter(call);
  return byRule(call);
};

function webServer(call: Call): Stream {
  const at = call.args.findIndex((arg) => arg.text === '-t' || arg.text === 'httpd');
  const folder = call.args[at + 1];
  served(call, at < 0 || folder?.text.startsWith('-') ? undefined : folder);
  emit(call, { effect: 'build', operation: 'serve', residue: call.args.map((arg) => arg.text) });
  return { origins: ['file'] };
}

/** `perl -ne CODE file`: each line of the files goes through the code. */
function readEach(call: Call, files: readonly Arg[]): void {
  const targets = files.filter((arg) => !arg.text.startsWith('-')).map((arg) => targetOf(call, arg));
  if (targets.length > 0) emit(call, { effect: 'read', operation: 'read', targets });
}

/** Options by which other code is run first. */
const LOADS = /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=|$)/;

function loaded(call: Call, file: string | undefined): void {
  if (file === undefined || !/^[./~]|^(?:https?|data):/.test(file)) return;
  const place = targetOf(call, literal(file));
  const { state, frame } = call.invocation;
  const from = state.files.get(place.id)?.origins;
  const address = /^(?:https?|data):/.test(file);
  if (from || address) call.walk.judge.opaque('loaded', file, address ? ['download'] : (from ?? []), frame);
}

function inlineCode(call: Call, code: Arg): Stream {
  const { frame } = call.invocation;
  const origins = codeOrigins(code.origins);
  if (!code.known && origins.length > 0) call.walk.judge.opaque('inline code', code.text, origins, frame);
  return readProgramText(call.tool, code.text, call.invocation, call.walk, call.meaning);
}

function inlineStandardInput(call: Call): Stream {
  const { stdin } = call.invocation.frame;
  if (stdin.text !== undefined) return readProgramText(call.tool, stdin.text, call.invocation, call.walk, call.meaning);
  const { file } = stdin;
  if (file) return runFile(call.invocation, call.walk, call.meaning, file, [], call.tool);
  call.walk.judge.opaque('stdin', '', stdin.origins, call.invocation.frame);
  return { origins: ['generated'] };
}

function runModule(call: Call, at: number): Stream {
  const module = call.args[at + 1];
  if (module?.text === 'timeit') return timed(call, at + 2);
  const words = module?.known ? MODULES[module.text] : undefined;
  if (words)
    return call.walk.words(
      [...words.map(literal), ...call.args.slice(at + 2)],
      call.invocation.state,
      call.invocation.frame,
    );
  emit(call, {
    effect: 'run_unknown',
    operation: `-m ${module?.text ?? ''}`,
    residue: [call.args.map((arg) => arg.text).join('\0')],
  });
  return { origins: ['file'] };
}

/** `python -m timeit -s SETUP STATEMENT…`: both are code. */
function timed(call: Call, from: number): Stream {
  const code = call.args.slice(from).filter((arg, index, all) => {
    const valued = /^(?:-[nrup]|--(?:number|repeat|unit))$/.test(all[index - 1]?.text ?? '');
    return !valued && !/^(?:-[a-z]|--[a-z]+)$/.test(arg.text);
  });
  return inlineCode(call, {
    ...literal(code.map((arg) => arg.text).join('\n')),
    origins: code.flatMap((arg) => arg.origins),
  });
}

/** `perl -pi -e '…' file` edits files. */
function editInPlace(call: Call, code: Arg, words: readonly Arg[]): Stream {
  readProgramText(call.tool, code.text, call.invocation, call.walk, call.meaning);
  const targets = words.filter((arg) => !arg.text.startsWith('-')).map((file) => targetOf(call, file));
  emit(call, { effect: 'write', operation: 'edit', targets, residue: [code.text] });
  plantEdits(call.meaning, targets, code.text, call);
  plantStrings(call, targets, code.text);
  return SILENT;
}

/** What any opaque code amounts to, told by where it came from. */
export function opaqueEffect(origins: readonly Origin[]): Effect {
  return joinOrigins(origins, []).includes('download') ? 'download_execute' : 'run_opaque';
}

/** `ssh-agent -s` and the like print assignments that are meant to be evaluated. */
const printsShell: Special = (call) => {
  if (has(call, '--help')) return emitNone(call, 'help');
  emit(call, { effect: 'none' });
  return SILENT;
};

export const SHELL_SPECIALS: { readonly [name: string]: Special } = {
  shell,
  source,
  interpreter,
  prints_shell: printsShell,
  bun,
  'inline-code': (call) => inlineCode({ ...call, tool: 'node' }, call.given.operands[0] ?? literal('')),
};
