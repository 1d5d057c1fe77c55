// The write-ahead log's bytes. A segment is a header block and frames; a frame is one group commit.
// The layout lets recovery tell a write that power loss cut short (bytes still zero) from damage (bytes changed): a frame
// begins on a multiple of 64 so its header lies in one sector, ends in a marker without zero bytes, and carries its
// segment's random salt so that no record can contain something that looks like a frame.

import { crc32 } from 'node:zlib';
import type { LedgerRecord } from './port.ts';

export const SECTOR_BYTES = 512;
export const SEGMENT_HEADER_BYTES = SECTOR_BYTES;
export const SALT_BYTES = 16;
const FRAME_ALIGN = 64;
const FRAME_HEADER_BYTES = 48;
const RECORD_HEADER_BYTES = 10;
const NO_EVIDENCE = 0xffffffff;
const SEGMENT_MAGIC = Buffer.from('BEACNWAL');
const FRAME_MAGIC = Buffer.from('FRAM');
const END_MARKER = Buffer.from('DONE');

export type SegmentHeader = {
  readonly sequence: number;
  readonly segmentBytes: number;
  /** CRC-32 of log.json: a segment of another log is never replayed into this one. */
  readonly identity: number;
  readonly salt: Uint8Array;
};

export type Frame = { readonly firstIndex: number; readonly records: FrameRecord[]; readonly length: number };
/** `prefixed` is the leaf with the 0x00 of its RFC 6962 hash before it: hashing needs no copy. */
export type FrameRecord = LedgerRecord & { readonly prefixed: Uint8Array };

/** Still without its segment's salt. */
export type EncodedFrame = { readonly bytes: Buffer; readonly records: FrameRecord[] };

/** end: nothing was written here. cut: a write that never finished. damaged: bytes changed after they were written. */
export type FrameAt = { readonly kind: 'frame'; readonly frame: Frame } | { readonly kind: 'end' | 'cut' | 'damaged' };

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(header.segmentBytes, 8);
  bytes.writeUInt32LE(header.identity, 12);
  bytes.writeDoubleLE(header.sequence, 16);
  bytes.set(header.salt, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4)), SEGMENT_HEADER_BYTES - 4);
  return bytes;
}

/** Undefined when the header is damaged. */
export function decodeSegmentHeader(segment: Uint8Array): SegmentHeader | undefined {
  const bytes = view(segment);
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  const checksum = bytes.readUInt32LE(SEGMENT_HEADER_BYTES - 4);
  if (crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4)) !== checksum) return undefined;
  return {
    segmentBytes: bytes.readUInt32LE(8),
    identity: bytes.readUInt32LE(12),
    sequence: bytes.readDoubleLE(16),
    salt: new Uint8Array(bytes.subarray(24, 24 + SALT_BYTES)),
  };
}

/** Bytes one record takes inside a frame. */
export function recordBytes(record: LedgerRecord): number {
  const evidence = record.evidence?.length ?? 0;
  return RECORD_HEADER_BYTES + Buffer.byteLength(record.tenantId) + evidence + 1 + record.leaf.length;
}

/** Bytes a frame takes on disk for records of this many bytes together. */
export function frameBytes(bodyBytes: number): number {
  return Math.ceil((FRAME_HEADER_BYTES + bodyBytes + END_MARKER.length) / FRAME_ALIGN) * FRAME_ALIGN;
}

/** Copies the callers' bytes, once; the records answered are views into the frame. */
export function encodeFrame(firstIndex: number, records: readonly LedgerRecord[]): EncodedFrame {
  let body = 0;
  for (const record of records) body += recordBytes(record);
  const bytes = Buffer.allocUnsafeSlow(frameBytes(body));
  const copies: FrameRecord[] = [];
  let at = FRAME_HEADER_BYTES;
  for (const record of records) {
    const { leaf, evidence, tenantId } = record;
    bytes.writeUInt32LE(leaf.length, at);
    bytes.writeUInt32LE(evidence === undefined ? NO_EVIDENCE : evidence.length, at + 4);
    const tenantBytes = bytes.write(tenantId, at + RECORD_HEADER_BYTES);
    bytes.writeUInt16LE(tenantBytes, at + 8);
    at += RECORD_HEADER_BYTES + tenantBytes;
    if (evidence !== undefined) bytes.set(evidence, at);
    const evidenceAt = at;
    at += evidence?.length ?? 0;
    bytes[at] = 0;
    bytes.set(leaf, at + 1);
    copies.push(viewRecord(bytes, tenantId, evidence === undefined ? undefined : [evidenceAt, at], at, leaf.length));
    at += 1 + leaf.length;
  }
  FRAME_MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(body, 4);
  bytes.writeDoubleLE(firstIndex, 8);
  bytes.writeUInt32LE(records.length, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(FRAME_HEADER_BYTES, at)), 20);
  END_MARKER.copy(bytes, at);
  bytes.fill(0, at + END_MARKER.length);
  return { bytes, records: copies };
}

/** Puts the segment's salt and the header's checksum in: last, when it is known where the frame goes. */
export function sealFrame(bytes: Buffer, salt: Uint8Array): void {
  bytes.set(salt, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 40)), 40);
  END_MARKER.copy(bytes, 44);
}

