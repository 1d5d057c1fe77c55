import { describe, expect, test } from 'vitest';
import { luhn } from './checksums.ts';
import { detectorContract } from './contract.ts';
import { piiDetector } from './pii.ts';

/** A number of the test range, with the check digit computed. */
function card(prefix: string, length: number): string {
  const body = prefix.padEnd(length - 1, '0372918465');
  return [...'0123456789'].map((digit) => body + digit).find(luhn) as string;
}

detectorContract('pii', piiDetector, [card('4', 16), 'GB82 WEST 1234 5698 7654 32', 'jane.roe@acme.io']);

describe('pii', () => {
  const { detect } = piiDetector();
  const kinds = (text: string) => detect(text).map((item) => item.kind);

  test('finds cards with their check digit, in groups or not', () => {
    const number = card('4', 16);
    expect(kinds(`card ${number}.`)).toEqual(['payment_card']);
    expect(kinds(number.replace(/(.{4})/g, '$1 ').trim())).toEqual(['payment_card']);
    expect(kinds(card('37', 15))).toEqual(['payment_card']);
    const wrong = number.slice(0, -1) + ((Number(number.at(-1)) + 1) % 10);
    expect(kinds(wrong)).toEqual([]);
  });

  test('finds IBANs by their checksum', () => {
    expect(kinds('DE89370400440532013000')).toEqual(['iban']);
    expect(kinds('DE88370400440532013000')).toEqual([]);
  });

  test('addresses of people are low, those of machines are nothing', () => {
    expect(detect('mail jane.roe@acme.io now')).toMatchObject([{ kind: 'email', confidence: 'low' }]);
    expect(kinds('git@github.com:o/r.git user@example.com a@2x.png')).toEqual([]);
  });

  test.each([
    '1732000000000',
    '2026-11-21T12:00:00.000Z',
    '4f3e2d1c0b9a',
    '127.0.0.1:7500',
    'v1.2.3',
    '1234 5678 9012 3456',
  ])('is not alarmed by %s', (text) => {
    expect(detect(text)).toEqual([]);
  });

  /** Specimens that the issuers or their standards print; the words beside them are what tells weak numbers. */
  test.each([
    ['us_ssn', 'SSN 219-09-9998'],
    ['us_npi', 'NPI: 1234567893'],
    ['us_dea', 'DEA number AB1234563'],
    ['ca_sin', 'social insurance number 046 454 286'],
    ['uk_nhs', 'NHS number 943 476 5919'],
    ['uk_nino', 'AA 12 34 56 C'],
    ['de_tax_id', 'Steuer-ID 86 095 742 719'],
    ['fr_nir', '2 55 08 14 168 025 38'],
    ['es_dni', 'DNI 12345678Z'],
    ['es_dni', 'X1234567L'],
    ['it_codice_fiscale', 'RSSMRA85T10A562S'],
    ['nl_bsn', 'BSN 111222333'],
    ['be_national', 'rijksregisternummer 85.07.30-033.28'],
    ['ch_ahv', '756.9217.0769.85'],
    ['pl_pesel', 'PESEL 44051401359'],
    ['se_personnummer', '811228-9874'],
    ['fi_hetu', '131052-308T'],
    ['pt_nif', 'NIF 123456789'],
    ['tr_kimlik', 'T.C. kimlik no 10000000146'],
    ['br_cpf', '111.444.777-35'],
    ['in_aadhaar', 'Aadhaar 2341 2341 2346'],
    ['au_tfn', 'TFN 123 456 782'],
    ['au_medicare', 'Medicare 2123 45670 1'],
    ['za_id', 'South African ID number 8001015009087'],
    ['ru_snils', '112-233-445 95'],
    ['cn_resident_id', '11010519491231002X'],
    ['sg_nric', 'NRIC S1234567D'],
    ['crypto_address', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['crypto_address', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    ['crypto_private_key', '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ'],
    ['phone', 'call +49 30 901820 today'],
    ['phone', 'Tel.: 030 901820'],
    ['passport', 'passport no. C01X00T47'],
  ])('finds %s in %s', (kind, text) => {
    expect(kinds(text)).toContain(kind);
  });

  test('one wrong digit, and it is no number of anybody', () => {
    const numbers = [
      'NHS number 943 476 5918',
      'PESEL 44051401358',
      'RSSMRA85T10A562T',
      '111.444.777-34',
      'DNI 12345678A',
      '11010519491231002A',
      'Aadhaar 2341 2341 2345',
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
      '5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK',
    ];
    for (const text of numbers) expect(kinds(text), text).toEqual([]);
  });

  test('weak numbers say nothing without a word beside them', () => {
    for (const text of ['123456782', '943 476 5919', '111222333', '44051401359', '1234567893', 'build 8001015009087'])
      expect(kinds(text), text).toEqual([]);
  });

  test('a word beside a number makes it surer', () => {
    expect(detect('219-09-9998')).toMatchObject([{ kind: 'us_ssn', confidence: 'medium' }]);
    expect(detect('social security 219-09-9998')).toMatchObject([{ kind: 'us_ssn', confidence: 'high' }]);
  });

  test.each([
    'rev 2024-11-21 10:00:00 +0100',
    'range 100000-200000, 555-0123',
    'pod web-7f9c6d5b4d-x2x9k on node ip-10-0-12-34',
    'HTTP/1.1 200 1234567 ms',
    '+1234567890123',
    'commit 0x1f9840a85d5af5bf1d1762f925bdaddc4201f984',
    'COVID19 ISO8601 RFC2119 SHA256',
    'order 12345678 of 87654321',
    'CVE-2024-12345 in v10.12.13-rc1',
    'sum 1,234,567.89',
  ])('leaves %s alone', (text) => {
    expect(detect(text)).toEqual([]);
  });
});
