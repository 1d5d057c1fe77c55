// Finds secrets by the shapes issuers publish, by the names they are assigned to, and by where they stand in a URL or header.
// Linear: each shape is searched by its literal beginning, every pattern is bounded.

import { MAX_DETECTIONS, withoutOverlap } from './combine.ts';
import type { Detection, Detector } from './port.ts';
import { TOKEN_SHAPES } from './secret-tokens.ts';

export function secretsDetector(): Detector {
  return { name: 'secrets', detect };
}

function detect(text: string): readonly Detection[] {
  if (text.length < 8) return [];
  const found: Detection[] = [];
  findTokens(text, found);
  findPrivateKeys(text, found);
  findUrlPasswords(text, found);
  findAssigned(text, found);
  findBotTokens(text, found);
  return found.length === 0 ? found : withoutOverlap(found);
}

function add(found: Detection[], kind: string, confidence: Detection['confidence'], start: number, end: number): void {
  if (found.length < MAX_DETECTIONS) found.push({ kind, class: 'secret', confidence, start, end });
}

/** Documentation and examples: still a finding, never a reason by itself. */
function isExample(value: string): boolean {
  return /EXAMPLE|example|XXXX|xxxx|0000000|1234567890|abcdefgh|placeholder|your[_-]|\*\*\*|\.\.\.|<|changeme/.test(
    value,
  );
}

function findTokens(text: string, found: Detection[]): void {
  for (const { kind, prefix, tail } of TOKEN_SHAPES) {
    for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
      if (isWordCharacter(text.charCodeAt(at - 1)) && !prefix.startsWith('.')) continue;
      tail.lastIndex = at + prefix.length;
      const match = tail.exec(text);
      if (!match) continue;
      const end = at + prefix.length + match[0].length;
      add(found, kind, isExample(match[0]) || entropy(match[0].slice(0, 64)) < 2 ? 'low' : 'high', at, end);
      if (found.length >= MAX_DETECTIONS) return;
    }
  }
}

function isWordCharacter(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

function findPrivateKeys(text: string, found: Detection[]): void {
  const open = '-----BEGIN ';
  for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at + open.length)) {
    const line = text.slice(at, at + 80);
    if (!/^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/.test(line)) continue;
    const close = text.indexOf('-----END ', at);
    const end =
      close < 0
        ? text.length
        : Math.min(text.length, close + 9 + text.slice(close + 9, close + 80).search(/-----|$/) + 5);
    add(found, 'private_key', 'high', at, Math.min(end, text.length));
  }
}

/** `scheme://user:password@host` */
function findUrlPasswords(text: string, found: Detection[]): void {
  const tail = /[^\s/?#@:'"`]{0,200}:([^\s/?#@'"`]{1,400})@[A-Za-z0-9[]/y;
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    tail.lastIndex = at + 3;
    const match = tail.exec(text);
    if (!match) continue;
    const value = match[1] as string;
    const end = at + 3 + match[0].length - 2;
    if (/^(?:\$|\{|<|%s|\*+$|x+$)/i.test(value)) continue;
    add(
      found,
      'url_password',
      /^(?:password|pass|secret|user|postgres|root|guest|example|test|dev)$/i.test(value) ? 'low' : 'high',
      end - value.length,
      end,
    );
  }
}

const NAME =
  /(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|account[_-]?key|auth(?:orization)?|credentials?|private[_-]?key|client[_-]?secret|encryption[_-]?key|signing[_-]?key|bearer)[A-Za-z0-9_]{0,20}["'\]]{0,2}[ \t]{0,4}(?:=>|:=|[=:]|[ \t])[ \t]{0,4}/gi;
const VALUE = /(?:bearer |basic |token |apikey )?(?:"([^"\n]{6,500})"|'([^'\n]{6,500})'|([^\s"'`,;(){}<>&|]{6,500}))/iy;

function findAssigned(text: string, found: Detection[]): void {
  NAME.lastIndex = 0;
  for (let match = NAME.exec(text); match; match = NAME.exec(text)) {
    const name = match[0];
    VALUE.lastIndex = match.index + name.length;
    const value = VALUE.exec(text);
    if (!value) continue;
    const raw = (value[1] ?? value[2] ?? value[3]) as string;
    const blank = /[ \t]$/.test(name) && !/[=:]/.test(name);
    const scheme = /^(?:bearer|basic|token|apikey) /i.test(value[0]) || /^(?:bearer)/i.test(name);
    const confidence = judge(raw, name, scheme, blank);
    if (!confidence) continue;
    const start = match.index + name.length + value[0].indexOf(raw);
    add(found, scheme ? 'authorization' : 'assigned_secret', confidence, start, start + raw.length);
    if (found.length >= MAX_DETECTIONS) return;
  }
}

/** What is plainly no secret: references, placeholders, types, code, paths. */
const REFERENCE =
  /^(?:\$|%[A-Za-z_]|\{\{|<|process\.|os\.|env\.|ENV\[|secrets\.|vault:|op:\/\/|arn:|https?:|file:|\/|\.\/|~\/|@|\*+$|x+$|\[|#|!|--)|\$\{|\$\(/i;
const PLAIN_WORD =
  /^(?:[a-z]+(?:[-_. ][a-z]+)*|[A-Z][A-Z_]+|true|false|null|none|undefined|string|required|optional|[a-z]+\[\]|\d{1,5})[.:?!]?$/i;

function judge(value: string, name: string, scheme: boolean, blank: boolean): Detection['confidence'] | undefined {
  if (REFERENCE.test(value) || isExample(value)) return undefined;
  const password = /pass|pwd|credential/i.test(name);
  const bits = entropy(value.slice(0, 200));
  const mixed = /[0-9]/.test(value) && /[A-Za-z]/.test(value);
  if (scheme) return value.length >= 16 && bits >= 3 ? 'high' : value.length >= 8 && mixed ? 'medium' : undefined;
  if (PLAIN_WORD.test(value))
    return password &&
      !blank &&
      value.length >= 8 &&
      !/[ _.-]/.test(value) &&
      /(?:=|:)/.test(name) &&
      /word|wd|phrase/i.test(name)
      ? 'low'
      : undefined;
  // Between words, a name and a value are only a guess.
  if (blank)
    return value.length >= 20 && mixed && bits >= 3.5 && /^[A-Za-z0-9_+/=.-]+$/.test(value) ? 'medium' : undefined;
  if (/^[\w.]+\(|^[a-z]+\.[a-z]+/i.test(value) && !/\d/.test(value)) return undefined;
  if (value.length >= 16 && bits >= 3 && mixed) return 'high';
  if (password && value.length >= 6 && (mixed || /[^A-Za-z0-9]/.test(value))) return 'medium';
  return value.length >= 8 && mixed && bits >= 2.5 ? 'medium' : undefined;
}

/** `123456789:AA…`, as Telegram gives to bots. */
function findBotTokens(text: string, found: Detection[]): void {
  const tail = /[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/y;
  for (let at = text.indexOf(':AA'); at >= 0; at = text.indexOf(':AA', at + 3)) {
    let start = at;
    while (start > 0 && at - start < 12 && /[0-9]/.test(text[start - 1] as string)) start -= 1;
    tail.lastIndex = at + 3;
    if (at - start >= 8 && tail.test(text)) add(found, 'telegram_token', 'high', start, at + 36);
  }
}

/** Shannon entropy in bits per character. */
export function entropy(text: string): number {
  if (text === '') return 0;
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
