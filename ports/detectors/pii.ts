// Finds personal data by what checks itself (cards, accounts, national numbers, wallets) and by the words beside it, and,
// with less weight, e-mail addresses and telephone numbers. Linear: a few passes, runs are bounded.

import { base58check, bech32, ibanValid, luhn } from './checksums.ts';
import { MAX_DETECTIONS, withoutOverlap } from './combine.ts';
import { type Identifier, LETTERED, NUMBERS } from './national-ids.ts';
import type { Detection, Detector } from './port.ts';

export function piiDetector(): Detector {
  return { name: 'pii', detect };
}

type Add = (kind: string, confidence: Detection['confidence'], start: number, end: number, secret?: boolean) => void;

function detect(text: string): readonly Detection[] {
  const found: Detection[] = [];
  const add: Add = (kind, confidence, start, end, secret = false) => {
    if (found.length < MAX_DETECTIONS) found.push({ kind, class: secret ? 'secret' : 'pii', confidence, start, end });
  };
  if (text.includes('@')) findEmails(text, add);
  if (/\d{2}/.test(text)) {
    findNumbers(text, add);
    findLettered(text, add);
    findIbans(text, add);
  }
  if (/(?<![0-9A-Za-z])[0-9A-Za-z]{26}/.test(text)) findWallets(text, add);
  return found.length === 0 ? found : withoutOverlap(found);
}

const LOCAL = /[A-Za-z0-9._%+-]/;
const DOMAIN = /[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24}(?![A-Za-z0-9])/y;
/** Addresses of machines and of documentation. */
const NOBODY = /^(?:git|noreply|no-reply|root|admin|user|you|me|name|email|hg|svn|actions|bot)$/i;

function findEmails(text: string, add: Add): void {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < 64 && LOCAL.test(text[start - 1] as string)) start -= 1;
    if (start === at) continue;
    DOMAIN.lastIndex = at + 1;
    const match = DOMAIN.exec(text);
    if (
      !match ||
      NOBODY.test(text.slice(start, at)) ||
      /(?:^|\.)example\.(?:com|org|net)$|\.(?:test|invalid|local|png|jpg|svg|js|ts|py|rb|css)$/i.test(match[0])
    )
      continue;
    add('email', 'low', start, at + 1 + match[0].length);
  }
}

/** Digits with single signs between them: a telephone number's brackets and plus count as such. */
const RUN = /(?<![\w.,@#/=-])\+?\(?\d(?:[ ./()-]{0,2}\d){5,22}(?![\w@])/g;
/** How far a word may stand from what it says something about. */
const BEFORE = 48;
const BEHIND = 16;

function findNumbers(text: string, add: Add): void {
  for (const match of text.matchAll(RUN)) {
    const raw = match[0];
    const start = match.index;
    const end = start + raw.length;
    const digits = raw.replace(/\D/g, '');
    // Amounts, versions and addresses of machines go on behind a point.
    if (/^[.,]\d/.test(text.slice(end, end + 2))) continue;
    const around = () => `${text.slice(Math.max(0, start - BEFORE), start)} ${text.slice(end, end + BEHIND)}`;
    if (/^[\d -]+$/.test(raw) && isCard(digits)) add('payment_card', 'high', start, end);
    for (const identifier of NUMBERS)
      identify(identifier, raw, digits, around, (sure) => add(identifier.kind, sure, start, end));
    const phone = phoneConfidence(raw, digits, text.slice(Math.max(0, start - BEFORE), start));
    if (phone) add('phone', phone, start, end);
  }
}

function identify(
  { layout, check, beside, alone }: Identifier,
  raw: string,
  compact: string,
  around: () => string,
  add: (confidence: Detection['confidence']) => void,
): void {
  if (!layout.test(raw) || !check(compact)) return;
  if (beside.test(around())) add('high');
  else if (alone !== undefined) add(alone);
}

const LETTERED_RUN = /(?<![\w.-])(?=[A-Z0-9 +-]{0,12}\d{2})[A-Z0-9]{1,18}(?:[ -]?[A-Z0-9]{1,10}){0,5}(?![\w-])/g;

function findLettered(text: string, add: Add): void {
  for (const match of text.matchAll(LETTERED_RUN)) {
    if (!/[A-Z]/.test(match[0])) continue;
    const start = match.index;
    const around = `${text.slice(Math.max(0, start - BEFORE), start)} ${text.slice(start + match[0].length, start + match[0].length + BEHIND)}`;
    // The words before and behind may themselves be written in capitals.
    for (const part of [match[0], ...match[0].split(' ')]) {
      const at = start + match[0].indexOf(part);
      const compact = part.replace(/[ +-]/g, '');
      for (const identifier of LETTERED)
        identify(
          identifier,
          part,
          compact,
          () => `${around} ${match[0]}`,
          (sure) => add(identifier.kind, sure, at, at + part.length),
        );
      if (!match[0].includes(' ')) break;
    }
  }
}

function isCard(digits: string): boolean {
  const issuer =
    /^4(?:\d{12}|\d{15}|\d{18})$/.test(digits) ||
    /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})$/.test(digits) ||
    /^3[47]\d{13}$/.test(digits) ||
    /^(?:6011|65\d\d|64[4-9]\d)\d{12}$/.test(digits) ||
    /^3(?:0[0-5]|[68]\d)\d{11}$/.test(digits) ||
    /^35(?:2[89]|[3-8]\d)\d{12}$/.test(digits) ||
    /^62\d{14,17}$/.test(digits);
  return issuer && luhn(digits) && new Set(digits).size > 2;
}

