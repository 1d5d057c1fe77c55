// Reads the part of TOML that gitleaks' generated rule file is written in: tables, strings, numbers, lists of strings.
// Anything else stops it: a rule that was half read would be a rule that is half there.

export type SourceAllow = {
  regexes?: string[];
  stopwords?: string[];
  paths?: string[];
  regexTarget?: string;
  condition?: string;
  description?: string;
};
export type SourceTable = {
  id: string;
  regex?: string;
  path?: string;
  entropy?: number;
  secretGroup?: number;
  keywords?: string[];
  description?: string;
  allowlists: SourceAllow[];
};
type Value = string | number | string[];
type Table = { [key: string]: Value | SourceAllow[] };

const KEYS: { readonly [table: string]: readonly string[] } = {
  top: ['title', 'minVersion'],
  allowlist: ['description', 'paths', 'regexes', 'stopwords'],
  rules: ['id', 'description', 'regex', 'path', 'entropy', 'secretGroup', 'keywords'],
  'rules.allowlists': ['description', 'condition', 'regexTarget', 'regexes', 'stopwords', 'paths'],
};

export function readRuleFile(text: string): { tables: SourceTable[]; allow: SourceAllow } {
  const tables: Table[] = [];
  const allow: Table = {};
  let name = 'top';
  let current: Table = {};
  const reader = new Reader(text);
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const header = /^\[{1,2}([a-z.]+)\]{1,2}$/.exec(line);
    if (header) {
      name = header[1] as string;
      if (!Object.hasOwn(KEYS, name)) throw new Error(`unknown table ${name}`);
      current = name === 'allowlist' ? allow : {};
      if (name === 'rules') {
        current = { allowlists: [] };
        tables.push(current);
      } else if (name === 'rules.allowlists') {
        const rule = tables.at(-1);
        if (!rule) throw new Error('an allow-list before any rule');
        (rule.allowlists as Table[]).push(current);
      }
      continue;
    }
    const pair = /^([A-Za-z]+) = (.+)$/s.exec(line);
    if (!pair || !KEYS[name]?.includes(pair[1] as string)) throw new Error(`${name}: cannot read ${line.slice(0, 80)}`);
    current[pair[1] as string] = reader.value(pair[2] as string);
  }
  return { tables: tables as unknown as SourceTable[], allow: allow as SourceAllow };
}

class Reader {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  /** The next line that says something. */
  next(): string | undefined {
    while (this.#at < this.#lines.length) {
      const line = (this.#lines[this.#at++] as string).trim();
      if (line !== '' && !line.startsWith('#')) return line;
    }
    return undefined;
  }

  value(first: string): Value {
    if (/^-?\d+(?:\.\d+)?$/.test(first)) return Number(first);
    if (!first.startsWith('[')) return only(strings(first));
    let list = first.slice(1);
    while (!list.endsWith(']') || !closed(list.slice(0, -1))) {
      const line = this.next();
      if (line === undefined) throw new Error('a list has no end');
      list += `\n${line}`;
    }
    return strings(list.slice(0, -1));
  }
}

function closed(list: string): boolean {
  try {
    strings(list);
    return true;
  } catch {
    return false;
  }
}

function only(list: string[]): string {
  if (list.length !== 1) throw new Error(`one string, not ${list.length}`);
  return list[0] as string;
}

/** `'''raw'''` and `"basic"`, with commas and blanks between. */
function strings(text: string): string[] {
  const out: string[] = [];
  const PIECE = /\s*(?:'''(.*?)'''|"((?:[^"\\]|\\["\\])*)")\s*(?:,|$)/sy;
  while (PIECE.lastIndex < text.length && text.slice(PIECE.lastIndex).trim() !== '') {
    const match = PIECE.exec(text);
    if (!match) throw new Error(`cannot read ${text.slice(0, 80)}`);
    out.push(match[1] ?? (match[2] as string).replace(/\\(.)/g, '$1'));
  }
  return out;
}
