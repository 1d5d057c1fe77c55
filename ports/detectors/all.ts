// The detectors that look at every proposal. What reads a text by its place stands beside the combined ones: those may
// remember a text that was clean, whatever it was.

import { combineDetectors } from './combine.ts';
import { injectionDetector } from './injection.ts';
import { piiDetector } from './pii.ts';
import type { Detector } from './port.ts';
import { secretsDetector } from './secrets.ts';

export function allDetectors(): readonly Detector[] {
  return [combineDetectors(secretsDetector(), piiDetector()), injectionDetector()];
}