const PHONE_WORD =
  /(?:^|[^\p{L}])(?:tel(?:e(?:fon|phone|fono|foon))?|phone|mobile?|cell|call|whats ?app|sms|fax|handy|rufnummer|téléphone|teléfono|móvil|celular|telefone|cellulare|portable|телефон|тел|电话|手机|電話|전화)[^\n]{0,24}$/iu;

/** A country's code, or the word beside it; numbers that are kept for films are nobody's. */
function phoneConfidence(raw: string, digits: string, before: string): Detection['confidence'] | undefined {
  if (/555-?01\d\d$/.test(raw) || new Set(digits).size < 4 || digits.length > 15) return undefined;
  const named = PHONE_WORD.test(before);
  if (raw.startsWith('+')) {
    if (digits.length < 9 || digits.startsWith('0')) return undefined;
    // In a diff, a line that begins so is a line with a number.
    const lineStart = before === '' || before.endsWith('\n');
    return lineStart && !named && !/[ ()-]/.test(raw) ? undefined : 'medium';
  }
  if (named && digits.length >= 7) return 'medium';
  return /^(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}$/.test(raw) ? 'low' : undefined;
}

function findIbans(text: string, add: Add): void {
  for (const match of text.matchAll(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g)) {
    // A word in capitals behind it is not part of it.
    for (let raw = match[0]; raw.length >= 15; raw = raw.slice(0, Math.max(0, raw.lastIndexOf(' ')))) {
      if (!ibanValid(raw.replaceAll(' ', ''))) continue;
      add('iban', 'high', match.index, match.index + raw.length);
      break;
    }
  }
}

const WALLET =
  /\b(?:bc1|ltc1|addr1)[a-z0-9]{20,100}\b|\b[13LMD5KLcx9][1-9A-HJ-NP-Za-km-z]{25,34}\b|\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b|\b[xyz]prv[1-9A-HJ-NP-Za-km-z]{100,112}\b|\b0x[0-9A-Fa-f]{40}\b/g;
const CHAIN = /wallet|ethereum|\beth\b|\berc-?20|usdt|usdc|crypto|coin|address/i;

/** Addresses by their checksums; the keys that open them are secrets. */
function findWallets(text: string, add: Add): void {
  for (const match of text.matchAll(WALLET)) {
    const raw = match[0];
    const end = match.index + raw.length;
    if (raw.startsWith('0x')) {
      const around = text.slice(Math.max(0, match.index - BEFORE), match.index);
      if (CHAIN.test(around)) add('crypto_address', 'medium', match.index, end);
    } else if (/^(?:bc1|ltc1|addr1)/.test(raw)) {
      if (bech32(raw)) add('crypto_address', 'high', match.index, end);
    } else {
      const body = base58check(raw);
      if (!body) continue;
      const opens = (body[0] === 0x80 && (body.length === 33 || body.length === 34)) || /^[xyz]prv/.test(raw);
      if (opens) add('crypto_private_key', 'high', match.index, end, true);
      else if (body.length === 21) add('crypto_address', 'high', match.index, end);
    }
  }
}
