// The pinned rule set (gitleaks, MIT: gitleaks/rules.json holds version, digest, licence and what was left out) as
// functions: each rule is tried only where one of its keywords stands, and each pattern is bounded.

import ruleSet from './gitleaks/rules.json' with { type: 'json' };
import { Keywords } from './keywords.ts';

export type SecretRule = {
  readonly kind: string;
  readonly keywords: readonly string[];
  /** The secret that a keyword at `at` belongs to. */
  readonly find: (text: string, at: number) => { readonly start: number; readonly end: number } | undefined;
  /** Its own shape is common, or it is only known by the name before it. */
  readonly named: boolean;
};

type Source = (typeof ruleSet.rules)[number] & {
  readonly entropy?: number;
  readonly group?: number;
  readonly named?: boolean;
  readonly allow_values?: readonly string[];
  readonly allow_matches?: readonly string[];
  readonly allow_words?: readonly string[];
};

const ALLOWED = ruleSet.allow.values.map((pattern) => new RegExp(pattern));
const ALLOWED_WORDS = new Keywords(ruleSet.allow.words);
/** How far in front of its keyword a match may begin, where it does not begin with it. */
const MAX_LEAD = 48;
const ASSIGNED = /[\w.\- \t'"\s]{0,80}[=>:|?,]/y;
export const GENERIC_RULE = 'generic_api_key';

export const SECRET_RULES: readonly SecretRule[] = (ruleSet.rules as readonly Source[]).map((source) => {
  const pattern = new RegExp(source.pattern, 'dy');
  const values = (source.allow_values ?? []).map((text) => new RegExp(text));
  const matches = (source.allow_matches ?? []).map((text) => new RegExp(text));
  const words = source.allow_words === undefined ? undefined : new Keywords(source.allow_words);
  const lead = beginsWithKeyword(source) ? 0 : MAX_LEAD;
  const find: SecretRule['find'] = (text, at) => {
    if (source.named) {
      // A name without a sign of assignment near: told without trying every way to read it.
      ASSIGNED.lastIndex = at;
      if (!ASSIGNED.test(text)) return undefined;
    }
    for (let from = at; from >= Math.max(0, at - lead); from -= 1) {
      pattern.lastIndex = from;
      const match = pattern.exec(text);
      if (!match?.indices || match.index + match[0].length <= at) continue;
      const group = source.group ?? match.findIndex((text, index) => index > 0 && text !== undefined);
      const [start, end] = match.indices[Math.max(0, group)] ?? (match.indices[0] as [number, number]);
      const secret = text.slice(start, end);
      if (source.entropy !== undefined && entropy(secret) <= source.entropy) return undefined;
      if ([...ALLOWED, ...values].some((allowed) => allowed.test(secret))) return undefined;
      if (ALLOWED_WORDS.some(secret) || words?.some(secret)) return undefined;
      // Of a pattern that begins with a name, the name as a whole says what the value is.
      const whole = text.slice(nameStart(text, match.index), match.index + match[0].length);
      return matches.some((allowed) => allowed.test(whole)) ? undefined : { start, end };
    }
    return undefined;
  };
  return { kind: source.id.replaceAll('-', '_'), keywords: source.keywords, find, named: source.named === true };
});

/** Whether a match begins where its keyword does: then no other beginning has to be tried. */
function beginsWithKeyword({ pattern, keywords }: Source): boolean {
  const plain = pattern.replace(/^(?:\\b|\(\?[a-z-]*:|\((?!\?))+/, '');
  const alternatives = plain.split(')', 1)[0]?.split('|') ?? [];
  return keywords.every((word) => [plain, ...alternatives].some((alternative) => leads(alternative, word)));
}

/** Letter by letter, a letter or a set of letters at a time. */
function leads(pattern: string, word: string): boolean {
  const PIECE = /\[[^\]\\]+\]|\\?[\w.~:/<-]/y;
  for (const letter of word) {
    const piece = PIECE.exec(pattern)?.[0];
    if (piece === undefined || /^\\[a-z]$/.test(piece) || !new RegExp(`^${piece}$`, 'i').test(letter)) return false;
  }
  return !/[?*{]/.test(pattern[PIECE.lastIndex] ?? '');
}

function nameStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && at - start < 50 && /[\w.-]/.test(text[start - 1] as string)) start -= 1;
  return start;
}

const GENERIC = (ruleSet.rules as readonly Source[]).find(({ id }) => id === 'generic-api-key');
const PUBLIC_NAMES = (GENERIC?.allow_matches ?? []).map((text) => new RegExp(text));

/** Names that end like one of a secret and are none: `secretName`, `PublicKeyToken`, `author`. `at`: where the match begins. */
export function isPublicName(text: string, at: number, end: number): boolean {
  const whole = text.slice(nameStart(text, at), end);
  return PUBLIC_NAMES.some((pattern) => pattern.test(whole));
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
