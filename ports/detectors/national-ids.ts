// Numbers that states and professions give to people: layout, check digits, and the words that stand beside them. Data.
// A number without a check digit of its own, or with a weak one, is only found beside such a word.

import { codiceFiscale, luhn, mod1110, verhoeff, weighted } from './checksums.ts';
import type { Detection } from './port.ts';

export type Identifier = {
  readonly kind: string;
  /** The whole of what stands there, blanks and points included. */
  readonly layout: RegExp;
  /** Digits and letters alone. */
  readonly check: (compact: string) => boolean;
  /** Beside one of these words the number is surer. */
  readonly beside: RegExp;
  /** Without such a word; undefined is nothing. */
  readonly alone?: Detection['confidence'];
};

const always = () => true;

function date(day: string, month: string): boolean {
  return Number(day) >= 1 && Number(day) <= 31 && Number(month) >= 1 && Number(month) <= 12;
}

function differ(digits: string): boolean {
  return new Set(digits).size > 2;
}

const NINE_DOWN = [9, 8, 7, 6, 5, 4, 3, 2];
const TAX = 'tax|tin\\b|steuer|fiscal|fiscale|nif\\b|contribuinte|impôt';
const WORDS = (text: string) => new RegExp(`(?:^|[^\\p{L}])(?:${text})`, 'iu');

