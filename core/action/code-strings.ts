// Program text without what its strings and comments hold, for the languages where a small lexer can be sure.
// Undefined where it cannot (a regular expression or a template that may hold a quote): what looks like a string may then be code.

/** Languages that `bareText` reads. */
export const LEXED = /^(?:python|pypy|node|nodejs|bun|deno)$/;
const QUOTES = new Set(['"', "'"]);

/** Strings become `""`, comments a blank; what a format string computes stays. */
export function bareText(language: string, text: string): string | undefined {
  if (/^(?:python|pypy)$/.test(language)) return python(text);
  const bare = LEXED.test(language) ? script(text) : undefined;
  return bare === undefined ? undefined : plainScript(bare);
}

function python(text: string): string | undefined {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (character === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
      continue;
    }
    if (!QUOTES.has(character)) {
      out += character;
      at += 1;
      continue;
    }
    const quote = text.startsWith(character.repeat(3), at) ? character.repeat(3) : character;
    const prefix = /(?<![\w$])[A-Za-z]{1,2}$/.exec(out.slice(-4))?.[0] ?? '';
    const end = closing(text, at + quote.length, quote);
    if (end === undefined) return undefined;
    const inner = text.slice(at + quote.length, end);
    const computed = /f/i.test(prefix) ? fields(inner) : '';
    if (computed === undefined) return undefined;
    out = `${out.slice(0, out.length - prefix.length)}""${computed}`;
    at = end + quote.length;
  }
  return out;
}

function closing(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith(quote, at)) return at;
    else if (quote.length === 1 && text[at] === '\n') return undefined;
  }
  return undefined;
}

/** `{x + 1}` of a format string; undefined when a field holds a quote, which may end the string in one version and not in another. */
function fields(text: string): string | undefined {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '{') continue;
    if (text[at + 1] === '{') {
      at += 1;
      continue;
    }
    const end = text.indexOf('}', at);
    const field = text.slice(at + 1, end < 0 ? text.length : end);
    if (end < 0 || /["'\\{\n]/.test(field)) return undefined;
    out += ` + (${field})`;
    at = end;
  }
  return out;
}

/** As much of what stands before as any of the words below. */
const NEAR = 80;
/** Words behind which a slash begins a regular expression. */
const BEFORE_PATTERN =
  /(?:^|[^\w$.])(?:return|typeof|case|in|of|do|else|void|delete|throw|new|instanceof|await|yield)$/;

/** The slash that ends a regular expression. */
function patternEnd(text: string, from: number): number | undefined {
  let set = false;
  for (let at = from; at < text.length && text[at] !== '\n'; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '[') set = true;
    else if (character === ']') set = false;
    else if (character === '/' && !set) return at;
  }
  return undefined;
}

/** A template without others in it: its text goes, what it computes stays. */
function templateAt(text: string, from: number): { computed: string; end: number } | undefined {
  let computed = '';
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') return { computed, end: at + 1 };
    else if (text.startsWith('${', at)) {
      const end = text.indexOf('}', at);
      const field = text.slice(at + 2, end < 0 ? text.length : end);
      if (end < 0 || /["'`\\{\n]/.test(field)) return undefined;
      computed += ` + (${field})`;
      at = end;
    }
  }
  return undefined;
}

function script(text: string): string | undefined {
  // Comments of old pages, which only some engines know.
  if (text.includes('<!--') || text.includes('-->')) return undefined;
  let out = '';
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (character === '`') {
      const template = templateAt(text, at + 1);
      if (template === undefined) return undefined;
      // Behind a word it is a call of that word.
      if (/[\w$)\]]/.test(out.at(-1) ?? '') && !BEFORE_PATTERN.test(out.slice(-NEAR))) return undefined;
      out += `""${template.computed}`;
      at = template.end;
      continue;
    }
    if (character === '/') {
      const line = text.startsWith('//', at);
      if (line || text.startsWith('/*', at)) {
        const end = text.indexOf(line ? '\n' : '*/', at + 2);
        if (end < 0 && !line) return undefined;
        at = end < 0 ? text.length : end + (line ? 0 : 2);
        out += ' ';
        continue;
      }
      const near = out.slice(-NEAR).trimEnd();
      const before = near === '' ? out.trimEnd() : near;
      if (before === '' || /[=(,:;[!&|?{<>*%~^]$/.test(before) || BEFORE_PATTERN.test(before)) {
        const end = patternEnd(text, at + 1);
        if (end === undefined) return undefined;
        out += '""';
        at = end + 1;
        continue;
      }
      // Behind a bracket or brace it may be either.
      if (!/[\w$\]]$/.test(before)) return undefined;
    }
    if (!QUOTES.has(character)) {
      out += character;
      at += 1;
      continue;
    }
    const end = closing(text, at + 1, character);
    if (end === undefined) return undefined;
    out += '""';
    at = end + 1;
  }
  return out;
}

