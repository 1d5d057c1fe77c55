// Beat two: what Beacon knows at this moment, read all at once, within one deadline. What cannot be read is not assumed:
// a missing answer of the revocation list leaves the epoch null, which denies.

import type { Facts } from '../../core/envelope.ts';
import type { Provenance } from '../../core/principal.ts';
import { MAX_SCOPES_PER_CONSULT, scopesOf, toolScope } from '../../core/revocation.ts';
import { trustLevel } from '../../core/trust-score/level.ts';
import type { ApprovalRecord } from '../../ports/action-store/port.ts';
import type { Survey } from '../../ports/revocation-list/port.ts';
import type { ScoreRow } from '../../ports/score-store/port.ts';
import type { Admitted, Asker } from './admit.ts';
import { type BudgetAnswer, giveBudget, takeBudget } from './budget.ts';
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
export type Budgeting = {
  readonly take: (who: Asker, deps: DecisionDeps, nowMs: number) => Promise<BudgetAnswer>;
  readonly give: (who: Asker, deps: DecisionDeps, nowMs: number) => Promise<void>;
};
const BUDGETS: Budgeting = { take: takeBudget, give: giveBudget };

type Listed = Pick<Survey, 'epoch' | 'revoked'>;
type Answer<T> = { readonly value: T } | { readonly fault: unknown };

/** What has been asked for and not yet waited for. None of it rejects. */
export type AskedFacts = {
  readonly asker: Asker;
  /** As they were asked about: those of the tools are not known yet. */
  readonly scopes: readonly string[];
  readonly list: Promise<Answer<Survey>>;
  readonly score: Promise<Answer<ScoreRow | undefined>>;
  readonly approved: Promise<Answer<readonly ApprovalRecord[]>>;
  readonly budget: Promise<Answer<BudgetAnswer>>;
  /** For a proposal on which nothing is decided: gives back what its budget was charged. */
  readonly unused: () => Promise<void>;
};

/** Asks for all facts at once: none depends on what is proposed, which can be read while the answers are under way. */
export function askFacts(
  asker: Asker,
  policyDigest: string,
  deps: DecisionDeps,
  budgeting: Budgeting = BUDGETS,
): AskedFacts {
  const { stores, settings, env } = deps;
  const { tenantId, agentId } = asker;
  const scopes = scopesOf({ ...asker, tools: [], policyDigest, keyId: settings.keyId(), permitId: '' });
  const nowMs = env.now();
  const budget = kept(budgeting.take(asker, deps, nowMs));
  return {
    asker,
    scopes,
    list: kept(stores.revocations.survey(scopes)),
    score: kept(stores.scores.read({ tenantId, agentId })),
    approved: kept(stores.actions.approvedFor(tenantId, agentId, nowMs)),
    budget,
    async unused() {
      const taken = await budget;
      if (!('value' in taken) || !taken.value.allowed) return;
      await budgeting.give(asker, deps, env.now()).catch((error) => env.failed('gather.budget', error));
    },
  };
}

