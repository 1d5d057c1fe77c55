// Beat two: what Beacon knows at this moment, read all at once, within one deadline. What cannot be read is not assumed:
// a missing answer of the revocation list leaves the epoch null, which denies.

import type { Facts } from '../../core/envelope.ts';
import type { Provenance } from '../../core/principal.ts';
import { MAX_SCOPES_PER_CONSULT, scopesOf } from '../../core/revocation.ts';
import { trustLevel } from '../../core/trust-score/level.ts';
import type { ScoreRow } from '../../ports/score-store/port.ts';
import type { Admitted } from './admit.ts';
import { type BudgetAnswer, takeBudget } from './budget.ts';
import type { DecisionDeps } from './deps.ts';

export const SCORE_FLOOR = 300;

export type Gathered = {
  readonly facts: Facts;
  /** Every scope this decision falls under, without its own permit. */
  readonly scopes: readonly string[];
  /** Why facts are missing; empty when none is. */
  readonly missing: readonly string[];
};

/** Remembers the highest epoch ever seen, so that an older list is recognised. */
export class EpochMemory {
  #highest = 0;

  get highest(): number {
    return this.#highest;
  }

  see(epoch: number): void {
    if (epoch > this.#highest) this.#highest = epoch;
  }
}

/** How the agent's budget answers; it is taken from unless told otherwise. */
type BudgetOf = (admitted: Admitted, deps: DecisionDeps, nowMs: number) => Promise<BudgetAnswer>;

export async function gather(
  admitted: Admitted,
  policyDigest: string,
  deps: DecisionDeps,
  epochs: EpochMemory,
  budgetOf: BudgetOf = takeBudget,
): Promise<Gathered> {
  const { stores, settings, env } = deps;
  const { tenantId, agentId, sessionId, provenance, tools } = admitted;
  const scopes = scopesOf({
    tenantId,
    agentId,
    sessionId,
    provenance,
    tools,
    policyDigest,
    keyId: settings.keyId(),
    permitId: '',
  });
  const nowMs = env.now();
  const missing: string[] = [];
  const late = timeUp(settings.gatherTimeoutMs);
  const ask = <T>(name: string, answer: Promise<T>): Promise<T | undefined> =>
    Promise.race([answer, late.passed]).catch((error) => {
      missing.push(name);
      env.failed(`gather.${name}`, error);
      return undefined;
    });
  const [list, score, approval, budget] = await Promise.all([
    ask('revocations', consult(scopes, deps)),
    ask('score', stores.scores.read({ tenantId, agentId })),
    ask('approval', stores.actions.findApproval(tenantId, agentId, admitted.fingerprint, nowMs)),
    ask('budget', budgetOf(admitted, deps, nowMs)),
  ]);
  late.cancel();
  const epoch = list?.epoch === undefined || list.epoch < epochs.highest ? null : list.epoch;
  if (epoch !== null) epochs.see(epoch);
  const figure = figureOf(score, provenance);
  return {
    scopes,
    missing,
    facts: {
      score: figure.score,
      valid_receipts: figure.validReceipts,
      level: missing.includes('score') ? 'L0' : trustLevel({ provenance, ...figure }),
      revocation_epoch: epoch,
      revoked_scopes: list?.revoked ?? [],
      budget_exhausted: budget === undefined || !budget.allowed,
      ...(budget?.spent && { budget_spent: budget.spent }),
      approval: approval ? { action_id: approval.actionId, receipt_id: approval.receiptId } : null,
    },
  };
}

/** The two standings of one name are apart: a caller that only asserts it never gains or loses for the minted one. */
function figureOf(row: ScoreRow | undefined, provenance: Provenance): { score: number; validReceipts: number } {
  if (row === undefined) return { score: SCORE_FLOOR, validReceipts: 0 };
  if (provenance === 'asserted') return { score: row.assertedScore, validReceipts: row.assertedValidReceipts };
  return { score: row.score, validReceipts: row.validReceipts };
}

async function consult(scopes: readonly string[], deps: DecisionDeps) {
  const { revocations } = deps.stores;
  if (scopes.length <= MAX_SCOPES_PER_CONSULT) return revocations.consult(scopes);
  const pages: Promise<Awaited<ReturnType<typeof revocations.consult>>>[] = [];
  for (let i = 0; i < scopes.length; i += MAX_SCOPES_PER_CONSULT) {
    pages.push(revocations.consult(scopes.slice(i, i + MAX_SCOPES_PER_CONSULT)));
  }
  const answers = await Promise.all(pages);
  const epochs = answers.map((answer) => answer.epoch);
  const epoch = epochs.includes(undefined) ? undefined : Math.min(...(epochs as number[]));
  return { epoch, revoked: answers.flatMap((answer) => answer.revoked) };
}

/** One timer for everything that is asked. `passed` rejects when the time is up, and never once cancelled. */
function timeUp(timeoutMs: number): { readonly passed: Promise<never>; cancel(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  return { passed: promise, cancel: () => clearTimeout(timer) };
}
