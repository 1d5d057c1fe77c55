// One command matched with its rule: what specials work on, and how a rule alone becomes drafts.

import type { Invocation, Walk } from '../../shell/frame.ts';
import { type Arg, joinOrigins, literal, type Origin, type Stream } from '../../shell/values.ts';
import { type Draft, type DraftTarget, fileTarget, plainTarget } from '../draft.ts';
import { resolvePath, scopeOf, type Where } from '../paths.ts';
import { placeOf } from '../places.ts';
import type { ReadLine } from '../planted.ts';
import type { Effect } from '../types.ts';
import { urlTarget } from '../urls.ts';
import { type Arguments, optionRule } from './arguments.ts';
import { broughtBy, carryOver, isCopied, markBuilt, markCopied } from './brought.ts';
import { plantCarried } from './plant.ts';
import type { Rule } from './rule.ts';
import { outsideWorkspace, surroundings } from './surroundings.ts';

export type Meaning = {
  readonly where: Where;
  add(draft: Draft): void;
  /** A secret known by its place (`-p SECRET`), not by its looks. */
  secret(value: string): void;
  /** What was fetched last goes straight to a process that keeps it to itself. */
  handOver(): void;
  /** What a line comes to that some file will run. */
  readonly line: ReadLine;
};

export type Call = {
  readonly tool: string;
  readonly operation: string;
  readonly effect: Effect;
  readonly rule: Rule;
  readonly flags: readonly string[];
  readonly given: Arguments;
  /** Everything after the program and its subcommands. */
  readonly args: readonly Arg[];
  readonly invocation: Invocation;
  readonly walk: Walk;
  readonly meaning: Meaning;
};

export type Special = (call: Call) => Stream;

export const SILENT: Stream = { text: '', origins: [] };

/** Options that change what is printed, not what is done. */
const NOISE = new Set([
  '-v',
  '--verbose',
  '-q',
  '--quiet',
  '--silent',
  '--progress',
  '--no-progress',
  '--color',
  '--no-color',
  '--colour',
  '--no-pager',
  '-vv',
  '-vvv',
  '--debug',
  '--json',
  '--porcelain',
]);

export function has(call: Call, option: string): boolean {
  return call.given.options.has(option);
}

export function optionValue(call: Call, option: string): Arg | undefined {
  return call.given.options.get(option)?.at(-1);
}

export function target(call: Call, word: Arg): DraftTarget {
  const mounted = hostPath(call, word);
  if (mounted !== undefined) return fileTarget({ ...word, text: mounted }, undefined, call.meaning.where);
  return fileTarget(word, call.invocation.state.cwd, call.meaning.where, call.invocation.frame.remote);
}

/** A path in a container that is a folder of this machine mounted there. */
function hostPath(call: Call, word: Arg): string | undefined {
  const { mounts } = call.invocation.frame;
  if (!mounts || !word.text.startsWith('/')) return undefined;
  const path = resolvePath(word.text, undefined, undefined);
  const mount = mounts.find(({ inside }) => path === inside || path.startsWith(`${inside}/`));
  return mount && mount.outside + path.slice(mount.inside.length);
}

/** Adds a draft; what is not given comes from the call. */
export function emit(call: Call, over: Partial<Draft>): void {
  const { frame } = call.invocation;
  const { rule } = call;
  const effect = over.effect ?? call.effect;
  // Kept in a variable it goes on to a process; what shows it later says so itself.
  const kept = effect === 'secret_fetch' && frame.flags.includes('assigned') && !frame.flags.includes('piped');
  const flags = [
    ...call.flags,
    ...(over.flags ?? []),
    ...frame.flags.filter((flag) => flag !== 'piped'),
    ...(kept ? ['to_process'] : []),
  ];
  call.meaning.add({
    tool: call.tool,
    operation: call.operation,
    targets: [],
    ...(rule.systems && { systems: rule.systems }),
    ...(rule.scope && { scope: rule.scope }),
    ...(rule.externality && { externality: rule.externality }),
    ...(rule.metadata && { metadata: true }),
    ...(frame.remote !== undefined && { systems: [frame.remote] }),
    range: frame.range,
    ...over,
    residue: [
      ...(over.residue ?? []),
      ...surroundings(call.invocation, call.meaning.where, {
        effect,
        tool: over.tool ?? call.tool,
        targets: over.targets?.length ?? 0,
      }),
    ],
    effect: effect === 'install_local' && machineWide(call) ? 'install_system' : effect,
    flags: effect === 'none' ? [] : flags,
    // Nobody holds the scripts of another folder against a repository.
    ...(effect === 'build' &&
      outsideWorkspace(call.invocation, call.meaning.where) && {
        flags: [...flags, 'script_unknown'],
        targets: [...(over.targets ?? []), target(call, literal('.'))],
      }),
  });
}

