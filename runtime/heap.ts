// How much may be thrown away before the whole heap is looked through.

import { setFlagsFromString } from 'node:v8';

/** What outlived the last full collection may grow by this share before the next. */
const GROWTH_PERCENT = 100;

/**
 * For a service, at its start. A service keeps some 40 MB and throws away buffers that live a little longer than a young
 * object. Left to itself V8 allows 8 MB of them and then marks everything again: about once a second with a single caller,
 * 60 to 100 ms of processor time each (docs/decisions/052).
 */
export function growHeapByShare(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