export async function gather(
  asked: AskedFacts,
  { fingerprint, tools }: Pick<Admitted, 'fingerprint' | 'tools'>,
  deps: DecisionDeps,
  epochs: EpochMemory,
): Promise<Gathered> {
  const { asker } = asked;
  const toolScopes = tools.map(toolScope);
  const missing: string[] = [];
  const answers = [withTools(asked.list, toolScopes, deps), asked.score, asked.approved, asked.budget] as const;
  const answered = await inTime(answers, deps.settings.gatherTimeoutMs);
  const get = <T>(name: string, got: Answer<T>): T | undefined => {
    if ('value' in got) return got.value;
    missing.push(name);
    deps.env.failed(`gather.${name}`, got.fault);
    return undefined;
  };
  const list = get('revocations', answered[0]);
  const score = get('score', answered[1]);
  const approved = get('approval', answered[2]);
  const budget = get('budget', answered[3]);
  const epoch = list?.epoch === undefined || list.epoch < epochs.highest ? null : list.epoch;
  if (epoch !== null) epochs.see(epoch);
  const figure = figureOf(score, asker.provenance);
  // Asked for before the proposal was read: it may have ended since.
  const nowMs = deps.env.now();
  const approval = approved?.find((one) => one.fingerprint === fingerprint && one.notAfterMs > nowMs);
  return {
    scopes: [...asked.scopes, ...toolScopes],
    missing,
    facts: {
      score: figure.score,
      valid_receipts: figure.validReceipts,
      level: missing.includes('score') ? 'L0' : trustLevel({ provenance: asker.provenance, ...figure }),
      revocation_epoch: epoch,
      revoked_scopes: list?.revoked ?? [],
      budget_exhausted: budget === undefined || !budget.allowed,
      ...(budget?.spent && { budget_spent: budget.spent }),
      approval: approval ? { action_id: approval.actionId, receipt_id: approval.receiptId } : null,
    },
  };
}

function kept<T>(answer: Promise<T>): Promise<Answer<T>> {
  return answer.then(
    (value) => ({ value }),
    (fault: unknown) => ({ fault }),
  );
}

/** The two standings of one name are apart: a caller that only asserts it never gains or loses for the minted one. */
function figureOf(row: ScoreRow | undefined, provenance: Provenance): { score: number; validReceipts: number } {
  if (row === undefined) return { score: SCORE_FLOOR, validReceipts: 0 };
  if (provenance === 'asserted') return { score: row.assertedScore, validReceipts: row.assertedValidReceipts };
  return { score: row.score, validReceipts: row.validReceipts };
}

/** Which of the scopes, those of the tools too, are revoked; by name, in a second round trip, only where a survey names none. */
async function withTools(
  surveyed: Promise<Answer<Survey>>,
  scopes: readonly string[],
  { stores }: DecisionDeps,
): Promise<Answer<Listed>> {
  const answer = await surveyed;
  if (!('value' in answer)) return answer;
  const { epoch, revoked, tools: inForce } = answer.value;
  if (inForce !== undefined) {
    return { value: { epoch, revoked: [...revoked, ...scopes.filter((scope) => inForce.includes(scope))] } };
  }
  const pages: Promise<Listed>[] = [];
  for (let i = 0; i < scopes.length; i += MAX_SCOPES_PER_CONSULT) {
    pages.push(stores.revocations.consult(scopes.slice(i, i + MAX_SCOPES_PER_CONSULT)));
  }
  return kept(Promise.all(pages).then((lists) => joined([{ epoch, revoked }, ...lists])));
}

function joined(lists: readonly Listed[]): Listed {
  const epochs = lists.map((list) => list.epoch);
  const epoch = epochs.includes(undefined) ? undefined : Math.min(...(epochs as number[]));
  return { epoch, revoked: lists.flatMap((list) => list.revoked) };
}

type Answers = readonly Promise<Answer<unknown>>[];
type Settled<T extends Answers> = { readonly [at in keyof T]: Awaited<T[at]> };

/** One timer for everything that is asked; what has come by then is read first, and the rest is a fault. */
function inTime<T extends Answers>(answers: T, timeoutMs: number): Promise<Settled<T>> {
  return new Promise((resolve) => {
    const settled: (Answer<unknown> | undefined)[] = answers.map(() => undefined);
    let missing = answers.length;
    const done = () => {
      const late = missing > 0 && { fault: new Error(`no answer within ${timeoutMs} ms`) };
      resolve(settled.map((answer) => answer ?? late) as unknown as Settled<T>);
    };
    const timer = setTimeout(() => setImmediate(done), timeoutMs);
    answers.forEach((answer, at) => {
      answer.then((value) => {
        settled[at] = value;
        missing -= 1;
        if (missing > 0) return;
        clearTimeout(timer);
        done();
      });
    });
  });
}
