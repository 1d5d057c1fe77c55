// Several detectors as one, and what all of them owe: detections in order, without overlap, bounded in number.

import type { Detection, Detector } from './port.ts';

export const MAX_DETECTIONS = 1_000;

export function combineDetectors(...detectors: readonly Detector[]): Detector {
  return {
    name: detectors.map((detector) => detector.name).join('+'),
    detect: (text) => {
      const found = detectors.flatMap((detector) => detector.detect(text));
      return found.length === 0 ? found : withoutOverlap(found);
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
