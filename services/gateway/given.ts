// A field of an answer that its service always sets.

import { BeaconError } from '../../core/errors.ts';

/** Throws `internal` when the service left it out: an empty answer is never passed on as one. */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new BeaconError('internal', 'the service gave an empty answer');
  return value;
}