/** What lies at `at`, a multiple of 64, in a segment with this salt. */
export function readFrame(segment: Uint8Array, at: number, salt: Uint8Array): FrameAt {
  const bytes = view(segment);
  const header = bytes.subarray(at, at + FRAME_HEADER_BYTES);
  if (isZero(header)) return { kind: 'end' };
  if (!isFrameHeader(header, salt)) return { kind: markerState(header.subarray(44)) === 'cut' ? 'cut' : 'damaged' };
  const body = header.readUInt32LE(4);
  const end = at + FRAME_HEADER_BYTES + body;
  const whole = bytes.subarray(at, at + frameBytes(body));
  const marker = markerState(bytes.subarray(end, end + END_MARKER.length));
  if (marker === 'cut' || whole.length < frameBytes(body)) return { kind: 'cut' };
  if (marker === 'wrong') return { kind: 'damaged' };
  const sound = crc32(bytes.subarray(at + FRAME_HEADER_BYTES, end)) === header.readUInt32LE(20);
  if (sound && isZero(bytes.subarray(end + END_MARKER.length, at + whole.length))) {
    const records = decodeRecords(bytes.subarray(at + FRAME_HEADER_BYTES, end), header.readUInt32LE(16));
    return { kind: 'frame', frame: { firstIndex: header.readDoubleLE(8), records, length: whole.length } };
  }
  return { kind: !sound && hasZeroSector(bytes, at, at + whole.length) ? 'cut' : 'damaged' };
}

/** True where a frame's header is readable: whoever finds one behind a bad frame knows that the bad one was synced. */
export function hasFrameAfter(segment: Uint8Array, at: number, salt: Uint8Array): boolean {
  const bytes = view(segment);
  for (let next = bytes.indexOf(FRAME_MAGIC, at + 1); next >= 0; next = bytes.indexOf(FRAME_MAGIC, next + 1)) {
    if (next % FRAME_ALIGN === 0 && isFrameHeader(bytes.subarray(next, next + FRAME_HEADER_BYTES), salt)) return true;
  }
  return false;
}

/** How far the frame at `at` claims to reach, or undefined when its header cannot be read. */
export function frameEnd(segment: Uint8Array, at: number, salt: Uint8Array): number | undefined {
  const header = view(segment).subarray(at, at + FRAME_HEADER_BYTES);
  return isFrameHeader(header, salt) ? at + frameBytes(header.readUInt32LE(4)) : undefined;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (ZEROS.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

const ZEROS = Buffer.alloc(65_536);

function isFrameHeader(header: Buffer, salt: Uint8Array): boolean {
  return (
    header.length === FRAME_HEADER_BYTES &&
    header.subarray(0, 4).equals(FRAME_MAGIC) &&
    header.subarray(24, 40).equals(salt) &&
    header.readUInt32LE(40) === crc32(header.subarray(0, 40)) &&
    header.subarray(44).equals(END_MARKER)
  );
}

/** A write that stopped inside the marker leaves its beginning and then zeros; anything else that is not it was changed. */
function markerState(marker: Buffer): 'whole' | 'cut' | 'wrong' {
  if (marker.equals(END_MARKER)) return 'whole';
  for (let kept = 0; kept < END_MARKER.length; kept++) {
    if (marker.subarray(0, kept).equals(END_MARKER.subarray(0, kept)) && isZero(marker.subarray(kept))) return 'cut';
  }
  return 'wrong';
}

/** Disks write whole sectors: a sector of zeros in a preallocated frame is most likely one that was not written. */
function hasZeroSector(bytes: Buffer, from: number, to: number): boolean {
  for (let at = Math.floor(from / SECTOR_BYTES) * SECTOR_BYTES; at < to; at += SECTOR_BYTES) {
    if (isZero(bytes.subarray(Math.max(at, from), Math.min(at + SECTOR_BYTES, to)))) return true;
  }
  return false;
}

/** The checksum held, so lengths are as written. */
function decodeRecords(body: Buffer, count: number): FrameRecord[] {
  const records: FrameRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const leafLength = body.readUInt32LE(at);
    const evidenceLength = body.readUInt32LE(at + 4);
    const tenantEnd = at + RECORD_HEADER_BYTES + body.readUInt16LE(at + 8);
    const tenantId = body.toString('utf8', at + RECORD_HEADER_BYTES, tenantEnd);
    const leafAt = evidenceLength === NO_EVIDENCE ? tenantEnd : tenantEnd + evidenceLength;
    const evidence: [number, number] | undefined = evidenceLength === NO_EVIDENCE ? undefined : [tenantEnd, leafAt];
    records.push(viewRecord(body, tenantId, evidence, leafAt, leafLength));
    at = leafAt + 1 + leafLength;
  }
  return records;
}

function viewRecord(
  bytes: Buffer,
  tenantId: string,
  evidence: [number, number] | undefined,
  prefixAt: number,
  leafLength: number,
): FrameRecord {
  const prefixed = bytes.subarray(prefixAt, prefixAt + 1 + leafLength);
  const leaf = prefixed.subarray(1);
  return evidence === undefined
    ? { leaf, tenantId, prefixed }
    : { leaf, tenantId, prefixed, evidence: bytes.subarray(evidence[0], evidence[1]) };
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
