// Calls in program text whose arguments it shows: commands it starts, addresses it asks, statements it gives a database.
// Each is judged as the command it amounts to and taken out, so that what is left can be read without it.

import type { Invocation, Walk } from '../shell/frame.ts';
import { literal } from '../shell/values.ts';
import { localRequests } from './code-local.ts';
import { bareText } from './code-strings.ts';

const MAX_CALLS = 32;
const PYTHON = /^(?:python|pypy)$/;
const SCRIPT = /^(?:node|nodejs|bun|deno)$/;

/** Ends behind the opening bracket. Each is linear. */
const PYTHON_COMMAND =
  /(?<![\w.])(?:subprocess|sp)\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)\s{0,4}\(\s{0,8}|(?<![\w.])os\.(?:system|popen)\s{0,4}\(\s{0,8}/g;
const PYTHON_NAMED = /(?<![\w.])(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)\s{0,4}\(\s{0,8}/g;
const NODE_COMMAND =
  /(?:(?<![\w.$])(?:child_process|cp|childProcess)\.|\brequire\(\s{0,4}(?:['"](?:node:)?child_process['"]|"")\s{0,4}\)\.|(?<![\w.$]))(?:execSync|execFileSync|spawnSync|execFile|spawn|exec)\s{0,4}\(\s{0,8}/g;
const PYTHON_REQUEST =
  /(?<![\w.])(?:requests|httpx)\.(get|head|post|put|patch|delete)\s{0,4}\(\s{0,8}|(?<![\w])(?:[\w.]{1,60}\.)?(urlopen)\s{0,4}\(\s{0,8}/g;
const NODE_REQUEST =
  /(?<![\w.$])(fetch)\s{0,4}\(\s{0,8}|(?<![\w.$])axios\.(get|head|post|put|patch|delete)\s{0,4}\(\s{0,8}|(?<![\w.$])https?\.(get)\s{0,4}\(\s{0,8}/g;
const REQUEST = /\b(?:fetch|axios|request|got|undici|http|https)\b\s{0,4}[.(]/g;
const METHOD = /\bmethod\s{0,4}:\s{0,4}(?:"[A-Za-z]{1,10}"|'[A-Za-z]{1,10}')/g;
const STATEMENT = /\.(?:execute|executescript|read_sql|read_sql_query)\s{0,4}\(\s{0,8}/g;
/** Somewhere else, or with something else, than the text shows. */
const ELSEWHERE = /\b(?:cwd|env|executable|preexec_fn|stdin|input)\s{0,4}[=:]/;
const CARRIES = /\b(?:data|json|params|auth|cookies|files|headers|method|body)\s{0,4}[=:](?!=)/;
const STRING = /^(?:r|b|br|rb)?('(?:[^'\\\n]|\\.){0,4000}'|"(?:[^"\\\n]|\\.){0,4000}")\s{0,8}(?=[,)])/;
const LONG_STRING = /^r?(?:"""([^"\\]{0,8000})"""|'''([^'\\]{0,8000})''')\s{0,8}(?=[,)])/;
const LIST =
  /^\[\s{0,40}((?:sys\.executable|'[^'\\\n]{0,400}'|"[^"\\\n]{0,400}")(?:\s{0,40},\s{0,40}(?:'[^'\\\n]{0,400}'|"[^"\\\n]{0,400}")){0,40})\s{0,40},?\s{0,40}\]\s{0,8}(?=[,)])/;
/** Two paths that are shown: copied, or moved. */
const PYTHON_MOVED = /(?<![\w.])(?:shutil\.(copy|copy2|copyfile|copytree|move)|os\.(rename|replace))\s{0,4}\(\s{0,8}/g;
const NODE_MOVED = /(?<![\w.$])fs\.(copyFileSync|cpSync|renameSync)\s{0,4}\(\s{0,8}/g;
const MOVES = /^(?:move|rename|replace|renameSync)$/;
const TREES = /^(?:copytree|cpSync)$/;
const TAKEN = 'print("" ';

export type Rest = { readonly text: string; readonly found: number };

/** What is left; undefined when such a call is there whose arguments are not shown. */
export function withoutSeenCalls(language: string, shown: string, invocation: Invocation, walk: Walk): Rest {
  const here = localRequests(language, shown);
  const text = here ?? shown;
  const bare = PYTHON.test(language) || SCRIPT.test(language) ? bareText(language, text) : undefined;
  if (bare === undefined) return { text: shown, found: 0 };
  const { state, frame } = invocation;
  const commands: (() => void)[] = [];
  const run = (words: readonly string[]) => commands.push(() => walk.words(words.map(literal), state, frame));
  let rest = text;
  const python = PYTHON.test(language);
  const takeAll = (pattern: RegExp, judge: (argument: Argument, named: string) => boolean) => {
    // One that stands in a string or a comment is none, and may hide what is.
    if (count(pattern, text) !== count(pattern, bare)) return;
    const left = take(rest, pattern, judge);
    if (left !== undefined) rest = left;
  };
  if (!ELSEWHERE.test(text)) {
    const command = (argument: Argument) => {
      if (argument.words) run(argument.words);
      else commands.push(() => walk.text(argument.text, state, frame));
      return true;
    };
    takeAll(python ? PYTHON_COMMAND : NODE_COMMAND, command);
    if (python && /^\s*from subprocess import /m.test(text)) takeAll(PYTHON_NAMED, command);
  }
  takeAll(python ? PYTHON_MOVED : NODE_MOVED, (argument, named) => {
    if (argument.second === undefined) return false;
    run([...(MOVES.test(named) ? ['mv'] : TREES.test(named) ? ['cp', '-r'] : ['cp']), argument.text, argument.second]);
    return true;
  });
  takeAll(python ? PYTHON_REQUEST : NODE_REQUEST, (argument, named) => {
    if (argument.words || !/^https?:\/\//i.test(argument.text)) return false;
    const method = /^(?:fetch|urlopen)$/.test(named) ? 'GET' : named.toUpperCase();
    // What goes along is not shown; it stays on this machine where every address is.
    if (here === undefined && CARRIES.test(text)) return false;
    // Which of several it goes with is not told.
    const methods =
      named === 'fetch' && here !== undefined ? [...text.matchAll(METHOD)].map(([item]) => verbIn(item)) : [];
    for (const verb of methods.length === 0 ? [method] : new Set(methods)) run(['curl', '-X', verb, argument.text]);
    return true;
  });
  if (python) takeStatements(text, takeAll, run);
  if (commands.length === 0 || commands.length > MAX_CALLS) return { text: shown, found: 0 };
  for (const judge of commands) judge();
  // What it was asked with says nothing any more, once no other request is left.
  if (here !== undefined && count(REQUEST, rest) === 0) rest = rest.replace(METHOD, 'x: ""');
  return { text: python ? unimported(rest) : unrequired(rest), found: commands.length };
}

type Argument = {
  readonly text: string;
  readonly words?: readonly string[];
  /** Another string behind it. */
  readonly second?: string;
  readonly length: number;
};

function takeStatements(
  text: string,
  takeAll: (pattern: RegExp, judge: (argument: Argument) => boolean) => void,
  run: (words: readonly string[]) => void,
): void {
  const file = /\b(?:sqlite3|duckdb)\.connect\s{0,4}\(\s{0,8}(?:'([^'\\\n]{1,300})'|"([^"\\\n]{1,300})")/.exec(text);
  if (!file && !/\b(?:psycopg2?|pymysql|MySQLdb|mysql\.connector|asyncpg|pyodbc|sqlalchemy|create_engine)\b/.test(text))
    return;
  const before = file ? ['sqlite3', (file[1] ?? file[2]) as string] : ['psql', '-h', '$HOST', '-c'];
  takeAll(STATEMENT, ({ words, text: statement }) => {
    if (!words) run([...before, statement]);
    return !words;
  });
}

/** Undefined when one of them does not show its argument, or is nothing of the kind. */
function take(
  text: string,
  pattern: RegExp,
  judge: (argument: Argument, named: string) => boolean,
): string | undefined {
  let out = '';
  let last = 0;
  const found: (readonly [Argument, string])[] = [];
  for (const match of text.matchAll(pattern)) {
    const from = match.index + match[0].length;
    const argument = argumentAt(text.slice(from, from + 9_000));
    if (!argument) return undefined;
    found.push([argument, match.slice(1).find((group) => group !== undefined) ?? '']);
    out += `${text.slice(last, match.index)}${match[0].startsWith('.') ? '.count("" ' : TAKEN}`;
    last = from + argument.length;
  }
  if (found.length === 0 || found.length > MAX_CALLS) return undefined;
  return found.every(([argument, named]) => judge(argument, named)) ? out + text.slice(last) : undefined;
}

function verbIn(option: string): string {
  return option.replace(/^.*[:\s]["']|["']$/g, '').toUpperCase();
}

function count(pattern: RegExp, text: string): number {
  return [...text.matchAll(pattern)].length;
}

function argumentAt(text: string): Argument | undefined {
  const list = LIST.exec(text);
  if (list) return { text: '', words: items(list[1] as string), length: list[0].length };
  const long = LONG_STRING.exec(text);
  if (long) return { text: (long[1] ?? long[2]) as string, length: long[0].length };
  const string = STRING.exec(text);
  if (!string) return undefined;
  const first = unescaped((string[1] as string).slice(1, -1));
  // `execFileSync('git', ['status'])`
  const rest = text.slice(string[0].length);
  const list2 = /^,\s{0,8}(?=\[)/.exec(rest);
  const more = list2 ? LIST.exec(rest.slice(list2[0].length)) : undefined;
  if (list2 && !more) return undefined;
  const next = /^,\s{0,8}/.exec(rest);
  const second = next ? STRING.exec(rest.slice(next[0].length)) : undefined;
  if (!more || !list2)
    return {
      text: first,
      length: string[0].length,
      ...(second && { second: unescaped((second[1] as string).slice(1, -1)) }),
    };
  return {
    text: '',
    words: [first, ...items(more[1] as string)],
    length: string[0].length + list2[0].length + more[0].length,
  };
}

function items(list: string): string[] {
  return [...list.matchAll(/'([^'\\\n]*)'|"([^"\\\n]*)"|sys\.executable/g)].map(
    (match) => match[1] ?? match[2] ?? 'python3',
  );
}

function unescaped(text: string): string {
  return text
    .replace(/\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})/g, (_all, short, long) =>
      String.fromCharCode(Number.parseInt(short ?? long, 16)),
    )
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\(.)/g, '$1');
}

/** The names of the modules whose calls were taken out say nothing any more. */
function unimported(text: string): string {
  return text
    .replace(/^([ \t]{0,40})from subprocess import [\w, ]{1,200}/gm, '$1pass')
    .replace(
      /(\bimport\b[^\n;]{0,200}?)\b(?:subprocess(?: as sp)?|requests|httpx|urllib\.request(?: as \w+)?|sqlite3|psycopg2?|pymysql)\b/g,
      '$1sys',
    )
    .replace(/(\bimport\b[^\n;]{0,200}?)\b(?:subprocess|requests|httpx|urllib\.request|sqlite3)\b/g, '$1sys')
    .replace(/\bfrom urllib\.request import urlopen\b/g, 'pass')
    .replace(/\b(?:sqlite3|duckdb|psycopg2?|pymysql)\.connect\s{0,4}\(/g, 'print(')
    .replace(
      /\.(?:cursor|commit|close|fetchall|fetchone|raise_for_status|communicate|wait)\s{0,4}\(\s{0,4}\)/g,
      '.count("")',
    );
}

function unrequired(text: string): string {
  return text
    .replace(
      /\b(?:const|let|var)\s+(?:\{[\w\s,]{1,200}\}|\w+)\s{0,4}=\s{0,4}require\(\s{0,4}['"](?:node:)?(?:child_process|axios|https?)['"]\s{0,4}\)/g,
      '0',
    )
    .replace(/\bimport\s+(?:\{[\w\s,]{1,200}\}|\w+)\s+from\s+['"](?:node:)?(?:child_process|axios|https?)['"]/g, '0');
}
