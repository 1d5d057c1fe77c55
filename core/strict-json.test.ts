// Bad documents are generated from good ones, so that each fault stands alone in an otherwise valid text.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BeaconError } from './errors.ts';
import { parseStrictJson } from './strict-json.ts';

const encoder = new TextEncoder();
const parse = (text: string, limits = {}) => parseStrictJson(encoder.encode(text), limits);

function refusal(
  bytes: Uint8Array | string,
  limits = {},
): { code: string; field: string | undefined; message: string } {
  try {
    parseStrictJson(typeof bytes === 'string' ? encoder.encode(bytes) : bytes, limits);
  } catch (thrown) {
    if (thrown instanceof BeaconError) return { code: thrown.code, field: thrown.field, message: thrown.message };
    throw thrown;
  }
  throw new Error('accepted');
}

/** Values that strict JSON can carry. */
const sound = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((n) => n + 0),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme', maxLength: 8 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

test('every sound value comes through as JSON.parse reads it', () => {
  fc.assert(
    fc.property(sound, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(parse(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('any bytes either parse as JSON.parse would, or are refused with a code', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 64 }),
        fc.json().map((text) => encoder.encode(text)),
      ),
      (bytes) => {
        let value: unknown;
        try {
          value = parseStrictJson(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(BeaconError);
          return;
        }
        expect(value).toEqual(JSON.parse(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)));
      },
    ),
    { numRuns: 1000 },
  );
});

/** The same key, spelt with some of its characters escaped. */
const respelt = (key: string, mask: number) =>
  `"${[...key]
    .map((char, at) => ((mask >> at) & 1 ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char))
    .join('')}"`;

test('a key given twice is refused in every spelling, at every depth, and named', () => {
  const key = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(key, fc.nat(255), fc.nat(255), sound, fc.nat(4), (name, one, two, value, depth) => {
      const twice = `{${respelt(name, one)}:${JSON.stringify(value)}, "é":1 ,${respelt(name, two)} : null}`;
      const text = `${'{"a":[7,'.repeat(depth)}${twice}${']}'.repeat(depth)}`;
      const { code, field } = refusal(text);
      expect(code).toBe('invalid_argument');
      expect(field).toBe(`${'a.1.'.repeat(depth)}${name}`);
    }),
  );
});

test('one bad byte, one bad escape or one bad number anywhere is refused', () => {
  const faults = [
    ['"\\ud800"', 'x'],
    ['"\\udc00\\ud800"', 'x'],
    ['"a\\uD83Db"', 'x'],
    ['9007199254740992', 'x'],
    ['-9007199254740993', 'x'],
    ['1e400', 'x'],
    ['123456789012345678901234567890', 'x'],
    ['{"__proto__":{"admin":true}}', 'x.__proto__'],
    ['{"\\u005f_proto__":1}', 'x.__proto__'],
    ['{"\\udfff":1}', 'x.*'],
  ] as const;
  for (const [fault, field] of faults) {
    fc.assert(
      fc.property(sound, (value) => {
        const text = `{"w":${JSON.stringify(value)},"x":${fault},"y":${JSON.stringify(value)}}`;
        expect(refusal(text)).toMatchObject({ code: 'invalid_argument', field });
      }),
      { numRuns: 20 },
    );
  }
});

const malformed: [string, Uint8Array | string][] = [
  ['nothing', ''],
  ['only space', '  '],
  ['byte order mark', '\ufeff{}'],
  ['NUL after', '{}\u0000'],
  ['NUL in a string', '"\u0000"'],
  ['raw newline in a string', '"\n"'],
  ['trailing value', '{} {}'],
  ['trailing comma', '[1,]'],
  ['comment', '{}//'],
  ['single quotes', "{'a':1}"],
  ['NaN', 'NaN'],
  ['leading zero', '01'],
  ['plus', '+1'],
  ['hexadecimal', '0x1'],
  ['no value', '{"a":}'],
  ['open string', '{"a":"'],
  ['open escape', '{"a":"\\'],
  ['overlong UTF-8', Uint8Array.of(0x22, 0xc0, 0x80, 0x22)],
  ['surrogate in UTF-8', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
  ['beyond Unicode', Uint8Array.of(0x22, 0xf4, 0x90, 0x80, 0x80, 0x22)],
  ['cut UTF-8', Uint8Array.of(0x22, 0xe2, 0x82)],
  ['UTF-16', Uint8Array.of(0x7b, 0, 0x7d, 0)],
  ['no-break space', '\u00a0{}'],
];
test.each(malformed)('refused: %s', (_name, bytes) => {
  expect(refusal(bytes)).toMatchObject({ code: 'invalid_argument', field: 'body' });
});

test('depth and size have limits that hold before anything recurses', () => {
  expect(parse(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined();
  expect(refusal(`${'['.repeat(65)}${']'.repeat(65)}`).code).toBe('invalid_argument');
  expect(refusal('{"a":'.repeat(500_000), { maxBytes: 1e7 }).code).toBe('invalid_argument');
  expect(parse('"[[[[{{{{"', { maxDepth: 0 })).toBe('[[[[{{{{');
  expect(refusal('[1]', { maxBytes: 2 }).code).toBe('payload_too_large');
});

test('nothing of the input is quoted back, but for what looks like a field name', () => {
  const secret = 'sk_live_4242424242';
  for (const text of [`{"${secret}":1,"${secret}":2}`, `{"a":"${secret}"`, `{"a":{"${secret}":1e999}}`, secret]) {
    expect(refusal(text).message).not.toContain(secret);
  }
});

test('no prototype is touched and none is set', () => {
  expect(refusal('{"a":{"__proto__":{"polluted":1}}}').code).toBe('invalid_argument');
  const value = parse('{"constructor":{"prototype":{"polluted":1}}}') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});
