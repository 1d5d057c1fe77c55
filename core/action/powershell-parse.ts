// Windows command text cut into commands, with what stands in brackets, braces and substitutions cut the same way.
// No grammar of the language: enough to see every command that could run. Undefined where that is not sure. Linear and bounded.

export type PsWord = {
  readonly text: string;
  /** False where a variable or a computed value is in it. */
  readonly known: boolean;
  readonly quoted: boolean;
};

export type PsCommand = {
  readonly words: readonly PsWord[];
  /** Code in brackets, braces and substitutions of this command, in order. */
  readonly inner: readonly PsPipeline[];
  /** `$name = …` */
  readonly assigns: string | undefined;
  /** It begins with a value, not with a command's name. */
  readonly expression: boolean;
  /** As written. */
  readonly source: string;
  readonly redirects: readonly { readonly file: PsWord; readonly append: boolean }[];
};

export type PsPipeline = readonly PsCommand[];

export const MAX_COMMANDS = 200;
const MAX_DEPTH = 12;
const CLOSING: { readonly [open: string]: string } = { '(': ')', '{': '}', '[': ']' };

export function parsePowershell(text: string): PsPipeline[] | undefined {
  const reader = new Reader(text);
  const out = reader.script('', 0);
  return out === undefined || !reader.done() || out.length === 0 ? undefined : out;
}

type Draft = {
  words: PsWord[];
  inner: PsPipeline[];
  redirects: { file: PsWord; append: boolean }[];
  assigns: string | undefined;
  start: number;
  expression: boolean | undefined;
  redirecting: { append: boolean } | undefined;
};

class Reader {
  private at = 0;
  private commands = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  done(): boolean {
    return this.at >= this.text.length;
  }

