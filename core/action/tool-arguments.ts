// What the arguments of a tool call say, whatever the tool is called: a command line, who is written to, which files of a
// repository are touched, a statement, an object of a cluster.

import type { Where } from './paths.ts';
import { programName } from './programs/names.ts';
import { PROGRAM_NAMES } from './programs/program-names.ts';

export type Given = { readonly [name: string]: unknown };

export type ToolCall = {
  readonly server: string;
  readonly tool: string;
  readonly given: Given;
  readonly where: Where;
  readonly workflow: boolean;
  /** For errors. */
  readonly field: string;
};

/** First of these arguments that is text. */
/** A search that shows which files have it, and not what stands there. */
export function namesOnly({ given }: ToolCall): boolean {
  return !/^(?:content)?$/.test(textOf(given, 'output_mode') ?? '');
}

export function textOf(given: Given, names: string): string | undefined {
  for (const name of names.split(' ')) if (typeof given[name] === 'string') return given[name] as string;
  return undefined;
}

export function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
}

export function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True when the text begins with a program of the tables. */
export function startsProgram(text: string): boolean {
  const first = text.trim().split(/\s+/)[0] as string;
  const program = programName(first);
  return program !== undefined && PROGRAM_NAMES.has(program);
}

/** Arguments that hold a command line by their name alone. */
const LINES = 'cli_command command_line commandLine shell_command bash_command shellCommand';
/** Names of tools that run one. */
const RUNS = /(?:^|_)(?:exec\w*|run|shell|command|terminal|bash|process|cli|ssh|spawn)(?:_|$)/;

/** Servers for one command line that are given what stands behind its name: `terraform` with `plan`. */
const CLIS =
  /(?:^|_)(terraform|tofu|terragrunt|pulumi|aws|gcloud|az|azure|kubectl|helm|docker|podman|git|gh|glab|npm|pnpm|yarn|pip|uv|cargo|ansible|vault|heroku|fly|vercel|netlify|stripe)(?:_|$)/;

/** The command line that a tool of any name is given, if it is one. */
export function commandIn(given: Given, name: string, server: string): string | undefined {
  const line = textOf(given, LINES);
  const cli = CLIS.exec(server)?.[1] ?? CLIS.exec(name)?.[1];
  const whole = (text: string) =>
    cli === undefined || startsProgram(text) ? text : `${cli === 'azure' ? 'az' : cli} ${text.trim()}`;
  if (line !== undefined && line.trim() !== '') return whole(line);
  const text = textOf(given, 'command cmd');
  if (text === undefined || text.trim() === '') return undefined;
  if (cli !== undefined && RUNS.test(name)) return whole(text);
  return RUNS.test(name) || (/\s/.test(text.trim()) && startsProgram(text)) ? text : undefined;
}

/** The words of a command line that a wrapper of one program is given as a list. */
export function wordsIn(given: Given, name: string, server: string): string[] | undefined {
  const cli = CLIS.exec(server)?.[1] ?? CLIS.exec(name)?.[1];
  const list = [given.args, given.arguments, given.argv].find(Array.isArray) as unknown[] | undefined;
  if (cli === undefined || list === undefined || !RUNS.test(name)) return undefined;
  const words = stringsOf(list);
  if (words.length === 0 || words.length !== list.length) return undefined;
  const program = cli === 'azure' ? 'az' : cli;
  return words[0] === program ? words : [program, ...words];
}

/** Names of tools that are given program text. */
const EVALUATES = /(?:^|_)(?:exec\w*|run|eval\w*|python|javascript|node|repl|cell|script)(?:_|$)|^code(?:_|$)/;

/** Program text, and its language where somebody says it; undefined when the call holds none. */
export function codeIn(
  given: Given,
  name: string,
): { readonly text: string; readonly language?: string | undefined } | undefined {
  const text = textOf(given, 'code script source cell_source python_code js_code');
  if (text === undefined || text.trim() === '' || !EVALUATES.test(name)) return undefined;
  const said = textOf(given, 'language lang kernel runtime')?.toLowerCase();
  const named = /(?:^|_)(bash|shell|node|javascript|js|ruby|perl|php)(?:_|$)/.exec(name)?.[1];
  return { text, language: (said ?? named)?.replace(/^python\d.*$/, 'python') };
}

const RECIPIENTS =
  'to cc bcc recipient recipients attendees guests invitees invitee emails participants to_email to_address phone phone_number to_number to_iban iban beneficiary payee customer_email send_to'.split(
    ' ',
  );

/** Who is on the other end, in their own words: addresses, numbers, accounts. */
export function recipientsOf(given: Given): string[] {
  const out: string[] = [];
  const visit = (value: unknown, depth: number) => {
    if (out.length >= 64 || depth > 4) return;
    if (typeof value === 'string') out.push(value);
    else if (Array.isArray(value)) for (const item of value) visit(item, depth + 1);
    else if (isObject(value)) {
      for (const [key, item] of Object.entries(value))
        if (/^(?:email|address|phone|number|iban|account|id|name|emailAddress)$/.test(key)) visit(item, depth + 1);
    }
  };
  for (const name of RECIPIENTS) if (given[name] !== undefined) visit(given[name], 0);
  return out.filter((text) => text.trim() !== '');
}

const NON_PRODUCTION = /^(?:stag(?:e|ing)|dev\w*|test\w*|qa|uat|sandbox|preview|demo)$/i;

/** Where it happens, when an argument says so. */
export function stageOf(given: Given): 'production' | 'non_production' | undefined {
  const stages = [given.environment, given.env, given.namespace, given.stage, given.target].flat();
  if (stages.some((value) => typeof value === 'string' && /prod|^live$/i.test(value))) return 'production';
  return stages.some((value) => typeof value === 'string' && NON_PRODUCTION.test(value)) ? 'non_production' : undefined;
}

/** Files of a repository that a call writes, as the call names them. */
export function repositoryPaths(given: Given): string[] {
  const of = (value: unknown) =>
    typeof value === 'string' ? value : isObject(value) ? textOf(value, 'path file_path filePath filename') : undefined;
  const lists = [given.files, given.changes, given.actions, given.paths].flatMap((value) =>
    Array.isArray(value) ? value : [],
  );
  return [textOf(given, 'path file_path filePath filename'), ...lists.slice(0, 256).map(of)].filter(
    (path): path is string => path !== undefined && path !== '',
  );
}

/** A request's body under whatever name, as text. */
export function bodyIn(given: Given): string[] {
  return ['body', 'json', 'data', 'payload', 'form', 'content', 'form_data', 'jsonBody']
    .map((name) => given[name])
    .filter((value) => value !== undefined && value !== null && value !== '')
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
}

/** What a request does, by the argument, by the tool's own name, by whether it carries anything. */
export function methodIn(given: Given, name: string, body: readonly string[]): string {
  const said = textOf(given, 'method http_method verb');
  if (said !== undefined && said !== '') return said;
  const named = /(?:^|_)(post|put|patch|delete|head)(?:_|$)/.exec(name)?.[1];
  return (named ?? (body.length > 0 ? 'post' : 'get')).toUpperCase();
}
