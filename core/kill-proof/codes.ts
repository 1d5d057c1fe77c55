// Why a revocation is not proven to have been kept. Codes are stable: programs, exit texts and tests rely on them.

import type { VerifyCode } from '../verify-error.ts';

/**
 * unknown_revocation: no such leaf in the kill-switch's log · not_a_stop: it reinstates · no_barrier: nothing says that the
 * barrier was reached · missing_log: a log that the barrier names, or counts without a name, was not given · no_fence: an ALLOW
 * of a log that the barrier does not call fenced, under a lease that did not end before it · wrong_fence: a fence of this revocation for another scope or epoch, or elsewhere
 * than the barrier says · allow_behind_fence · opened_behind_fence: an action opened on a permit from before, there or behind such a barrier ·
 * lease_ended: an ALLOW sealed when the lease it names had ended · and every VerifyCode.
 */
export type KillCode =
  | VerifyCode
  | 'unknown_revocation'
  | 'not_a_stop'
  | 'no_barrier'
  | 'missing_log'
  | 'no_fence'
  | 'wrong_fence'
  | 'allow_behind_fence'
  | 'opened_behind_fence'
  | 'lease_ended';

export class KillProofError extends Error {
  readonly code: KillCode;

  constructor(code: KillCode, message: string) {
    super(message);
    this.name = 'KillProofError';
    this.code = code;
  }
}