  /** Up to the closing character, which is consumed; '' for the whole text. */
  script(end: string, depth: number): PsPipeline[] | undefined {
    if (depth > MAX_DEPTH) return undefined;
    const out: PsPipeline[] = [];
    let pipeline: PsCommand[] = [];
    let draft = this.fresh();
    const endCommand = (): boolean => {
      if (draft.words.length > 0 || draft.inner.length > 0 || draft.redirects.length > 0) {
        this.commands += 1;
        pipeline.push({
          words: draft.words,
          inner: draft.inner,
          assigns: draft.assigns,
          expression: draft.expression === true,
          source: this.text.slice(draft.start, this.at).trim(),
          redirects: draft.redirects,
        });
      }
      draft = this.fresh();
      return this.commands <= MAX_COMMANDS;
    };
    const endPipeline = (): boolean => {
      const fine = endCommand();
      if (pipeline.length > 0) out.push(pipeline);
      pipeline = [];
      return fine;
    };
    while (this.at < this.text.length) {
      const character = this.text[this.at] as string;
      if (character === end) {
        if (!endPipeline()) return undefined;
        this.at += 1;
        return out;
      }
      if (/[)}\]]/.test(character) && character !== ']') return undefined;
      if (character === '#') this.comment();
      else if (/[;\n\r]/.test(character) || (character === '&' && this.text[this.at + 1] === '&')) {
        if (!endPipeline()) return undefined;
        this.at += character === '&' ? 2 : 1;
      } else if (character === '|') {
        const or = this.text[this.at + 1] === '|';
        if (or ? !endPipeline() : !endCommand()) return undefined;
        this.at += or ? 2 : 1;
      } else if (/\s/.test(character)) this.at += 1;
      else if (character === '&') {
        // Calls what follows; elsewhere it puts what stood before into the background.
        if (!endCommand()) return undefined;
        this.at += 1;
      } else if (!this.piece(draft, depth)) return undefined;
    }
    return end === '' && endPipeline() ? out : undefined;
  }

  private fresh(): Draft {
    return {
      words: [],
      inner: [],
      redirects: [],
      assigns: undefined,
      start: this.at,
      expression: undefined,
      redirecting: undefined,
    };
  }

  private comment(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  /** One word, redirection or assignment sign. */
  private piece(draft: Draft, depth: number): boolean {
    const redirect = /^(?:[1-6*]?>>?(?:&1)?)/.exec(this.text.slice(this.at, this.at + 6));
    if (redirect) {
      this.at += redirect[0].length;
      if (!redirect[0].endsWith('&1')) draft.redirecting = { append: redirect[0].includes('>>') };
      return true;
    }
    const sets = /^[-+*/%?]{0,2}=/.exec(this.text.slice(this.at, this.at + 3));
    if (sets && draft.words.length === 1 && /^(?:\[[\w.[\]]+\])?\$[\w:]+$/.test(draft.words[0]?.text ?? '')) {
      draft.assigns = (draft.words[0]?.text ?? '')
        .replace(/^\[[^$]*\]/, '')
        .slice(1)
        .toLowerCase();
      draft.words = [];
      draft.expression = undefined;
      this.at += sets[0].length;
      return true;
    }
    const begun = this.text[this.at] as string;
    const word = this.word(draft, depth);
    if (word === undefined) return false;
    draft.expression ??= /[$[("'@{\d!-]/.test(begun) && !/^\.\d/.test(word.text);
    if (draft.redirecting) {
      draft.redirects.push({ file: word, append: draft.redirecting.append });
      draft.redirecting = undefined;
      // Each is something done.
      this.commands += 1;
      if (this.commands > MAX_COMMANDS) return false;
    } else draft.words.push(word);
    return true;
  }

  private word(draft: Draft, depth: number): PsWord | undefined {
    let out = '';
    let known = true;
    let quoted = false;
    const start = this.at;
    while (this.at < this.text.length) {
      const character = this.text[this.at] as string;
      if (/[\s;|&]/.test(character) || character === ')' || character === '}') break;
      if (character === '>' && this.at > start) break;
      if (character === '=' && /^\$[\w:]+$/.test(out)) break;
      if (character === "'" || character === '"') {
        const end = this.text.indexOf(character, this.at + 1);
        if (end < 0) return undefined;
        const inside = this.text.slice(this.at + 1, end);
        if (character === '"' && !this.substitutions(inside, draft, depth)) return undefined;
        if (character === '"' && /\$[\w({:]/.test(inside)) known = false;
        quoted = true;
        out += inside;
        this.at = end + 1;
      } else if (character === '@' && /["']/.test(this.text[this.at + 1] ?? '')) {
        const quote = this.text[this.at + 1] as string;
        const end = this.text.indexOf(`\n${quote}@`, this.at + 2);
        if (end < 0) return undefined;
        const inside = this.text.slice(this.at + 2, end);
        if (quote === '"' && /\$\(/.test(inside)) return undefined;
        out += inside;
        quoted = true;
        this.at = end + 3;
      } else if (character === '(' || character === '{') {
        this.at += 1;
        const inner = this.script(CLOSING[character] as string, depth + 1);
        if (inner === undefined) return undefined;
        draft.inner.push(...inner);
        out += character === '(' ? '()' : '{}';
        known = false;
      } else {
        if (character === '$') known = false;
        out += character;
        this.at += 1;
      }
    }
    return { text: out, known, quoted };
  }

  /** `"$(…)"` */
  private substitutions(inside: string, draft: Draft, depth: number): boolean {
    for (let at = inside.indexOf('$('); at >= 0; at = inside.indexOf('$(', at + 2)) {
      const reader = new Reader(inside.slice(at + 2));
      const inner = reader.script(')', depth + 1);
      this.commands += reader.commands;
      if (inner === undefined || this.commands > MAX_COMMANDS) return false;
      draft.inner.push(...inner);
    }
    return true;
  }
}

/** What Bash and PowerShell cut differently: then one reading alone is not enough. */
export const READ_DIFFERENTLY = /`|""|''|\\["']|<[#<(]|\$'|\$\{/;
