import { expect, it } from 'vitest';
import { LOW_SCORE, trustLevel } from './level.ts';
import { DAY_ONE, decision, worked } from './samples.fixture.ts';
import { standingOf } from './score.ts';
import { addReceipt, emptyTally, type ReceiptView } from './tally.ts';

const level = (receipts: readonly ReceiptView[], provenance: 'asserted' | 'authenticated' | 'attested') => {
  const { score, validReceipts } = standingOf(receipts.reduce(addReceipt, emptyTally()), provenance, DAY_ONE);
  return trustLevel({ provenance, score, validReceipts });
};
const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);

it.each([
  ['asserted', 850, 1_000, 'L1'],
  ['asserted', 300, 1_000, 'L1'],
  ['authenticated', 300, 0, 'L2'],
  ['authenticated', 300, 19, 'L2'],
  ['authenticated', 300, 20, 'L1'],
  ['authenticated', LOW_SCORE, 20, 'L2'],
  ['authenticated', 850, 1_000, 'L2'],
  ['attested', 739, 1_000, 'L2'],
  ['attested', 740, 20, 'L3'],
  ['attested', 850, 19, 'L2'],
] as const)('%s at %i with %i receipts stands at %s', (provenance, score, validReceipts, expected) => {
  expect(trustLevel({ provenance, score, validReceipts })).toBe(expected);
});

it('stands at L1 under a provenance nobody knows', () => {
  expect(trustLevel({ provenance: 'other' as 'asserted', score: 850, validReceipts: 999 })).toBe('L1');
});

it('never lowers an honest newcomer, whether or not it reports outcomes', () => {
  for (let n = 1; n <= 60; n++) {
    expect(
      level(
        times(n, () => decision(DAY_ONE, 'ALLOW')),
        'authenticated',
      ),
    ).toBe('L2');
    expect(
      level(
        times(n, () => decision(DAY_ONE, 'WARN')),
        'authenticated',
      ),
    ).toBe('L2');
    expect(level(times(n, () => worked(DAY_ONE)).flat(), 'authenticated')).toBe('L2');
  }
});

it('never lowers one that only reads', () => {
  const look = { parts: [{ effect: 'read' }] };
  for (let n = 1; n <= 60; n++) {
    const decided = times(n, () => decision(DAY_ONE, 'ALLOW', look));
    expect(level(decided, 'authenticated')).toBe('L2');
    expect(level(times(n, () => worked(DAY_ONE, 'succeeded', look)).flat(), 'authenticated')).toBe('L2');
  }
});

it('lowers an agent of bad conduct once it is proven', () => {
  const severe = decision(DAY_ONE, 'DENY', { parts: [{ effect: 'security_disable' }] });
  expect(level([...times(19, () => decision(DAY_ONE, 'ALLOW')), severe], 'authenticated')).toBe('L1');
  const half = times(10, () => [decision(DAY_ONE, 'ALLOW'), decision(DAY_ONE, 'DENY')]).flat();
  expect(level(half, 'authenticated')).toBe('L1');
});
