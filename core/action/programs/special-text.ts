// Programs on text: what they print when that can be told, what they write or run besides.

import { type Arg, joinOrigins, literal, SECRET_NAME, type Stream } from '../../shell/values.ts';
import { plainTarget } from '../draft.ts';
import { markCopied } from './brought.ts';
import { byRule, type Call, emit, emitOptionFiles, has, outOf, SILENT, type Special, target } from './call.ts';
import { joinShown, plantEdits, plantStrings, strings, substituted } from './edits.ts';

const echo: Special = (call) => {
  const words = call.args;
  const secrets = words
    .flatMap((word) => (word.known ? [] : (word.text.match(/\$\w+/g) ?? [])))
    .filter((name) => SECRET_NAME.test(name));
  if (secrets.length > 0 || words.some((word) => word.origins.includes('stored')))
    emit(call, {
      effect: 'secret_fetch',
      operation: 'print',
      targets: secrets.map((name) => plainTarget(`variable:${name.slice(1)}`)),
      systems: ['environment'],
      scope: 'machine',
    });
  else emit(call, { effect: 'none', operation: 'print' });
  const known = words.every((word) => word.known && !word.glob);
  const origins = words.reduce<Stream['origins']>((all, word) => joinOrigins(all, word.origins), []);
  if (!known) return words.length === 1 && words[0]?.glob ? { origins, paths: [words[0]] } : { origins };
  if (call.tool === 'printf') return { text: formatted(words.map((word) => word.text)), origins };
  let at = 0;
  let escapes = false;
  let newline = true;
  while (at < words.length && /^-[neE]+$/.test((words[at] as Arg).text)) {
    const { text } = words[at] as Arg;
    if (text.includes('e')) escapes = true;
    if (text.includes('n')) newline = false;
    at += 1;
  }
  const text = words
    .slice(at)
    .map((word) => word.text)
    .join(' ');
  return { text: (escapes ? unescaped(text) : text) + (newline ? '\n' : ''), origins };
};

function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|u([0-9a-fA-F]{1,4})|([nrtabefv\\]))/g,
    (_all, hex, octal, unicode, plain) => {
      if (hex ?? unicode) return String.fromCharCode(Number.parseInt(hex ?? unicode, 16));
      if (octal) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
      return ({ n: '\n', r: '\r', t: '\t', '\\': '\\' } as { [key: string]: string })[plain] ?? '';
    },
  );
}

/** `printf FORMAT ARGS`, with `%s`, `%b` and `%d` filled in; the format is used again while arguments remain. */
function formatted(words: readonly string[]): string {
  const format = unescaped(words[0] === '--' ? (words[1] ?? '') : (words[0] ?? ''));
  const values = words.slice(words[0] === '--' ? 2 : 1);
  let used = 0;
  let out = '';
  do {
    out += format.replace(/%(?:-?\d*(?:\.\d+)?)([sbdqc%xoi])/g, (_all, kind: string) => {
      if (kind === '%') return '%';
      const value = values[used] ?? '';
      used += 1;
      return kind === 'b' ? unescaped(value) : value;
    });
  } while (used > 0 && used < values.length && out.length < 65_536);
  return out;
}

const sed: Special = (call) => {
  const scripted = has(call, '-e') || has(call, '-f');
  const { operands } = call.given;
  const script = [...(call.given.options.get('-e') ?? []), ...(scripted ? [] : operands.slice(0, 1))]
    .map((arg) => arg.text)
    .join('\n');
  const files = (scripted ? operands : operands.slice(1)).filter((word) => word.text !== '-');
  emitOptionFiles(call);
  if (/(?:^|[;}/0-9$])\s*e(?:\s+\S|$)/m.test(folded(script)) || substitutionRuns(script))
    call.walk.judge.opaque('sed e', script, [], call.invocation.frame);
  const writes = /(?:^|[;}/0-9$gpI])\s*w\s+([^\s;}]+)/m.exec(folded(script));
  if (writes)
    emit(call, {
      effect: 'overwrite',
      operation: 'write',
      targets: [target(call, literal(writes[1] as string))],
      flags: ['truncate'],
    });
  const targets = files.map((word) => target(call, word));
  const inPlace =
    call.given.options.has('-i') ||
    call.args.some((arg) => /^-[nErsz]*i/.test(arg.text) || arg.text.startsWith('--in-place'));
  if (inPlace && targets.length > 0) {
    emit(call, { effect: 'write', operation: 'edit', targets, residue: [script] });
    plantEdits(call.meaning, targets, script, call);
    // `sed -i.bak` lays what was there beside it.
    const suffix = call.args.map((arg) => /^-i(\.\w{1,20})$/.exec(arg.text)?.[1]).find((name) => name !== undefined);
    if (suffix !== undefined)
      for (const { id, glob } of targets) if (!glob) markCopied(call.invocation.state, id + suffix);
    return SILENT;
  }
  emit(call, { effect: targets.length > 0 ? 'read' : 'none', targets });
  const { stdin } = call.invocation.frame;
  const out = targets.length > 0 ? outOf({ ...call, effect: 'read' }, targets) : { origins: stdin.origins };
  return { ...out, shown: joinShown(stdin, substituted(script).text) };
};

