// Random bytes by the page: a call to the system for each of a decision's ids costs more than the ids.

import { randomFillSync } from 'node:crypto';

/** Most bytes asked for at once. */
export const MAX_RANDOM_BYTES = 1_024;
const PAGE_BYTES = 4_096;

const page = Buffer.alloc(PAGE_BYTES);
let at = PAGE_BYTES;

/** So many bytes of the system's secure random source as lower-case hex, at most MAX_RANDOM_BYTES. No byte is given twice. */
export function randomHex(bytes: number): string {
  if (!(bytes <= MAX_RANDOM_BYTES)) throw new RangeError(`at most ${MAX_RANDOM_BYTES} bytes at once`);
  if (at + bytes > PAGE_BYTES) {
    randomFillSync(page);
    at = 0;
  }
  at += bytes;
  return page.toString('hex', at - bytes, at);
}
