// The write-ahead log: the commit point of the file store. Frames go into segments that were zero-filled and synced
// beforehand, so one fdatasync per group commit writes data blocks only. The next segment is prepared in the background.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { FileDoor, FileSystemDoor } from './file-door.ts';
import { replaceFile, writeAll, writeAllNow } from './file-door.ts';
import { PacedSync } from './file-sync.ts';
import {
  encodeFrame,
  encodeSegmentHeader,
  SALT_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  sealFrame,
} from './file-wal-frame.ts';
import { replaySegment } from './file-wal-replay.ts';
import type { LedgerRecord } from './port.ts';

/** Below it a frame is written on the calling thread: copying it to the page cache is cheaper than a thread hop. */
const WRITE_NOW_MAX_BYTES = 65_536;
/** Zeros go out in pieces, each synced, so that preparing a segment never holds up an append's own sync for long. */
const ZERO_FILL_BYTES = 1_048_576;
/** The next segment is prepared once this much of the current one is used. */
const PREPARE_AT_SHARE = 0.125;

/** `endIndex`: the first index behind the segment's frames; equal to `firstIndex` while it has none. */
export type LiveSegment = { readonly header: SegmentHeader; firstIndex: number; endIndex: number };
export type WalPlace = { readonly door: FileSystemDoor; readonly folder: string; readonly identity: number };

export class WriteAheadLog {
  readonly #place: WalPlace;
  readonly #segmentBytes: number;
  readonly #segments: LiveSegment[];
  readonly #sync = new PacedSync();
  #file: FileDoor;
  #offset: number;
  #next: Promise<SegmentHeader> | undefined;

  constructor(place: WalPlace, segments: LiveSegment[], file: FileDoor, offset: number, segmentBytes: number) {
    this.#place = place;
    this.#segments = segments;
    this.#file = file;
    this.#offset = offset;
    this.#segmentBytes = segmentBytes;
  }

  /** Oldest first; the last one is being written. */
  segments(): readonly LiveSegment[] {
    return this.#segments;
  }

  /** Longest frame that fits a segment. */
  frameMaxBytes(): number {
    return this.#segmentBytes - SEGMENT_HEADER_BYTES;
  }

  /** True when it is time to prepare the next segment: early, so that no append ever waits for it. */
  needsNext(): boolean {
    return this.#next === undefined && this.#offset > this.#current().header.segmentBytes * PREPARE_AT_SHARE;
  }

  async prepareNext(): Promise<void> {
    this.#next ??= createSegment(this.#place, this.#current().header.sequence + 1, this.#segmentBytes);
    await this.#next;
  }

  /** Takes over a segment prepared earlier, found when the store opened. */
  adoptNext(header: SegmentHeader): void {
    this.#next = Promise.resolve(header);
  }

  /** Resolves when the frame is on the disk. It covers the indices up to, not including, `endIndex`. */
  async append(frame: Buffer, endIndex: number): Promise<void> {
    if (this.#offset + frame.length > this.#current().header.segmentBytes) await this.#roll();
    const current = this.#current();
    sealFrame(frame, current.header.salt);
    if (frame.length <= WRITE_NOW_MAX_BYTES) writeAllNow(this.#file, frame, this.#offset);
    else await writeAll(this.#file, frame, this.#offset);
    await this.#sync.datasync(this.#file, frame.length);
    this.#offset += frame.length;
    current.endIndex = endIndex;
  }

  /** Removes the oldest segment, durably: a gap can then only mean loss. */
  async retireOldest(): Promise<void> {
    const [oldest] = this.#segments;
    if (oldest === undefined || this.#segments.length < 2) return;
    await this.#place.door.remove(segmentPath(this.#place, oldest.header.sequence));
    await this.#place.door.syncDirectory(walFolder(this.#place));
    this.#segments.shift();
  }

  /** Rewrites, each at once and durably, the segments that hold a record `change` answers differently for. */
  async rewrite(change: (record: LedgerRecord, index: number) => LedgerRecord): Promise<void> {
    for (const segment of this.#segments) {
      const path = segmentPath(this.#place, segment.header.sequence);
      const old = await this.#place.door.read(path);
      if (old === undefined) throw new Error('a live WAL segment is missing');
      const fresh = rewriteSegment(segment.header, old, change);
      if (fresh === undefined) continue;
      const isCurrent = segment === this.#current();
      await replaceFile(this.#place.door, draftPath(this.#place), path, fresh.bytes);
      if (!isCurrent) continue;
      await this.#file.close();
      this.#file = await this.#place.door.edit(path);
      this.#offset = fresh.end;
    }
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => undefined);
    await this.#file.close();
  }

  async #roll(): Promise<void> {
    await this.prepareNext();
    const header = await (this.#next as Promise<SegmentHeader>);
    const { endIndex } = this.#current();
    await this.#file.close();
    this.#file = await this.#place.door.edit(segmentPath(this.#place, header.sequence));
    this.#offset = SEGMENT_HEADER_BYTES;
    this.#segments.push({ header, firstIndex: endIndex, endIndex });
    this.#next = undefined;
  }

  #current(): LiveSegment {
    return this.#segments.at(-1) as LiveSegment;
  }
}

/** A zero-filled segment with its header, durable under its name when this resolves. */
export async function createSegment(place: WalPlace, sequence: number, segmentBytes: number): Promise<SegmentHeader> {
  const header = { sequence, segmentBytes, identity: place.identity, salt: randomBytes(SALT_BYTES) };
  const draft = draftPath(place, sequence);
  const file = await place.door.create(draft);
  try {
    const zeros = Buffer.alloc(Math.min(ZERO_FILL_BYTES, segmentBytes));
    for (let at = 0; at < segmentBytes; at += zeros.length) {
      await writeAll(file, zeros.subarray(0, Math.min(zeros.length, segmentBytes - at)), at);
      await file.datasync();
    }
    await writeAll(file, encodeSegmentHeader(header), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await place.door.rename(draft, segmentPath(place, sequence));
  await place.door.syncDirectory(walFolder(place));
  return header;
}

export function walFolder(place: WalPlace): string {
  return join(place.folder, 'wal');
}

export function segmentPath(place: WalPlace, sequence: number): string {
  return join(walFolder(place), `${String(sequence).padStart(10, '0')}.wal`);
}

/** Drafts lie in one folder that is emptied at every start, so that nothing erased can survive in a leftover. */
function draftPath(place: WalPlace, sequence?: number): string {
  return join(place.folder, 'draft', sequence === undefined ? 'wal' : `wal-${sequence}`);
}

function rewriteSegment(
  header: SegmentHeader,
  old: Uint8Array,
  change: (record: LedgerRecord, index: number) => LedgerRecord,
): { bytes: Uint8Array; end: number } | undefined {
  const bytes = Buffer.alloc(header.segmentBytes);
  bytes.set(encodeSegmentHeader(header));
  let end = SEGMENT_HEADER_BYTES;
  let changed = false;
  for (const { firstIndex, records } of replaySegment(old, header.salt).frames) {
    const kept = records.map((record, offset) => {
      const answer = change(record, firstIndex + offset);
      if (answer !== record) changed = true;
      return answer;
    });
    const frame = encodeFrame(firstIndex, kept).bytes;
    sealFrame(frame, header.salt);
    bytes.set(frame, end);
    end += frame.length;
  }
  return changed ? { bytes, end } : undefined;
}
