// One key, one decision: per tenant and agent, for the stated retention. Derived state; the ledger is its source.

import type { Position } from '../action-store/port.ts';

export type IdempotencyKey = { readonly tenantId: string; readonly agentId: string; readonly key: string };

export type IdempotencyRecord = {
  /** HMAC (hex) under the tenant's key over the proposal's protobuf form, without the key. */
  readonly proposalDigest: string;
  readonly receiptId: string;
  readonly actionId: string;
  readonly expiresAtMs: number;
};

export type IdempotencyClaim =
  /** The caller owns the key and must `complete` or `abandon` it. */
  | { readonly kind: 'fresh' }
  /** Another caller owns it and has not finished. */
  | { readonly kind: 'pending'; readonly proposalDigest: string }
  | { readonly kind: 'done'; readonly record: IdempotencyRecord };

export type Idempotency = {
  position(logId: string): Promise<number>;
  advance(position: Position): Promise<void>;
  /** As the action store does it. */
  advanceFrom(from: number, position: Position): Promise<boolean>;
  /** For each key, the index in this log its record follows from; -1 without one, and where another log told it last. */
  recorded(logId: string, keys: readonly IdempotencyKey[]): Promise<readonly number[]>;
  /** Atomic: of many concurrent claims of one key exactly one is `fresh`. Claims do not outlive the process. */
  claim(key: IdempotencyKey, proposalDigest: string, nowMs: number): Promise<IdempotencyClaim>;
  complete(key: IdempotencyKey, record: IdempotencyRecord, at: Position): Promise<void>;
  /** Gives a claim back when nothing was sealed. */
  abandon(key: IdempotencyKey): Promise<void>;
  /** Removes records past their retention, at most `limit`; resolves to the number removed. */
  sweep(nowMs: number, limit: number): Promise<number>;
};
