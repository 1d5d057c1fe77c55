// Whose share of what is not enough for all a caller takes, before it is known what it asks.

import type { Principal } from '../../core/principal.ts';

/** A tenant's, that of all callers without a token, who may name any tenant they like, or that of the people. */
export function shareOf({ role, provenance, tenantId = '' }: Principal): string {
  // No tenant is named with a space.
  if (role !== 'agent') return 'one of the people';
  return provenance === 'asserted' ? 'without a token' : tenantId;
}
