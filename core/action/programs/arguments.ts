// Reads a command's arguments by its rule: options, their values, operands. Quoting and order leave no trace.

import { type Arg, literal } from '../../shell/values.ts';
import type { OptionRule, Rule } from './rule.ts';

export type Arguments = {
  /** Option as written in the rule (first name) → values, empty when it takes none. */
  readonly options: ReadonlyMap<string, readonly Arg[]>;
  readonly operands: readonly Arg[];
  /** Options the rule says nothing about, with `=value`. */
  readonly others: readonly Arg[];
  /** Operands before `--`; the rest came after it. */
  readonly separator: number | undefined;
};

type Compiled = {
  readonly names: ReadonlyMap<string, string>;
  readonly values: ReadonlySet<string>;
  readonly attached: ReadonlySet<string>;
  readonly rules: ReadonlyMap<string, OptionRule>;
};
const compiled = new WeakMap<Rule, Compiled>();

function compile(rule: Rule): Compiled {
  const known = compiled.get(rule);
  if (known) return known;
  const names = new Map<string, string>();
  const rules = new Map<string, OptionRule>();
  const attached = new Set<string>();
  const values = new Set(
    [rule.values, rule.directory, rule.projectFile]
      .join(' ')
      .split(' ')
      .filter((name) => name !== ''),
  );
  for (const name of values) names.set(name, name);
  for (const [key, option] of Object.entries(rule.options ?? {})) {
    const all = key.split('|');
    const first = all[0] as string;
    rules.set(first, option);
    for (const name of all) {
      names.set(name, first);
      if (option.attached) attached.add(name);
      else if (option.value || values.has(first)) values.add(name);
    }
  }
  const result = { names, values, attached, rules };
  compiled.set(rule, result);
  return result;
}

export function optionRule(rule: Rule, name: string): OptionRule | undefined {
  return compile(rule).rules.get(name);
}

/** Stopping at the first operand reads what stands before a subcommand. */
export function readArguments(
  rule: Rule,
  args: readonly Arg[],
  stopAtOperand = rule.stopAtOperand ?? false,
): Arguments {
  // By the table itself, which is compiled once: a copy of it would be compiled at every reading.
  const { names, values, attached } = compile(rule);
  const options = new Map<string, Arg[]>();
  const operands: Arg[] = [];
  const others: Arg[] = [];
  let separator: number | undefined;
  const add = (name: string, value?: Arg) => {
    const key = names.get(name) ?? name;
    const list = options.get(key) ?? [];
    if (value) list.push(value);
    options.set(key, list);
  };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] as Arg;
    const { text } = arg;
    if (separator !== undefined || text.length < 2 || text[0] !== '-' || (stopAtOperand && operands.length > 0)) {
      operands.push(arg);
    } else if (text === '--') {
      separator = operands.length;
    } else if (text.startsWith('--') || rule.longSingleDash) {
      const equals = text.indexOf('=');
      const written = equals > 0 ? text.slice(0, equals) : text;
      const name = names.has(written) ? written : (completed(written, names) ?? written);
      const value = equals > 0 ? { ...arg, text: text.slice(equals + 1) } : undefined;
      if (value) add(name, value);
      else if (values.has(name)) {
        index += 1;
        add(name, args[index] ?? literal(''));
      } else add(name);
      if (!names.has(name)) others.push(arg);
    } else {
      index += readCluster(arg, args[index + 1], { values, attached, names }, add, others);
    }
  }
  return { options, operands, others, separator };
}

/** `-xzf file`, `-n5`: gives 1 when the next argument was the value. */
function readCluster(
  arg: Arg,
  next: Arg | undefined,
  { values, attached, names }: Pick<Compiled, 'values' | 'attached' | 'names'>,
  add: (name: string, value?: Arg) => void,
  others: Arg[],
): number {
  const { text } = arg;
  // Some programs spell whole words with one dash.
  if (text.length > 2 && names.has(text)) {
    if (!values.has(text)) {
      add(text);
      return 0;
    }
    add(text, next ?? literal(''));
    return 1;
  }
  for (let at = 1; at < text.length; at += 1) {
    const name = `-${text[at]}`;
    if (!names.has(name)) {
      if (!others.includes(arg)) others.push(arg);
      add(name);
      continue;
    }
    if (attached.has(name)) {
      add(name, at + 1 < text.length ? { ...arg, text: text.slice(at + 1) } : undefined);
      return 0;
    }
    if (!values.has(name)) {
      add(name);
      continue;
    }
    const rest = text.slice(at + 1);
    if (rest !== '') {
      add(name, { ...arg, text: rest.startsWith('=') ? rest.slice(1) : rest });
      return 0;
    }
    add(name, next ?? literal(''));
    return 1;
  }
  return 0;
}

/** GNU programs take any unambiguous beginning of a long option. */
function completed(written: string, names: ReadonlyMap<string, string>): string | undefined {
  if (written.length < 4) return undefined;
  let found: string | undefined;
  for (const name of names.keys()) {
    if (!name.startsWith(written)) continue;
    if (found !== undefined && names.get(found) !== names.get(name)) return undefined;
    found = name;
  }
  return found;
}
