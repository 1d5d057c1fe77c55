// Opening a ledger folder: from what a crash left to a store that may answer. Reads the right edge and the WAL, never the
// whole log. Whatever contradicts itself refuses to open with `failed_precondition` and says what it found.

import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readCheckpoint } from '../../core/ledger/checkpoint.ts';
import { TreeEdge } from '../../core/ledger/edge.ts';
import { TILE_WIDTH } from '../../core/ledger/tiles.ts';
import { HASH_BYTES, prefixedLeafHash, subtreeHash } from '../../core/ledger/tree.ts';
import { sameBytes } from '../../core/ledger/tree-proof.ts';
import { Bundles } from './file-bundles.ts';
import { type FileSystemDoor, replaceFile } from './file-door.ts';
import { HashTiles, readTileFile } from './file-tiles.ts';
import { createSegment, type WalPlace, WriteAheadLog } from './file-wal.ts';
import type { FrameRecord } from './file-wal-frame.ts';
import { damaged } from './file-wal-replay.ts';
import { type FoundSegment, makeSegmentSound, readSegments } from './file-wal-segments.ts';
import { readRoot } from './proofs.ts';

export type LogIdentity = { readonly logId: string; readonly origin: string };
export type Checkpointed = { readonly note: Uint8Array; readonly size: number };

export type Recovered = {
  readonly identity: LogIdentity;
  readonly size: number;
  readonly wal: WriteAheadLog;
  readonly tiles: HashTiles;
  readonly bundles: Bundles;
  readonly checkpoint: Checkpointed | undefined;
};

export type RecoverPlace = {
  readonly door: FileSystemDoor;
  readonly folder: string;
  readonly segmentBytes: number;
  /** Given to a folder that holds no log yet. */
  readonly newLog: LogIdentity;
};

export async function recover(place: RecoverPlace): Promise<Recovered> {
  const { identity, wal: walPlace } = await openIdentity(place);
  const found = await readSegments(walPlace);
  const live = found.filter((segment) => segment.replay.frames.length > 0);
  const firstIndex = live[0]?.replay.frames[0]?.firstIndex ?? 0;
  if (found[0]?.header.sequence === 1 ? firstIndex !== 0 : live.length === 0) {
    throw damaged('the WAL does not begin where the tiles end');
  }
  const records = joinFrames(live, firstIndex);
  const size = firstIndex + records.length;
  const base = Math.ceil(firstIndex / TILE_WIDTH) * TILE_WIDTH;
  if (base > size) throw damaged(`the WAL ends at ${size}, before the tiles do`);
  const edge = await loadEdge(place, base);
  const tiles = new HashTiles(place.door, place.folder, edge);
  const bundles = new Bundles({ ...place, readTile: tiles.read }, base / TILE_WIDTH);
  await requireSameRecords(tiles, records.slice(0, base - firstIndex), firstIndex);
  for (let index = base; index < size; index++) {
    const record = records[index - firstIndex] as FrameRecord;
    bundles.add(index, record, tiles.append(prefixedLeafHash(record.prefixed)));
  }
  if ((await readTileFile(place.door, place.folder, 0, Math.floor(size / TILE_WIDTH))) !== undefined) {
    throw damaged(`a tile on disk reaches beyond the WAL's end at ${size}`);
  }
  const checkpoint = await readPublished(place, identity, size, tiles);
  return { identity, size, tiles, bundles, checkpoint, wal: await resumeWal(walPlace, found, place.segmentBytes) };
}

/** Reads log.json, or makes the folder a new log: its first segment, then log.json, which is what makes it one. */
async function openIdentity(place: RecoverPlace): Promise<{ identity: LogIdentity; wal: WalPlace }> {
  const { door, folder } = place;
  for (const name of ['draft', 'wal']) await door.makeDirectory(join(folder, name));
  for (const leftover of await door.list(join(folder, 'draft'))) await door.remove(join(folder, 'draft', leftover));
  const path = join(folder, 'log.json');
  const stored = await door.read(path);
  if (stored !== undefined) return { identity: parseIdentity(stored), wal: { door, folder, identity: crc32(stored) } };
  const bytes = Buffer.from(`${JSON.stringify({ log_id: place.newLog.logId, origin: place.newLog.origin })}\n`);
  const wal = { door, folder, identity: crc32(bytes) };
  await requireEmpty(place);
  await createSegment(wal, 1, place.segmentBytes);
  await door.syncDirectory(folder);
  await door.syncDirectory(dirname(folder));
  await replaceFile(door, join(folder, 'draft', 'log.json'), path, bytes);
  return { identity: place.newLog, wal };
}

