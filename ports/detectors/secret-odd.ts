// Secrets of an odd shape: keys without their frame, tokens broken over lines, passwords of connection strings and of options.
// Each is tried only where its word stands, and each pattern is bounded.

import { entropy } from './secret-rules.ts';
import { isExample, isPublic, isRandom, isReference, isRegular, isWordCharacter } from './secret-values.ts';

type Place = { readonly start: number; readonly end: number };
export type OddShape = {
  readonly kind: string;
  readonly word: string;
  readonly find: (text: string, at: number) => Place | undefined;
};

const MIN_KEY = 40;
const MAX_KEY = 8_000;
const MAX_BREAKS = 4;
const MAX_TOKEN = 600;

/** How the body of a private key begins, or goes on behind its length: no public key and no certificate has these. */
const BODIES =
  'b3BlbnNzaC1rZXktdjE IBAAKCAQEA IBAAKCAgEA IBAAKBgQ IBADANBgkqhkiG9w0BAQEFAASC AgEAMBMGByqGSM49AgEG MC4CAQAwBQYDK2Vw MHcCAQEEI'.split(
    ' ',
  );
const BODY = /(?:[A-Za-z0-9+/=]|\\r?\\n|\\n|\r?\n[ \t>]{0,8}){1,8000}/y;

/** How much of a body is looked at before all of it is taken: a word repeated must not cost its square. */
const GLANCE = 160;

/** Where a body ends that begins here; undefined where it is none. */
function bodyEnd(text: string, from: number): number | undefined {
  BODY.lastIndex = 0;
  const glance = BODY.exec(text.slice(from, from + GLANCE))?.[0] ?? '';
  if (!drawn(glance)) return undefined;
  BODY.lastIndex = 0;
  return from + (BODY.exec(text.slice(from, from + MAX_KEY))?.[0].length ?? 0);
}

function bodyAt(word: string): OddShape['find'] {
  return (text, at) => {
    if (!text.startsWith(word, at)) return undefined;
    // A framed key is told as a whole.
    if (text.slice(Math.max(0, at - 120), at).includes('-----BEGIN ')) return undefined;
    const end = bodyEnd(text, at + word.length);
    let start = at;
    while (start > 0 && at - start < 12 && /[A-Za-z0-9+/]/.test(text[start - 1] as string)) start -= 1;
    return end === undefined ? undefined : { start, end };
  };
}

function drawn(body: string): boolean {
  const plain = body.replace(/\\r|\\n|\s/g, '');
  return plain.length >= MIN_KEY && entropy(plain.slice(0, 200)) >= 4;
}

/** `BEGIN … PRIVATE KEY` without its dashes, and an end whose beginning was cut off. */
const HEADED = /PRIVATE KEY(?: BLOCK)?-{0,4}(?:\\n|[ \t]{0,4}\r?\n)[ \t>]{0,8}(?=[A-Za-z0-9+/]{40})/y;
const END = /-{0,5}END [A-Z0-9 ]{0,40}$/;

function framed(text: string, at: number): Place | undefined {
  if (!text.startsWith('PRIVATE KEY', at)) return undefined;
  HEADED.lastIndex = at;
  const head = HEADED.exec(text)?.[0];
  if (head !== undefined) {
    const end = bodyEnd(text, at + head.length);
    return end === undefined ? undefined : { start: at + head.length, end };
  }
  const foot = END.exec(text.slice(Math.max(0, at - 60), at))?.[0];
  return foot === undefined ? undefined : bodyBefore(text, at - foot.length);
}

/** What stands in front of an end whose beginning was cut off. */
function bodyBefore(text: string, end: number): Place | undefined {
  const glance = /[A-Za-z0-9+/=\s\\]*$/.exec(text.slice(Math.max(0, end - GLANCE), end))?.[0] ?? '';
  if (!drawn(glance) || !/[A-Za-z0-9+/=]{40}/.test(glance)) return undefined;
  let start = end;
  while (start > 0 && end - start < MAX_KEY && /[A-Za-z0-9+/=\s\\]/.test(text[start - 1] as string)) start -= 1;
  // With its frame it is told as a whole.
  return text.slice(Math.max(0, start - 80), start).includes('-----BEGIN ') ? undefined : { start, end };
}

