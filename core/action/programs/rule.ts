// How a table says what a program does: effect, options, operands, subcommands. Plain data, so that a table can be read, linted and extended.

import type { PartExternality } from '../../externality.ts';
import type { Effect, Scope } from '../types.ts';

/**
 * What operands are:
 * `files` targets under the rule's effect · `source-dest` the last is the target, the others are read ·
 * `skip-first` the first is a pattern or mode, files follow · `urls` · `name:PREFIX` targets `PREFIX:operand` ·
 * `residue` they matter but have no place of their own · `none` they change nothing.
 */
export type Operands = 'files' | 'source-dest' | 'skip-first' | 'urls' | 'residue' | 'none' | `name:${string}`;

export type OptionRule = {
  readonly effect?: Effect;
  readonly operation?: string;
  readonly flags?: readonly string[];
  /**
   * The option's value is a file that is read or written besides, or it becomes a target `PREFIX:value`.
   * `content` enters by digest, `ignored` not at all. `handed` is a file with secrets that goes to the process it is for.
   */
  readonly value?: 'handed' | 'read' | 'write' | 'target-file' | 'secret' | 'content' | 'ignored' | `name:${string}`;
  /** The value, if any, is attached: `-pSECRET`, `--password=SECRET`; the next word is not it. */
  readonly attached?: true;
};

export type Rule = {
  readonly effect: Effect;
  /** Default: the subcommands' names, else the program's. */
  readonly operation?: string;
  readonly tool?: string;
  /** Options that take a value, space-separated, besides those in `options` with a `value`. */
  readonly values?: string;
  /** Keyed by option; `-f|--force` names two. */
  readonly options?: { readonly [option: string]: OptionRule };
  /** Options whose value is the directory it acts in, space-separated; the last one given wins. */
  readonly directory?: string;
  /** Options whose value is a file in the directory it acts in: `--manifest-path`. */
  readonly projectFile?: string;
  readonly operands?: Operands;
  /** Without file operands it reads standard input only. */
  readonly filter?: true;
  /** Without operands it acts on this path. */
  readonly defaultOperand?: string;
  readonly flags?: readonly string[];
  readonly systems?: readonly string[];
  readonly scope?: Scope;
  readonly externality?: Partial<PartExternality>;
  readonly metadata?: true;
  /** Keyed by name; `rm|remove` names two. What is not listed has the effect of `*`, else `unknown`. */
  readonly subcommands?: { readonly [name: string]: Rule };
  /** One dash, long name: `-chdir=x`; short options do not cluster. */
  readonly longSingleDash?: true;
  /** Options end at the first operand; the rest belongs to another program. */
  readonly stopAtOperand?: true;
  /** A reading of its own, by name; see specials.ts. */
  readonly special?: string;
  /** `-h` asks for help. */
  readonly shortHelp?: true;
};

export type Programs = { readonly [name: string]: Rule };

/** Rows of one shape: `rows('ls stat', rule)` gives each name the rule. */
export function rows(names: string, rule: Rule): Programs {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, rule]));
}

/** A rule with some subcommands of its own in place of those it had. */
export function override(rule: Rule, own: NonNullable<Rule['subcommands']>): Rule {
  const names = new Set(Object.keys(own).flatMap((key) => key.split('|')));
  const kept = Object.entries(rule.subcommands ?? {}).flatMap(([key, value]) => {
    const rest = key.split('|').filter((name) => !names.has(name));
    return rest.length === 0 ? [] : [[rest.join('|'), value] as const];
  });
  return { ...rule, subcommands: { ...Object.fromEntries(kept), ...own } };
}
