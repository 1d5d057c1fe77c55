import { describe, expect, test } from 'vitest';
import { TreeEdge } from './edge.ts';
import {
  decodeEntries,
  encodeEntries,
  encodeTileIndex,
  entryTilePath,
  hashTilePath,
  nodeFromTile,
  parseTilePath,
  tileOfNode,
  tilesOfPlan,
  tileWidth,
} from './tiles.ts';
import { foldHashes, inclusionPlan, leafHash, nodeHash, rangeNodes } from './tree.ts';

describe('tile paths', () => {
  test("the specification's examples", () => {
    expect(encodeTileIndex(1234067)).toBe('x001/x234/067');
    expect(hashTilePath({ level: 0, index: 0, width: 256 })).toBe('tile/0/000');
    expect(hashTilePath({ level: 1, index: 1000, width: 17 })).toBe('tile/1/x001/000.p/17');
    expect(entryTilePath({ index: 273, width: 112 })).toBe('tile/entries/273.p/112');
  });

  test('parsing answers what formatting wrote', () => {
    for (const index of [0, 7, 999, 1000, 1234067, 999_999_999, 2 ** 45]) {
      for (const width of [1, 255, 256]) {
        expect(parseTilePath(hashTilePath({ level: 5, index, width }))).toEqual({
          kind: 'hashes',
          level: 5,
          index,
          width,
        });
        expect(parseTilePath(entryTilePath({ index, width }))).toEqual({ kind: 'entries', index, width });
      }
    }
  });

  test.each([
    'tile/0/0',
    'tile/0/00',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/000',
    'tile/0/001/000',
    'tile/0/x001/x00/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/000.p/1/',
    'tile/entries/',
    'tile/entry/000',
    'tile/0/../000',
    'tile/0/000\n',
    'tile/0/x999/x999/x999/x999/x999/999',
    '',
    'tile/0/٠٠٠',
  ])('%j is no tile path', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe('tiles', () => {
  test("widths at size 70,000, the specification's example", () => {
    expect(tileWidth(0, 272, 70_000)).toBe(256);
    expect(tileWidth(0, 273, 70_000)).toBe(112);
    expect(tileWidth(0, 274, 70_000)).toBe(0);
    expect(tileWidth(1, 0, 70_000)).toBe(256);
    expect(tileWidth(1, 1, 70_000)).toBe(17);
    expect(tileWidth(2, 0, 70_000)).toBe(1);
    expect(tileWidth(1, 0, 256)).toBe(1);
  });

  test('the edge hands over full tiles from which every node comes out right', () => {
    const leaves = Array.from({ length: 600 }, (_, i) => leafHash(Buffer.of(i & 255, i >> 8)));
    const tiles = new Map<string, Uint8Array>();
    const edge = new TreeEdge();
    for (const leaf of leaves) edge.append(leaf, (tile) => tiles.set(`${tile.level}/${tile.index}`, tile.hashes));
    const slow = (level: number, index: number): Uint8Array =>
      level === 0
        ? (leaves[index] as Uint8Array)
        : nodeHash(slow(level - 1, index * 2), slow(level - 1, index * 2 + 1));
    for (const node of [
      ...rangeNodes(0, 600),
      { level: 8, index: 1 },
      { level: 3, index: 70 },
      { level: 0, index: 599 },
    ]) {
      const { level, index } = tileOfNode(node);
      const tile = tiles.get(`${level}/${index}`) ?? (edge.tile(level, index) as Uint8Array);
      expect(Buffer.from(nodeFromTile(tile, node)).equals(slow(node.level, node.index))).toBe(true);
    }
    expect([...tiles.keys()]).toEqual(['0/0', '0/1']);
    expect(foldHashes([])).toHaveLength(32);
  });

  test('a proof names the tiles it needs and no others', () => {
    const tiles = tilesOfPlan(inclusionPlan(300, 70_000), 70_000);
    expect(tiles.map(({ level, index, width }) => `${level}/${index}:${width}`).sort()).toEqual([
      '0/1:256',
      '0/273:112',
      '1/0:256',
      '1/1:17',
    ]);
  });
});

describe('entry bundles', () => {
  test('round trip, and nothing missing or left over', () => {
    const leaves = [Buffer.from('a'), Buffer.alloc(65_535, 1), Buffer.from('bc')];
    const bytes = encodeEntries(leaves);
    expect(decodeEntries(bytes, 3).map((leaf) => leaf.length)).toEqual([1, 65_535, 2]);
    for (const [spoiled, width] of [
      [bytes, 2],
      [bytes, 4],
      [bytes.subarray(0, -1), 3],
      [bytes.subarray(0, 1), 1],
    ] as const) {
      expect(() => decodeEntries(spoiled, width)).toThrow(expect.objectContaining({ code: 'malformed' }));
    }
    expect(() => encodeEntries([Buffer.alloc(65_536)])).toThrow(expect.objectContaining({ code: 'too_large' }));
  });
});
