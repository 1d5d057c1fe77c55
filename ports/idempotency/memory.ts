// Idempotency keys in one process's memory. For tests.

import { BeaconError } from '../../core/errors.ts';
import type { Position } from '../action-store/port.ts';
import type { Idempotency, IdempotencyClaim, IdempotencyKey, IdempotencyRecord } from './port.ts';

export class MemoryIdempotency implements Idempotency {
  readonly #positions = new Map<string, number>();
  readonly #records = new Map<string, { readonly record: IdempotencyRecord; readonly at: Position }>();
  readonly #pending = new Map<string, string>();

  async position(logId: string): Promise<number> {
    return this.#positions.get(logId) ?? 0;
  }

  async advance(position: Position): Promise<void> {
    const known = this.#positions.get(position.logId) ?? 0;
    this.#positions.set(position.logId, Math.max(known, position.index));
  }

  async advanceFrom(from: number, position: Position): Promise<boolean> {
    if ((this.#positions.get(position.logId) ?? -1) < from) return false;
    await this.advance(position);
    return true;
  }

  async recorded(logId: string, keys: readonly IdempotencyKey[]): Promise<readonly number[]> {
    return keys.map((key) => {
      const kept = this.#records.get(keyName(key));
      return kept?.at.logId === logId ? kept.at.index : -1;
    });
  }

  async claim(key: IdempotencyKey, proposalDigest: string, nowMs: number): Promise<IdempotencyClaim> {
    const name = keyName(key);
    const pending = this.#pending.get(name);
    if (pending !== undefined) return { kind: 'pending', proposalDigest: pending };
    const record = this.#records.get(name)?.record;
    if (record !== undefined && record.expiresAtMs > nowMs) return { kind: 'done', record };
    this.#pending.set(name, proposalDigest);
    return { kind: 'fresh' };
  }

  async complete(key: IdempotencyKey, record: IdempotencyRecord, at: Position): Promise<void> {
    const name = keyName(key);
    const known = this.#records.get(name)?.at;
    const repeat = known !== undefined && known.logId === at.logId && at.index <= known.index;
    if (!repeat) this.#records.set(name, { record: { ...record }, at });
    this.#pending.delete(name);
  }

  async abandon(key: IdempotencyKey): Promise<void> {
    this.#pending.delete(keyName(key));
  }

  async sweep(nowMs: number, limit: number): Promise<number> {
    let removed = 0;
    for (const [name, { record }] of this.#records) {
      if (removed >= limit) break;
      if (record.expiresAtMs > nowMs) continue;
      this.#records.delete(name);
      removed += 1;
    }
    return removed;
  }
}

/** One text for the three parts; NUL stands in none of them, so no two keys share one. */
export function keyName({ tenantId, agentId, key }: IdempotencyKey): string {
  const name = `${tenantId}\0${agentId}\0${key}`;
  if (name.indexOf('\0', tenantId.length + agentId.length + 2) !== -1) {
    throw new BeaconError('invalid_argument', 'idempotency_key: must not hold NUL', { field: 'idempotency_key' });
  }
  return name;
}