/** Blanks before lines and at their ends say nothing, and cost a look back from each of them. */
function folded(script: string): string {
  return script.replace(/\s{2,}/g, (blanks) => (blanks.includes('\n') ? '\n' : ' '));
}

const SED_FLAG = /^[gpiI0-9]$/;

/** Whether a line holds an `s` whose delimiter comes twice again, and then flags with an `e`. In one pass: whoever looks
 * for both ends of each `s` looks at a long script for hours. */
function substitutionRuns(script: string): boolean {
  return script.split('\n').some((line) => {
    const seen = new Map<string, number>();
    let flagsEnd = 0;
    for (let at = 1; at < line.length; at += 1) {
      const sign = line[at] as string;
      const times = seen.get(sign);
      if (times === undefined) {
        if (line[at - 1] === 's') seen.set(sign, 1);
        continue;
      }
      seen.set(sign, times + 1);
      if (times < 2) continue;
      for (flagsEnd = Math.max(flagsEnd, at + 1); SED_FLAG.test(line[flagsEnd] ?? ''); ) flagsEnd += 1;
      if (line[flagsEnd] === 'e') return true;
    }
    return false;
  });
}

const awk: Special = (call) => {
  const { operands } = call.given;
  const program = has(call, '-f') ? '' : (operands[0]?.text ?? '');
  emitOptionFiles(call);
  for (const match of program.matchAll(
    /\bsystem\s*\(\s*"((?:[^"\\]|\\.){1,2000})"(\s*\))?|"((?:[^"\\]|\\.){1,2000})"\s*\|\s*getline|\|\s*"((?:[^"\\]|\\.){1,2000})"/g,
  )) {
    // What it reads becomes part of the command.
    const open = match[1] !== undefined && match[2] === undefined;
    if (open) {
      call.walk.text(`${match[1]}$FIELD`, call.invocation.state, call.invocation.frame);
      call.walk.judge.opaque('awk', program, call.invocation.frame.stdin.origins, call.invocation.frame);
      continue;
    }
    call.walk.text((match[1] ?? match[3] ?? match[4]) as string, call.invocation.state, call.invocation.frame);
  }
  if (
    /\bsystem\s*\(\s*[^"\s]/.test(program) ||
    /\|\s*(?:getline|&)?\s*[a-z$(]/i.test(withoutPatterns(program).replace(/\|\|/g, ''))
  ) {
    call.walk.judge.opaque('awk', program, call.invocation.frame.stdin.origins, call.invocation.frame);
  }
  for (const match of program.matchAll(/>\s*"([^"\n]{1,300})"/g)) {
    emit(call, {
      effect: 'overwrite',
      operation: 'write',
      targets: [target(call, literal(match[1] as string))],
      flags: ['truncate'],
    });
  }
  // A name it puts together is nobody's to know.
  if (/\bprintf?\b[^;}\n()]{0,200}>{1,2}\s*(?:\$\w|\(|[A-Za-z_]\w*\s*(?:[;}\n"]|$))/.test(program))
    emit(call, { effect: 'write', operation: 'write', targets: [], flags: ['unresolved_target'], residue: [program] });
  const targets = (has(call, '-f') ? operands : operands.slice(1))
    .filter((word) => word.text !== '-' && !/^\w+=/.test(word.text))
    .map((word) => target(call, word));
  if (targets.length > 0 && (call.given.options.get('-i') ?? []).some(({ text }) => /^inplace/.test(text))) {
    emit(call, { effect: 'write', operation: 'edit', targets, residue: [program] });
    plantStrings(call, targets, program);
    return SILENT;
  }
  emit(call, { effect: targets.length > 0 ? 'read' : 'none', targets });
  const { stdin } = call.invocation.frame;
  const out = targets.length > 0 ? outOf({ ...call, effect: 'read' }, targets) : { origins: stdin.origins };
  return { ...out, shown: joinShown(stdin, strings(program)) };
};

/** Without strings and regular expressions, in which a bar is no pipe. */
function withoutPatterns(program: string): string {
  let out = '';
  for (let at = 0; at < program.length; at += 1) {
    const character = program[at] as string;
    const pattern = character === '/' && /(?:^|[(,!~{};&|\n])\s*$/.test(out.slice(-20));
    if (character !== '"' && !pattern) {
      out += character;
      continue;
    }
    let end = at + 1;
    while (end < program.length && program[end] !== character) end += program[end] === '\\' ? 2 : 1;
    // What does not end is no pattern.
    if (end >= program.length) return out + program.slice(at);
    at = end;
  }
  return out;
}

const filter: Special = (call) => {
  const out = byRule(call);
  const { stdin } = call.invocation.frame;
  const plain = call.given.operands.filter((word) => word.text !== '-').length === 0;
  // What this line wrote there is still known.
  const [only, more] = call.given.operands;
  const written =
    call.tool === 'cat' && only && !more ? call.invocation.state.files.get(target(call, only).id) : undefined;
  if (written && (written.text ?? written.shown) !== undefined)
    return { ...written, origins: joinOrigins(out.origins, written.origins) };
  if (plain && stdin.text !== undefined) return transformed(call, stdin);
  if (plain && stdin.paths) return { ...out, paths: stdin.paths };
  if (plain && stdin.shown !== undefined) return { ...out, shown: stdin.shown };
  if (call.flags.includes('decode')) return { origins: joinOrigins(out.origins, ['decoded']) };
  return out;
};

/** Text through the few filters that disguises are made of. */
function transformed(call: Call, stdin: Stream): Stream {
  const text = stdin.text as string;
  const { tool } = call;
  if (tool === 'cat' || tool === 'tee' || tool === 'head' || tool === 'tail' || tool === 'sort')
    return { text, origins: stdin.origins };
  if (tool === 'base64' && call.flags.includes('decode'))
    return { text: Buffer.from(text, 'base64').toString('utf8'), origins: stdin.origins };
  if (tool === 'xxd' && call.args.some((arg) => /^-.*r/.test(arg.text)))
    return { text: Buffer.from(text.replace(/[^0-9a-fA-F]/g, ''), 'hex').toString('utf8'), origins: stdin.origins };
  if (tool === 'rev')
    return {
      text: text
        .split('\n')
        .map((line) => [...line].reverse().join(''))
        .join('\n'),
      origins: stdin.origins,
    };
  return { origins: joinOrigins(stdin.origins, ['decoded']) };
}

const tr: Special = (call) => {
  emit(call, { effect: 'none' });
  const { stdin } = call.invocation.frame;
  const [from, to] = call.given.operands;
  if (stdin.text === undefined || !from || call.given.others.length > 1) return { origins: stdin.origins };
  const left = ranges(from.text);
  if (call.args.some((arg) => arg.text === '-d'))
    return { text: [...stdin.text].filter((char) => !left.includes(char)).join(''), origins: stdin.origins };
  const right = ranges(to?.text ?? '');
  if (right.length === 0) return { origins: joinOrigins(stdin.origins, ['decoded']) };
  const text = [...stdin.text]
    .map((char) => (left.includes(char) ? (right[Math.min(left.indexOf(char), right.length - 1)] as string) : char))
    .join('');
  return { text, origins: stdin.origins };
};

function ranges(set: string): string[] {
  const text = unescaped(set);
  const out: string[] = [];
  for (let at = 0; at < text.length && out.length < 512; at += 1) {
    if (text[at + 1] === '-' && at + 2 < text.length) {
      for (let code = text.charCodeAt(at); code <= text.charCodeAt(at + 2) && out.length < 512; code += 1)
        out.push(String.fromCharCode(code));
      at += 2;
    } else out.push(text[at] as string);
  }
  return out;
}

/** Prints a word without a slash: whatever it is, it does not lead to another folder. */
const shortValue: Special = (call) => {
  if (call.effect !== 'none') return byRule(call);
  // `date -f FILE` prints what it cannot read as a date; with BSD it is a format.
  const file = call.given.options.get('-f')?.find(({ text }) => !text.startsWith('%'));
  if (call.tool === 'date' && file) {
    const targets = [target(call, file)];
    emit(call, { effect: 'read', operation: 'read', targets });
    return outOf({ ...call, effect: 'read' }, targets);
  }
  emit(call, { effect: 'none' });
  return call.args.every((arg) => arg.known && !/\/|%[Dxhc]/.test(arg.text))
    ? { text: '0\n', origins: [] }
    : { origins: [] };
};

export const TEXT_SPECIALS: { readonly [name: string]: Special } = {
  echo,
  sed,
  awk,
  filter,
  tr,
  'short-value': shortValue,
};