/** A crash while creating leaves at most empty segments; anything more belongs to a log whose log.json is gone. */
async function requireEmpty({ door, folder }: RecoverPlace): Promise<void> {
  const names = await door.list(folder);
  if (names.some((name) => ['tile', 'evidence', 'checkpoint'].includes(name))) {
    throw damaged('log.json is missing beside the files of a log');
  }
  for (const name of await door.list(join(folder, 'wal'))) {
    const path = join(folder, 'wal', name);
    const segment = await door.read(path);
    if (segment?.subarray(512).some((byte) => byte !== 0)) throw damaged('log.json is missing beside a WAL');
    await door.remove(path);
  }
}

function parseIdentity(stored: Uint8Array): LogIdentity {
  try {
    const { log_id: logId, origin } = JSON.parse(Buffer.from(stored).toString());
    if (typeof logId === 'string' && typeof origin === 'string') return { logId, origin };
  } catch {
    // Falls through to the refusal: whatever is wrong with it, the file is not what was written.
  }
  throw damaged('log.json is damaged');
}

function joinFrames(live: readonly FoundSegment[], firstIndex: number): FrameRecord[] {
  const records: FrameRecord[] = [];
  for (const { replay } of live) {
    for (const frame of replay.frames) {
      if (frame.firstIndex !== firstIndex + records.length) {
        throw damaged(`the WAL goes from index ${firstIndex + records.length} to ${frame.firstIndex}`);
      }
      for (const record of frame.records) records.push(record);
    }
  }
  return records;
}

/** The unfinished tiles of a tree of `base` leaves (whole bundles), each hash computed from the full tile below it. */
async function loadEdge({ door, folder }: RecoverPlace, base: number): Promise<TreeEdge> {
  const rows: Uint8Array[] = [];
  for (let level = 0; TILE_WIDTH ** level <= base; level++) {
    const hashes = Math.floor(base / TILE_WIDTH ** level);
    const count = hashes % TILE_WIDTH;
    const row = Buffer.alloc(count * HASH_BYTES);
    for (let at = 0; at < count; at++) {
      const below = hashes - count + at;
      const tile = await readTileFile(door, folder, level - 1, below);
      if (tile === undefined) throw damaged(`hash tile ${level - 1}/${below} is missing or damaged`);
      row.set(subtreeHash(tile), at * HASH_BYTES);
    }
    rows.push(row);
  }
  return new TreeEdge(base, rows);
}

/** Records of a bundle that is complete on disk, still in the WAL too: both must tell the same. */
async function requireSameRecords(tiles: HashTiles, records: readonly FrameRecord[], start: number): Promise<void> {
  if (records.length === 0) return;
  const hashes = await tiles.read(0, Math.floor(start / TILE_WIDTH)).catch(() => undefined);
  records.forEach((record, offset) => {
    const at = ((start + offset) % TILE_WIDTH) * HASH_BYTES;
    const stored = hashes?.subarray(at, at + HASH_BYTES);
    if (stored === undefined || !sameBytes(prefixedLeafHash(record.prefixed), stored)) {
      throw damaged(`record ${start + offset} differs between the WAL and its tile`);
    }
  });
}

/** A log shorter than, or other than, what was published from it must never be continued. */
async function readPublished(
  { door, folder }: RecoverPlace,
  identity: LogIdentity,
  size: number,
  tiles: HashTiles,
): Promise<Checkpointed | undefined> {
  const note = await door.read(join(folder, 'checkpoint'));
  if (note === undefined) return undefined;
  let said: ReturnType<typeof readCheckpoint>;
  try {
    said = readCheckpoint(note);
  } catch {
    throw damaged('its checkpoint cannot be read');
  }
  if (said.origin !== identity.origin) throw damaged(`its checkpoint is of another log, ${said.origin}`);
  if (said.size > size) throw damaged(`it is behind its checkpoint: ${size} records, ${said.size} were published`);
  const root = await readRoot(said.size, tiles.read).catch((cause: Error) => {
    throw damaged(cause.message);
  });
  if (!sameBytes(root, said.root)) throw damaged(`it contradicts its checkpoint: another root at size ${said.size}`);
  return { note: new Uint8Array(note), size: said.size };
}

/** Continues in the last segment that holds a record; an empty one behind it is the next. */
async function resumeWal(place: WalPlace, found: FoundSegment[], segmentBytes: number): Promise<WriteAheadLog> {
  const lastUsed = Math.max(
    0,
    found.findLastIndex((segment) => segment.replay.frames.length > 0),
  );
  for (const segment of found) await makeSegmentSound(place, segment, segment === found[lastUsed]);
  const current = found[lastUsed] as FoundSegment;
  const segments = found.slice(0, lastUsed + 1).map(({ header, replay }) => {
    const last = replay.frames.at(-1);
    const endIndex = last === undefined ? 0 : last.firstIndex + last.records.length;
    return { header, firstIndex: replay.frames[0]?.firstIndex ?? 0, endIndex };
  });
  const file = await place.door.edit(current.path);
  const wal = new WriteAheadLog(place, segments, file, current.replay.end, segmentBytes);
  const next = found[lastUsed + 1];
  if (next !== undefined) wal.adoptNext(next.header);
  return wal;
}
