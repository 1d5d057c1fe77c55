// Several detectors as one, and what all of them owe: detections in order, without overlap, bounded in number.

import type { Detection, Detector } from './port.ts';

export const MAX_DETECTIONS = 1_000;

/** Texts in which nothing was found: names, paths and branches come with every proposal. None that held something is kept. */
const MAX_CLEAN_TEXTS = 4_096;
const MAX_CLEAN_CHARACTERS = 128;
const NOTHING: readonly Detection[] = [];

export function combineDetectors(...detectors: readonly Detector[]): Detector {
  const clean = new Set<string>();
  return {
    name: detectors.map((detector) => detector.name).join('+'),
    detect: (text) => {
      if (clean.has(text)) return NOTHING;
      const found = detectors.flatMap((detector) => detector.detect(text));
      if (found.length > 0) return withoutOverlap(found);
      if (text.length <= MAX_CLEAN_CHARACTERS) {
        if (clean.size >= MAX_CLEAN_TEXTS) clean.clear();
        // A copy: a slice of a body would keep the whole of it.
        clean.add(Buffer.from(text).toString());
      }
      return NOTHING;
    },
  };
}

const RANK = { low: 0, medium: 1, high: 2 };

/** Without overlaps: the surer wins, then the longer. */
export function withoutOverlap(found: readonly Detection[]): Detection[] {
  const order = [...found].sort(
    (left, right) =>
      RANK[right.confidence] - RANK[left.confidence] ||
      Number(left.kind === 'assigned_secret') - Number(right.kind === 'assigned_secret') ||
      right.end - right.start - (left.end - left.start) ||
      left.start - right.start,
  );
  const taken: Detection[] = [];
  for (const item of order) {
    const at = insertion(taken, item.start);
    const before = taken[at - 1];
    const after = taken[at];
    if ((before && before.end > item.start) || (after && after.start < item.end)) continue;
    taken.splice(at, 0, item);
  }
  return taken.slice(0, MAX_DETECTIONS);
}

function insertion(sorted: readonly Detection[], start: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as Detection).start <= start) low = middle + 1;
    else high = middle;
  }
  return low;
}
