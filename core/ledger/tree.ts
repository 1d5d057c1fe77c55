// The RFC 6962 Merkle tree over SHA-256: hashes, and which of them a root or a proof is made of.
// Pure planning: a plan names complete subtrees, the caller reads them from wherever they are (tiles, memory), so no
// proof ever needs all hashes at once. Sizes and indices are exact up to 2^53, hence no 32-bit operators below.

import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** The complete subtree over leaves [index · 2^level, (index + 1) · 2^level). */
export type TreeNode = { readonly level: number; readonly index: number };

const scratch = Buffer.alloc(1 + 2 * HASH_BYTES);
scratch[0] = 1;

/** SHA-256 of nothing: the root of the empty tree. */
export const EMPTY_ROOT: Uint8Array = new Uint8Array(hash('sha256', '', 'buffer'));

export function leafHash(leaf: Uint8Array): Uint8Array {
  const prefixed = Buffer.allocUnsafe(1 + leaf.length);
  prefixed[0] = 0;
  prefixed.set(leaf, 1);
  return hash('sha256', prefixed, 'buffer');
}

/** Leaf hash of bytes that already carry the 0x00 before them, so that a writer can hash in place without a copy. */
export function prefixedLeafHash(prefixed: Uint8Array): Uint8Array {
  return hash('sha256', prefixed, 'buffer');
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  scratch.set(left, 1);
  scratch.set(right, 1 + HASH_BYTES);
  return hash('sha256', scratch, 'buffer');
}

/** The fewest complete subtrees that cover leaves [low, high), left to right. `low` must start one of its right size. */
export function rangeNodes(low: number, high: number): TreeNode[] {
  const nodes: TreeNode[] = [];
  let start = low;
  while (start < high) {
    let level = 0;
    let width = 1;
    while (start % (width * 2) === 0 && start + width * 2 <= high) {
      width *= 2;
      level++;
    }
    nodes.push({ level, index: start / width });
    start += width;
  }
  return nodes;
}

/** Root of a range from the hashes of its `rangeNodes`. */
export function foldHashes(hashes: readonly Uint8Array[]): Uint8Array {
  let folded = hashes.at(-1);
  if (folded === undefined) return EMPTY_ROOT;
  for (let i = hashes.length - 2; i >= 0; i--) folded = nodeHash(hashes[i] as Uint8Array, folded);
  return folded;
}

/** Root of a complete subtree from all hashes at its bottom; `hashes` holds a power of two of them, 32 bytes each. */
export function subtreeHash(hashes: Uint8Array): Uint8Array {
  let row = hashes;
  while (row.length > HASH_BYTES) {
    const above = Buffer.allocUnsafe(row.length / 2);
    for (let at = 0; at < row.length; at += 2 * HASH_BYTES) {
      scratch.set(row.subarray(at, at + 2 * HASH_BYTES), 1);
      above.set(hash('sha256', scratch, 'buffer'), at / 2);
    }
    row = above;
  }
  return row;
}

/** Largest power of two below `size` (size > 1): where RFC 6962 splits a tree. */
export function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

/** One group of subtrees for each hash of the inclusion proof, leaf's sibling first. Requires index < size. */
export function inclusionPlan(index: number, size: number): TreeNode[][] {
  const path: TreeNode[][] = [];
  let low = 0;
  let high = size;
  while (high - low > 1) {
    const middle = low + splitPoint(high - low);
    if (index < middle) {
      path.push(rangeNodes(middle, high));
      high = middle;
    } else {
      path.push(rangeNodes(low, middle));
      low = middle;
    }
  }
  return path.reverse();
}

/** One group of subtrees for each hash of the consistency proof (RFC 6962 §2.1.2). Requires from <= to. */
export function consistencyPlan(from: number, to: number): TreeNode[][] {
  if (from === 0 || from === to) return [];
  const path: TreeNode[][] = [];
  let low = 0;
  let high = to;
  let known = true;
  while (from !== high) {
    const middle = low + splitPoint(high - low);
    if (from <= middle) {
      path.push(rangeNodes(middle, high));
      high = middle;
    } else {
      path.push(rangeNodes(low, middle));
      low = middle;
      known = false;
    }
  }
  if (!known) path.push(rangeNodes(low, high));
  return path.reverse();
}