function machineWide({ invocation, meaning }: Call): boolean {
  const { cwd } = invocation.state;
  if (invocation.frame.flags.includes('via_sudo')) return true;
  if (cwd === undefined || !outsideWorkspace(invocation, meaning.where)) return false;
  return scopeOf(resolvePath(cwd, undefined, meaning.where.home), meaning.where) === 'system';
}

export function emitNone(call: Call, operation = call.operation): Stream {
  emit(call, { effect: 'none', operation, targets: [], residue: [] });
  return { origins: [] };
}

/** What matters and is no target: other options, sorted, and operands when asked. */
export function residueOf(call: Call, operands: readonly Arg[] = []): string[] {
  const rest = call.given.others.map((arg) => arg.text).filter((text) => !NOISE.has(text));
  const directories = call.rule.directory?.split(' ');
  for (const [name, values] of call.given.options) {
    if (directories?.includes(name)) continue;
    const use = optionRule(call.rule, name)?.value;
    if (use === undefined || use === 'secret' || use === 'content')
      for (const value of values) rest.push(`${name}=${value.text}`);
  }
  const text = [...rest.sort(), ...operands.map((arg) => arg.text)].join('\0');
  return text === '' ? [] : [text];
}

/** Text piped into a program that no table says anything about. */
export function pipedIn({ invocation }: Call): string[] {
  const { text } = invocation.frame.stdin;
  return text ? [text] : [];
}

/** A file that an option names lies where its path says, whatever system the command is for. */
function lies(call: Call): Partial<Draft> {
  return call.invocation.frame.remote === undefined ? { scope: undefined, systems: ['filesystem'] } : {};
}

/** A file that goes to the process it is for, and is not shown. */
export function emitInput(call: Call, value: Arg): void {
  emit(call, {
    effect: 'read',
    operation: 'hand over',
    targets: [target(call, value)],
    metadata: true,
    residue: [],
    ...lies(call),
  });
}

/** A file or folder that an option names for what comes out. */
export function emitOutput(call: Call, value: Arg): void {
  emit(call, {
    effect: 'write',
    operation: 'write',
    targets: [target(call, value)],
    flags: ['truncate', 'tool_output'],
    ...lies(call),
  });
  if (call.rule.effect === 'build' && ownSources(call, value)) markBuilt(call.invocation.state, target(call, value).id);
}

/** Each of its operands is a file or folder of the workspace that nothing in this line wrote. */
function ownSources(call: Call, made: Arg): boolean {
  const { invocation, meaning } = call;
  const words = call.given.operands.filter(({ text }) => text !== made.text && !PLAIN_WORD.test(text));
  return (
    words.length > 0 &&
    words.every((word) => {
      const { id } = target(call, word);
      if (!word.known || !/^\.{1,2}(?:\/|$)|^\/|\.\w{1,5}$/.test(word.text) || !id.startsWith('file:')) return false;
      return (
        !invocation.state.files.has(id) &&
        broughtBy(invocation.state, id.slice(5)) === undefined &&
        scopeOf(id.slice(5), meaning.where) === 'workspace'
      );
    })
  );
}
/** `go build`, `esbuild build`. */
const PLAIN_WORD = /^(?:build|test|compile|bundle)$/;

/** Reads and writes that options name besides the operands. */
export function emitOptionFiles(call: Call): DraftTarget[] {
  const extra: DraftTarget[] = [];
  for (const [name, values] of call.given.options) {
    const use = optionRule(call.rule, name)?.value;
    if (use === undefined || use === 'ignored' || use === 'content') continue;
    for (const value of values) {
      if (use === 'secret') {
        if (value.known) call.meaning.secret(value.text);
      } else if (use === 'target-file') extra.push(target(call, value));
      else if (use === 'read')
        emit(call, { effect: 'read', operation: 'read', targets: [target(call, value)], residue: [], ...lies(call) });
      else if (use === 'write') {
        emitOutput(call, value);
      } else if (use === 'handed') {
        emitInput(call, value);
      } else extra.push(plainTarget(`${use.slice(5)}:${value.text}`));
    }
  }
  return extra;
}

