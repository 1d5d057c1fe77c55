// What stands among the arguments of a tool whatever it is called: a credential of this machine, an address that gives
// credentials away, a command in some nested field. A name that only reads is no evidence against them.

import { literal } from '../shell/values.ts';
import { type Draft, fileTarget } from './draft.ts';
import { gravity } from './effects.ts';
import { fileRequest, requestDraft } from './http.ts';
import type { Where } from './paths.ts';
import { placeOf } from './places.ts';
import type { ShellReading } from './shell-action.ts';
import { type Given, startsProgram } from './tool-arguments.ts';
import type { Effect } from './types.ts';

const MAX_VALUES = 256;
const MAX_DEPTH = 12;
const MAX_LINES = 16;
const MAX_JSON = 16 * 1024;

/** Names of fields whose text is a command; of those that hold one when the tool's name says nothing; of program text. */
const LINE = /^(?:command|cmd|shell|bash|sh|run|exec|execute|script|line|argv|args|entrypoint|chars|keys|program)$/i;
const LOOSE_LINE = /^(?:text|input|value|payload|q|data|body|task|action)$/i;
const CODE = /^(?:code|source|src|expression|expr|snippet|program_?text|cell|script)$/i;
const DESTINATION = /^(?:file|path|file_?path|filename|file_?name|dest\w*|target|to|output\w*)$/i;
const WRITES = /^(?:save|write|append|put|store|overwrite|update|edit|insert|dump|export|copy|move)(?:_|$)/;

/** Of these nobody knows what they come to. */
const UNTOLD: ReadonlySet<Effect> = new Set(['unknown', 'none', 'delegate', 'run_unknown', 'read']);

export type Readers = {
  readonly line: (text: string) => ShellReading;
  readonly words: (words: readonly ReturnType<typeof literal>[]) => ShellReading;
  readonly code: (language: string, text: string) => ShellReading;
};

/** Drafts besides those the call was read as; only what is grave, for a field may mean something else. */
export function hiddenIn(name: string, given: Given, where: Where, read: readonly Draft[], readers: Readers): Draft[] {
  const seen = new Set(read.flatMap((draft) => draft.targets.map((target) => target.id)));
  const untold = read.every(({ effect }) => UNTOLD.has(effect));
  const changes = !untold && read.some((draft) => gravity(draft.effect) > gravity('fetch'));
  const out: Draft[] = [];
  let values = 0;
  let lines = 0;
  const grave = (reading: ShellReading) => {
    lines += 1;
    out.push(...reading.drafts.filter((draft) => isGrave(draft, where)));
  };
  const visitText = (key: string, text: string, depth: number) => {
    const trimmed = text.trim();
    if (/^[[{]/.test(trimmed) && trimmed.length <= MAX_JSON) {
      const inner = parsed(trimmed);
      if (inner !== undefined) visit(key, inner, depth + 1);
    }
    const found = placed(trimmed, where, seen, DESTINATION.test(key) && WRITES.test(name));
    if (found) out.push(found);
    if (lines >= MAX_LINES) return;
    const line = LINE.test(key) || (untold && LOOSE_LINE.test(key));
    if (line && /\s/.test(trimmed) && (startsProgram(trimmed) || /\|\s*(?:ba|z)?sh\b/.test(trimmed)))
      grave(readers.line(trimmed));
    else if (!changes && CODE.test(key) && /[(`%!]/.test(trimmed)) grave(readers.code('python', trimmed));
  };
  const visit = (key: string, value: unknown, depth: number): void => {
    values += 1;
    if (values > MAX_VALUES || depth > MAX_DEPTH) return;
    if (typeof value === 'string') visitText(key, value, depth);
    else if (Array.isArray(value)) {
      const words = value.every((item) => typeof item === 'string') ? (value as string[]) : [];
      if (words.length > 1 && lines < MAX_LINES && startsProgram(words[0] as string))
        grave(readers.words(words.map(literal)));
      for (const item of value) visit(key, item, depth + 1);
    } else if (typeof value === 'object' && value !== null) {
      const one = value as Given;
      const program = ['program', 'command', 'cmd', 'file', 'executable', 'binary']
        .map((name) => one[name])
        .find((item) => typeof item === 'string') as string | undefined;
      const rest = [one.args, one.arguments, one.argv, one.params].find(Array.isArray) as unknown[] | undefined;
      if (program !== undefined && rest?.every((item) => typeof item === 'string') && startsProgram(program))
        grave(readers.words([program, ...(rest as string[])].map(literal)));
      for (const [name, item] of Object.entries(one)) visit(name, item, depth + 1);
    }
  };
  for (const [name, value] of Object.entries(given)) visit(name, value, 0);
  return out;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** A text that is a path or an address, and nothing else. */
function placed(text: string, where: Where, seen: ReadonlySet<string>, written: boolean): Draft | undefined {
  if (text.length > 1_024 || /[\n\r]/.test(text)) return undefined;
  if (/^(?:view-source:)?file:\/\//i.test(text))
    return fileRequest(text.replace(/^view-source:/i, ''), 'tool', where) ?? undefined;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    const draft = requestDraft({ method: 'GET', url: { text, known: true }, body: [] });
    return draft?.effect === 'read_credential' ? draft : undefined;
  }
  if (!/^(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])\S|^[\w.-]{1,64}$/.test(text)) return undefined;
  const target = fileTarget({ text, known: true, glob: /[*?]/.test(text) }, where.cwd ?? where.workspace, where);
  if (seen.has(target.id)) return undefined;
  const { tags } = placeOf(target.id.slice(5), target.glob, where);
  const whole = /[/\\]/.test(text);
  if (whole && (tags.includes('credential') || tags.includes('env_file')))
    return { tool: 'tool', operation: 'read', effect: 'read', targets: [target], flags: [] };
  if (written && tags.includes('governance'))
    return { tool: 'tool', operation: 'write', effect: 'write', targets: [target], flags: [] };
  return undefined;
}

function isGrave(draft: Draft, where: Where): boolean {
  if (gravity(draft.effect) > gravity('run_opaque')) return true;
  return draft.targets.some(({ id, glob }) => {
    const tags = id.startsWith('file:') ? placeOf(id.slice(5), glob, where).tags : [];
    if (draft.effect === 'read') return tags.includes('credential');
    return tags.some((tag) => tag === 'home' || tag === 'root' || tag === 'system_root' || tag === 'device');
  });
}
