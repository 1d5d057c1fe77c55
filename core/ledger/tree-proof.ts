// Checking RFC 6962 proofs (algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2): what a stranger runs, knowing only a root.
// Each function returns nothing when the proof holds and throws a VerifyError when it does not.

import { VerifyError } from '../verify-error.ts';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './tree.ts';

export type InclusionClaim = {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

export type ConsistencyClaim = {
  readonly from: number;
  readonly fromRoot: Uint8Array;
  readonly to: number;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** Throws `malformed` for impossible numbers or hash lengths, `not_included` when the path does not end in the root. */
export function verifyInclusion(claim: InclusionClaim): void {
  const { index, size, proof } = claim;
  requireHashes([claim.leafHash, claim.root, ...proof]);
  requireCount('index', index);
  requireCount('size', size);
  if (index >= size) throw new VerifyError('not_included', 'the index is not below the tree size');
  let node = claim.leafHash;
  let at = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) throw new VerifyError('not_included', 'the proof is longer than the tree is high');
    if (at % 2 === 1 || at === last) {
      node = nodeHash(sibling, node);
      while (at % 2 === 0 && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      node = nodeHash(node, sibling);
    }
    at = half(at);
    last = half(last);
  }
  if (last !== 0) throw new VerifyError('not_included', 'the proof is shorter than the tree is high');
  if (!sameBytes(node, claim.root)) throw new VerifyError('not_included', 'the proof does not lead to the root');
}

/** Throws `malformed` for impossible numbers or hash lengths, `inconsistent` when one tree does not extend the other. */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { from, to, proof } = claim;
  requireHashes([claim.fromRoot, claim.toRoot, ...proof]);
  requireCount('from', from);
  requireCount('to', to);
  if (from > to) throw new VerifyError('inconsistent', 'the earlier tree is larger than the later one');
  if (from === 0 || from === to) {
    const expected = from === 0 ? EMPTY_ROOT : claim.toRoot;
    const holds = proof.length === 0 && sameBytes(claim.fromRoot, expected);
    if (!holds || (to === 0 && !sameBytes(claim.toRoot, EMPTY_ROOT))) {
      throw new VerifyError('inconsistent', 'equal or empty trees need equal roots and no proof');
    }
    return;
  }
  const path = isPowerOfTwo(from) ? [claim.fromRoot, ...proof] : [...proof];
  const roots = walkConsistency(from, to, path);
  if (!sameBytes(roots.from, claim.fromRoot) || !sameBytes(roots.to, claim.toRoot)) {
    throw new VerifyError('inconsistent', 'the proof does not lead to both roots');
  }
}

function walkConsistency(from: number, to: number, path: Uint8Array[]): { from: Uint8Array; to: Uint8Array } {
  const first = path.shift();
  if (first === undefined) throw new VerifyError('inconsistent', 'the proof is empty');
  let at = from - 1;
  let last = to - 1;
  while (at % 2 === 1) {
    at = half(at);
    last = half(last);
  }
  let fromRoot = first;
  let toRoot = first;
  for (const hash of path) {
    if (last === 0) throw new VerifyError('inconsistent', 'the proof is longer than the tree is high');
    if (at % 2 === 1 || at === last) {
      fromRoot = nodeHash(hash, fromRoot);
      toRoot = nodeHash(hash, toRoot);
      while (at % 2 === 0 && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      toRoot = nodeHash(toRoot, hash);
    }
    at = half(at);
    last = half(last);
  }
  if (last !== 0) throw new VerifyError('inconsistent', 'the proof is shorter than the tree is high');
  return { from: fromRoot, to: toRoot };
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function requireCount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new VerifyError('malformed', `${what} is not a count`);
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  if (hashes.some((hash) => hash.length !== HASH_BYTES)) throw new VerifyError('malformed', 'a hash is not 32 bytes');
}
