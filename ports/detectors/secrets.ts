// Finds secrets by the rules of a well-kept set, by shapes that issuers publish, by the names they are assigned to, by where
// they stand in a URL or header, and by chance alone near a word for them. One pass finds the keywords; every pattern is bounded.

import { withoutOverlap } from './combine.ts';
import { Keywords } from './keywords.ts';
import type { Detection, Detector } from './port.ts';
import { joinedToken, ODD_SHAPES } from './secret-odd.ts';
import { entropy, GENERIC_RULE, isPublicName, SECRET_RULES } from './secret-rules.ts';
import { TOKEN_SHAPES } from './secret-tokens.ts';
import { isExample, isPublic, isRandom, isReference, isRegular, isWordCharacter } from './secret-values.ts';

const MAX_FOUND = 1_000;
/** Shorter texts hold no secret that anything could be told from. */
const MIN_TEXT = 8;

/** What was found so far, and up to where lines were looked through already. */
class Found {
  readonly list: Detection[] = [];
  seen = 0;
}
type At = (text: string, start: number, found: Found) => void;

export function secretsDetector(): Detector {
  return { name: 'secrets', detect };
}

/** What is tried where a keyword stands. */
const TRIALS: readonly (readonly [string, At])[] = [
  ...SECRET_RULES.flatMap((rule) => {
    const trial: At = (text, start, found) => {
      const place = rule.find(text, start);
      if (!place) return;
      const value = text.slice(place.start, place.end);
      if (isExample(value) || isDigest(text, place.start)) return;
      if (rule.kind === GENERIC_RULE) {
        if (!isReference(value) && !isPublic(value)) add(found, 'assigned_secret', genericConfidence(value), place);
      } else add(found, rule.kind, rule.named ? 'medium' : 'high', place);
    };
    return rule.keywords.map((word) => [word, trial] as const);
  }),
  ...TOKEN_SHAPES.map(({ kind, prefix, tail }) => [prefix, tokenTrial(kind, prefix, tail)] as const),
  ...ODD_SHAPES.map(
    ({ kind, word, find }) =>
      [
        word,
        (text: string, start: number, found: Found) => {
          const place = find(text, start);
          if (place) add(found, kind, 'medium', place);
        },
      ] as const,
  ),
  ['-----BEGIN ', privateKeyAt],
  ['://', urlPasswordAt],
  [':AA', botTokenAt],
  ...'pass pwd secret token api access account auth credential private client encryption signing bearer kennwort contrase senha'
    .split(' ')
    .map((word) => [word, assignedAt] as const),
  ...'secret token password credential key'.split(' ').map((word) => [word, nearbyAt] as const),
];
const KEYWORDS = new Keywords(TRIALS.map(([word]) => word));

function detect(text: string): readonly Detection[] {
  if (text.length < MIN_TEXT) return [];
  const found = new Found();
  KEYWORDS.scan(text, (word, start) => {
    if (found.list.length < MAX_FOUND) (TRIALS[word] as readonly [string, At])[1](text, start, found);
  });
  // Where both know a token, its shorter name is the one that people were told before.
  found.list.sort((left, right) => Number(SHAPES.has(right.kind)) - Number(SHAPES.has(left.kind)));
  return found.list.length === 0 ? found.list : withoutOverlap(found.list);
}
const SHAPES = new Set(TOKEN_SHAPES.map(({ kind }) => kind));

function add(
  found: Found,
  kind: string,
  confidence: Detection['confidence'],
  { start, end }: { readonly start: number; readonly end: number },
): void {
  if (found.list.length < MAX_FOUND) found.list.push({ kind, class: 'secret', confidence, start, end });
}

function tokenTrial(kind: string, prefix: string, tail: RegExp): At {
  return (text, start, found) => {
    if (!text.startsWith(prefix, start)) return;
    if (isWordCharacter(text.charCodeAt(start - 1)) && !prefix.startsWith('.')) return;
    tail.lastIndex = start + prefix.length;
    const match = tail.exec(text);
    const joined = match ? undefined : joinedToken(text, start + prefix.length, prefix, tail);
    if (joined !== undefined) add(found, kind, 'high', { start, end: joined });
    if (!match || isExample(match[0])) return;
    const end = start + prefix.length + match[0].length;
    add(found, kind, isRegular(match[0]) ? 'low' : 'high', { start, end });
  };
}

