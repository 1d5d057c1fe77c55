import { expect, test } from 'vitest';
import type { ActionPart, Effect } from '../../core/action/types.ts';
import { receiptView } from '../../core/trust-score/view.ts';
import { MAX_NAMED_PARTS, namedParts } from './records.ts';

const part = (effect: Effect, tool: string) => ({ tool, operation: 'run', effect }) as ActionPart;
const reads = (n: number) => Array.from({ length: n }, (_, i) => part('read', `r${i}`));

test('a severe part is named in the receipt, and weighs in the score, however many harmless ones stand before it', () => {
  const named = namedParts([...reads(MAX_NAMED_PARTS + 8), part('disk_destroy', 'rm')]);
  expect(named).toHaveLength(MAX_NAMED_PARTS);
  const predicate = { route: 'DENY', reasons: [{ rule: 'beacon.effects' }], parts: named, externality: {} };
  const view = receiptView({ kind: 'decision', sealedAt: '2026-01-02T03:04:05.678Z', predicate });
  expect(view?.counts.deniedSevere).toBe(1);
});

test('parts that all fit stand in the order proposed', () => {
  const parts = [...reads(3), part('flood', 'x')];
  expect(namedParts(parts).map(({ tool }) => tool)).toEqual(['r0', 'r1', 'r2', 'x']);
});
