import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Keywords } from './keywords.ts';

function places(words: readonly string[], text: string): string[] {
  const found: string[] = [];
  new Keywords(words).scan(text, (word, start) => found.push(`${start} ${word}`));
  return found.sort();
}

function slowly(words: readonly string[], text: string): string[] {
  const lower = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return words
    .flatMap((word, index) =>
      [...lower].flatMap((_, at) => (lower.startsWith(word.toLowerCase(), at) ? [`${at} ${index}`] : [])),
    )
    .sort();
}

test('finds every word at every place, as searching one by one does', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'C', '_', '-'), minLength: 1, maxLength: 5 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', 'C', '_', '-', 'é', ' '), maxLength: 60 });
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 8 }), text, (words, given) => {
      expect(places(words, given)).toEqual(slowly(words, given));
    }),
  );
});

test('a word within a word, and two of one spelling', () => {
  expect(places(['she', 'he', 'hers', 'HE'], 'ushers')).toEqual(['1 0', '2 1', '2 2', '2 3']);
  expect(new Keywords([]).some('anything')).toBe(false);
});
