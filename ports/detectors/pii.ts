// Finds personal data that checks itself: payment cards (issuer and Luhn), IBANs (mod 97), and, with less weight, e-mail addresses and US SSNs.
// Linear: one pass for each kind, runs are bounded.

import { MAX_DETECTIONS, withoutOverlap } from './combine.ts';
import type { Detection, Detector } from './port.ts';

export function piiDetector(): Detector {
  return { name: 'pii', detect };
}

function detect(text: string): readonly Detection[] {
  const found: Detection[] = [];
  const add = (kind: string, confidence: Detection['confidence'], start: number, end: number) => {
    if (found.length < MAX_DETECTIONS) found.push({ kind, class: 'pii', confidence, start, end });
  };
  if (text.includes('@')) findEmails(text, add);
  if (/\d{4}/.test(text)) {
    findCards(text, add);
    findIbans(text, add);
  }
  findSsns(text, add);
  return found.length === 0 ? found : withoutOverlap(found);
}

type Add = (kind: string, confidence: Detection['confidence'], start: number, end: number) => void;

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

function findCards(text: string, add: Add): void {
  for (let at = 0; at < text.length; ) {
    if (!isDigit(text.charCodeAt(at))) {
      at += 1;
      continue;
    }
    let digits = '';
    let end = at;
    let last = at;
    while (end < text.length && end - at < 64) {
      const code = text.charCodeAt(end);
      if (isDigit(code)) {
        digits += text[end];
        last = end + 1;
      } else if (!((code === 32 || code === 45) && isDigit(text.charCodeAt(end + 1)))) break;
      end += 1;
    }
    const alone =
      !isWord(text.charCodeAt(at - 1)) &&
      !isWord(text.charCodeAt(last)) &&
      text[at - 1] !== '.' &&
      text[at - 1] !== '-';
    if (alone && isCard(digits)) add('payment_card', 'high', at, last);
    at = Math.max(end, at + 1);
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isWord(code: number): boolean {
  return isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
}

function isCard(digits: string): boolean {
  const issuer =
    /^4(?:\d{12}|\d{15}|\d{18})$/.test(digits) ||
    /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})$/.test(digits) ||
    /^3[47]\d{13}$/.test(digits) ||
    /^(?:6011|65\d\d|64[4-9]\d)\d{12}$/.test(digits) ||
    /^3(?:0[0-5]|[68]\d)\d{11}$/.test(digits) ||
    /^35(?:2[89]|[3-8]\d)\d{12}$/.test(digits);
  return issuer && luhn(digits) && new Set(digits).size > 2;
}

export function luhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    let value = Number(digits[digits.length - 1 - index]);
    if (index % 2 === 1) {
      value *= 2;
      if (value > 9) value -= 9;
    }
    sum += value;
  }
  return sum % 10 === 0;
}

function findIbans(text: string, add: Add): void {
  for (const match of text.matchAll(/\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b/g)) {
    if (ibanValid(match[0].replaceAll(' ', ''))) add('iban', 'high', match.index, match.index + match[0].length);
  }
}

function ibanValid(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false;
  let rest = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

function findSsns(text: string, add: Add): void {
  for (const match of text.matchAll(/(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g)) {
    add('us_ssn', 'medium', match.index, match.index + match[0].length);
  }
}
