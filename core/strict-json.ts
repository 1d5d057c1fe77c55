// JSON as RFC 8259 and RFC 7493 (I-JSON) mean it, from bytes an attacker chose. Two readers of the same accepted bytes
// can only see the same value: duplicate keys, lone surrogates and numbers that lose digits are refused.
// Messages never quote the input: it may hold a secret.

import { BeaconError, invalidArgument } from './errors.ts';

export type JsonLimits = {
  /** Nesting of arrays and objects; default 64. */
  readonly maxDepth?: number;
  /** Default 1,048,576. */
  readonly maxBytes?: number;
};

/** What `field` says when the fault is the document itself rather than a value in it. */
const ROOT = 'body';
const DEFAULT_MAX_DEPTH = 64;
const DEFAULT_MAX_BYTES = 1_048_576;
// A key is repeated to the caller only when it looks like a field's name and not like a credential.
const SHOWN_KEY = /^[a-z_][A-Za-z_]{0,31}$/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Segment = string | number;

/**
 * The value of one JSON document. Throws `invalid_argument` (with `field` as the dotted path of the offending value, as
 * far as known, else `body`) on anything but strict JSON: invalid UTF-8, a byte order mark, control characters, trailing
 * bytes, a key given twice (however spelt), the key `__proto__`, lone surrogates, numbers beyond 2^53 - 1 or not finite,
 * nesting beyond `maxDepth`; `payload_too_large` beyond `maxBytes`.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = {}): unknown {
  const maxBytes = limits.maxBytes ?? DEFAULT_MAX_BYTES;
  if (bytes.length > maxBytes) {
    throw new BeaconError('payload_too_large', `${ROOT}: more than ${maxBytes} bytes`, { field: ROOT });
  }
  const keysWritten = countKeys(bytes, limits.maxDepth ?? DEFAULT_MAX_DEPTH);
  const text = decode(bytes);
  const value = parse(text);
  // JSON.parse keeps the last of two equal keys, so fewer keys in the value than in the text means a duplicate.
  if (countSoundKeys(value) !== keysWritten) throw explain(value, text);
  return value;
}

/** The same for JSON that travels as text in a field of a message; the fault is that field's. */
export function parseJsonText(text: string, field: string): unknown {
  try {
    return parseStrictJson(Buffer.from(text), { maxBytes: Number.POSITIVE_INFINITY });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^body: /, '') : '';
    throw new BeaconError('invalid_argument', `${field}: must be strict JSON (${why})`, { field, cause });
  }
}

/** Colons outside strings, which in a valid document are its keys. Refuses depth before anything recurses. */
function countKeys(bytes: Uint8Array, maxDepth: number): number {
  const length = bytes.length;
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      for (at++; at < length && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
    } else if (byte === COLON) {
      keys++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) throw invalidArgument(ROOT, `nested deeper than ${maxDepth}`);
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
  return keys;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidArgument(ROOT, 'not valid UTF-8');
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    const position = /position (\d+)/.exec(thrown instanceof Error ? thrown.message : '')?.[1];
    throw invalidArgument(ROOT, position ? `not valid JSON at character ${position}` : 'not valid JSON');
  }
}

/** Keys in a value, or NaN (equal to no count) when something in it is not sound. */
function countSoundKeys(value: unknown): number {
  if (typeof value === 'string') return value.isWellFormed() ? 0 : Number.NaN;
  if (typeof value === 'number') return soundNumber(value) ? 0 : Number.NaN;
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countSoundKeys(item);
    return keys;
  }
  for (const key of Object.keys(value)) {
    if (!soundKey(key)) return Number.NaN;
    keys += 1 + countSoundKeys((value as Record<string, unknown>)[key]);
  }
  return keys;
}

function soundNumber(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

// `__proto__` is an own property here, but the first copy made by assignment would hide it from all that follows.
function soundKey(key: string): boolean {
  return key !== '__proto__' && key.isWellFormed();
}

/** Off the hot path: which value it was. */
function explain(value: unknown, text: string): BeaconError {
  return findUnsound(value, []) ?? findDuplicate(text) ?? invalidArgument(ROOT, 'not strict JSON');
}

function findUnsound(value: unknown, path: Segment[]): BeaconError | undefined {
  if (typeof value === 'string') {
    return value.isWellFormed() ? undefined : invalidArgument(dotted(path), 'holds a lone surrogate');
  }
  if (typeof value === 'number') {
    return soundNumber(value) ? undefined : invalidArgument(dotted(path), 'a number beyond 2^53 - 1');
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    if (!Array.isArray(value) && !soundKey(key)) return invalidArgument(dotted(here), 'a key that is not accepted');
    const fault = findUnsound(item, here);
    if (fault) return fault;
  }
  return undefined;
}

/** Walks the tokens of a document that JSON.parse has accepted. */
function findDuplicate(text: string): BeaconError | undefined {
  const open: { keys: Set<string> | undefined; at: Segment }[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[[\]{},]/gs;
  for (const match of text.matchAll(token)) {
    const [word] = match;
    const top = open.at(-1);
    if (word === '{') open.push({ keys: new Set(), at: '' });
    else if (word === '[') open.push({ keys: undefined, at: 0 });
    else if (word === '}' || word === ']') open.pop();
    else if (word === ',' && top && typeof top.at === 'number') top.at++;
    else if (match[1] !== undefined && top?.keys) {
      const key = JSON.parse(word.slice(0, word.length - match[1].length)) as string;
      top.at = key;
      if (top.keys.has(key)) return invalidArgument(dotted(open.map((level) => level.at)), 'given twice');
      top.keys.add(key);
    }
  }
  return undefined;
}

function dotted(path: readonly Segment[]): string {
  if (path.length === 0) return ROOT;
  return path.map((part) => (typeof part === 'number' || SHOWN_KEY.test(part) ? String(part) : '*')).join('.');
}
