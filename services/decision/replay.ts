// Leaves of a log as they are projected again: after a crash, or behind another process that sealed them.

import { readReceipt } from '../../core/receipt.ts';
import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import type { SealedView } from './project.ts';

/** A leaf of the log as project() reads it. */
export function readView(record: StoredRecord): SealedView {
  const receipt = readReceipt(record.leaf);
  return {
    kind: receipt.kind,
    actionId: receipt.actionId,
    fingerprint: receipt.fingerprint,
    receiptId: receipt.receiptId,
    keyId: receipt.keyId,
    at: { logId: receipt.logId, index: record.index },
    sealedAtMs: Date.parse(receipt.sealedAt),
    predicate: receipt.predicate,
    summary: record.evidence ? summaryOf(record.evidence) : '',
  };
}

function summaryOf(evidence: Uint8Array): string {
  try {
    const { summary } = JSON.parse(Buffer.from(evidence).toString('utf8')) as { summary?: unknown };
    return typeof summary === 'string' ? summary : '';
  } catch {
    return '';
  }
}

/** A voided decision was never answered: it opens nothing and holds no idempotency key. */
export function withoutVoided(views: readonly SealedView[]): readonly SealedView[] {
  const voided = new Set(views.filter((view) => view.kind === 'void').map((view) => view.predicate.voids));
  return voided.size === 0 ? views : views.filter((view) => !voided.has(view.receiptId));
}