function privateKeyAt(text: string, start: number, found: Found): void {
  const head = /^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(start, start + 80))?.[0];
  // The line alone, as programs hold it, is no key.
  if (head === undefined || !/[A-Za-z0-9+/]{24}/.test(text.slice(start + head.length, start + 500))) return;
  const close = text.indexOf('-----END ', start);
  const end = close < 0 ? text.length : close + 9 + text.slice(close + 9, close + 80).search(/-----|$/) + 5;
  add(found, 'private_key', 'high', { start, end: Math.min(end, text.length) });
}

const USER_PASSWORD = /[^\s/?#@:'"`]{0,200}:([^\s/?#@'"`]{1,400})@([A-Za-z0-9.[-]{1,255})/y;

/** `scheme://user:password@host` */
function urlPasswordAt(text: string, start: number, found: Found): void {
  USER_PASSWORD.lastIndex = start + 3;
  const match = USER_PASSWORD.exec(text);
  if (!match) return;
  const value = match[1] as string;
  if (isReference(value) || isExample(value) || /^(?:%s|x+|\.+)$/i.test(value)) return;
  const word = /^(?:pass(?:word|wd)?|pwd|secret|user|postgres|mysql|root|guest|admin|test|dev|token|key)$/i.test(value);
  const local = /^(?:localhost|127\.|0\.0\.0\.0|\[::1|host\b|[a-z]{1,20}$)/.test(match[2] as string);
  // What every tutorial writes, on the machine itself.
  if (word && local) return;
  const end = match.index + match[0].length - 1 - (match[2] as string).length;
  add(found, 'url_password', word || value.length < 6 ? 'low' : 'high', { start: end - value.length, end });
}

const NAME =
  /(?:pass(?:word|wd|wort|phrase|code|key)?(?-i:(?![a-z]))|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|auth(?:orization)?|credentials?|private[_-]?key|client[_-]?secret|encryption[_-]?key|signing[_-]?key|bearer|kennwort|contraseña|senha)[A-Za-z0-9_]{0,20}["'\]]{0,2}[ \t]{0,4}(?:=>|:=|[=:]|(?<=[ \t])->(?=[ \t])|[ \t](?:(?:for|to|of|on|at|in|für|von|zu|de|del|du|per)(?:[ \t][\w.-]{1,30}){1,4}[ \t])?(?:is|ist|est|es|é|è|lautet)(?:[ \t]{0,2}:)?[ \t]|[ \t])[ \t]{0,4}/iy;
const VALUE = /(?:bearer |basic |token |apikey )?(?:"([^"\n]{6,500})"|'([^'\n]{6,500})'|([^\s"'`,;(){}<>&|]{6,500}))/iy;

function assignedAt(text: string, start: number, found: Found): void {
  NAME.lastIndex = start;
  const name = NAME.exec(text)?.[0];
  if (name === undefined || isPublicName(text, start, start + name.length)) return;
  VALUE.lastIndex = start + name.length;
  const value = VALUE.exec(text);
  if (!value) return;
  const quoted = value[1] ?? value[2];
  const raw = quoted ?? (value[3] as string).replace(/[.!?:]+$/, '');
  const blank = /[ \t]$/.test(name) && !/[=:]|->/.test(name) && !/ (?:is|ist|est|es|é|è|lautet)[ \t]+$/i.test(name);
  const scheme = /^(?:bearer|basic|token|apikey) /i.test(value[0]) || /^(?:bearer)/i.test(name);
  if (quoted === undefined && isCode(raw)) return;
  const confidence = judge(raw, name, scheme, blank);
  if (!confidence) return;
  const from = start + name.length + value[0].indexOf(raw);
  add(found, scheme ? 'authorization' : 'assigned_secret', confidence, { start: from, end: from + raw.length });
}

const LONELY = /(?<=[\s"'`(]|^)[A-Za-z0-9+/_-]{24,128}={0,2}(?=[\s"'`),;.]|$)/g;
const WHOLE_WORD = /[a-z]+(?![A-Za-z0-9_])/iy;
const REACH = 200;

/** A word for a secret, and near behind it, on the same line, what only a machine would have chosen. */
function nearbyAt(text: string, start: number, found: Found): void {
  if (start < found.seen || isWordCharacter(text.charCodeAt(start - 1))) return;
  WHOLE_WORD.lastIndex = start;
  if (!WHOLE_WORD.test(text) || /pub(?:lic)?[ _-]$/i.test(text.slice(Math.max(0, start - 8), start))) return;
  const line = text.slice(start, start + REACH).replace(/\n.*$/s, '');
  found.seen = start + line.length;
  for (const match of line.length < 32 ? [] : line.matchAll(LONELY)) {
    const value = match[0];
    if (isRandom(value) && !isExample(value) && !isPublic(value) && !isRegular(value))
      add(found, 'high_entropy', 'low', { start: start + match.index, end: start + match.index + value.length });
  }
}

/** The checksums of lock files say what they are in front of the value. */
function isDigest(text: string, start: number): boolean {
  return /(?:^|\W)(?:h1|sha\d{1,3}|md5|blake\d\w?)[:-]$/i.test(text.slice(Math.max(0, start - 10), start));
}

/** By a name that may mean many things (`key`, `access`), a value is only sure when it looks drawn by lot. */
function genericConfidence(value: string): Detection['confidence'] {
  return isRandom(value) || (/^[0-9a-f]{32,}$/i.test(value) && entropy(value) >= 3.3) ? 'medium' : 'low';
}

const PLAIN_WORD =
  /^(?:[a-z]+(?:[-_. ][a-z]+)*|[A-Z][A-Z_]+|true|false|null|none|undefined|string|required|optional|[a-z]+\[\]|\d{1,5})[.:?!]?$/i;

/** What no quotes make a text: a thing within another, an element, a call, a type. */
function isCode(value: string): boolean {
  return (
    /^[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)+$|^[A-Za-z_$][\w$.?]*[[(]|^_[a-z_]+$/.test(value) && !/^eyJ/.test(value)
  );
}

/** A name of a program's own, of whole words, perhaps of a thing within another. */
function isIdentifier(value: string): boolean {
  const named = /^(?:[A-Za-z_$][\w$]*\.)*(?:_{0,2}(?:[A-Z]?[a-z]{2,}|[A-Z]{1,6}|\d{1,2}))+$/.test(value);
  return named && (value.length < 20 || !isRandom(value));
}

function judge(value: string, name: string, scheme: boolean, blank: boolean): Detection['confidence'] | undefined {
  if (isReference(value) || isExample(value) || isPublic(value)) return undefined;
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
  if (!/pass|pwd/i.test(name) && isIdentifier(value)) return undefined;
  // Between words, a name and a value are only a guess.
  if (blank)
    return value.length >= 20 && mixed && bits >= 3.5 && /^[A-Za-z0-9_+/=.-]+$/.test(value) ? 'medium' : undefined;
  if (/^[\w.]+\(|^[a-z]+\.[a-z]+/i.test(value) && !/\d/.test(value)) return undefined;
  if (value.length >= 16 && bits >= 3 && mixed) return 'high';
  if (password && value.length >= 6 && (mixed || /[^A-Za-z0-9]/.test(value))) return 'medium';
  return value.length >= 8 && mixed && bits >= 2.5 ? 'medium' : undefined;
}

const BOT_TAIL = /[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/y;

/** `123456789:AA…`, as Telegram gives to bots. */
function botTokenAt(text: string, at: number, found: Found): void {
  let start = at;
  while (start > 0 && at - start < 12 && /[0-9]/.test(text[start - 1] as string)) start -= 1;
  BOT_TAIL.lastIndex = at + 3;
  if (at - start >= 8 && BOT_TAIL.test(text)) add(found, 'telegram_token', 'high', { start, end: at + 36 });
}
