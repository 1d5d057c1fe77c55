import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { VerifyError } from '../verify-error.ts';
import {
  consistencyPlan,
  EMPTY_ROOT,
  foldHashes,
  inclusionPlan,
  leafHash,
  nodeHash,
  rangeNodes,
  type TreeNode,
} from './tree.ts';
import { verifyConsistency, verifyInclusion } from './tree-proof.ts';

// RFC 6962 §2.1 as written there: recursive, over all leaves, sharing no code with what is tested.
function sha(...parts: Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}
function split(n: number): number {
  return 2 ** Math.floor(Math.log2(n - 1));
}
function naiveRoot(leaves: Buffer[]): Buffer {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.of(0), leaves[0] as Buffer);
  const k = split(leaves.length);
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}
function naivePath(m: number, leaves: Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}
function naiveConsistency(m: number, leaves: Buffer[], known = true): Buffer[] {
  if (m === leaves.length) return known ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...naiveConsistency(m, leaves.slice(0, k), known), naiveRoot(leaves.slice(k))]
    : [...naiveConsistency(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

const leaves = Array.from({ length: 130 }, (_, i) => Buffer.from(`leaf ${i}`));

/** Subtree hashes the slow way, so that plans are judged on their own. */
function read(node: TreeNode): Uint8Array {
  const width = 2 ** node.level;
  return naiveRoot(leaves.slice(node.index * width, (node.index + 1) * width));
}
function hashes(plan: TreeNode[][]): Uint8Array[] {
  return plan.map((group) => foldHashes(group.map(read)));
}
function hex(list: Uint8Array[]): string[] {
  return list.map((hash) => Buffer.from(hash).toString('hex'));
}
function codeOf(work: () => void): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    if (error instanceof VerifyError) return error.code;
    throw error;
  }
}

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];

describe('tree', () => {
  test('published constants', () => {
    expect(Buffer.from(EMPTY_ROOT).toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(Buffer.from(leafHash(new Uint8Array())).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  test.each([0, ...SIZES])('root of %i leaves', (size) => {
    expect(hex([foldHashes(rangeNodes(0, size).map(read))])).toEqual(hex([naiveRoot(leaves.slice(0, size))]));
  });

  test.each(SIZES)('every inclusion proof of %i leaves, and none for its neighbours', (size) => {
    const tree = leaves.slice(0, size);
    const root = naiveRoot(tree);
    for (let index = 0; index < size; index++) {
      const proof = hashes(inclusionPlan(index, size));
      expect(hex(proof)).toEqual(hex(naivePath(index, tree)));
      const claim = { leafHash: leafHash(leaves[index] as Buffer), index, size, root, proof };
      verifyInclusion(claim);
      expect(codeOf(() => verifyInclusion({ ...claim, index: index + 1 }))).toBe('not_included');
      expect(codeOf(() => verifyInclusion({ ...claim, leafHash: leafHash(Buffer.of(index)) }))).toBe('not_included');
      expect(codeOf(() => verifyInclusion({ ...claim, proof: [...proof, root] }))).toBe('not_included');
      if (proof.length > 0) {
        expect(codeOf(() => verifyInclusion({ ...claim, proof: proof.slice(1) }))).toBe('not_included');
        expect(codeOf(() => verifyInclusion({ ...claim, proof: proof.slice(0, -1) }))).toBe('not_included');
      }
    }
  });

  test.each(SIZES.filter((size) => size <= 65))('every consistency proof up to %i leaves', (to) => {
    const toRoot = naiveRoot(leaves.slice(0, to));
    for (let from = 0; from <= to; from++) {
      const fromRoot = naiveRoot(leaves.slice(0, from));
      const proof = hashes(consistencyPlan(from, to));
      if (from > 0) expect(hex(proof)).toEqual(hex(naiveConsistency(from, leaves.slice(0, to))));
      const claim = { from, fromRoot, to, toRoot, proof };
      verifyConsistency(claim);
      const other = nodeHash(fromRoot, toRoot);
      expect(codeOf(() => verifyConsistency({ ...claim, toRoot: from === 0 ? toRoot : other }))).toBe(
        from === 0 ? 'ok' : 'inconsistent',
      );
      expect(codeOf(() => verifyConsistency({ ...claim, fromRoot: other }))).toBe('inconsistent');
      expect(codeOf(() => verifyConsistency({ ...claim, proof: [...proof, other] }))).toBe('inconsistent');
      if (proof.length > 0) {
        expect(codeOf(() => verifyConsistency({ ...claim, proof: proof.slice(1) }))).toBe('inconsistent');
      }
    }
  });

  test('a flipped bit anywhere in a proof is seen', () => {
    const proof = hashes(inclusionPlan(77, 129)).map((hash) => new Uint8Array(hash));
    const root = naiveRoot(leaves.slice(0, 129));
    for (const hash of proof) {
      for (let bit = 0; bit < 256; bit += 37) {
        hash[bit >> 3] = (hash[bit >> 3] as number) ^ (1 << (bit & 7));
        const claim = { leafHash: leafHash(leaves[77] as Buffer), index: 77, size: 129, root, proof };
        expect(codeOf(() => verifyInclusion(claim))).toBe('not_included');
        hash[bit >> 3] = (hash[bit >> 3] as number) ^ (1 << (bit & 7));
      }
    }
  });

  test('impossible numbers and lengths are malformed', () => {
    const hash = leafHash(Buffer.of(1));
    const claim = { leafHash: hash, index: 0, size: 1, root: hash, proof: [] };
    verifyInclusion(claim);
    for (const change of [
      { index: -1 },
      { index: 0.5 },
      { size: 2 ** 53 },
      { root: hash.subarray(1) },
      { proof: [Buffer.of(1)] },
    ]) {
      expect(codeOf(() => verifyInclusion({ ...claim, ...change }))).toBe('malformed');
    }
  });

  test('plans stay exact beyond 32 bits', () => {
    const size = 2 ** 45 + 2 ** 33 + 5;
    expect(rangeNodes(0, size)).toEqual([
      { level: 45, index: 0 },
      { level: 33, index: 2 ** 12 },
      { level: 2, index: (2 ** 45 + 2 ** 33) / 4 },
      { level: 0, index: size - 1 },
    ]);
    expect(inclusionPlan(size - 1, size)).toHaveLength(3);
    expect(inclusionPlan(2 ** 40, size)).toHaveLength(46);
  });
});
