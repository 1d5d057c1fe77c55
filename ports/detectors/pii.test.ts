import { describe, expect, test } from 'vitest';
import { detectorContract } from './contract.ts';
import { luhn, piiDetector } from './pii.ts';

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
});
