// What program text calls and imports, as far as it can be read: whether it only computes, only reads, only removes or only writes
// what it names.

import { bareText, LEXED, withoutSpeech, withoutStrings } from './code-strings.ts';
import {
  BUILT_PATH,
  COMPUTED_REMOVAL,
  DELETING_CALLS,
  DYNAMIC,
  ENVIRONMENT,
  FILE_MODULES,
  HARMLESS_CALLS,
  HARMLESS_IMPORTS,
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

const READS =
  /\bopen\s*\(|\bread(?:_text|_bytes|FileSync|File|lines)?\s*\(|\bos\.(?:listdir|walk|environ|getenv|getcwd|stat|path)\b|\bprocess\.(?:env|cwd|argv)\b|\bPath\b|\bglob\b|\bENV\b|\breaddirSync\b|\b(?:file_get_contents|parse_ini_file|scandir|load_file|safe_load_file|parse|getsize|getmtime)\s*\(|\bread_(?:csv|json|excel|parquet|table|fwf|feather)\s*\(|\bexistsSync\b|\brequire\s*\(\s*['"]\.|\bimport\s*\(/;

/** A word in a string calls nothing, unless something may take strings for code. */
export function acting(language: string, text: string): string {
  const bare = bareText(language, text);
  if (bare === undefined) return text;
  const plain = tamed(bare);
  return !DYNAMIC.test(plain) && callsHarmless(plain, WRITING_CALLS, true) ? plain : text;
}

/** Whatever its strings say: nothing in the code around them could run, read or send them. */
export function inert(language: string, text: string): boolean {
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
export function trivial(language: string, text: string): boolean {
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
  return importsHarmless(bare, text) && callsHarmless(ownCollections(required(bare, text)), HARMLESS_CALLS, true);
}

/** Modules by a name that is shown are looked at where imports are. */
function required(bare: string, text: string): string {
  const shown = [...text.matchAll(/\brequire\(\s{0,4}["'][^"'\n]{1,200}["']\s{0,4}\)/g)].length;
  const whole = /\brequire\(\s{0,4}""\s{0,4}\)/g;
  return shown > 0 && shown === [...bare.matchAll(/\brequire\b/g)].length ? bare.replace(whole, 'print("")') : bare;
}

/** Removes files whose names it shows, and nothing else. */
export function removesOnly(language: string, text: string): boolean {
  if (/^(?:perl|ruby|php)$/.test(language)) return PLAIN_UNLINK.test(text);
  if (COMPUTED_REMOVAL.test(text) || BUILT_PATH.test(text)) return false;
  return onlyCalls(language, text, DELETING_CALLS, (bare) =>
    bare.replace(REMOVAL, 'print').replace(/\bimport shutil\b/g, ''),
  );
}

const PLAIN_UNLINK =
  /^\s*(?:unlink|File\.delete|File\.unlink)\s*\(?\s*(?:'[^'$@\\\n]{1,300}'|"[^"$@\\\n#]{1,300}")(?:\s*,\s*(?:'[^'$@\\\n]{1,300}'|"[^"$@\\\n#]{1,300}")){0,16}\s*\)?\s*;?\s*$/;

export function onlyCalls(
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

export function readsOnly(language: string, text: string): boolean {
  // Some of them read over the network, too.
  return !/["'](?:https?|ftp|s3|gs):/i.test(text) && READS.test(text) && onlyCalls(language, text, READING_CALLS);
}

/** Reads and writes files whose names it shows, and nothing else. */
export function writesOnly(language: string, text: string): boolean {
  return onlyCalls(language, text, WRITING_CALLS) && !BUILT_PATH.test(withoutSpeech(text));
}

/** What the text defines itself is scanned with it. */
const DEFINED =
  /\b(?:def|class|function)\s+([A-Za-z_$][\w$]*)|\b(?:const|let|var)\s+([A-Za-z_$][\w$]*)\s{0,4}=\s{0,4}(?:\([^()]{0,200}\)|[A-Za-z_$][\w$]*)\s{0,4}=>/g;
/** A decorator is a call without brackets. */
export const DECORATED =
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
