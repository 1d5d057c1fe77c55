// Expansion of shell words as Bash would do it: quotes, ANSI-C escapes, variables, substitutions, braces, word splitting.
// What cannot be resolved stays visible as an unknown word; it never disappears.

import type { Command, ParameterExpansionPart, ParsedScript, Word, WordPart } from 'unbash';
import { forEachChild } from 'unbash';
import {
  type Arg,
  joinOrigins,
  literal,
  MAX_VALUE,
  type Origin,
  type ShellState,
  type Stream,
  unresolved,
  type Value,
} from './values.ts';

export type Expander = {
  readonly state: ShellState;
  /** Walks a `$(…)`, `<(…)` or backtick script and gives what it prints. */
  readonly substitute: (script: ParsedScript | undefined) => Stream;
  /** Walks text that some shell could take for commands. */
  readonly suspect: (text: string) => void;
};

const PLAIN = /^[A-Za-z0-9_./,:=@%+-]*$/;
const MAX_BRACE_WORDS = 64;

/** One word to the fields it becomes; an unquoted empty expansion gives none. */
export function expandWord(word: Word, expander: Expander): Arg[] {
  if (PLAIN.test(word.text)) return [literal(word.text)];
  const parts = word.parts;
  if (parts === undefined) return [literal(word.value)];
  const results: Arg[] = [];
  for (const alternative of expandBraces(parts)) {
    const fields = new Fields();
    for (const part of alternative) expandPart(part, false, fields, expander);
    results.push(...fields.end());
    if (results.length > MAX_BRACE_WORDS) break;
  }
  return results;
}

/** Without word splitting, as in an assignment or a here-string. */
export function expandValue(word: Word, expander: Expander): Value {
  if (PLAIN.test(word.text) || word.parts === undefined) return { text: word.value, known: true, origins: [] };
  return expandQuoted(word.parts, expander);
}

export function expandQuoted(parts: readonly WordPart[], expander: Expander): Value {
  const fields = new Fields();
  for (const part of parts) expandPart(part, true, fields, expander);
  const args = fields.end();
  if (args.length === 1) {
    const only = args[0] as Arg;
    return { text: only.text, known: only.known, origins: only.origins };
  }
  return {
    text: args.map((arg) => arg.text).join(' '),
    known: args.every((arg) => arg.known),
    origins: args.reduce<readonly Origin[]>((all, arg) => joinOrigins(all, arg.origins), []),
  };
}

/** Collects the fields of one word. */
class Fields {
  readonly out: Arg[] = [];
  text = '';
  known = true;
  glob = false;
  open = false;
  origins: readonly Origin[] = [];

  add(text: string): void {
    this.text += text;
    this.open = true;
    if (this.text.length > MAX_VALUE) {
      this.text = this.text.slice(0, MAX_VALUE);
      this.known = false;
    }
  }

  addUnknown(text: string, origins: readonly Origin[]): void {
    this.add(text);
    this.known = false;
    this.origins = joinOrigins(this.origins, origins);
  }

  close(): void {
    if (this.open) this.out.push({ text: this.text, known: this.known, glob: this.glob, origins: this.origins });
    this.text = '';
    this.known = true;
    this.glob = false;
    this.open = false;
    this.origins = [];
  }

