// The commands that stand in the text of a file, by its format: recipes, scripts, steps, layers of an image, settings,
// program text. Fragments are read like whole files: an edit seldom shows more. Nothing is judged here.

import { startsProgram } from './tool-arguments.ts';
import { resolved } from './workflow-text.ts';

/** Lines that go on in the next one become one, also behind a pipe; `run: |` opens a block and is no pipe. */
function joined(text: string): string[] {
  return text
    .replace(/\r/g, '')
    .replace(/\\\n[ \t]{0,200}/g, ' ')
    .replace(/([^:\-\s])[ \t]{0,40}(\|\|?|&&)[ \t]{0,40}\n[ \t]{0,200}/g, '$1 $2 ')
    .split('\n');
}

/** What a shell allows before the program of a line. */
const BEFORE =
  /^(?:(?:[({!]|if|then|else|elif|do|while|until|time|for\s+\w{1,40}\s+in\s[^;]{0,200};\s{0,8}do|[A-Za-z_]\w{0,40}=\S{0,200})\s{1,20}){0,8}/;

function isCommand(line: string): boolean {
  const rest = line.slice(BEFORE.exec(line)?.[0].length ?? 0);
  return /^(?:eval|exec|source|\.)\s/.test(rest) || startsProgram(rest);
}

function inQuotes(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A word list in brackets is one command; its quotes are not the shell's. */
function plain(value: string): string {
  const text = value.trim().replace(/,$/, '');
  if (/^\[.*\]$/.test(text)) {
    const words = [...text.matchAll(/"((?:[^"\\]|\\.){0,2000})"|'([^']{0,2000})'|([^\s,[\]"']{1,400})/g)].map((match) =>
      unescaped(match[1] ?? match[2] ?? (match[3] as string)),
    );
    // A list of lines rather than of words.
    if (words.some((word) => /\s/.test(word)) && isCommand(words[0] ?? '') && /\s/.test(words[0] ?? ''))
      return words.join('\n');
    return words.map((word) => (/^[\w./=:@-]+$/.test(word) ? word : inQuotes(word))).join(' ');
  }
  const quoted = /^"((?:[^"\\]|\\.){0,4000})"$/.exec(text)?.[1];
  return quoted === undefined ? (/^'([^']{0,4000})'$/.exec(text)?.[1] ?? text) : unescaped(quoted);
}

export function unescaped(text: string): string {
  return text.replace(/\\(["\\/])/g, '$1');
}

/** Keys whose values are for people, or name things. */
const TOLD =
  /^["']?(?:desc|description|summary|name|label|title|help|message|homepage|url|image|version|license|author|keywords|comment|repository|bugs)["']?$/i;
const KEYED = /^(?:-\s+)?(["']?[\w.@/-]{1,80}["']?)\s{0,20}[:=]\s{0,20}(.*)$/;

/** Steps, tasks and entries: what stands behind a dash or a key, or on a line of its own. */
export function steps(text: string): string[] {
  return joined(text).flatMap((raw) => {
    const line = raw.trim();
    const keyed = KEYED.exec(line);
    if (keyed && TOLD.test(keyed[1] as string)) return [];
    const values = [keyed?.[2], line.replace(/^-\s+/, '')].map((value) => plain(value ?? '').replace(/^[@-]{1,2}/, ''));
    return values
      .filter((value) => isCommand(value))
      .slice(0, 1)
      .map(resolved);
  });
}

/** Whatever stands in quotes and could be a command line: build files in languages that no reading is for. */
export function strings(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\\n]|\\.){0,2000})"|'((?:[^'\\\n]|\\.){0,2000})'/g)]
    .map((match) => unescaped(match[1] ?? (match[2] as string)).trim())
    .filter((line) => /\s/.test(line) && isCommand(line));
}

/** Program text as one command of its language. */
export const code = (program: string) => (text: string) =>
  text.trim() === '' ? [] : [`${program} ${inQuotes(text.replace(/^\s*export default /gm, ''))}`];

/** Lines of a makefile that a shell would get; of a fragment also those that lost their tab. */
export function makeLines(text: string): string[] {
  const own = recipes(text);
  const loose = joined(text)
    .filter((line) => !line.startsWith('\t') && !/^[^\s]{1,200}\s{0,20}[:?+!]?[:=]/.test(line))
    .map((line) => line.trim())
    .filter((line) => !/^(?:export|include|define|unexport|if\w*|else|vpath)\b/.test(line) && isCommand(line));
  return [...own.split('\n').filter((line) => line.trim() !== ''), ...loose];
}

/** The lines of a makefile that a shell would get, and what it asks a shell for. */
export function recipes(text: string): string {
  const settings = new Map<string, string>();
  for (const match of text.matchAll(/^([A-Za-z_]\w{0,63})\s{0,8}[:?]?=\s{0,8}(.{0,500})$/gm))
    settings.set(match[1] as string, match[2] as string);
  const filled = (line: string) =>
    line
      .replace(/\$\$/g, '\u0000')
      .replace(/\$[({](?:shell\s+)([^()]{1,500})[)}]/g, '$($1)')
      .replace(/\$[({]([A-Za-z_]\w{0,63})[)}]/g, (_all, name: string) => settings.get(name) ?? `\${${name}}`)
      .replaceAll('\u0000', '$');
  const lines = text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const recipe = /^\t[-@+ \t]{0,8}(.+)$|^[^\t#:=]{1,200}:[^=;]{0,500};\s{0,8}(.+)$/.exec(line);
      if (recipe) return [filled((recipe[1] ?? recipe[2]) as string)];
      return [...line.matchAll(/\$[({]shell\s+([^()]{1,500})[)}]|!=\s{0,8}(.{1,500})$/g)].map((match) =>
        filled((match[1] ?? match[2]) as string),
      );
    });
  return lines.join('\n');
}

/** Every script of a `package.json`; text that is none gives nothing to run. */
export function scriptsOf(text: string): string[] {
  try {
    const read = JSON.parse(text) as { readonly scripts?: { readonly [name: string]: unknown } } | null;
    return Object.values(read?.scripts ?? {}).filter((line): line is string => typeof line === 'string');
  } catch {
    return [...text.matchAll(/"[\w:.-]{1,64}"\s{0,4}:\s{0,4}"((?:[^"\\\n]|\\.){1,2000})"/g)].map((match) =>
      unescaped(match[1] as string),
    );
  }
}

