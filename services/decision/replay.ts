// Leaves of a log as they are projected again: after a crash, or behind another process that sealed them.

import { type OwnLeaf, readOwnLeaf } from '../../core/own-leaf.ts';
import { readReceipt } from '../../core/receipt.ts';
import type { IdempotencyKey } from '../../ports/idempotency/port.ts';
import type { StoredRecord } from '../../ports/ledger-store/port.ts';
import type { ProjectDeps, SealedView } from './project.ts';

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

/** Kinds that change the row of their action and, of a decision, its idempotency key; nothing else. */
const OWN_ROWS = ['decision', 'action', 'outcome', 'assumption'];

/**
 * The leaves of one page that the stores do not reflect yet: to project the others would change nothing. It is known of
 * those alone whose rows say so now. One question to each store.
 */
export async function unrecorded(
  page: readonly StoredRecord[],
  logId: string,
  { actions, idempotency }: ProjectDeps['stores'],
): Promise<readonly StoredRecord[]> {
  const leaves = page.map(({ leaf }) => readOwnLeaf(leaf));
  // A voided decision is left out of a page that holds its void too: they are projected together.
  if (leaves.some((leaf) => leaf?.kind === 'void')) return page;
  const plain = leaves.map((leaf) => (leaf && OWN_ROWS.includes(leaf.kind) && !asksApproval(leaf) ? leaf : undefined));
  const actionIds = [...new Set(plain.flatMap((leaf) => (leaf ? [leaf.actionId] : [])))];
  const keys = plain.map((leaf) => leaf && keyOf(leaf));
  const [rows, records] = await Promise.all([
    actions.recorded(logId, actionIds),
    idempotency.recorded(
      logId,
      keys.filter((key) => key !== undefined),
    ),
  ]);
  const rowAt = new Map(actionIds.map((actionId, n) => [actionId, rows[n] ?? -1]));
  let asked = 0;
  return page.filter(({ index }, n) => {
    const leaf = plain[n];
    const keyAt = keys[n] ? (records[asked++] ?? -1) : index;
    return leaf === undefined || (rowAt.get(leaf.actionId) ?? -1) < index || keyAt < index;
  });
}

function asksApproval({ kind, predicate }: OwnLeaf): boolean {
  return kind === 'decision' && predicate.approval !== undefined;
}

function keyOf({ kind, predicate }: OwnLeaf): IdempotencyKey | undefined {
  const { tenant_id: tenantId, agent_id: agentId, idempotency_key_digest: key } = predicate;
  if (kind !== 'decision' || typeof key !== 'string') return undefined;
  return { tenantId: String(tenantId), agentId: String(agentId), key };
}
