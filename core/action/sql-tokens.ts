// Cuts SQL into statements of words: a small tokenizer that knows strings, quoted names, comments and statements; no pattern
// runs over the text. Where databases read the same characters differently, each reading is given.

/** What is longer is not read to its end. */
const MAX_TOKENS = 20_000;
export type Token = { readonly word: string; readonly quoted: boolean; readonly body?: string };

/** A keyword or name in capitals; '' for what is quoted, which is no keyword, and for none. */
export function upperOf(token: Token | undefined): string {
  return token === undefined || token.quoted ? '' : token.word.toUpperCase();
}

export type Dialect = {
  /** A backslash takes the quote behind it into the string; where it does not, the string ends there. */
  readonly escapes: boolean;
  /** `#` begins a comment; elsewhere it is an operator. */
  readonly hashes: boolean;
};
export type Cut = {
  readonly statements: readonly (readonly Token[])[];
  /** Every string, name and comment is closed. */
  readonly closed: boolean;
  readonly complete: boolean;
};

/** How most databases read it, and after it every other way that makes a difference. */
export function readings(text: string): Cut[] {
  const escapes = text.includes('\\') ? [true, false] : [true];
  const hashes = text.includes('#') ? [true, false] : [true];
  const all = escapes.flatMap((escaped) => hashes.map((hashed) => cutSql(text, { escapes: escaped, hashes: hashed })));
  // A reading that leaves a string open is nobody's.
  return all.filter(({ closed }, at) => at === 0 || closed);
}

/** Words, names and punctuation of each statement. Strings become `'`, so that nothing in them is a verb. */
export function cutSql(text: string, dialect: Dialect): Cut {
  const all: Token[][] = [[]];
  let closed = true;
  let count = 0;
  let at = 0;
  while (at < text.length && count < MAX_TOKENS) {
    const character = text[at] as string;
    if (/\s/.test(character)) at += 1;
    else if (text.startsWith('--', at) || (character === '#' && dialect.hashes)) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end + 1;
    } else if (text.startsWith('/*', at)) {
      // `/*! … */` runs in MySQL, `/*M! … */` in MariaDB: only its marker is skipped, and the version behind it.
      const executable = /^\/\*M?!\d{0,6}/.exec(text.slice(at, at + 10))?.[0].length;
      const end = executable === undefined ? text.indexOf('*/', at + 2) : at + executable - 2;
      if (end < 0) closed = false;
      at = end < 0 ? text.length : end + 2;
    } else if (character === "'" || character === '"' || character === '`') {
      let end = at + 1;
      while (end < text.length && !(text[end] === character && text[end + 1] !== character)) {
        end += text[end] === character || (text[end] === '\\' && character === "'" && dialect.escapes) ? 2 : 1;
      }
      if (end >= text.length) closed = false;
      const body = text.slice(at + 1, end);
      all.at(-1)?.push(character === "'" ? { word: "'", quoted: true, body } : { word: body, quoted: true });
      count += 1;
      at = end + 1;
    } else if (character === '$' && /^\$\w*\$/.test(text.slice(at, at + 40))) {
      const tag = (/^\$\w*\$/.exec(text.slice(at, at + 40)) as RegExpExecArray)[0];
      const end = text.indexOf(tag, at + tag.length);
      const body = text.slice(at + tag.length, end < 0 ? text.length : end);
      all.at(-1)?.push({ word: "'", quoted: true, body });
      count += 1;
      at = end < 0 ? text.length : end + tag.length;
    } else if (character === ';') {
      all.push([]);
      at += 1;
    } else {
      let end = at;
      while (end < text.length && /[A-Za-z0-9_.$\u0080-\uffff]/.test(text[end] as string)) end += 1;
      if (end === at) end += 1;
      all.at(-1)?.push({ word: text.slice(at, end), quoted: false });
      count += 1;
      at = end;
    }
  }
  return { statements: all.filter((tokens) => tokens.length > 0), closed, complete: at >= text.length };
}
