// What a program that edits a file shows of what it will bring in: replacements of a script, strings of an expression or of
// program text. The whole file is not seen; what would be planted in it mostly is.

import type { Invocation, Walk } from '../../shell/frame.ts';
import type { Arg, Stream } from '../../shell/values.ts';
import { readCode } from '../code.ts';
import { type DraftTarget, fileTarget } from '../draft.ts';
import { byRule, type Call, type Meaning, type Special, target } from './call.ts';
import { plant } from './plant.ts';

const MAX_PROGRAM = 16 * 1024;
const MAX_STRINGS = 128;
/** A string, and the key that it is set under. */
const STRINGS =
  /(?:["']?([\w:-]{1,80})["']?\]?\s{0,8}(?:[|+]?=|:)\s{0,8})?(?:"((?:[^"\\]|\\[\s\S]){1,4000})"|'((?:[^'\\]|\\[\s\S]){1,4000})')/g;
const SUBSTITUTES =
  /(?:^|[\s;{}\d$%/,!'"])s([^\w\s\\])((?:\\[\s\S]|(?!\1)[\s\S]){0,2000})\1((?:\\[\s\S]|(?!\1)[\s\S]){0,2000})\1/g;
/** `s{a}{b}` of Perl. */
const BRACKETED =
  /\bs(?:\{((?:\\[\s\S]|[^{}\\]){0,2000})\}\s{0,8}\{((?:\\[\s\S]|[^{}\\]){0,2000})\}|\(((?:\\[\s\S]|[^()\\]){0,2000})\)\s{0,8}\(((?:\\[\s\S]|[^()\\]){0,2000})\)|\[((?:\\[\s\S]|[^[\]\\]){0,2000})\]\s{0,8}\[((?:\\[\s\S]|[^[\]\\]){0,2000})\])/g;
const PUTS = /(?:^|[\s;{}\d$/,!])[aic](?:\\\n?|[ \t])[ \t]{0,40}([^\n]{1,4000})/g;

type Edit = { readonly text: string; readonly before: string };

/** Of `sed`, Perl and the editors: what is put in, and what it replaces. */
export function substituted(script: string): Edit {
  const text = script.slice(0, MAX_PROGRAM);
  const pairs = [
    ...[...text.matchAll(SUBSTITUTES)].map((match) => [match[2], match[3]]),
    ...[...text.matchAll(BRACKETED)].map((match) => [
      match[1] ?? match[3] ?? match[5],
      match[2] ?? match[4] ?? match[6],
    ]),
  ];
  const put = [...text.matchAll(PUTS)].map((match) => match[1] as string);
  return {
    text: shown([...pairs.map((pair) => pair[1] as string), ...put].join('\n')),
    before: pairs.map((pair) => shown(pair[0] as string)).join('\n'),
  };
}

function shown(text: string): string {
  return text.replace(/\\([\s\S])/g, (_all, letter: string) =>
    letter === 't' ? '\t' : letter === 'n' ? '\n' : letter,
  );
}

/** Each string twice: as a line of its own, and under its key, since files of settings have both. */
export function strings(program: string): string {
  return [...program.slice(0, MAX_PROGRAM).matchAll(STRINGS)]
    .slice(0, MAX_STRINGS)
    .map(([, key, double, single]) => {
      const text = (double ?? (single as string)).replace(/\\(["'\\/])/g, '$1');
      const lines = text.replace(/\\n/g, '\n').replace(/\\t/g, '\t');
      return `${JSON.stringify(key ?? 'edited')}: ${JSON.stringify(text)}\n${lines}`;
    })
    .join('\n');
}

/** What the scripts of `sed -i`, `perl -i` and line editors bring into their files. */
export function plantEdits(meaning: Meaning, targets: readonly DraftTarget[], script: string, call: Call): void {
  const { text, before } = substituted(script);
  for (const item of targets) plant(meaning, item, text, call.invocation.frame, before);
}

/** Strings of a program that rewrites these files. */
export function plantStrings(call: Call, targets: readonly DraftTarget[], program: string): void {
  const text = strings(program);
  for (const item of targets) plant(call.meaning, item, text, call.invocation.frame, '');
}

/** The values of `--arg NAME VALUE` stand where they are used. */
function filled(words: readonly Arg[]): string {
  const values = new Map<string, string>();
  words.forEach(({ text }, at) => {
    const [name, value] = text === '--arg' ? [words[at + 1]?.text, words[at + 2]?.text] : [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  });
  return words
    .map(({ text }) => (/\s/.test(text) && !/["']/.test(text) ? JSON.stringify(text) : text))
    .join('\n')
    .replace(/\$([A-Za-z_]\w{0,63})/g, (all, name: string) => {
      const value = values.get(name);
      return value === undefined ? all : JSON.stringify(value);
    });
}

/** `jq`, `yq` and their like: what an expression sets is what the file will say, whether in place or through a stream. */
const expression: Special = (call) => {
  const out = byRule(call);
  const program = filled(call.args);
  if (call.effect === 'write') {
    const named = call.rule.options?.['-f|--file']?.value === 'target-file' ? call.given.options.get('-f') : undefined;
    const files = [...call.given.operands, ...(named ?? [])].map((word) => target(call, word));
    plantStrings(call, files, program);
  }
  return { ...out, shown: joinShown(call.invocation.frame.stdin, strings(program)) };
};

/** What comes from standard input goes into the file. */
const soaked: Special = (call) => {
  const { stdin } = call.invocation.frame;
  const out = byRule(call);
  for (const word of call.given.operands) {
    const place = target(call, word);
    call.invocation.state.files.set(
      place.id,
      stdin.origins.length > 0 || stdin.text !== undefined ? stdin : { origins: ['generated'] },
    );
    plantStream(call.meaning, place, stdin, call.invocation);
  }
  return out;
};

/** What a stream is known to hold, as far as it shows. */
export function plantStream(
  meaning: Meaning,
  place: DraftTarget,
  stream: Stream,
  { frame, state }: Pick<Invocation, 'frame' | 'state'>,
): void {
  // `< FILE` of what this line wrote.
  const read = stream.file && fileTarget(stream.file, state.cwd, meaning.where, frame.remote);
  const written = read && state.files.get(read.id);
  if (written) plantStream(meaning, place, { ...written, file: undefined }, { frame, state });
  else if (stream.text !== undefined) plant(meaning, place, stream.text, frame);
  else plant(meaning, place, stream.shown, frame, '');
}

export function joinShown(stream: Stream, text: string): string {
  return [stream.text ?? stream.shown ?? '', text].filter((part) => part !== '').join('\n');
}

/** Program text that writes files shows in its strings what it writes; what it prints may be written by others. */
export function readProgramText(
  tool: string,
  text: string,
  invocation: Invocation,
  walk: Walk,
  meaning: Meaning,
): Stream {
  const places: DraftTarget[] = [];
  const add: Meaning['add'] = (draft) => {
    if (draft.tool === tool && (draft.effect === 'write' || draft.effect === 'overwrite'))
      places.push(...draft.targets);
    meaning.add(draft);
  };
  const out = readCode(tool, text, invocation, walk, { ...meaning, add });
  const brought = [strings(text), substituted(text).text].filter((part) => part !== '').join('\n');
  for (const place of places) {
    plant(meaning, place, brought, invocation.frame, '');
    // Copied on in the same line, it is still what this text said.
    const written = invocation.state.files.get(place.id);
    if (written && written.text === undefined) invocation.state.files.set(place.id, { ...written, shown: brought });
  }
  return out.text === undefined && brought !== '' ? { ...out, shown: brought } : out;
}

export const EDIT_SPECIALS: { readonly [name: string]: Special } = { expression, soaked };
