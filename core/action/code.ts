// Program text in languages other than shell, scanned conservatively: shell calls inside are walked, known effects named,
// text that only computes and prints is harmless, and everything else is opaque.

import type { Invocation, Walk } from '../shell/frame.ts';
import { literal, type Stream } from '../shell/values.ts';
import { type Rest, withoutSeenCalls } from './code-calls.ts';
import { marked, sendsAll } from './code-markers.ts';
import { folded } from './code-paths.ts';
import { homeKeys } from './code-places.ts';
import { bareText, LEXED, withoutSpeech, withoutStrings } from './code-strings.ts';
import { substitutesOnly, taskOf } from './code-tasks.ts';
import { plainlyUnknown } from './code-unknown.ts';
import {
  BUILT_PATH,
  COMPUTED_REMOVAL,
  DELETING_CALLS,
  DYNAMIC,
  ENVIRONMENT,
  FILE_MODULES,
  HARMLESS_CALLS,
  HARMLESS_IMPORTS,
  HOME_REMOVAL,
  LOOKING,
  ownCollections,
  PAGE_CALLS,
  PAREN_LESS,
  READING_CALLS,
  REMOVAL,
  RENAMED,
  SCANNED,
  tamed,
  WRITING_CALLS,
} from './code-words.ts';
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
const READS =
  /\bopen\s*\(|\bread(?:_text|_bytes|FileSync|File|lines)?\s*\(|\bos\.(?:listdir|walk|environ|getenv|getcwd|stat|path)\b|\bprocess\.(?:env|cwd|argv)\b|\bPath\b|\bglob\b|\bENV\b|\breaddirSync\b|\b(?:file_get_contents|parse_ini_file|scandir|load_file|safe_load_file|parse|getsize|getmtime)\s*\(|\bread_(?:csv|json|excel|parquet|table|fwf|feather)\s*\(|\bexistsSync\b|\brequire\s*\(\s*['"]\.|\bimport\s*\(/;

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
  const calls = task === undefined && shellCalls(language).test(rest.text);
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
  const writes = WRITES.test(rest.text);
  if (writes) {
    const unresolved = targets.length === 0 ? ['unresolved_target'] : [];
    const anew = ANEW.test(rest.text) ? ['truncate'] : [];
    meaning.add({
      ...base,
      operation: 'write',
      effect: 'write',
      targets,
      flags: [...base.flags, ...unresolved, ...anew],
    });
  }
  const left = remainder(language, rest, effect, calls, writes, targets.length > 0);
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
): { readonly operation: string; readonly effect: Effect; readonly residue?: readonly string[] } | undefined {
  const opaque = { operation: 'run', effect: 'run_opaque' as const };
  const removes = effect === 'delete' || effect === 'delete_many';
  if (removes && !writes && named && SCANNED.has(language) && removesOnly(language, text)) return undefined;
  if (effect !== undefined || calls || !SCANNED.has(language)) return opaque;
  if (writes && named && writesOnly(language, text)) return undefined;
  if (trivial(language, text)) return { operation: 'print', effect: 'none', residue: [] };
  if (!writes && readsOnly(language, text)) return { operation: 'read', effect: 'read' };
  if (found > 0 && !writes && onlyCalls(language, text, READING_CALLS)) return undefined;
  return !writes && plainlyUnknown(language, text) ? { operation: 'run', effect: 'run_unknown' } : opaque;
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

/** Whatever its strings say: nothing in the code around them could run, read or send them. */
function inert(language: string, text: string): boolean {
  const bare = bareText(language, text);
  return (
    bare !== undefined &&
    !ENVIRONMENT.test(text) &&
    !/\bimport\s*["(]/.test(bare) &&
    computesOnly(language, tamed(bare), bare)
  );
}

/** Script in a page that only looks: no call, no assignment, no loading by which it could act. */
export function computesOnPage(text: string): boolean {
  const bare = bareText('node', text);
  if (bare === undefined || DYNAMIC.test(bare)) return false;
  if (
    /[\w$\])]\s{0,8}(?:[-+*/%&|^]|\*\*|<<|>>>?|\|\||&&|\?\?)?=(?![=>])/.test(
      bare.replace(/\b(?:const|let|var)\s+\w+\s{0,8}=/g, ''),
    )
  )
    return false;
  return !/\+\+|--|\bdelete\b/.test(bare) && callsHarmless(bare, PAGE_CALLS, false);
}

/** Only literals, arithmetic and calls that compute or print. */
function trivial(language: string, text: string): boolean {
  const bare = seen(language, text);
  return bare !== undefined && computesOnly(language, tamed(bare), text);
}

/** Without strings, by a lexer of the language where there is one; else by quotes, and then no word of the text may be one that reaches further. */
function seen(language: string, text: string): string | undefined {
  if (LEXED.test(language)) return bareText(language, text);
  return DYNAMIC.test(text.replace(/__(?:FILE|LINE)__/g, '')) ? undefined : withoutStrings(text);
}

function computesOnly(language: string, bare: string, text: string): boolean {
  if (!SCANNED.has(language) || DYNAMIC.test(bare) || /\bopen\b/.test(bare)) return false;
  if (/^(?:perl|ruby|php)$/.test(language) && PAREN_LESS.test(bare)) return false;
  return importsHarmless(bare, text) && callsHarmless(ownCollections(bare), HARMLESS_CALLS, true);
}

/** Removes files whose names it shows, and nothing else. */
function removesOnly(language: string, text: string): boolean {
  if (/^(?:perl|ruby|php)$/.test(language)) return PLAIN_UNLINK.test(text);
  if (COMPUTED_REMOVAL.test(text) || BUILT_PATH.test(text)) return false;
  return onlyCalls(language, text, DELETING_CALLS, (bare) =>
    bare.replace(REMOVAL, 'print').replace(/\bimport shutil\b/g, ''),
  );
}

const PLAIN_UNLINK =
  /^\s*(?:unlink|File\.delete|File\.unlink)\s*\(?\s*(?:'[^'$@\\\n]{1,300}'|"[^"$@\\\n#]{1,300}")(?:\s*,\s*(?:'[^'$@\\\n]{1,300}'|"[^"$@\\\n#]{1,300}")){0,16}\s*\)?\s*;?\s*$/;

function onlyCalls(
  language: string,
  text: string,
  allowed: ReadonlySet<string>,
  without = (bare: string) => bare,
): boolean {
  const read = seen(language, text);
  if (read === undefined) return false;
  const bare = without(tamed(read));
  if (/^(?:perl|ruby|php)$/.test(language) && ACTS.test(bare)) return false;
  if (DYNAMIC.test(bare) || LOOKING.test(bare) || RENAMED.test(text)) return false;
  // With one argument it is no text that is replaced, but a file.
  if (/\bPath\b/.test(bare) && /\.replace\s{0,4}\(\s{0,8}[^,()]{0,300}\)/.test(bare)) return false;
  return callsHarmless(bare, allowed, false) && importsHarmless(bare, text, FILE_MODULES);
}

/** Without brackets it would be no call to be looked up. */
const ACTS =
  /\b(?:load|require_relative|instance_exec|class_eval|module_eval|send|kill|fork|truncate|symlink|chmod|chown|rename|unlink|rmdir|include|include_once|require_once)\b/;

function readsOnly(language: string, text: string): boolean {
  // Some of them read over the network, too.
  return !/["'](?:https?|ftp|s3|gs):/i.test(text) && READS.test(text) && onlyCalls(language, text, READING_CALLS);
}

/** Reads and writes files whose names it shows, and nothing else. */
function writesOnly(language: string, text: string): boolean {
  return onlyCalls(language, text, WRITING_CALLS) && !BUILT_PATH.test(withoutSpeech(text));
}

/** What the text defines itself is scanned with it. */
const DEFINED =
  /\b(?:def|class|function)\s+([A-Za-z_$][\w$]*)|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s{0,4}=\s{0,4}(?:\([^()]{0,200}\)|[A-Za-z_$][\w$]*)\s{0,4}=>/g;
/** A decorator is a call without brackets. */
const DECORATED =
  /^[^\S\n]*@(?!(?:staticmethod|classmethod|property|dataclass|dataclasses\.dataclass|cache|lru_cache|functools\.\w+|abstractmethod)\b)/m;

/** `members`: a member of the name of an own function is that, too; not where modules with members of any name are at hand. */
function callsHarmless(bare: string, allowed: ReadonlySet<string>, members: boolean): boolean {
  if (DECORATED.test(bare)) return false;
  const own = new Set([...bare.matchAll(DEFINED)].map((match) => (match[1] ?? match[2]) as string));
  const plain = new Set<string>();
  for (const match of bare.matchAll(/(\.?)(?<![\w$])([A-Za-z_$][\w$]*)\s{0,8}\(/g)) {
    const name = match[2] as string;
    if (!allowed.has(name) && !(own.has(name) && (members || match[1] === ''))) return false;
    if (match[1] === '') plain.add(name);
  }
  // A harmless name given to something else is no longer harmless.
  for (const match of bare.matchAll(/(?<![\w$.])([A-Za-z_$][\w$]*)\s{0,4}=(?![=>])/g)) {
    if (plain.has(match[1] as string) && !own.has(match[1] as string)) return false;
  }
  return true;
}

function importsHarmless(bare: string, text: string, more = ''): boolean {
  const extra = new Set(more.split(' '));
  const fine = (name: string) => {
    const root = (name.replace(/^node:/, '').split(/[./]/)[0] as string).trim();
    return root === '' || HARMLESS_IMPORTS.has(root) || extra.has(root);
  };
  const imports =
    /\bfrom\s+([A-Za-z_.][\w.]*)\s+import\b|\bimport\s+([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*){0,32})/g;
  for (const match of bare.matchAll(imports)) {
    if (!((match[1] ?? match[2]) as string).split(',').every(fine)) return false;
  }
  for (const match of text.matchAll(/\bfrom\s+(?:['"]([^'"]*)['"]|(\.))/g))
    if (match[2] !== undefined || !fine(match[1] as string)) return false;
  if (/\bimport\s*\{[^}]{0,200}\bas\b/.test(bare)) return false;
  for (const match of text.matchAll(/\b(?:require|import)\s*\(\s*['"]([^'"]*)['"]/g)) {
    // A module of the project runs when it is loaded; data does not.
    const own = /^\.{0,2}\//.test(match[1] as string);
    if (own ? !/\.json$/.test(match[1] as string) : !fine(match[1] as string)) return false;
  }
  return true;
}
