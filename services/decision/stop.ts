// Whether something that was once allowed has been stopped since.

import { MAX_SCOPES_PER_CONSULT } from '../../core/revocation.ts';
import type { ActionRecord } from '../../ports/action-store/port.ts';
import type { DecisionDeps } from './deps.ts';
import type { EpochMemory } from './gather.ts';

export type Stop = { readonly code: string; readonly message: string };

export const PERMIT_EXPIRED: Stop = {
  code: 'permit_expired',
  message: 'The permit has expired; propose the action again.',
};

/** Undefined when the action may go on. A list that cannot be read, or is older than what was already seen, stops it. */
export async function stopOf(
  action: ActionRecord,
  { stores, env }: DecisionDeps,
  epochs: EpochMemory,
): Promise<Stop | undefined> {
  if (action.state === 'closed') return { code: 'action_closed', message: `The action is closed (${action.outcome}).` };
  if (action.state === 'refused' || action.state === 'awaiting_approval') {
    return { code: 'action_refused', message: 'The action was not allowed.' };
  }
  if (action.state === 'guarded' && action.permitNotAfterMs <= env.now()) {
    return PERMIT_EXPIRED;
  }
  for (let i = 0; i < action.scopes.length; i += MAX_SCOPES_PER_CONSULT) {
    const list = await stores.revocations
      .consult(action.scopes.slice(i, i + MAX_SCOPES_PER_CONSULT))
      .catch(() => undefined);
    if (list?.epoch === undefined || list.epoch < epochs.highest)
      return { code: 'revocation_unknown', message: 'The revocation list did not answer, or is an old one.' };
    epochs.see(list.epoch);
    if (list.revoked.length > 0) {
      return { code: 'revoked', message: `Stopped by the kill switch: ${list.revoked.join(', ')} is revoked.` };
    }
  }
  return undefined;
}
