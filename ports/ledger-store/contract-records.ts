// What the ledger store's tests append and compare with: numbered records, checkpoints, and the tree over them by the
// recursive definitions of RFC 6962, sharing no code with what is tested.

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { formatCheckpoint } from '../../core/ledger/checkpoint.ts';
import { noteKey, signNote } from '../../core/ledger/note.ts';
import type { LedgerRecord, LedgerStore } from './port.ts';

export const TEST_LOG = { logId: '0123456789ab', origin: 'beacon.local/receipt-signer/0123456789ab' };

/** Roots and paths of one list of leaves, by definition, each subtree hashed once. */
export class NaiveTree {
  readonly #leaves: readonly Uint8Array[];
  readonly #known = new Map<string, Buffer>();

  constructor(leaves: readonly Uint8Array[]) {
    this.#leaves = leaves;
  }

  root(low = 0, high = this.#leaves.length): Buffer {
    if (high === low) return sha();
    const name = `${low}-${high}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const k = low + split(high - low);
    const hash =
      high - low === 1
        ? sha(Buffer.of(0), this.#leaves[low] as Uint8Array)
        : sha(Buffer.of(1), this.root(low, k), this.root(k, high));
    this.#known.set(name, hash);
    return hash;
  }

  inclusion(index: number, high: number, low = 0): Buffer[] {
    if (high - low === 1) return [];
    const k = low + split(high - low);
    if (index < k) return [...this.inclusion(index, k, low), this.root(k, high)];
    return [...this.inclusion(index, high, k), this.root(low, k)];
  }

  consistency(from: number, high: number, low = 0, known = true): Buffer[] {
    if (from === high) return known ? [] : [this.root(low, high)];
    const k = low + split(high - low);
    if (from <= k) return [...this.consistency(from, k, low, known), this.root(k, high)];
    return [...this.consistency(from, high, k, false), this.root(low, k)];
  }
}

export function sha(...parts: Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

function split(size: number): number {
  return size < 2 ? 0 : 2 ** Math.floor(Math.log2(size - 1));
}

export function testRecord(index: number, tenantId = `tenant-${index % 3}`): LedgerRecord {
  const leaf = Buffer.from(`{"leaf":${index}}`);
  return index % 4 === 3 ? { leaf, tenantId } : { leaf, tenantId, evidence: Buffer.from(`{"evidence-of":${index}}`) };
}

export function testRecords(start: number, count: number): LedgerRecord[] {
  return Array.from({ length: count }, (_, offset) => testRecord(start + offset));
}

/** Appends up to `size` in uneven batches, so that batches and bundles do not line up. */
export async function grow(store: LedgerStore, size: number, batch = 100): Promise<void> {
  while (store.size() < size) {
    await store.append(testRecords(store.size(), Math.min(batch, size - store.size())));
  }
}

/** A signed checkpoint of the store's own tree, or of what `said` says instead. */
export async function testCheckpoint(
  store: LedgerStore,
  size: number,
  said: { origin?: string; size?: number; root?: Uint8Array } = {},
): Promise<{ note: Uint8Array; size: number; root: Uint8Array }> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const bytes = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url');
  const body = { origin: store.origin, size, root: said.root ?? (await store.root(size)), ...said };
  const signer = { key: noteKey(body.origin, bytes), sign: (message: Uint8Array) => sign(null, message, privateKey) };
  return { note: signNote(formatCheckpoint(body), [signer]), size: body.size, root: body.root };
}
