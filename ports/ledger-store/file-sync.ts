// Where an append waits for the disk. Handing a sync to another thread and back costs two wake-ups, on a fast disk more than
// the sync itself; on a slow disk, or with much to write, the calling thread has better things to do.

import type { FileDoor } from './file-door.ts';

/** A disk that takes longer is waited for on another thread. */
const QUICK_MS = 2;
/** Frames longer than this carry many decisions: others are read meanwhile. */
const SMALL_FRAME_BYTES = 16_384;
/** How much the last sync counts: one that took a second keeps the next ones off the calling thread for long. */
const WEIGHT = 0.1;
/** One in so many is waited for on the calling thread all the same: how long it takes there can be seen nowhere else. */
const LOOK_AGAIN = 64;
/** But not while it takes this long on the other thread, wake-ups included: a disk that hangs would hang all else with it. */
const NO_LOOK_MS = 10;

export class PacedSync {
  #typicalMs = 0;
  #awayMs = 0;
  #away = 0;

  /** Resolves when the bytes written are on the disk. */
  async datasync(file: FileDoor, frameBytes: number): Promise<void> {
    const started = performance.now();
    if (frameBytes > SMALL_FRAME_BYTES || !this.#isQuick()) {
      await file.datasync();
      this.#awayMs = performance.now() - started;
      return;
    }
    file.datasyncNow();
    this.#typicalMs += WEIGHT * (performance.now() - started - this.#typicalMs);
  }

  #isQuick(): boolean {
    if (this.#typicalMs < QUICK_MS) return true;
    this.#away += 1;
    return this.#away % LOOK_AGAIN === 0 && this.#awayMs < NO_LOOK_MS;
  }
}
