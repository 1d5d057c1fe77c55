// Where an append waits for the disk. Handing a sync to another thread and back costs two wake-ups, on a fast disk more than
// the sync itself; on a slow disk, or with much to write, the calling thread has better things to do.

import type { FileDoor } from './file-door.ts';

/** A disk that takes longer is waited for on another thread. */
const QUICK_MS = 2;
/** Frames longer than this carry many decisions: others are read meanwhile. */
const SMALL_FRAME_BYTES = 16_384;
/** How much the last sync counts: one that took a second keeps the next ones off the calling thread for long. */
const WEIGHT = 0.1;
/** One in so many is waited for on the calling thread all the same: how long it takes can be seen nowhere else. */
const LOOK_AGAIN = 64;

export class PacedSync {
  #typicalMs = 0;
  #away = 0;

  /** Resolves when the bytes written are on the disk. */
  async datasync(file: FileDoor, frameBytes: number): Promise<void> {
    const here = this.#typicalMs < QUICK_MS || ++this.#away % LOOK_AGAIN === 0;
    if (!here || frameBytes > SMALL_FRAME_BYTES) return file.datasync();
    const started = performance.now();
    file.datasyncNow();
    this.#typicalMs += WEIGHT * (performance.now() - started - this.#typicalMs);
  }
}
