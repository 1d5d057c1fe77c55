// Finds secrets and personal data in text, before anything is evaluated or kept.

import type { Finding } from '../../core/action/types.ts';

/** A detection before it is bound to a tenant's key. Offsets are UTF-16 code units. */
export type Detection = Omit<Finding, 'where' | 'digest'> & { readonly start: number; readonly end: number };

export type Detector = {
  readonly name: string;
  /** Linear in the text's length; at most 1,000 detections; never throws. */
  detect(text: string): readonly Detection[];
};
