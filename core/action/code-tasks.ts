// Lines of other languages that are one task by name: tests, builds, packages; and substitutions that only edit text.

import type { Effect } from './types.ts';

const PLAIN = String.raw`\s{0,4}\((?:[^()\n;]|\([^()\n;]{0,80}\)){0,200}\)\s{0,4};?\s{0,4}$`;
const TASKS: { readonly [language: string]: readonly (readonly [RegExp, Effect])[] } = {
  Rscript: [
    [
      new RegExp(
        String.raw`^\s*(?:testthat::test_\w+|devtools::(?:test|check|document|build|load_all|lint)|tinytest::\w+|rmarkdown::render|knitr::knit|quarto::\w+|lintr::\w+|styler::style_\w+|covr::\w+|roxygen2::\w+|pkgdown::build\w*|targets::tar_make|rcmdcheck::rcmdcheck|bookdown::\w+)${PLAIN}`,
      ),
      'build',
    ],
    [
      new RegExp(
        String.raw`^\s*(?:renv::(?:restore|install|snapshot|update|init)|pak::(?:pkg_install|local_install\w*))${PLAIN}`,
      ),
      'install_local',
    ],
    [
      new RegExp(
        String.raw`^\s*(?:install\.packages|remotes::install_\w+|devtools::install\w*|BiocManager::install)${PLAIN}`,
      ),
      'install_system',
    ],
    [
      /^\s*(?:summary|head|str|print|cat|sessionInfo|R\.version\.string|installed\.packages|packageVersion|nrow|ncol|dim|colnames|names|table|mean|sum)\b(?:\s{0,4}\((?:[^()\n;]|(?:read\.csv|readRDS|read\.table|as\.character|paste|paste0|mean|round)\([^()\n;]{0,120}\)){0,200}\))?\s{0,4};?\s{0,4}$/,
      'read',
    ],
  ],
  julia: [
    [/^\s*(?:using|import)\s+Pkg\s*;\s*Pkg\.(?:test|build|precompile|status|gc)\([^()\n;]{0,200}\)\s*;?\s*$/, 'build'],
    [
      /^\s*(?:using|import)\s+Pkg\s*;\s*Pkg\.(?:instantiate|resolve|add|rm|update|develop|activate)\([^()\n;]{0,200}\)(?:\s*;\s*Pkg\.(?:instantiate|precompile|test)\(\))?\s*;?\s*$/,
      'install_local',
    ],
  ],
  osascript: [
    [
      /^\s*display (?:notification|dialog|alert) "[^"\n]{0,400}"(?: (?:with title|subtitle|sound name|buttons|default button|message) (?:"[^"\n]{0,200}"|\{[^}\n]{0,200}\}|\d))*\s*$/,
      'none',
    ],
    [
      /^\s*(?:get )?(?:volume settings|system info|current date|path to \w[\w ]{0,40}|version of application "[\w .]{1,80}")\s*$/,
      'read',
    ],
    [
      /^\s*tell application "[\w .]{1,80}" to (?:activate|quit|get (?:name|version|the \w[\w ]{0,60}))\s*$/,
      'process_own',
    ],
  ],
  elixir: [
    [
      /^\s*IO\.(?:puts|inspect)\s{0,4}\(?\s{0,4}(?:"[^"#\n]{0,200}"|[\d\s+*/.-]{1,100}|System\.version(?:\(\))?)\s{0,4}\)?\s*$/,
      'none',
    ],
  ],
};

/** Undefined when it is more than one such task. */
export function taskOf(language: string, text: string): Effect | undefined {
  const rows = TASKS[/^r(?:script)?$/i.test(language) ? 'Rscript' : /^lua(?:jit)?$/.test(language) ? 'lua' : language];
  return rows?.find(([pattern]) => pattern.test(text))?.[1] ?? (computesPlainly(language, text) ? 'none' : undefined);
}

const SIMPLE = /^(?:julia|lua(?:jit)?|octave|r|rscript)$/i;
const COMPUTING = new Set(
  'print println show display disp printf fprintf cat sum length size max min mean median abs sqrt exp log floor ceil round mod rem string repr num2str tostring tonumber type typeof sort reverse unique zeros ones eye rand range collect join split uppercase lowercase replace parse ipairs pairs math pi huge format rep upper lower len concat unpack paste paste0 seq c nchar toupper tolower var sd cor numel det inv transpose for in do end then if else elseif local while and or not true false nil NULL TRUE FALSE return function R version version.string VERSION'.split(
    ' ',
  ),
);

/** Arithmetic and printing: each word of it is one of those above, or a name that it gives itself. */
function computesPlainly(language: string, text: string): boolean {
  if (!SIMPLE.test(language) || text.length > 1_000) return false;
  // Of strings nothing is computed, and none is an argument without brackets.
  const bare = text.replace(/"(?:[^"\\$\n]|\\[nt"]){0,200}"|'(?:[^'\\$\n]|\\[nt']){0,200}'/g, '""');
  if (!/^(?:[\w\s+*/.,:;=<>^()[\]{}%~#-]|"")*$/.test(bare) || /\w\s{0,8}""|\[\[|--|\bfile\b/.test(bare)) return false;
  const own = new Set(
    [
      ...bare.matchAll(
        /(?<![\w.])([A-Za-z_]\w{0,40})(?=\s{0,4}(?:=(?!=)|<-|,\s{0,4}\w{1,40}\s{1,4}in\b|\s{1,4}in\b))/g,
      ),
    ].map((match) => match[1] as string),
  );
  return [...bare.matchAll(/[A-Za-z_]\w*/g)].every(
    ([word]) => COMPUTING.has(word) || (own.has(word) && !called(bare, word)),
  );
}

function called(bare: string, name: string): boolean {
  return new RegExp(String.raw`\b${name}\s{0,4}\(`).test(bare);
}

/** `s/a(b)/c/g; tr/a/b/`: replaces text and runs nothing of it. */
export function substitutesOnly(text: string): boolean {
  let at = 0;
  let found = 0;
  for (; found < 32; found += 1) {
    const begun = /^[\s;]{0,40}(s|tr|y)([/|#!,@%~])/.exec(text.slice(at));
    if (!begun) break;
    const end = sections(text, at + begun[0].length, begun[2] as string);
    if (end === undefined) return false;
    const flags = /^[a-z]{0,10}/.exec(text.slice(end)) as RegExpExecArray;
    const body = text.slice(at + begun[0].length, end);
    // Flags that run the replacement, and code in either half.
    if (/e/.test(flags[0]) || /\(\?\??\{|@\{|\$\{\s*\\|\$\{\s*\w+\s*\(/.test(body)) return false;
    at = end + flags[0].length;
    const condition =
      /^\s{0,8}(?:if|unless)\s{1,8}(?:\$\.\s{0,4}[=<>!]=?\s{0,4}\d{1,9}|\/(?:[^/\\\n]|\\.){0,200}\/)/.exec(
        text.slice(at),
      );
    if (condition) {
      if (/\(\?\??\{|@\{/.test(condition[0])) return false;
      at += condition[0].length;
    }
  }
  return found > 0 && /^[\s;]*$/.test(text.slice(at));
}

/** Behind the last of both halves. */
function sections(text: string, from: number, delimiter: string): number | undefined {
  let seen = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === delimiter) {
      seen += 1;
      if (seen === 2) return at + 1;
    }
  }
  return undefined;
}
