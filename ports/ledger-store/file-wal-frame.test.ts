// What is kept of a frame keeps the frame and nothing else alive: records stay in memory by the hundred.

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { testRecords } from './contract-records.ts';
import {
  decodeSegmentHeader,
  encodeFrame,
  encodeSegmentHeader,
  SALT_BYTES,
  SEGMENT_HEADER_BYTES,
} from './file-wal-frame.ts';

test('records of a frame hold no memory but the frame', () => {
  const { bytes, records } = encodeFrame(0, testRecords(0, 2));
  for (const { leaf } of records) expect(leaf.buffer.byteLength).toBe(bytes.length);
});

test('a header read from a segment does not hold the segment', () => {
  const header = { sequence: 1, segmentBytes: 1_048_576, identity: 7, salt: randomBytes(SALT_BYTES) };
  const segment = Buffer.alloc(header.segmentBytes);
  segment.set(encodeSegmentHeader(header));
  const read = decodeSegmentHeader(segment);
  expect(read).toEqual({ ...header, salt: new Uint8Array(header.salt) });
  expect(read?.salt.buffer.byteLength).toBeLessThan(SEGMENT_HEADER_BYTES);
});
