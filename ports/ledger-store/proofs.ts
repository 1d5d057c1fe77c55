// Roots and proofs of a log whose tiles are read on demand: the plan comes from core, each tile is read once.

import { nodeFromTile, tileOfNode, tilesOfPlan } from '../../core/ledger/tiles.ts';
import { consistencyPlan, foldHashes, inclusionPlan, rangeNodes, type TreeNode } from '../../core/ledger/tree.ts';

/** The tile's hashes, at least as many as a tree of the size asked about has in it. */
export type ReadTile = (level: number, index: number) => Promise<Uint8Array>;

export async function readRoot(size: number, readTile: ReadTile): Promise<Uint8Array> {
  const [root] = await readPlan([rangeNodes(0, size)], size, readTile);
  return root as Uint8Array;
}

export function readInclusionProof(index: number, size: number, readTile: ReadTile): Promise<Uint8Array[]> {
  return readPlan(inclusionPlan(index, size), size, readTile);
}

export function readConsistencyProof(from: number, to: number, readTile: ReadTile): Promise<Uint8Array[]> {
  return readPlan(consistencyPlan(from, to), to, readTile);
}

/** Every hash returned is the caller's own: tiles stay untouched behind it. */
async function readPlan(plan: TreeNode[][], size: number, readTile: ReadTile): Promise<Uint8Array[]> {
  const tiles = new Map<string, Uint8Array>();
  for (const { level, index } of tilesOfPlan(plan, size)) {
    tiles.set(`${level}/${index}`, await readTile(level, index));
  }
  return plan.map((nodes) => {
    const hashes = nodes.map((node) => {
      const { level, index } = tileOfNode(node);
      return nodeFromTile(tiles.get(`${level}/${index}`) as Uint8Array, node);
    });
    return new Uint8Array(foldHashes(hashes));
  });
}