/** What the rule says, and nothing more. */
export function byRule(call: Call): Stream {
  const extra = emitOptionFiles(call);
  const { rule } = call;
  const operands = call.given.operands;
  const kind = rule.operands ?? (rule.subcommands === undefined ? 'residue' : 'none');
  if (kind === 'source-dest') return sourceDest(call, extra);
  const chosen = kind === 'skip-first' ? operands.slice(1) : operands;
  let targets: DraftTarget[] = [];
  if (kind === 'files' || kind === 'skip-first') {
    const words = chosen.filter((word) => word.text !== '-');
    targets = words.map((word) => target(call, word));
    if (targets.length === 0 && rule.defaultOperand !== undefined && extra.length === 0) {
      targets = [target(call, { text: rule.defaultOperand, known: true, glob: false, origins: [] })];
    }
  } else if (kind === 'urls') targets = chosen.map((word) => urlTarget(word));
  else if (kind.startsWith('name:')) {
    targets = chosen.map((word) => ({ id: `${kind.slice(5)}:${word.text}`, known: word.known, glob: false }));
  }
  targets.push(...extra);
  if (rule.filter && targets.length === 0) {
    emit(call, { effect: 'none' });
    return { origins: call.invocation.frame.stdin.origins };
  }
  const first = kind === 'skip-first' ? operands.slice(0, 1) : kind === 'residue' ? operands : [];
  // Targets stand sorted: where something is moved to would be lost.
  const to = call.operation === 'move' ? (extra[0] ?? targets.at(-1)) : undefined;
  if (to) {
    carryOver(
      call.invocation.state,
      targets.filter((item) => item !== to).map((item) => item.id),
      to.id,
    );
    const from = targets.filter((item) => item !== to);
    plantCarried(call.meaning, call.invocation.state, from, to, call.invocation.frame);
    targets[targets.lastIndexOf(to)] = { ...to, lands: true };
  }
  const towards = to?.id;
  const residue = [...residueOf(call, first), ...(towards === undefined ? [] : [`to ${towards}`])];
  const back =
    to !== undefined && targets.every((item) => item.id === to.id || isCopied(call.invocation.state, item.id));
  emit(call, { targets, residue: [...residue, ...pipedIn(call)], ...(back && { flags: ['copied_here'] }) });
  return outOf(call, targets);
}

function sourceDest(call: Call, extra: readonly DraftTarget[]): Stream {
  const { operands } = call.given;
  const chosen = extra.length > 0 ? operands : operands.slice(0, -1);
  const sources = chosen.map((word) => target(call, word));
  const last = operands.at(-1);
  const folder = extra.length > 0 ? undefined : last?.text.endsWith('/') ? last : undefined;
  const destination =
    extra.length > 0
      ? extra
      : folder
        ? inFolder(call, folder, chosen)
        : operands.slice(-1).map((word) => target(call, word));
  const recursive = call.flags.includes('recursive') ? ['recursive'] : [];
  if (sources.length > 0)
    emit(call, { effect: 'read', operation: 'read', targets: sources, residue: [], flags: recursive });
  for (const place of destination.slice(0, 1))
    carryOver(
      call.invocation.state,
      sources.map((source) => source.id),
      place.id.replace(/\/[^/]*$/, (name) => (folder ? '' : name)),
    );
  for (const place of destination)
    plantCarried(call.meaning, call.invocation.state, sources, place, call.invocation.frame);
  // What comes from the null device empties what is there.
  const empties = sources.length > 0 && sources.every((source) => source.id === 'file:/dev/null');
  emit(call, {
    ...(empties && call.effect === 'write' && { effect: 'overwrite' as const }),
    targets: destination,
    flags: ['truncate'],
    residue: [...residueOf(call), sources.map((source) => source.id).join('\0')],
  });
  const [from, to] = [sources[0], destination[0]];
  if (call.operation === 'copy' && from && to && sources.length === 1 && besides(from, to))
    markCopied(call.invocation.state, to.id);
  return SILENT;
}

/** `cp a.ts a.ts.bak`: another name could be a folder with other things in it. */
function besides(from: DraftTarget, to: DraftTarget): boolean {
  return (
    [from, to].every(({ known, glob }) => known && !glob) &&
    /^\.\w{1,20}$/.test(to.id.slice(from.id.length)) &&
    to.id.startsWith(from.id)
  );
}

/** `cp a/b.txt dir/` writes `dir/b.txt`. */
function inFolder(call: Call, folder: Arg, sources: readonly Arg[]): DraftTarget[] {
  return sources.map((source) => {
    const name = source.text.replace(/\/+$/, '');
    const text = `${folder.text}${name.slice(name.lastIndexOf('/') + 1)}`;
    return target(call, { ...folder, text, known: folder.known && source.known, glob: folder.glob || source.glob });
  });
}

/** Where the output came from, told by what was read. */
export function outOf(call: Call, targets: readonly DraftTarget[]): Stream {
  const { stdin } = call.invocation.frame;
  let origins: readonly Origin[] = call.rule.filter ? stdin.origins : [];
  if (call.effect === 'fetch') origins = joinOrigins(origins, ['download']);
  else if (call.effect === 'secret_fetch') origins = joinOrigins(origins, ['secret', 'stored']);
  // What a machine says of itself is of here as much as a file is.
  else if (targets.length > 0 || (call.effect === 'read' && !call.rule.filter)) {
    origins = joinOrigins(origins, ['file']);
    for (const item of targets) {
      if (!item.id.startsWith('file:')) continue;
      const written = call.invocation.state.files.get(item.id);
      if (written) origins = joinOrigins(origins, written.origins);
      if (
        placeOf(item.id.slice(5), item.glob, call.meaning.where).tags.some(
          (tag) => tag === 'credential' || tag === 'dotenv' || tag === 'env_file',
        )
      ) {
        origins = joinOrigins(origins, ['credential']);
      }
    }
  }
  return { origins };
}
