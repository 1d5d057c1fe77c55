// Program text in languages other than shell, scanned conservatively: shell calls inside are walked, known effects named,
// text that only computes and prints is harmless, and everything else is opaque.

import type { Invocation, Walk } from '../shell/frame.ts';
import { literal, type Stream } from '../shell/values.ts';
import { type Rest, withoutSeenCalls } from './code-calls.ts';
import { marked, sendsAll } from './code-markers.ts';
import { folded } from './code-paths.ts';
import { homeKeys } from './code-places.ts';
import { acting, inert, onlyCalls, readsOnly, removesOnly, trivial, writesOnly } from './code-reach.ts';
import { LEXED } from './code-strings.ts';
import { substitutesOnly, taskOf } from './code-tasks.ts';
import { plainlyUnknown } from './code-unknown.ts';
import { ENVIRONMENT, HOME_REMOVAL, READING_CALLS, SCANNED, tamed, WRITING_CALLS } from './code-words.ts';
import { type Written, writtenPlaces } from './code-written.ts';
import { type DraftTarget, fileTarget } from './draft.ts';
import { gravity } from './effects.ts';
import { notebookLines } from './notebook-lines.ts';
import type { Meaning } from './programs/call.ts';
import type { Effect } from './types.ts';

const MAX_LITERALS = 64;
const SHELL_CALLS =
  /\b(?:do shell script|system|popen|execSync|exec|spawnSync|spawn|execFile|execFileSync|check_output|check_call|call|run|shell_exec|passthru|getoutput|execl|execv|execvp|execlp|Popen|proc_open|qx)\b|`/;
const WRITES =
  /\bopen\b\s{0,4}\(?[^;\n]{0,80},\s{0,4}['"]\s{0,4}(?:>>?|\+[<>]|\|)|\bopen\s*\([^)]{0,300},\s*['"][rb]?[wax+]|\bwrite(?:_text|_bytes|FileSync|File)?\s*\(|\bappendFile|\bfile_put_contents\b|\bFile\.(?:write|open)\b|\b(?:copyfile|copy2|copytree|shutil\.move|os\.rename|renameSync|os\.replace|chmod|chown|mkdir|makedirs|mkdirSync)\b|\bto_(?:csv|json|excel|parquet)\b/;
/** Begins the file anew rather than adding to it. */
const ANEW =
  /\bopen\s*\([^)]{0,300},\s*(?:mode\s*=\s*)?['"][rb]?w|\bwrite_(?:text|bytes)\s*\(|\bwriteFile(?:Sync)?\s*\(|\bfile_put_contents\b(?!.{0,300}FILE_APPEND)|\bFile\.write\b|\bcopyfile\b|\bcopy2\b/;

/** Walks what can be seen and adds one part for the rest. */
export function readCode(language: string, text: string, invocation: Invocation, walk: Walk, meaning: Meaning): Stream {
  const { frame } = invocation;
  const lines = language === 'python' ? notebookLines(text) : '';
  if (lines !== '') walk.text(lines, invocation.state, frame);
  const base = {
    tool: language,
    flags: [...frame.flags.filter((flag) => flag !== 'piped'), 'inline_code'],
    residue: [text],
    range: frame.range,
  };
  if (ENVIRONMENT.test(text))
    meaning.add({
      ...base,
      operation: 'environment',
      effect: 'read',
      targets: [],
      flags: [...base.flags, 'environment_dump'],
      scope: 'machine',
    });
  if (sendsAll(text))
    meaning.add({
      ...base,
      operation: 'send',
      effect: 'send',
      targets: [],
      externality: { external_write: true, sensitive_payload: 'secret' },
    });
  if (inert(language, text) || (language === 'perl' && substitutesOnly(text))) {
    meaning.add({ ...base, operation: 'print', effect: 'none', targets: [], residue: [] });
    return { origins: ['file'] };
  }
  const task = taskOf(language, text);
  const rest = task === undefined ? withoutSeenCalls(language, text, invocation, walk) : { text, found: 0 };
  const calls = task === undefined && shellCalls(language).test(acting(language, rest.text));
  const literals = stringLiterals(rest.text);
  if (calls) {
    const joined = argumentList(rest.text);
    if (joined) walk.words(joined.map(literal), invocation.state, frame);
    for (const item of literals) if (looksLikeCommand(item)) walk.text(item, invocation.state, frame);
  }
  const whole = marked(text);
  const grave = whole.effect !== undefined && gravity(whole.effect) >= gravity('download_execute');
  const { effect, operation } = grave ? whole : marked(rest.text);
  const targets = targetsOf([...literals, ...builtPaths(rest.text, literals)], invocation, meaning);
  targets.push(...homeKeys(text, literals, invocation, meaning));
  if (effect === 'delete_many' && HOME_REMOVAL.test(`${text}\n`))
    targets.unshift(fileTarget(literal('~'), invocation.state.cwd, meaning.where, frame.remote));
  if (targets.length > 0 && effect !== 'delete_many')
    meaning.add({ ...base, operation: 'read', effect: 'read', targets, residue: [] });
  if (task !== undefined) {
    meaning.add({ ...base, operation: 'task', effect: task, targets: [] });
    return { origins: ['file'] };
  }
  if (effect !== undefined && effect !== 'fetch') {
    const recursive = effect === 'delete_many' ? ['recursive'] : [];
    const dynamic = effect.startsWith('delete') && targets.length === 0 ? ['unresolved_target'] : [];
    meaning.add({
      ...base,
      operation,
      effect,
      targets: effect.startsWith('delete') ? targets : [],
      flags: [...base.flags, ...recursive, ...dynamic],
    });
  }
  const told = writtenPlaces(language, rest.text);
  // Known only where nothing else writes.
  const written = told && !WRITES.test(tamed(told.rest)) ? told : undefined;
  const writes = written !== undefined || WRITES.test(tamed(rest.text));
  if (writes) {
    const places = written?.places.map(({ path, glob }) =>
      fileTarget({ text: path, known: true, glob }, invocation.state.cwd, meaning.where, frame.remote),
    );
    const unresolved = (places ?? targets).length === 0 ? ['unresolved_target'] : [];
    const anew = written ? written.anew : ANEW.test(rest.text);
    meaning.add({
      ...base,
      operation: 'write',
      effect: 'write',
      targets: places ?? targets,
      flags: [...base.flags, ...unresolved, ...(anew ? ['truncate'] : [])],
    });
  }
  const left = remainder(language, rest, effect, calls, writes, targets.length > 0, written);
  if (left === undefined) return { origins: ['file'] };
  // What was taken out of it has been judged; the rest may be nothing by itself.
  meaning.add({ ...base, ...left, targets: left.effect === 'read' ? targets : [] });
  return { origins: left.effect === 'none' || left.effect === 'read' ? ['file'] : ['generated'] };
}

/** Backquotes run commands in some languages, and are strings in those with a lexer. */
function shellCalls(language: string): RegExp {
  return LEXED.test(language) ? CALLS_ONLY : SHELL_CALLS;
}
const CALLS_ONLY = new RegExp(SHELL_CALLS.source.replace(/\|`$/, ''));