/** Values of a JSON file that begin with a program, except those for people. */
export function jsonLines(text: string): string[] {
  return [...text.matchAll(/("[^"\\\n]{1,80}")\s{0,8}:\s{0,8}\[?\s{0,80}"((?:[^"\\\n]|\\.){1,2000})"/g)]
    .filter((match) => !TOLD.test(match[1] as string))
    .map((match) => unescaped(match[2] as string))
    .filter((line) => isCommand(line));
}

const LAYER = /^(?:ONBUILD\s+)?(?:RUN|CMD|ENTRYPOINT|HEALTHCHECK\b.{0,200}?\bCMD)\s+(?:--[a-z]+=\S+\s+){0,8}(.+)$/i;

/** What the layers of an image run, and what it starts with. */
export function layers(text: string): string[] {
  const without = text.replace(/^\s*#.*\n/gm, '');
  return joined(without).flatMap((raw) => {
    const line = raw.trim();
    const command = LAYER.exec(line)?.[1] ?? line.replace(/^(?:&&|\|\|?|;)\s*/, '');
    const value = plain(command);
    return LAYER.test(line) || isCommand(value) ? [value] : [];
  });
}

const SETTING = /^\s*-{0,2}([@\w./:-]{1,120}?)\s{0,20}(?:[=:]|\s)\s{0,20}"?(\S.{0,400}?)"?\s*$/;

/** Settings of package managers, as the command that would set them. */
export function settings(text: string): string[] {
  return joined(text).flatMap((line) => {
    const [, key, value] = /^\s*[#;[]/.test(line) ? [] : (SETTING.exec(line) ?? []);
    if (key === undefined || value === undefined || /auth|passw|token/i.test(key)) return [];
    const name = /registry(?:server)?$/i.test(key) ? 'registry' : key;
    return [`npm config set ${inQuotes(name)} ${inQuotes(value)}`];
  });
}

/** Keys of git that run something, as they stand without the section they are in. */
const CORE = /^(?:hookspath|fsmonitor|sshcommand|pager|editor|askpass|gitproxy|attributesfile)$/i;

/** Settings of git, as the command that would set them. A plain alias is another word for a command of git. */
export function gitSettings(text: string): string[] {
  let section = '';
  return joined(text).flatMap((line) => {
    const header = /^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.){0,200})")?\s*\](.*)$/.exec(line);
    if (header) section = [header[1], header[2]].filter((name) => name !== undefined && name !== '').join('.');
    const [, key, raw] = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*)$/.exec(header?.[3] ?? line) ?? [];
    if (key === undefined || raw === undefined) return [];
    const value = plain(raw);
    const runs = value.startsWith('!');
    const within = section === '' ? (CORE.test(key) ? 'core' : runs ? 'alias' : 'unknown') : section;
    if (/^alias$/i.test(within) && !runs) return [];
    // What a submodule is brought up to date with.
    if (/^submodule/i.test(within)) return runs ? [value.slice(1), `git config alias.update ${inQuotes(value)}`] : [];
    return [`git config ${inQuotes(`${within}.${key}`)} ${inQuotes(value)}`];
  });
}