/** Of digits, with points, dashes, blanks or slashes between. */
export const NUMBERS: readonly Identifier[] = [
  {
    kind: 'us_ssn',
    layout: /^(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}$/,
    check: differ,
    beside: WORDS('ssn|social security'),
    alone: 'medium',
  },
  {
    kind: 'us_itin',
    layout: /^9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])-\d{4}$/,
    check: always,
    beside: WORDS(`itin|${TAX}`),
  },
  {
    kind: 'us_npi',
    layout: /^[12]\d{9}$/,
    check: (text) => luhn(`80840${text}`),
    beside: WORDS('npi|national provider|prescriber|physician|doctor'),
  },
  {
    kind: 'ca_sin',
    layout: /^\d{3}[ -]?\d{3}[ -]?\d{3}$/,
    check: luhn,
    beside: WORDS('sin\\b|social insurance|nas\\b'),
  },
  {
    kind: 'uk_nhs',
    layout: /^\d{3}[ -]?\d{3}[ -]?\d{4}$/,
    check: (text) => (11 - (weighted(text, [10, ...NINE_DOWN]) % 11)) % 11 === Number(text[9]),
    beside: WORDS('nhs|patient'),
  },
  { kind: 'uk_gmc', layout: /^\d{7}$/, check: always, beside: WORDS('gmc\\b') },
  {
    kind: 'de_tax_id',
    layout: /^[1-9]\d(?: ?\d{3}){3}$/,
    check: (text) => mod1110(text) && new Set(text.slice(0, 10)).size >= 7,
    beside: WORDS('steuer|idnr|tax id|tin\\b'),
  },
  {
    kind: 'de_lanr',
    layout: /^\d{9}$/,
    check: (text) => (10 - (weighted(text, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === Number(text[6]),
    beside: WORDS('lanr|arztnummer'),
  },
  {
    kind: 'fr_nir',
    layout: /^[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}$/,
    check: (text) =>
      97 - Number(BigInt(text.slice(0, 13).replace('A', '0').replace('B', '0')) % 97n) === Number(text.slice(13)),
    beside: WORDS('nir\\b|sécurité sociale|securite sociale|insee'),
    alone: 'medium',
  },
  {
    kind: 'nl_bsn',
    layout: /^\d{9}$|^\d{4}\.\d{2}\.\d{3}$/,
    check: (text) => differ(text) && weighted(text, [...NINE_DOWN, -1]) % 11 === 0,
    beside: WORDS('bsn|burgerservice|sofi'),
  },
  {
    kind: 'be_national',
    layout: /^\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. ]?\d{2}$/,
    check: (text) =>
      [text.slice(0, 9), `2${text.slice(0, 9)}`].some((part) => 97 - (Number(part) % 97) === Number(text.slice(9))),
    beside: WORDS('rijksregister|registre national|insz|niss|national (?:number|register)'),
  },
  {
    kind: 'ch_ahv',
    layout: /^756\.?\d{4}\.?\d{4}\.?\d{2}$/,
    check: (text) => (10 - (weighted(text, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === Number(text[12]),
    beside: WORDS('ahv|avs\\b|sozialversicherung'),
    alone: 'medium',
  },
  {
    kind: 'at_svnr',
    layout: /^\d{4} ?\d{6}$/,
    check: (text) => weighted(text, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(text[3]),
    beside: WORDS('svnr|sozialversicherung|sv-nummer'),
  },
  {
    kind: 'pl_pesel',
    layout: /^\d{11}$/,
    check: (text) =>
      (10 - (weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(text[10]) &&
      date(text.slice(4, 6), `${Number(text.slice(2, 4)) % 20}`),
    beside: WORDS('pesel'),
  },
  {
    kind: 'se_personnummer',
    layout: /^(?:19|20)?\d{6}[-+]\d{4}$/,
    check: (text) => luhn(text.slice(-10)) && date(text.slice(-6, -4), text.slice(-8, -6)),
    beside: WORDS('personnummer|samordningsnummer'),
    alone: 'medium',
  },
  {
    kind: 'dk_cpr',
    layout: /^\d{6}-?\d{4}$/,
    check: (text) => date(text.slice(0, 2), text.slice(2, 4)),
    beside: WORDS('cpr\\b|cpr-nummer|personnummer'),
  },
  {
    kind: 'no_fodselsnummer',
    layout: /^\d{6} ?\d{5}$/,
    check: (text) =>
      weighted(text, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(text, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 &&
      date(text.slice(0, 2), text.slice(2, 4)),
    beside: WORDS('fødselsnummer|fodselsnummer|personnummer'),
  },
  {
    kind: 'pt_nif',
    layout: /^[125689]\d{2} ?\d{3} ?\d{3}$/,
    check: (text) =>
      differ(text) &&
      [0, 1].includes(weighted(text, NINE_DOWN) % 11) === (text[8] === '0') &&
      (text[8] === '0' || 11 - (weighted(text, NINE_DOWN) % 11) === Number(text[8])),
    beside: WORDS('nif\\b|contribuinte'),
  },
  {
    kind: 'tr_kimlik',
    layout: /^[1-9]\d{10}$/,
    check: (text) =>
      (7 * weighted(text, [1, 0, 1, 0, 1, 0, 1, 0, 1]) - weighted(text, [0, 1, 0, 1, 0, 1, 0, 1])) % 10 ===
        Number(text[9]) && weighted(text, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]) % 10 === Number(text[10]),
    beside: WORDS('t\\.?c\\.? kimlik|tckn|kimlik no'),
  },
  { kind: 'br_cpf', layout: /^\d{3}\.\d{3}\.\d{3}-\d{2}$/, check: cpf, beside: WORDS('cpf'), alone: 'medium' },
  { kind: 'br_cpf', layout: /^\d{11}$/, check: cpf, beside: WORDS('cpf') },
  {
    kind: 'in_aadhaar',
    layout: /^[2-9]\d{3}[ -]?\d{4}[ -]?\d{4}$/,
    check: (text) => differ(text) && verhoeff(text),
    beside: WORDS('aadhaar|aadhar|uidai|आधार'),
  },
  {
    kind: 'kr_rrn',
    layout: /^\d{6}-[1-8]\d{6}$/,
    check: (text) =>
      date(text.slice(4, 6), text.slice(2, 4)) &&
      (11 - (weighted(text, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === Number(text[12]),
    beside: WORDS('주민|rrn\\b'),
    alone: 'medium',
  },
  {
    kind: 'au_tfn',
    layout: /^\d{3} ?\d{3} ?\d{3}$/,
    check: (text) => differ(text) && weighted(text, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    beside: WORDS('tfn\\b|tax file'),
  },
  {
    kind: 'au_medicare',
    layout: /^[2-6]\d{3}[ -]?\d{5}[ -]?\d$/,
    check: (text) => weighted(text, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(text[8]),
    beside: WORDS('medicare'),
  },
  {
    kind: 'za_id',
    layout: /^\d{6} ?\d{4} ?[01]\d{2}$/,
    check: (text) => luhn(text) && date(text.slice(4, 6), text.slice(2, 4)),
    beside: WORDS('id (?:no|number)|identity number|south africa|rsa id'),
  },
  {
    kind: 'ru_snils',
    layout: /^\d{3}-\d{3}-\d{3}[ -]\d{2}$/,
    check: (text) => (weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number(text.slice(9)),
    beside: WORDS('снилс|snils'),
    alone: 'medium',
  },
  {
    kind: 'bank_account',
    layout: /^\d{8,17}$/,
    check: differ,
    beside: WORDS('account (?:no|number|#)|acct|kontonummer|numéro de compte|número de cuenta'),
  },
];

/** With letters: their places tell what they are. */
export const LETTERED: readonly Identifier[] = [
  {
    kind: 'it_codice_fiscale',
    layout: /^[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$/,
    check: codiceFiscale,
    beside: WORDS('codice fiscale|c\\.?f\\.?'),
    alone: 'high',
  },
  {
    kind: 'uk_nino',
    layout: /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]$/,
    check: always,
    beside: WORDS('ni number|nino|national insurance'),
    alone: 'medium',
  },
  {
    kind: 'es_dni',
    layout: /^(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]$/,
    check: (text) =>
      'TRWAGMYFPDXBNJZSQVHLCKE'[
        Number(text.slice(0, -1).replace('X', '0').replace('Y', '1').replace('Z', '2')) % 23
      ] === text.at(-1),
    beside: WORDS('dni\\b|nie\\b|nif\\b'),
    alone: 'medium',
  },
  {
    kind: 'fi_hetu',
    layout: /^\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]$/,
    check: (text) =>
      date(text.slice(0, 2), text.slice(2, 4)) &&
      '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(text.slice(0, 6) + text.replace(/^\d{6}A?/, '').slice(0, 3)) % 31] ===
        text.at(-1),
    beside: WORDS('hetu|henkilötunnus'),
    alone: 'medium',
  },
  {
    kind: 'cn_resident_id',
    layout: /^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]$/,
    check: (text) =>
      '10X98765432'[weighted(text, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === text[17],
    beside: WORDS('身份证|resident id'),
    alone: 'high',
  },
  {
    kind: 'mx_curp',
    layout: /^[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d$/,
    check: (text) => date(text.slice(8, 10), text.slice(6, 8)),
    beside: WORDS('curp'),
    alone: 'medium',
  },
  {
    kind: 'in_pan',
    layout: /^[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]$/,
    check: always,
    beside: WORDS('pan\\b|permanent account|income tax'),
  },
  {
    kind: 'us_dea',
    layout: /^[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}$/,
    check: (text) => weighted(text.slice(2), [1, 2, 1, 2, 1, 2]) % 10 === Number(text[8]),
    beside: WORDS('dea\\b|prescriber|physician|doctor|licen[cs]e'),
    alone: 'low',
  },
  {
    kind: 'sg_nric',
    layout: /^[STFGM]\d{7}[A-Z]$/,
    check: (text) => nric(text),
    beside: WORDS('nric|fin\\b|singapore'),
    alone: 'low',
  },
  {
    kind: 'passport',
    layout: /^[A-Z]{1,2}\d{6,8}$|^[CFGHJKLMNPRTVWXYZ0-9]{9}$/,
    check: (text) => text.replace(/\D/g, '').length >= 4,
    beside: WORDS('passport|reisepass|passeport|pasaporte|passaporto|паспорт|护照'),
  },
  {
    kind: 'medical_record',
    layout: /^(?:MRN)?-?[A-Z]{0,2}\d{6,10}$/,
    check: always,
    beside: WORDS('mrn\\b|medical record|patient id|patientennummer'),
  },
];

function cpf(text: string): boolean {
  if (!differ(text)) return false;
  const digit = (length: number) => {
    let sum = 0;
    for (let index = 0; index < length; index += 1) sum += Number(text[index]) * (length + 1 - index);
    return ((sum * 10) % 11) % 10;
  };
  return digit(9) === Number(text[9]) && digit(10) === Number(text[10]);
}

function nric(text: string): boolean {
  const sum =
    weighted(text.slice(1), [2, 7, 6, 5, 4, 3, 2]) + (/[TG]/.test(text[0] as string) ? 4 : text[0] === 'M' ? 3 : 0);
  const letters = /[ST]/.test(text[0] as string) ? 'JZIHGFEDCBA' : text[0] === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
  const at = text[0] === 'M' ? 10 - (sum % 11) : sum % 11;
  return letters[at] === text[8];
}
