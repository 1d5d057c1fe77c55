// C2SP tlog-tiles: where the tree's hashes and entries lie, as coordinates, paths and bytes (https://c2sp.org/tlog-tiles).
// A tile is up to 256 hashes of one level in multiples of eight; an entry bundle is the 256 leaves under a level-0 tile.

import { VerifyError } from '../verify-error.ts';
import { HASH_BYTES, subtreeHash, type TreeNode } from './tree.ts';

export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
/** The uint16 length prefix of entry bundles allows no more. */
export const LEAF_MAX_BYTES = 65_535;

/** `width` of 256 is the full tile; below it the partial one. */
export type HashTile = { readonly level: number; readonly index: number; readonly width: number };
export type EntryTile = { readonly index: number; readonly width: number };
export type TilePath = ({ readonly kind: 'hashes' } & HashTile) | ({ readonly kind: 'entries' } & EntryTile);

const PATH = /^tile\/(entries|0|[1-9][0-9]?)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;
const MAX_LEVEL = 63;

/** 1234067 → `x001/x234/067`. */
export function encodeTileIndex(index: number): string {
  let path = threeDigits(index % 1000);
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${threeDigits(rest % 1000)}/${path}`;
  }
  return path;
}

export function hashTilePath(tile: HashTile): string {
  return `tile/${tile.level}/${encodeTileIndex(tile.index)}${partialSuffix(tile.width)}`;
}

export function entryTilePath(tile: EntryTile): string {
  return `tile/entries/${encodeTileIndex(tile.index)}${partialSuffix(tile.width)}`;
}

/** Undefined unless `path` is the one canonical path of a tile (`tile/…`, no leading slash, no padding with `x000`). */
export function parseTilePath(path: string): TilePath | undefined {
  const match = PATH.exec(path);
  if (!match) return undefined;
  const index = Number((match[2] as string).replaceAll(/[x/]/g, ''));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  if (!Number.isSafeInteger(index) || encodeTileIndex(index) !== match[2]) return undefined;
  if (match[3] !== undefined && width >= TILE_WIDTH) return undefined;
  if (match[1] === 'entries') return { kind: 'entries', index, width };
  const level = Number(match[1]);
  return level > MAX_LEVEL ? undefined : { kind: 'hashes', level, index, width };
}

/** How many hashes a tree of `size` leaves has in this tile: 0 where the tile does not exist. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return Math.max(0, Math.min(TILE_WIDTH, hashes));
}

/** The tile in which a node's hash is found or can be computed from neighbours. */
export function tileOfNode(node: TreeNode): { level: number; index: number } {
  const within = TILE_WIDTH / 2 ** (node.level % TILE_HEIGHT);
  return { level: Math.floor(node.level / TILE_HEIGHT), index: Math.floor(node.index / within) };
}

/** The node's hash out of its tile; `hashes` may be any prefix of the tile that reaches far enough. */
export function nodeFromTile(hashes: Uint8Array, node: TreeNode): Uint8Array {
  const span = 2 ** (node.level % TILE_HEIGHT);
  const start = (node.index % (TILE_WIDTH / span)) * span * HASH_BYTES;
  const end = start + span * HASH_BYTES;
  if (hashes.length < end) throw new VerifyError('malformed', 'the tile is narrower than the tree needs');
  return subtreeHash(hashes.subarray(start, end));
}

/** The distinct tiles a plan needs in a tree of `size` leaves, each at the width that tree gives it. */
export function tilesOfPlan(plan: readonly (readonly TreeNode[])[], size: number): HashTile[] {
  const tiles = new Map<string, HashTile>();
  for (const node of plan.flat()) {
    const { level, index } = tileOfNode(node);
    tiles.set(`${level}/${index}`, { level, index, width: tileWidth(level, index, size) });
  }
  return [...tiles.values()];
}

/** Big-endian uint16 length before each leaf. Every leaf must be at most 65,535 bytes. */
export function encodeEntries(leaves: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const leaf of leaves) length += 2 + leaf.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const leaf of leaves) {
    if (leaf.length > LEAF_MAX_BYTES)
      throw new VerifyError('too_large', 'a leaf is longer than an entry bundle allows');
    at = bytes.writeUInt16BE(leaf.length, at);
    bytes.set(leaf, at);
    at += leaf.length;
  }
  return bytes;
}

/** Views into `bytes`, exactly `width` of them; anything missing or left over is `malformed`. */
export function decodeEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const leaves: Uint8Array[] = [];
  let at = 0;
  while (leaves.length < width) {
    if (at + 2 > bytes.length) throw new VerifyError('malformed', 'the entry bundle ends early');
    const end = at + 2 + (bytes[at] as number) * 256 + (bytes[at + 1] as number);
    if (end > bytes.length) throw new VerifyError('malformed', 'the entry bundle ends inside an entry');
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (at !== bytes.length) throw new VerifyError('malformed', 'the entry bundle has bytes left over');
  return leaves;
}

function partialSuffix(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}

function threeDigits(value: number): string {
  return String(value).padStart(3, '0');
}
