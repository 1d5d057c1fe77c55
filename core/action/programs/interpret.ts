// From a simple command to what it does: finds the program's rule, reads its arguments, follows subcommands, or says `unknown`.

import type { Invocation, RedirectUse, Walk } from '../../shell/frame.ts';
import { type Arg, forkState, literal, type Stream } from '../../shell/values.ts';
import { type Draft, fileTarget } from '../draft.ts';
import { graver, gravity } from '../effects.ts';
import { segmentMatches } from '../paths.ts';
import type { Effect } from '../types.ts';
import { optionRule, readArguments } from './arguments.ts';
import { byRule, type Call, emit, emitNone, type Meaning, pipedIn, SILENT } from './call.ts';
import { prepareGit } from './git-options.ts';
import { addressed } from './leaving.ts';
import { programName } from './names.ts';
import { emitOutputs } from './outputs.ts';
import { joinWritten, plant, printed } from './plant.ts';
import { isPublicFact } from './public-facts.ts';
import { PROGRAMS } from './registry.ts';
import type { Rule } from './rule.ts';
import { endlessOutput } from './special-carriers.ts';
import { runFile } from './special-shells.ts';
import { SPECIALS } from './specials.ts';
import { boundText } from './surroundings.ts';
import { carried, needsLook, strayCredentials, unknownProgram } from './unlisted.ts';
import { broughtTo, readWritten } from './unseen.ts';

/** These take values, or say themselves that they show one. */
const TAKES_SECRETS = new Set([
  'export',
  'declare',
  'typeset',
  'local',
  'readonly',
  'unset',
  'set',
  'echo',
  'printf',
  'test',
  '[',
  '[[',
]);

export function runProgram(invocation: Invocation, walk: Walk, meaning: Meaning): Stream {
  const program = invocation.words[0] as Arg;
  if (program.text === '' && program.known) return SILENT;
  const keeps =
    program.text === 'export' || (TAKES_SECRETS.has(program.text) && invocation.frame.flags.includes('assigned'));
  if (!keeps && invocation.words.some((word) => word.origins.includes('credential')))
    meaning.add({
      tool: program.known ? (programName(program.text) ?? 'script') : 'shell',
      operation: 'argument',
      effect: 'read_credential',
      targets: [],
      flags: invocation.frame.flags,
      range: invocation.frame.range,
    });
  if (invocation.words.some((word) => word.origins.includes('stored')) && !TAKES_SECRETS.has(program.text))
    meaning.add({
      tool: program.known ? (programName(program.text) ?? 'script') : 'shell',
      operation: 'argument',
      effect: 'secret_fetch',
      targets: [],
      flags: ['printed', ...invocation.frame.flags],
      range: invocation.frame.range,
    });
  if (program.glob) return globProgram(invocation, walk, meaning);
  if (!program.known) {
    walk.judge.opaque('program', program.text, program.origins, invocation.frame);
    return { origins: ['generated'] };
  }
  const name = programName(program.text);
  if (name === undefined) return runFile(invocation, walk, meaning, program, invocation.words.slice(1));
  const rule = Object.hasOwn(PROGRAMS, name) ? (PROGRAMS[name] as Rule) : undefined;
  const plain = name.normalize('NFKC');
  if (!rule && plain !== name) {
    walk.judge.opaque('program', name, [], invocation.frame);
    return runProgram({ ...invocation, words: [literal(plain), ...invocation.words.slice(1)] }, walk, meaning);
  }
  if (!rule) return unknownProgram(name, invocation, walk, meaning, runProgram);
  const shows = rule.effect === 'read' && rule.operands === 'files' && (rule.special ?? 'filter') === 'filter';
  if (shows && needsLook(invocation.words)) return readerOf(rule, name, invocation, walk, meaning);
  // Whatever their options are, what stands behind them may be a command.
  const starts = rule.special === 'wrapped' || (rule.effect === 'build' && rule.operands === 'none' && !rule.special);
  if (starts) carried(invocation.words.slice(1), invocation, walk, meaning, runProgram);
  const out = addressed(invocation, meaning, (seen) => follow(rule, rule.tool ?? name, invocation, walk, seen));
  return isPublicFact(invocation.words) ? { ...out, origins: ['public'] } : out;
}

