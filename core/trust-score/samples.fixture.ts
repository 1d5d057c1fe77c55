// Receipts that the tests of the score start from, as the score reads them.

import type { ReceiptKind } from '../receipt.ts';
import { receiptView } from './view.ts';

export const DAY_ONE = 20_000; // 2024-10-04
const DAY_MS = 86_400_000;

export type Sample = {
  readonly kind: ReceiptKind;
  readonly day: number;
  readonly predicate: Record<string, unknown>;
};

export function viewed(kind: ReceiptKind, day: number, predicate: Record<string, unknown> = {}) {
  const sealedAt = new Date(day * DAY_MS + 3_600_000).toISOString();
  return receiptView({ kind, sealedAt, predicate: { client_provenance: 'authenticated', ...predicate } });
}

/** Like `viewed`, for kinds that count. */
export function counted(kind: ReceiptKind, day: number, predicate: Record<string, unknown> = {}) {
  const view = viewed(kind, day, predicate);
  if (view === undefined) throw new Error(`${kind} does not count`);
  return view;
}

export const inside = { external_write: false, sensitive_payload: 'none' };
export const outside = { external_write: true, sensitive_payload: 'none' };
export const leak = { external_write: true, sensitive_payload: 'secret' };

export function decision(day: number, route: string, over: Record<string, unknown> = {}) {
  const reasons = route === 'ALLOW' ? [] : [{ rule: 'beacon.effects.write', code: 'x' }];
  return counted('decision', day, { route, reasons, parts: [{ effect: 'write' }], externality: inside, ...over });
}

/** What one allowed and reported action leaves behind. */
export function worked(day: number, status = 'succeeded', over: Record<string, unknown> = {}) {
  return [decision(day, 'ALLOW', over), counted('action', day, over), counted('outcome', day, { status, ...over })];
}
