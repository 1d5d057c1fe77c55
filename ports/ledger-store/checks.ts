// What every ledger store checks before it believes a caller: batches, proof ranges, checkpoints.
// Shared by the implementations so that they refuse the same things with the same codes.

import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { readCheckpoint } from '../../core/ledger/checkpoint.ts';
import { LEAF_MAX_BYTES } from '../../core/ledger/tiles.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import type { LedgerRecord } from './port.ts';

export const BATCH_MAX_RECORDS = 4096;
export const EVIDENCE_MAX_BYTES = 1_048_576;
export const TENANT_MAX_BYTES = 255;

export type PublishRequest = { readonly note: Uint8Array; readonly size: number; readonly root: Uint8Array };

export function requireBatch(records: readonly LedgerRecord[]): void {
  if (records.length < 1 || records.length > BATCH_MAX_RECORDS) {
    throw invalidArgument('records', `must be 1 to ${BATCH_MAX_RECORDS}`);
  }
  for (const { leaf, evidence, tenantId } of records) {
    if (leaf.length < 1 || leaf.length > LEAF_MAX_BYTES) {
      throw invalidArgument('leaf', `must be 1 to ${LEAF_MAX_BYTES} bytes`);
    }
    if (evidence !== undefined && evidence.length > EVIDENCE_MAX_BYTES) {
      throw invalidArgument('evidence', `must be at most ${EVIDENCE_MAX_BYTES} bytes`);
    }
    if (Buffer.byteLength(tenantId) > TENANT_MAX_BYTES) {
      throw invalidArgument('tenantId', `must be at most ${TENANT_MAX_BYTES} bytes`);
    }
  }
}

/** `size` names a tree this log has. */
export function requireTree(field: string, size: number, durable: number): void {
  if (!Number.isSafeInteger(size) || size < 0 || size > durable) {
    throw invalidArgument(field, `must be a tree size of this log, at most ${durable}`);
  }
}

export function requireLeafOf(index: number, size: number): void {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw invalidArgument('index', 'must be below the tree size');
  }
}

/** The note says what the caller says, about this log. Its signature is the signer's business. */
export function requireOwnCheckpoint(origin: string, request: PublishRequest): void {
  let said: ReturnType<typeof readCheckpoint>;
  try {
    said = readCheckpoint(request.note);
  } catch (cause) {
    throw new BeaconError('invalid_argument', 'note: is not a checkpoint', { field: 'note', cause });
  }
  if (said.origin !== origin || said.size !== request.size || !sameBytes(said.root, request.root)) {
    throw invalidArgument('note', 'must name this log, the size and the root it is published for');
  }
}