/** Where a token ends whose tail goes on behind line breaks; undefined where the joined text is none. */
export function joinedToken(text: string, from: number, prefix: string, tail: RegExp): number | undefined {
  // Words begin with the shortest.
  if (prefix.length < 4 && prefix !== 'eyJ') return undefined;
  let joined = '';
  let at = from;
  const ends: number[] = [];
  let broken = -1;
  for (let breaks = 0; at < text.length && joined.length < MAX_TOKEN; ) {
    if (/[A-Za-z0-9_.+/=-]/.test(text[at] as string)) {
      joined += text[at];
      at += 1;
      ends.push(at);
      continue;
    }
    BREAK.lastIndex = at;
    const gap = BREAK.exec(text)?.[0];
    breaks += 1;
    // A blank line ends what belongs together.
    if (gap === undefined || breaks > MAX_BREAKS || broken === at) break;
    at += gap.length;
    broken = at;
  }
  tail.lastIndex = 0;
  const match = tail.exec(joined);
  if (!match || !/\d/.test(match[0]) || !/[A-Za-z]/.test(match[0]) || /[a-z]{9}/.test(match[0])) return undefined;
  if (entropy(match[0].slice(0, 64)) < 3.3 || isExample(match[0]) || isRegular(match[0])) return undefined;
  return ends[match[0].length - 1];
}
/** An end of line, carried on or within two literals that are joined. */
const BREAK = /["']?[ \t]{0,4}[\\+]?[ \t]{0,4}\r?\n[ \t>]{0,16}[+]?[ \t]{0,4}["']?/y;

/** A value behind what names it; `strong` says what it has to be made of. */
function behind(pattern: RegExp, strong: (value: string) => boolean, own = true): OddShape['find'] {
  return (text, at) => {
    if (own && isWordCharacter(text.charCodeAt(at - 1))) return undefined;
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const value = match?.[1];
    if (!match || value === undefined || isReference(value) || isExample(value) || isPublic(value)) return undefined;
    if (!strong(value)) return undefined;
    const start = at + match[0].lastIndexOf(value);
    return { start, end: start + value.length };
  };
}

/** As people choose them: letters with digits, or with signs, and no plain name of a thing. */
function chosen(value: string): boolean {
  return (
    value.length >= 6 &&
    /[A-Za-z]/.test(value) &&
    /\d/.test(value) &&
    !/^[\w$]+[.([]|^v?\d+(?:\.\d+)*$|^[a-z]+-\d+$|^[A-Z]{2,}-?\d+$/.test(value)
  );
}

const lot = (value: string) => value.length >= 24 && isRandom(value) && !isRegular(value);
const VALUE = '["\'`]?([A-Za-z0-9+/_=.~-]{24,200})(?=[\\s"\'`,;)]|$|\\.(?:\\s|$))';
const assigned = (word: string) => new RegExp(`${word}[\\w.-]{0,40}[ \\t]{0,3}[=:][ \\t]{0,3}${VALUE}`, 'iy');

const afterUser = behind(/password[ \t]{1,4}["']?([^\s"'`,;<>(){}]{6,80})/iy, chosen);
const inElement = behind(/password>([^<>\s]{6,80})(?=<\/)/iy, chosen);
const keyIs = behind(new RegExp(`key[ \\t]{1,2}(?:is|ist)[ \\t:]{1,3}${VALUE}`, 'iy'), lot);
const USER = /(?:login|user(?:name)?)[ \t]{1,4}\S{1,60}[ \t]{1,4}(?:and[ \t])?(?:the[ \t])?$/i;
const PUBLIC_KEY = /(?:public|pub|cache|primary|partition|sort)[ _-]$/i;

export const ODD_SHAPES: readonly OddShape[] = [
  ...BODIES.map((word) => ({ kind: 'private_key', word, find: bodyAt(word) })),
  { kind: 'private_key', word: 'PRIVATE KEY', find: framed },
  {
    kind: 'assigned_secret',
    word: 'pw',
    find: behind(/pw(?:[ \t]{0,2}[:=]|[ \t](?:is|ist)[ \t:])[ \t]{0,3}["'`]?([^\s"'`,;<>(){}]{6,80})/iy, chosen),
  },
  {
    kind: 'assigned_secret',
    word: '--password',
    find: behind(/--password[ \t]{1,3}["']?([^\s"'`,;<>(){}|]{6,80})/iy, chosen, false),
  },
  {
    kind: 'assigned_secret',
    word: 'password',
    find: (text, at) => {
      if (text[at - 1] === '<') return inElement(text, at);
      return USER.test(text.slice(Math.max(0, at - 90), at)) ? afterUser(text, at) : undefined;
    },
  },
  {
    kind: 'url_password',
    word: 'thin:',
    find: behind(/thin:[\w$#]{1,30}\/([^@\s/"']{4,100})(?=@)/iy, () => true),
  },
  {
    kind: 'assigned_secret',
    word: 'key',
    find: (text, at) => {
      if (text[at + 3] !== ' ' && text[at + 3] !== '\t') return undefined;
      const place = keyIs(text, at);
      return place && !PUBLIC_KEY.test(text.slice(Math.max(0, at - 11), at)) ? place : undefined;
    },
  },
  ...'session cookie license webhook pepper'
    .split(' ')
    .map((word) => ({ kind: 'assigned_secret', word, find: behind(assigned(word), lot, false) })),
];