  /** An unquoted expansion: splits at blanks and keeps glob characters alive. */
  addSplit(text: string, separators: string): void {
    let start = 0;
    for (let index = 0; index <= text.length; index += 1) {
      const character = text[index];
      if (character !== undefined && !separators.includes(character)) continue;
      if (index > start) {
        const piece = text.slice(start, index);
        this.add(piece);
        if (/[*?[]/.test(piece)) this.glob = true;
      }
      if (character !== undefined) this.close();
      start = index + 1;
    }
  }

  end(): Arg[] {
    this.close();
    return this.out;
  }
}

function expandPart(part: WordPart, quoted: boolean, fields: Fields, expander: Expander): void {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      fields.add(part.value);
      return;
    case 'DoubleQuoted':
    case 'LocaleString':
      // `"$@"` without parameters is no word at all.
      fields.open ||= !(part.parts.length === 1 && noItems(part.parts[0] as WordPart, expander.state));
      for (const child of part.parts) expandPart(child, true, fields, expander);
      return;
    case 'Glob':
      fields.add(part.value);
      fields.glob = true;
      return;
    case 'ExtendedGlob':
      fields.add(part.text);
      fields.glob = true;
      return;
    case 'BraceExpansion':
      fields.add(part.text);
      return;
    case 'SimpleExpansion':
      addVariable(part.text.slice(1), quoted, fields, expander);
      return;
    case 'ParameterExpansion':
      addParameter(part, quoted, fields, expander);
      return;
    case 'CommandExpansion':
      addStream(expander.substitute(part.script), quoted, fields, expander);
      return;
    case 'ProcessSubstitution':
      addSubstituted(expander.substitute(part.script), part.text.startsWith('<'), fields, expander.state);
      return;
    case 'ArithmeticExpansion':
      forEachChild(part, function visit(child) {
        if (child.type === 'CommandExpansion' || child.type === 'ArithmeticCommandExpansion')
          expander.substitute(child.script);
        else forEachChild(child, visit);
      });
      // `$(( ( rm -rf / ) ))` is no arithmetic: what one shell refuses another runs.
      if (/[A-Za-z_]\w*[ \t]+(?:-\w|[\w/~."'$])|["'\\{]|\$IFS/.test(part.text))
        expander.suspect(part.text.slice(3, -2));
      fields.addUnknown('$NUMBER', []);
  }
}

function noItems(part: WordPart, state: ShellState): boolean {
  return part.type === 'SimpleExpansion' && part.text === '$@' && state.params?.length === 0;
}

/** `<(…)`: a file that holds what the script prints, as if this line had written it. */
function addSubstituted(stream: Stream, reads: boolean, fields: Fields, { files }: ShellState): void {
  if (!reads || (!stream.text && stream.origins.length === 0)) {
    fields.addUnknown('/dev/fd/$', stream.origins);
    return;
  }
  fields.origins = joinOrigins(fields.origins, stream.origins);
  // From where shells count down.
  const path = `/dev/fd/${63 - files.size}`;
  files.set(`file:${path}`, stream);
  fields.add(path);
}

function addStream(stream: Stream, quoted: boolean, fields: Fields, expander: Expander): void {
  if (stream.text === undefined) {
    for (const path of stream.paths ?? []) fields.glob ||= path.glob;
    const only = stream.paths?.length === 1 ? stream.paths[0] : undefined;
    if (only?.known) fields.add(only.text);
    else fields.addUnknown('$SUBSTITUTION', stream.origins);
    return;
  }
  const text = stream.text.replace(/\n+$/, '');
  if (quoted) fields.add(text);
  else fields.addSplit(text, separators(expander.state));
  if (stream.origins.length > 0) fields.origins = joinOrigins(fields.origins, stream.origins);
}

function addVariable(name: string, quoted: boolean, fields: Fields, expander: Expander): void {
  if (name === '@' || name === '*') {
    addItems(expander.state.params, name, quoted, fields, expander);
    return;
  }
  addValue(lookUp(name, expander.state), name, quoted, fields, expander);
}

function addItems(
  items: readonly Arg[] | undefined,
  name: string,
  quoted: boolean,
  fields: Fields,
  expander: Expander,
): void {
  if (items === undefined) {
    fields.addUnknown(`$${name}`, []);
    return;
  }
  items.forEach((item, index) => {
    if (index > 0) fields.close();
    addValue({ text: item.text, known: item.known, origins: item.origins }, name, quoted, fields, expander);
  });
}

function addValue(value: Value, name: string, quoted: boolean, fields: Fields, expander: Expander): void {
  if (!value.known) {
    fields.addUnknown(value.text === '' ? `$${name}` : value.text, value.origins);
    return;
  }
  if (value.items?.length === 1 && value.items[0]?.glob) fields.glob = true;
  if (quoted) fields.add(value.text);
  else fields.addSplit(value.text, separators(expander.state));
  if (value.origins.length > 0) fields.origins = joinOrigins(fields.origins, value.origins);
}

function separators(state: ShellState): string {
  const value = state.vars.get('IFS');
  return value?.known ? value.text : ' \t\n';
}

function lookUp(name: string, state: ShellState): Value {
  if (/^[0-9]+$/.test(name)) {
    if (name === '0') return unresolved('0');
    const item = state.params?.[Number(name) - 1];
    if (item) return item;
    return state.params ? { text: '', known: true, origins: [] } : unresolved(name);
  }
  return state.vars.get(name) ?? unresolved(name);
}

function addParameter(part: ParameterExpansionPart, quoted: boolean, fields: Fields, expander: Expander): void {
  const { state } = expander;
  const index = part.index?.text;
  const stored = state.vars.get(part.parameter);
  if ((index === '@' || index === '*') && part.operation === undefined && part.prefix === undefined) {
    addItems(stored?.items, part.parameter, quoted, fields, expander);
    return;
  }
  if ((part.parameter === '@' || part.parameter === '*') && part.operation === undefined && part.prefix === undefined) {
    addItems(state.params, part.parameter, quoted, fields, expander);
    return;
  }
  let value = lookUp(part.parameter, state);
  if (index !== undefined) {
    const item = stored?.items?.[Number(index)];
    value = item ?? unresolved(part.parameter);
  } else if (stored?.items) value = stored.items[0] ?? value;
  if (part.prefix === '!') value = value.known ? lookUp(value.text, state) : unresolved(part.parameter);
  if (part.prefix === '#') value = value.known ? { ...value, text: String(value.text.length) } : unresolved('NUMBER');
  addValue(applyOperation(value, part, expander), part.parameter, quoted, fields, expander);
}

function applyOperation(value: Value, part: ParameterExpansionPart, expander: Expander): Value {
  const operation = part.operation;
  if (operation === undefined) return value;
  const set = expander.state.vars.has(part.parameter);
  switch (operation.type) {
    case 'Default': {
      const operand = expandValue(operation.operand, expander);
      const kind = operation.operator.at(-1);
      if (kind === '?') return value;
      // A variable from outside may or may not be set: the fallback is then only one of two possible values.
      if (!set && !value.known) return kind === '+' ? { ...operand, known: false } : mayBe(part.parameter, operand);
      const empty = value.known && value.text === '';
      if (kind === '+') return empty ? { text: '', known: true, origins: [] } : operand;
      if (kind === '=' && empty) expander.state.vars.set(part.parameter, operand);
      return empty && operation.operator.startsWith(':') ? operand : value;
    }
    case 'Slice': {
      const offset = Number(operation.offset.text.trim());
      const length = operation.length === undefined ? undefined : Number(operation.length.text.trim());
      if (!value.known || !Number.isInteger(offset) || (length !== undefined && !Number.isInteger(length))) break;
      const start = offset < 0 ? value.text.length + offset : offset;
      const end = length === undefined ? undefined : length < 0 ? value.text.length + length : start + length;
      return { ...value, text: value.text.slice(start, end) };
    }
    case 'CaseModification': {
      if (!value.known || operation.operand !== undefined) break;
      const upper = operation.operator.startsWith('^');
      const change = (text: string) => (upper ? text.toUpperCase() : text.toLowerCase());
      if (operation.operator.length === 2) return { ...value, text: change(value.text) };
      return { ...value, text: change(value.text.slice(0, 1)) + value.text.slice(1) };
    }
    case 'Replace': {
      const pattern = expandValue(operation.pattern, expander);
      const replacement = expandValue(operation.replacement, expander);
      if (!value.known || !pattern.known || !replacement.known || /[*?[\\]/.test(pattern.text)) break;
      if (pattern.text === '' || operation.operator === '/#' || operation.operator === '/%') break;
      const text =
        operation.operator === '//'
          ? value.text.replaceAll(pattern.text, () => replacement.text)
          : value.text.replace(pattern.text, () => replacement.text);
      return text.length > MAX_VALUE ? unresolved(part.parameter) : { ...value, text };
    }
    case 'Remove': {
      const pattern = expandValue(operation.operand, expander);
      if (!value.known || !pattern.known || /[*?[\\]/.test(pattern.text)) break;
      const { text } = value;
      if (operation.operator.startsWith('#'))
        return { ...value, text: text.startsWith(pattern.text) ? text.slice(pattern.text.length) : text };
      return { ...value, text: text.endsWith(pattern.text) ? text.slice(0, text.length - pattern.text.length) : text };
    }
    default:
  }
  return unresolved(part.parameter, value.origins);
}

/** `${X:-fallback}` of a variable nobody set here: judged as the fallback, and still said to be unresolved. */
function mayBe(name: string, fallback: Value): Value {
  return fallback.text === ''
    ? unresolved(name)
    : { text: fallback.text, known: fallback.known, origins: fallback.origins };
}

function expandBraces(parts: readonly WordPart[]): (readonly WordPart[])[] {
  const at = parts.findIndex((part) => part.type === 'BraceExpansion');
  if (at < 0) return [parts];
  const part = parts[at] as WordPart & { type: 'BraceExpansion' };
  const choices = braceChoices(part.text);
  if (choices === undefined) return [parts];
  const results: (readonly WordPart[])[] = [];
  const before = parts.slice(0, at);
  for (const tail of expandBraces(parts.slice(at + 1))) {
    for (const choice of choices) {
      if (results.length >= MAX_BRACE_WORDS) return results;
      const middle: WordPart = { type: 'Literal', pos: part.pos, end: part.end, text: choice, value: choice };
      results.push([...before, middle, ...tail]);
    }
  }
  return results;
}

/** Alternatives of `{a,b}` or `{1..4}`; undefined when they hold an expansion of their own. */
function braceChoices(text: string): string[] | undefined {
  const body = text.slice(1, -1);
  if (/[$`{}\\]/.test(body)) return undefined;
  const range = /^(-?\d{1,4}|[A-Za-z])\.\.(-?\d{1,4}|[A-Za-z])$/.exec(body);
  if (range) {
    const numeric = /\d/.test(range[1] as string);
    const from = numeric ? Number(range[1]) : (range[1] as string).charCodeAt(0);
    const to = numeric ? Number(range[2]) : (range[2] as string).charCodeAt(0);
    const step = from <= to ? 1 : -1;
    const count = Math.min(Math.abs(to - from) + 1, MAX_BRACE_WORDS);
    return Array.from({ length: count }, (_, index) => {
      const value = from + index * step;
      return numeric ? String(value) : String.fromCharCode(value);
    });
  }
  return body.includes(',') ? body.split(',').map((choice) => choice.replace(/["']/g, '')) : undefined;
}

export function assignmentWord(name: string, operator: string, value: Value): Arg {
  return { text: `${name}${operator}${value.text}`, known: value.known, glob: false, origins: value.origins };
}

export function assignedValue(
  item: Extract<Command['prefix'][number], { type: 'Assignment' }>,
  expand: Expander,
  state: ShellState,
): Value {
  if (item.value.type === 'ArrayValue') {
    const items = item.value.elements.flatMap((element) => expandWord(element, expand));
    const text = items.map((element) => element.text).join(' ');
    return {
      text: items[0]?.text ?? '',
      known: text !== '',
      origins: items.flatMap((element) => element.origins),
      items,
    };
  }
  const value = expandValue(item.value, expand);
  if (!item.append) return value;
  const before = state.vars.get(item.name) ?? unresolved(item.name);
  return {
    text: before.text + value.text,
    known: before.known && value.known,
    origins: joinOrigins(before.origins, value.origins),
  };
}
