// The WAL's segments as found on disk: which there are, that none is missing, and making the last ones fit to continue.

import { join } from 'node:path';
import { writeAll } from './file-door.ts';
import { segmentPath, type WalPlace, walFolder } from './file-wal.ts';
import { decodeSegmentHeader, type SegmentHeader } from './file-wal-frame.ts';
import { damaged, type Replay, replaySegment } from './file-wal-replay.ts';

export type FoundSegment = {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly bytes: Uint8Array;
  /** Below the header's size when somebody cut the file. */
  readonly storedBytes: number;
  readonly replay: Replay;
};

const NAME = /^[0-9]{10}\.wal$/;

/** All segments, oldest first. Throws `failed_precondition` when one is missing, damaged or of another log. */
export async function readSegments(place: WalPlace): Promise<FoundSegment[]> {
  const names = (await place.door.list(walFolder(place))).filter((name) => NAME.test(name)).sort();
  if (names.length === 0) throw damaged('the WAL is missing');
  const found: FoundSegment[] = [];
  for (const name of names) {
    const segment = await readSegment(place, name);
    const before = found.at(-1);
    if (before !== undefined && segment.header.sequence !== before.header.sequence + 1) {
      throw damaged(`WAL segment ${before.header.sequence + 1} is missing`);
    }
    found.push(segment);
  }
  found.forEach(({ header, replay }, at) => {
    const laterUsed = found.slice(at + 1).some((later) => later.replay.frames.length > 0);
    if (laterUsed && (replay.torn || replay.frames.length === 0)) {
      throw damaged(`WAL segment ${header.sequence} ends in a bad record and others follow it`);
    }
  });
  return found;
}

/**
 * Zeroes what a write that never finished left behind, gives a cut file its length back, and writes the last record again:
 * after a failed sync the page cache may hold bytes the disk does not, and only rewriting makes a sync try once more.
 */
export async function makeSegmentSound(place: WalPlace, segment: FoundSegment, isLastUsed: boolean): Promise<void> {
  const { bytes, replay, storedBytes } = segment;
  const from = isLastUsed ? replay.lastAt : replay.end;
  const to = replay.torn || storedBytes < bytes.length ? bytes.length : replay.end;
  if (from >= to) return;
  const clean = Buffer.from(bytes.subarray(from, to));
  clean.fill(0, replay.end - from);
  const file = await place.door.edit(segment.path);
  try {
    await writeAll(file, clean, from);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function readSegment(place: WalPlace, name: string): Promise<FoundSegment> {
  const path = join(walFolder(place), name);
  const stored = await place.door.read(path);
  const header = stored === undefined ? undefined : decodeSegmentHeader(stored);
  if (stored === undefined || header === undefined || segmentPath(place, header.sequence) !== path) {
    throw damaged(`WAL segment ${name} has a damaged header`);
  }
  if (header.identity !== place.identity) throw damaged(`WAL segment ${name} belongs to another log.json`);
  const bytes = Buffer.alloc(header.segmentBytes);
  bytes.set(stored.subarray(0, header.segmentBytes));
  return { path, header, bytes, storedBytes: stored.length, replay: replaySegment(bytes, header.salt) };
}
