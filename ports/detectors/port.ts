// Finds secrets, personal data and text that addresses the agent, before anything is evaluated or kept.

import type { Place } from '../../core/action/redact.ts';
import type { Finding } from '../../core/action/types.ts';

export type { Place } from '../../core/action/redact.ts';

/** A detection before it is bound to a tenant's key. Offsets are UTF-16 code units. */
export type Detection = Omit<Finding, 'where' | 'digest'> & { readonly start: number; readonly end: number };

export type Detector = {
  readonly name: string;
  /**
   * Linear in the text's length; at most 1,000 detections; never throws. `place` says what the text is (`action` when
   * nobody says): a detector that heeds it is not to be remembered by its text alone.
   */
  detect(text: string, place?: Place): readonly Detection[];
};