/** Whatever word of it names a credential is read, also where the table takes it for the value of an option. */
function readerOf(rule: Rule, name: string, invocation: Invocation, walk: Walk, meaning: Meaning): Stream {
  const seen = new Set<string>();
  const add = (draft: Draft) => {
    for (const target of draft.targets) seen.add(target.id);
    meaning.add(draft);
  };
  const out = follow(rule, rule.tool ?? name, invocation, walk, { ...meaning, add });
  strayCredentials(invocation, meaning, true, seen);
  return out;
}

function follow(rule: Rule, tool: string, given: Invocation, walk: Walk, meaning: Meaning): Stream {
  let current = rule;
  let invocation = given;
  let args: readonly Arg[] = invocation.words.slice(1);
  const names: string[] = [];
  const flags = new Set<string>(rule.flags);
  let effect: Effect | undefined;
  // Options before a subcommand belong to what stands above it.
  for (let level = 0; current.subcommands && level < 6; level += 1) {
    const above = readArguments(current, args, true);
    if (asksHelp(current, above.options)) return help(current, tool, names, invocation, walk, meaning, args);
    if (level === 0 && tool === 'git') invocation = prepareGit(invocation, above, meaning, walk);
    for (const name of above.options.keys()) {
      const option = optionRule(current, name);
      for (const flag of option?.flags ?? []) flags.add(flag);
      if (option?.effect) effect = option.effect;
    }
    const word = above.operands[0];
    if (!word) break;
    if (!word.known) {
      emit(makeCall(current, tool, 'unresolved', 'unknown', flags, args, invocation, walk, meaning), {
        residue: [words(invocation)],
      });
      return { origins: ['generated'] };
    }
    const next = subcommand(current, word.text);
    if (!next) {
      if (word.text === 'help' || word.text === 'version')
        return help(current, tool, names, invocation, walk, meaning, args);
      return unlisted(current, tool, [...names, shownName(word)], effect, flags, args, invocation, walk, meaning);
    }
    names.push(word.text);
    for (const flag of next.flags ?? []) flags.add(flag);
    args = dropFirstOperand(above.operands, args, tool);
    current = inherit(next, current);
  }
  const operation = current.operation ?? bounded(names.length > 0 ? names : [tool]);
  const call = makeCall(
    current,
    tool,
    operation,
    effect ? graver(current.effect, effect) : current.effect,
    flags,
    args,
    invocation,
    walk,
    meaning,
  );
  return interpret(call);
}

function shownName(word: Arg): string {
  return /^[\w:.@-]{1,40}$/.test(word.text) ? word.text : 'other';
}

/** A subcommand the table does not list: its `*`, or unknown. */
function unlisted(
  rule: Rule,
  tool: string,
  names: readonly string[],
  raised: Effect | undefined,
  flags: Set<string>,
  args: readonly Arg[],
  invocation: Invocation,
  walk: Walk,
  meaning: Meaning,
): Stream {
  const any = rule.subcommands?.['*'];
  if (!any) {
    const call = makeCall(rule, tool, bounded(names), 'unknown', flags, args, invocation, walk, meaning);
    emit(call, { residue: [words(invocation), ...pipedIn(call)] });
    return { origins: ['file'] };
  }
  const other = inherit(any, rule);
  for (const flag of other.flags ?? []) flags.add(flag);
  const effect = raised ? graver(other.effect, raised) : other.effect;
  return interpret(
    makeCall(other, tool, other.operation ?? bounded(names), effect, flags, args, invocation, walk, meaning),
  );
}

function bounded(names: readonly string[]): string {
  return names.join(' ').slice(0, 64);
}

function words(invocation: Invocation): string {
  return invocation.words.map((word) => word.text).join('\0');
}

const INHERITED = ['values', 'options', 'systems', 'longSingleDash', 'scope', 'directory', 'projectFile'] as const;

