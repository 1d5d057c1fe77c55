// Requests of program text to services on this machine, written out: constants put into addresses, sessions and clients as the plain
// calls they stand for. Only where every address of the text is one of this machine, so that nothing of it can go elsewhere.

import { bareText } from './code-strings.ts';
import { isLocalHost, readUrl } from './urls.ts';

const MAX_TEXT = 32 * 1024;
const MAX_NAMES = 8;
const ADDRESS = /\b(?:https?|wss?|ftp):\/\/[^\s"'`<>)]{0,400}/gi;
/** Its requests may go through another machine. */
const THROUGH = /prox(?:y|ies)|\bmounts?\b|\btransport\b|resolve/i;
/** Up to the path, which may be computed: the name of the host is then complete. */
const WHOLE = /^https?:\/\/[\w.[\]-]{1,60}(?::\d{1,5})?(?:[/?#]|$)/i;

/** Undefined where an address of the text is elsewhere, or none is told. */
export function localRequests(language: string, text: string): string | undefined {
  if (text.length > MAX_TEXT || THROUGH.test(text)) return undefined;
  const addresses = [...text.matchAll(ADDRESS)].map(([address]) => address);
  if (addresses.length === 0 || !addresses.every(isHere)) return undefined;
  const python = /^(?:python|pypy)$/.test(language);
  const bare = bareText(language, text);
  if (bare === undefined) return undefined;
  let out = text;
  for (const [name, address] of constants(text, bare)) out = put(out, name, address, python);
  return python ? withoutClients(out, bare) : out;
}

/** A template of the language may go on behind the host. */
function isHere(address: string): boolean {
  const plain = address.replace(/\$?\{.*$/, '');
  return WHOLE.test(plain) && isLocalHost(readUrl(plain)?.host ?? '');
}

/** Names that stand for one address in the whole text. */
function constants(text: string, bare: string): (readonly [string, string])[] {
  return [
    ...text.matchAll(
      /(?<![\w$.])([A-Za-z_]\w{0,40})\s{0,4}=\s{0,4}(["'])(https?:\/\/[^"'\\\s{}$]{1,200})\2\s{0,4}(?=[;\n]|$)/g,
    ),
  ]
    .map((match) => [match[1] as string, (match[3] as string).replace(/\/$/, '')] as const)
    .filter(
      ([name]) =>
        [
          ...bare.matchAll(
            new RegExp(
              String.raw`(?<![\w$.])${name}\s{0,4}(?:[-+|]?=(?![=>])|:=)|\bas\s{1,4}${name}\b|\bfor\s[^\n=:]{0,80}\b${name}\b(?=[^\n=:]{0,40}\bin\b)|\b(?:def|function)\s[^\n=:]{0,80}\b${name}\b`,
              'g',
            ),
          ),
        ].length === 1,
    )
    .slice(0, MAX_NAMES);
}

/** What is computed for the path stays, behind the address, to be read like the rest. */
function put(text: string, name: string, address: string, python: boolean): string {
  const fields = (path: string, pattern: RegExp) =>
    [...path.matchAll(pattern)].map((match) => `, (${match[1]})`).join('');
  const joined = text.replace(
    new RegExp(String.raw`(?<![\w$.])${name}\s{0,4}\+\s{0,4}(["'])(/[^"'\\\n{}$]{0,200})\1`, 'g'),
    (_all, _quote, path) => `"${address}${path}"`,
  );
  return python
    ? joined.replace(
        new RegExp(String.raw`\bf(["'])\{${name}\}(/[^"'\\\n]{0,200})?\1`, 'g'),
        (_all, _quote, path = '') =>
          `"${address}${path.replace(/\{[^}]*\}/g, 'x')}"${fields(path, /\{([^}:!]{1,100})[^}]*\}/g)}`,
      )
    : joined.replace(
        new RegExp(String.raw`${'`'}\$\{${name}\}(/[^${'`'}\\\n]{0,200})?${'`'}`, 'g'),
        (_all, path = '') => `"${address}${path.replace(/\$\{[^}]*\}/g, 'x')}"${fields(path, /\$\{([^}]{1,100})\}/g)}`,
      );
}

const CLIENT = String.raw`(?:requests\.[sS]ession|httpx\.(?:Async)?Client)\(([^()\n]{0,200})\)`;

/** `s = requests.Session()`, `with httpx.Client(base_url=…) as c`. */
function withoutClients(text: string, bare: string): string {
  let out = text;
  const made = new RegExp(
    String.raw`(?<![\w.])([A-Za-z_]\w{0,40})\s{0,4}=\s{0,4}${CLIENT}|${CLIENT}\s{1,4}as\s{1,4}(\w{1,40})`,
    'g',
  );
  for (const match of [...text.matchAll(made)].slice(0, MAX_NAMES)) {
    const name = (match[1] ?? match[4]) as string;
    const base = /\bbase_url\s{0,4}=\s{0,4}["'](https?:\/\/[^"'\s]{1,200})["']/.exec(
      (match[2] ?? match[3]) as string,
    )?.[1];
    const bound = new RegExp(String.raw`(?<![\w.])${name}\s{0,4}=(?!=)|\bas\s{1,4}${name}\b`, 'g');
    if ([...bare.matchAll(bound)].length !== 1) continue;
    out = out.replace(
      new RegExp(
        String.raw`(?<![\w.])${name}\.(get|post|put|patch|delete|head)\(\s{0,8}(?:f?(["'])(/[^"'\\\n{}]{0,200})\2)?`,
        'g',
      ),
      (_all, method: string, _quote, path?: string) =>
        `requests.${method}(${path === undefined ? '' : `"${base === undefined ? path : base.replace(/\/$/, '') + path}"`}`,
    );
  }
  return out.replace(new RegExp(CLIENT, 'g'), 'print($1)');
}