/** Definitions and searches that read like calls of something else. */
function plainScript(text: string): string {
  const bare = calledAtOnce(text);
  // `name(…) {` in one line is a method of a class or an object; nothing else may stand so.
  const defined = bare
    // The word of a definition; what makes functions of text begins with a capital.
    .replace(/(?<![\w$.])function(?=\s{0,4}\*?\s{1,4}[A-Za-z_$])/g, 'def')
    .replace(/(?<![\w$.])function(?=\s{0,4}\*?\s{0,4}\()/g, 'lambda')
    .replace(
      /(?<![\w$.])(?<!\bdef )(?!(?:if|for|while|switch|catch|with|function)\b)(constructor|[a-z_]\w{0,60})(?=\([\w ,={}"$]{0,200}\) {0,4}\{)/g,
      (_all, name: string) => `def ${name === 'constructor' ? 'construct' : name}`,
    );
  // Of a regular expression; a string has none.
  return [...defined.matchAll(/\b(?:const|let|var)\s{1,4}(\w{1,60})\s{0,4}=\s{0,4}""[a-z]{0,8}\s{0,4}[;\n]/g)]
    .map((match) => match[1] as string)
    .filter(
      (name) => [...defined.matchAll(new RegExp(String.raw`\b${name}\b[^\n;=(.]{0,40}=(?![=>])`, 'g'))].length === 1,
    )
    .reduce(
      (text, name) => text.replace(new RegExp(String.raw`(?<![\w$.])${name}\.exec\(`, 'g'), `${name}.match(`),
      defined,
    )
    .replace(/""[a-z]{0,8}\.exec\(/g, '"".match(');
}

const AT_ONCE =
  /(?<=(?:^|[;\n}])\s{0,40}(?:await\s{1,4})?)\((?:async\s{1,4})?(?:\(\)\s{0,4}=>|function\s{0,4}\w{0,40}\(\))\s{0,4}\{/g;
const MAX_AT_ONCE = 8;

/** `(async () => { … })()`: a function of the text's own, called where it stands. */
function calledAtOnce(bare: string): string {
  let out = bare;
  // From behind, so that what stands before keeps its place.
  for (const { index } of [...bare.matchAll(AT_ONCE)].slice(0, MAX_AT_ONCE).reverse()) {
    const end = bracketEnd(out, index);
    const call = end === undefined ? null : /^\s{0,4}\(\s{0,4}\)/.exec(out.slice(end + 1));
    if (end !== undefined && call) out = out.slice(0, end + 1) + out.slice(end + 1 + call[0].length);
  }
  return out;
}

function bracketEnd(bare: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < bare.length; at += 1) {
    if (bare[at] === '(') depth += 1;
    else if (bare[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

export function withoutStrings(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at += 1) {
    const quote = text[at] as string;
    if (quote !== '"' && quote !== "'") {
      out += quote;
      continue;
    }
    let end = at + 1;
    while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
    out += '""';
    at = end;
  }
  return out;
}

/** Without what only ends or joins lines, or is printed: no path is built of that. */
export function withoutSpeech(text: string): string {
  return text
    .replace(/(?:"(?:\\n|\\t|[ ,;]){0,4}"|'(?:\\n|\\t|[ ,;]){0,4}')\s{0,4}\.join\s{0,4}\(/g, 'str(')
    .replace(/\+\s{0,4}(?:"(?:\\n|\s){0,8}"|'(?:\\n|\s){0,8}')/g, '')
    .replace(
      /\b(print|write|write_text|append|info|debug)\s{0,4}\(\s{0,4}f?(?:"(?:[^"\\\n]|\\.){0,2000}"|'(?:[^'\\\n]|\\.){0,2000}')/g,
      'print("")',
    );
}