/** Options above the subcommand stay valid behind it. */
/** By parent too: one row serves many programs. */
const inherited = new WeakMap<Rule, WeakMap<Rule, Rule>>();
function inherit(rule: Rule, parent: Rule): Rule {
  if (INHERITED.every((field) => parent[field] === undefined)) return rule;
  const kept = inherited.get(rule) ?? new WeakMap<Rule, Rule>();
  inherited.set(rule, kept);
  const known = kept.get(parent);
  if (known) return known;
  const merged: Rule = {
    ...rule,
    values: [rule.values ?? '', parent.values ?? ''].join(' ').trim(),
    options: { ...parent.options, ...rule.options },
    ...((rule.directory ?? parent.directory) && { directory: (rule.directory ?? parent.directory) as string }),
    ...((rule.projectFile ?? parent.projectFile) && {
      projectFile: (rule.projectFile ?? parent.projectFile) as string,
    }),
    ...((rule.systems ?? parent.systems) && { systems: rule.systems ?? (parent.systems as readonly string[]) }),
    ...((rule.scope ?? parent.scope) && { scope: rule.scope ?? (parent.scope as NonNullable<Rule['scope']>) }),
    ...((rule.longSingleDash ?? parent.longSingleDash) && { longSingleDash: true as const }),
  };
  kept.set(parent, merged);
  return merged;
}

/** What stands before a subcommand still holds for it: which cluster, which account. git's own are read apart. */
function dropFirstOperand(operands: readonly Arg[], args: readonly Arg[], tool: string): readonly Arg[] {
  const at = args.indexOf(operands[0] as Arg);
  return tool === 'git' ? args.slice(at + 1) : [...args.slice(0, at), ...args.slice(at + 1)];
}

const aliases = new WeakMap<NonNullable<Rule['subcommands']>, Map<string, Rule>>();
function subcommand(rule: Rule, name: string): Rule | undefined {
  const table = rule.subcommands as NonNullable<Rule['subcommands']>;
  let names = aliases.get(table);
  if (!names) {
    names = new Map(
      Object.entries(table).flatMap(([key, value]) => key.split('|').map((alias) => [alias, value] as const)),
    );
    aliases.set(table, names);
  }
  return name === '*' ? undefined : names.get(name);
}

function makeCall(
  rule: Rule,
  tool: string,
  operation: string,
  effect: Effect,
  flags: ReadonlySet<string>,
  args: readonly Arg[],
  invocation: Invocation,
  walk: Walk,
  meaning: Meaning,
): Call {
  return {
    rule,
    tool,
    operation,
    effect,
    flags: [...flags],
    given: readArguments(rule, args),
    args,
    invocation,
    walk,
    meaning,
  };
}

/** They start what the folder says. */
const BUILDS: ReadonlySet<Effect> = new Set(['build', 'install_local', 'install_system', 'run_unknown']);

/** Applies what options change, then the special reading or the rule. */
export function interpret(call: Call): Stream {
  const { rule, invocation } = call;
  const given = readArguments(rule, call.args);
  const flags = new Set(call.flags);
  let { effect, operation } = call;
  for (const [name, values] of given.options) {
    const option = optionRule(rule, name);
    if (!option) continue;
    for (const flag of option.flags ?? []) {
      if (flag !== 'dry_run' || !values.some((value) => value.text === 'none' || value.text === 'false'))
        flags.add(flag);
    }
    if (option.effect)
      effect =
        option.operation || gravity(option.effect) < gravity(effect) ? option.effect : graver(effect, option.effect);
    if (option.operation) operation = option.operation;
  }
  const read: Call = entered({ ...call, given, flags: [...flags], effect, operation });
  if (rule.special !== 'shell' && rule.special !== 'interpreter' && asksHelp(rule, given.options))
    return emitNone(read, 'help');
  if (flags.has('dry_run') && gravity(effect) > 0) return byRule({ ...read, effect: 'read' });
  if (invocation.state.files.size > 0 && BUILDS.has(effect)) {
    readWritten(rule.tool ?? call.tool, read.invocation, call.walk, call.meaning);
    const brought = broughtTo(read.invocation, call.meaning.where);
    if (brought) call.walk.judge.opaque('fetched', words(invocation), brought, invocation.frame);
  }
  emitOutputs(read);
  const special = rule.special === undefined ? undefined : SPECIALS[rule.special];
  return special ? special(read) : byRule(read);
}

