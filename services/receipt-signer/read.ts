// Reading a log: receipts, pages of receipts, proofs and tiles. Nothing here writes.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { parseReceiptId, receiptId } from '../../core/ids.ts';
import { formatTlogProof } from '../../core/ledger/tlog-proof.ts';
import { readReceipt } from '../../core/receipt.ts';
import {
  type GetProofRequest,
  type GetTileRequest,
  type ListReceiptsRequest,
  type ListReceiptsResponse,
  ListReceiptsResponseSchema,
  type SealedReceipt,
  SealedReceiptSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { LedgerStore, StoredRecord } from '../../ports/ledger-store/port.ts';
import type { CheckpointPublisher } from './checkpoints.ts';

export const MAX_PAGE = 1_000;
export const DEFAULT_PAGE = 100;
/** Most leaves one filtered page looks at; `next` tells where to go on. */
export const MAX_SCAN = 2_048;
export const MAX_PROOF_WAIT_MS = 10_000;
const SCAN_STEP = 256;

/** The record a receipt id names, or `not_found`. */
export async function readById(store: LedgerStore, id: string): Promise<StoredRecord> {
  const parsed = parseReceiptId(id);
  if (!parsed) throw invalidArgument('receipt_id', 'is not a receipt id');
  const record = parsed.logId === store.logId ? await store.read(parsed.index) : undefined;
  if (!record) throw new BeaconError('not_found', 'no such receipt in this log', { field: 'receipt_id' });
  return record;
}

export async function proofOf(
  store: LedgerStore,
  checkpoints: CheckpointPublisher,
  request: GetProofRequest,
): Promise<Uint8Array> {
  const { index } = await readById(store, request.receiptId);
  const waitMs = Math.min(request.waitMs, MAX_PROOF_WAIT_MS);
  if (!(await checkpoints.covers(index + 1, waitMs))) {
    throw new BeaconError('unavailable', 'no checkpoint covers this receipt yet', { retryAfterMs: 1_000 });
  }
  const checkpoint = store.checkpoint();
  if (!checkpoint)
    throw new BeaconError('unavailable', 'no checkpoint has been published yet', { retryAfterMs: 1_000 });
  const hashes = await store.inclusionProof(index, checkpoint.size);
  return formatTlogProof({ index, hashes, checkpoint: checkpoint.note });
}

export async function tileOf(store: LedgerStore, request: GetTileRequest): Promise<Uint8Array> {
  const { level, width } = request;
  const index = Number(request.index);
  const tile = level < 0 ? await store.entries(index, width) : await store.tile(level, index, width);
  if (!tile) throw new BeaconError('not_found', 'no such tile');
  return tile;
}

/** One page in log order, or newest first with `reverse`. */
export async function listReceipts(store: LedgerStore, request: ListReceiptsRequest): Promise<ListReceiptsResponse> {
  const limit = Math.min(request.limit || DEFAULT_PAGE, MAX_PAGE);
  const size = store.size();
  const wanted = (record: StoredRecord) => matches(record, request);
  const receipts: SealedReceipt[] = [];
  let looked = 0;
  let at = request.reverse
    ? request.start === 0n
      ? size
      : Math.min(Number(request.start), size)
    : Number(request.start);
  while (receipts.length < limit && looked < MAX_SCAN) {
    const from = request.reverse ? Math.max(0, at - SCAN_STEP) : at;
    const count = request.reverse ? at - from : SCAN_STEP;
    const records = count > 0 ? await store.scan(from, count) : [];
    if (records.length === 0) break;
    // Looking through a page of leaves must not hold up who waits for a decision.
    await nextTurn();
    if (request.reverse) records.reverse();
    for (const record of records) {
      looked += 1;
      at = request.reverse ? record.index : record.index + 1;
      if (wanted(record)) receipts.push(toSealed(store.logId, record));
      if (receipts.length >= limit) break;
    }
  }
  return create(ListReceiptsResponseSchema, { receipts, next: BigInt(at), size: BigInt(size) });
}

function matches(record: StoredRecord, request: ListReceiptsRequest): boolean {
  if (request.tenantId !== '' && record.tenantId !== request.tenantId) return false;
  if (request.agentId === '' && request.kind === '') return true;
  const receipt = readReceipt(record.leaf);
  if (request.kind !== '' && receipt.kind !== request.kind) return false;
  return request.agentId === '' || receipt.predicate.agent_id === request.agentId;
}

function toSealed(logId: string, record: StoredRecord): SealedReceipt {
  const sealedAt = Date.parse(String(readReceipt(record.leaf).predicate.sealed_at));
  return create(SealedReceiptSchema, {
    receiptId: receiptId(logId, record.index),
    index: BigInt(record.index),
    envelope: record.leaf,
    ...(Number.isFinite(sealedAt) ? { sealedAt: timestampFromMs(sealedAt) } : {}),
  });
}
