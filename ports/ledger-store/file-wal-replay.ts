// Reading the write-ahead log back after a stop of any kind. A last frame that was cut short is dropped: nobody was ever
// answered about it. Everything else that does not fit is damage, and damage refuses to open.

import { BeaconError } from '../../core/errors.ts';
import { type Frame, frameEnd, hasFrameAfter, isZero, readFrame, SEGMENT_HEADER_BYTES } from './file-wal-frame.ts';

export type Replay = {
  readonly frames: Frame[];
  /** Where the last whole frame begins and where the next one goes. */
  readonly lastAt: number;
  readonly end: number;
  /** True when bytes of a write that never finished lie behind `end` and must be zeroed. */
  readonly torn: boolean;
};

export function damaged(what: string): BeaconError {
  return new BeaconError('failed_precondition', `the ledger does not open: ${what}`);
}

/** Throws `failed_precondition` for damage: bytes that changed, or a frame lost before another one. */
export function replaySegment(segment: Uint8Array, salt: Uint8Array): Replay {
  const frames: Frame[] = [];
  let lastAt = SEGMENT_HEADER_BYTES;
  let at = SEGMENT_HEADER_BYTES;
  while (at < segment.length) {
    const found = readFrame(segment, at, salt);
    if (found.kind === 'frame') {
      frames.push(found.frame);
      lastAt = at;
      at += found.frame.length;
      continue;
    }
    if (isZero(segment.subarray(at))) break;
    requireTorn(segment, at, salt, found.kind);
    return { frames, lastAt, end: at, torn: true };
  }
  return { frames, lastAt, end: at, torn: false };
}

/** A frame is written only after the one before it was synced: any trace of a later one makes a bad one damage. */
function requireTorn(segment: Uint8Array, at: number, salt: Uint8Array, kind: 'end' | 'cut' | 'damaged'): void {
  if (kind === 'damaged') throw damaged(`a WAL record at byte ${at} was changed after it was written`);
  if (hasFrameAfter(segment, at, salt)) throw damaged(`a WAL record at byte ${at} is bad and others follow it`);
  const claimed = frameEnd(segment, at, salt);
  if (claimed !== undefined && !isZero(segment.subarray(claimed))) {
    throw damaged(`a WAL record at byte ${at} is bad and something was written behind it`);
  }
}