/** Judged where it acts: in the directory that an option names. */
function entered(call: Call): Call {
  const last = (names: string | undefined) =>
    (names ?? '')
      .split(' ')
      .flatMap((name) => call.given.options.get(name)?.slice(-1) ?? [])
      .at(-1);
  const file = last(call.rule.projectFile);
  const parent = file && { ...file, text: file.text.includes('/') ? file.text.replace(/\/[^/]*$/, '') || '/' : '.' };
  const folder = last(call.rule.directory) ?? (parent?.text === '.' ? undefined : parent);
  if (!folder || folder.text === '') return call;
  const { invocation, walk } = call;
  const state = forkState(invocation.state);
  walk.words([literal('cd'), folder], state, invocation.frame);
  return { ...call, invocation: { ...invocation, state } };
}

function asksHelp(rule: Rule, options: ReadonlyMap<string, unknown>): boolean {
  if (options.has('--help') || options.has('--version')) return !rule.options?.['--version'];
  if (rule.longSingleDash && (options.has('-help') || options.has('-version'))) return true;
  return rule.shortHelp === true && options.has('-h');
}

function help(
  rule: Rule,
  tool: string,
  names: readonly string[],
  invocation: Invocation,
  walk: Walk,
  meaning: Meaning,
  args: readonly Arg[],
): Stream {
  return emitNone(
    makeCall(rule, tool, bounded([...names, 'help']), 'none', new Set(), args, invocation, walk, meaning),
  );
}

/** `/bin/r?`: judged as every program the pattern could mean, and as one that cannot be seen. */
function globProgram(invocation: Invocation, walk: Walk, meaning: Meaning): Stream {
  const program = invocation.words[0] as Arg;
  walk.judge.opaque('program', program.text, [], invocation.frame);
  const pattern = program.text.slice(program.text.lastIndexOf('/') + 1);
  let tried = 0;
  for (const name of Object.keys(PROGRAMS)) {
    if (!segmentMatches(pattern, name)) continue;
    tried += 1;
    if (tried > 24) break;
    runProgram({ ...invocation, words: [literal(name), ...invocation.words.slice(1)] }, walk, meaning);
  }
  return { origins: ['generated'] };
}

export function redirectTo(use: RedirectUse, meaning: Meaning): void {
  const { frame, state } = use;
  const target = fileTarget(use.target, state.cwd, meaning.where, frame.remote);
  const tool = use.words[0]?.known ? (programName(use.words[0].text) ?? 'shell') : 'shell';
  const flags = frame.flags.filter((flag) => flag !== 'piped' && flag !== 'pipeline_sink');
  const base = {
    tool: use.direction === 'read' && use.words.length > 0 ? tool : 'file',
    targets: [target],
    range: frame.range,
  };
  if (/^(?:.*\/)?file:\/dev\/(?:tcp|udp)\//.test(target.id)) {
    const shell = use.words.length === 0 || /^(?:ba|z|k|da|a)?sh$|^exec$/.test(tool);
    const host = target.id.split('/')[3] ?? '';
    meaning.add({
      ...base,
      operation: 'connect',
      effect: shell ? 'remote_shell' : 'send',
      targets: [{ id: `host:${host}`, known: use.target.known, glob: false }],
      flags,
      residue: use.words.map((word) => word.text),
    });
    return;
  }
  if (use.direction === 'read') {
    meaning.add({ ...base, operation: 'read', effect: 'read', flags });
    return;
  }
  const append = use.direction === 'append';
  const produced = use.words.length > 0 && !(tool === 'true' || tool === ':') && use.content.text !== '';
  const content = use.content.text ?? use.words.map((word) => word.text).join('\0');
  const fills = endlessOutput(use.words) && !/^file:\/dev\/(?!shm\/)/.test(target.id);
  const effect = fills ? 'flood' : append || produced ? 'write' : 'overwrite';
  meaning.add({
    ...base,
    tool: 'file',
    operation: append ? 'append' : 'write',
    effect,
    flags: append ? flags : [...flags, 'truncate'],
    residue: [content, boundText(frame)],
  });
  const before = append ? state.files.get(target.id) : undefined;
  state.files.set(target.id, joinWritten(before, use.content, append));
  const seen = use.content.text ?? printed(use.words);
  plant(meaning, target, seen ?? use.content.shown, frame, seen === undefined ? '' : undefined);
}