/** Paths that the text puts together of strings it shows, and of the home folder. */
function builtPaths(text: string, literals: readonly string[]): string[] {
  const whole = folded(text);
  if (whole === text) return [];
  const shown = new Set(literals);
  return stringLiterals(whole).filter((item) => /^[~/]/.test(item) && !shown.has(item));
}

function targetsOf(literals: readonly string[], { state, frame }: Invocation, meaning: Meaning): DraftTarget[] {
  return literals
    .filter(
      (item) =>
        /^(?:\/|~\/?|\.{1,2}\/)[^\n]*$|^\.[A-Za-z][\w.-]*$/.test(item) ||
        /^[\w.-]+\.\w{1,8}$|^[\w.-]+(?:\/[\w.-]+){1,16}$/.test(item),
    )
    .slice(0, 16)
    .map((path) =>
      fileTarget({ text: path, known: true, glob: /[*?]/.test(path) }, state.cwd, meaning.where, frame.remote),
    );
}

/** What is still to be said once reading, writing and removing are: undefined when nothing is. */
function remainder(
  language: string,
  { text, found }: Rest,
  effect: Effect | undefined,
  calls: boolean,
  writes: boolean,
  named: boolean,
  written: Written | undefined,
): { readonly operation: string; readonly effect: Effect; readonly residue?: readonly string[] } | undefined {
  const opaque = { operation: 'run', effect: 'run_opaque' as const };
  const removes = effect === 'delete' || effect === 'delete_many';
  if (removes && !writes && named && SCANNED.has(language) && removesOnly(language, text)) return undefined;
  if (effect !== undefined || calls || !SCANNED.has(language)) return opaque;
  if (written && onlyCalls(language, written.rest, WRITING_CALLS)) return undefined;
  if (writes && !written && named && writesOnly(language, text)) return undefined;
  if (trivial(language, text)) return { operation: 'print', effect: 'none', residue: [] };
  if (!writes && readsOnly(language, text)) return { operation: 'read', effect: 'read' };
  if (found > 0 && !writes && onlyCalls(language, text, READING_CALLS)) return undefined;
  if (writes && !written) return opaque;
  return plainlyUnknown(language, written?.rest ?? text) ? { operation: 'run', effect: 'run_unknown' } : opaque;
}

/** Strings in quotes of any of the languages; escapes of the common kind are read. */
export function stringLiterals(text: string): string[] {
  const out: string[] = [];
  for (let at = 0; at < text.length && out.length < MAX_LITERALS; at += 1) {
    const quote = text[at];
    if (quote !== '"' && quote !== "'" && quote !== '`') continue;
    let value = '';
    let end = at + 1;
    for (; end < text.length && text[end] !== quote; end += 1) {
      if (text[end] !== '\\') {
        value += text[end];
        continue;
      }
      const hex = /^\\x([0-9a-fA-F]{2})|^\\u([0-9a-fA-F]{4})|^\\([0-7]{3})/.exec(text.slice(end, end + 6));
      if (hex) {
        value += String.fromCharCode(
          hex[3] ? Number.parseInt(hex[3], 8) : Number.parseInt((hex[1] ?? hex[2]) as string, 16),
        );
        end += hex[0].length - 1;
      } else {
        end += 1;
        const escaped = text[end] ?? '';
        value += escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped;
      }
    }
    if (value !== '') out.push(value);
    at = end;
  }
  return out;
}

/** `['rm', '-rf', '/']` */
function argumentList(text: string): string[] | undefined {
  const match = /\[\s*((?:'[^'\\\n]*'|"[^"\\\n]*")(?:\s*,\s*(?:'[^'\\\n]*'|"[^"\\\n]*")){0,32})\s*,?\s*\]/.exec(text);
  if (match) return stringLiterals(match[1] as string);
  const call = /\b(?:exec\w*|spawn\w*|system)\s*\(\s*((?:'[^'\\\n]*'|"[^"\\\n]*"))\s*,\s*\[([^\]\n]{0,2000})\]/.exec(
    text,
  );
  return call ? [...stringLiterals(call[1] as string), ...stringLiterals(call[2] as string)] : undefined;
}

function looksLikeCommand(text: string): boolean {
  return /^\s*[./~\w-][\w./-]*(?:\s|$|;|\|)/.test(text) && text.length <= 8_192;
}
