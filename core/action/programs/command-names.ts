// The names by which rules speak of a command: `git`, `git push`, `git push --force`. Heads of it, program first, so that a
// policy looks a prefix up. Names alone: a word that could be anything (a message, a password, a number) is none.

import type { Arg } from '../../shell/values.ts';
import { readArguments } from './arguments.ts';
import { programName } from './names.ts';
import { PROGRAMS } from './registry.ts';
import type { Rule } from './rule.ts';

export const MAX_NAMES = 32;
const MAX_OPTIONS = 6;
const MAX_LEVELS = 4;
const MAX_OPERANDS = 2;
/** Change nothing that anybody would rule on. */
const SILENT = new Set([
  ...['cd', 'pushd', 'popd', 'dirs', 'true', 'false', ':', '[', '[[', 'test', 'set', 'shift', 'return', 'exit'],
  ...['break', 'continue', 'wait', 'local', 'readonly', 'unset', 'declare', 'typeset'],
]);
const PROGRAM = /^[\w.+/@-]{1,64}$/;
const OPERAND = /^[a-z][a-z:_-]{1,23}$/;
const OPTION = /^(?:-[A-Za-z]|--[a-z][a-z-]{1,31})$/;
/** Their first operand says what is done, though the tables list none. */
const TASKS = new Set(['script', 'make', 'build-target', 'framework-task']);

/** Empty for what no rule is about; `?` is a program that cannot be told. */
export function commandNames(words: readonly Arg[]): string[] {
  const program = words[0] as Arg;
  if (!program.known || program.glob) return ['?'];
  if (SILENT.has(program.text) || program.text === '') return [];
  const name = programName(program.text) ?? program.text.replace(/^(?:\.?\/)?(?:[^/]*\/)*/, '');
  if (!PROGRAM.test(name)) return ['?'];
  const rule = Object.hasOwn(PROGRAMS, name) ? (PROGRAMS[name] as Rule) : undefined;
  const { levels, options, operands } = parts(rule, words.slice(1));
  const heads = [name];
  for (const word of [...levels, ...operands]) heads.push(`${heads.at(-1)} ${word}`);
  // The program may go by another name in the tables: whoever rules on it by that means this one, too.
  if (rule?.tool !== undefined && rule.tool !== name)
    for (const head of [...heads]) heads.push(`${rule.tool}${head.slice(name.length)}`);
  // An option counts wherever it stands.
  const deep = heads.flatMap((head) => options.map((option) => `${head} ${option}`));
  return [...new Set([...heads, ...deep])].slice(0, MAX_NAMES);
}

function parts(rule: Rule | undefined, args: readonly Arg[]) {
  const levels: string[] = [];
  const options = new Set<string>();
  let current: Rule = rule ?? { effect: 'run_unknown' };
  let rest = args;
  while (current.subcommands && levels.length < MAX_LEVELS) {
    const above = readArguments(current, rest, true);
    const word = above.operands[0];
    if (!word?.known || !OPERAND.test(word.text)) break;
    levels.push(word.text);
    // What stands before a subcommand is its parent's, values and all.
    optionNames(rest.slice(0, rest.indexOf(word)), above.options, options);
    rest = rest.slice(rest.indexOf(word) + 1);
    const next = subcommandsOf(current.subcommands).get(word.text);
    if (!next) break;
    current = next;
  }
  const given = readArguments(current, rest);
  optionNames(rest, given.options, options);
  const telling = rule === undefined || rule.subcommands !== undefined || TASKS.has(current.special ?? '');
  const plain = telling ? given.operands.filter((word) => word.known).map((word) => word.text) : [];
  const stop = plain.findIndex((text) => !OPERAND.test(text));
  const operands = (stop < 0 ? plain : plain.slice(0, stop)).slice(0, MAX_OPERANDS);
  return { levels, options: [...options].slice(0, MAX_OPTIONS), operands };
}

type Subcommands = NonNullable<Rule['subcommands']>;
const byName = new WeakMap<Subcommands, ReadonlyMap<string, Rule>>();

function subcommandsOf(table: Subcommands): ReadonlyMap<string, Rule> {
  const known = byName.get(table);
  if (known) return known;
  const entries = Object.entries(table).flatMap(([key, rule]) => key.split('|').map((name) => [name, rule] as const));
  const made = new Map(entries);
  byName.set(table, made);
  return made;
}

function optionNames(args: readonly Arg[], given: ReadonlyMap<string, unknown>, into: Set<string>): void {
  for (const { text, known } of args) {
    if (!known || text === '--') return;
    const written = text.replace(/=.*$/s, '');
    if (OPTION.test(written)) into.add(written);
    // `-fd` is `-f -d`, where both are options that take no value.
    else if (/^-[A-Za-z]{2,6}$/.test(text) && !given.has(text))
      for (const letter of text.slice(1)) if (given.has(`-${letter}`)) into.add(`-${letter}`);
  }
}
