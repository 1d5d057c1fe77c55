// What a proposal is understood to be, what would be decided on it now, and what would change that: by the very beats of
// a decision. Nothing is sealed, recorded, remembered, taken from a budget or claimed, so nobody may run anything on it.

import { create } from '@bufbuild/protobuf';
import { MAX_TOTAL_CHARACTERS } from '../../core/action/admit.ts';
import { readContext } from '../../core/action/context.ts';
import type { EvaluatedInput } from '../../core/envelope.ts';
import { invalidArgument } from '../../core/errors.ts';
import { type Suggestion, whatWouldChange } from '../../core/explain/suppose.ts';
import type { JudgeInput, Subject } from '../../core/explain/supposition.ts';
import type { CallContext } from '../../core/principal.ts';
import { parseJsonText } from '../../core/strict-json.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { type Admitted, admit } from './admit.ts';
import { levelToProto, obligationToProto, routeToProto } from './answer.ts';
import type { DecisionDeps } from './deps.ts';
import { understood } from './explained.ts';
import { askFacts, type Budgeting, type EpochMemory, type Gathered, gather } from './gather.ts';
import { judge } from './judge.ts';

/** A rate says how much may be decided; nothing is decided here. */
const TAKES_NOTHING: Budgeting = { take: async () => ({ allowed: true }), give: async () => undefined };
/** After this long nothing more is supposed, and the answer says that it is not all. */
const SUPPOSING_MS = 250;

export async function explain(
  { proposal }: pb.ExplainRequest,
  call: CallContext,
  { deps, epochs }: { readonly deps: DecisionDeps; readonly epochs: EpochMemory },
): Promise<pb.ExplainResponse> {
  if (!proposal) throw invalidArgument('proposal', 'is missing');
  const { env } = deps;
  const admitted = admit(proposal, call, deps);
  const policy = (deps.unremembered ?? deps.policy).snapshot();
  const gathered = await gather(askFacts(admitted, policy.digest, deps, TAKES_NOTHING), admitted, deps, epochs);
  const { verdict, input } = judge(admitted, gathered, policy, { salt: env.randomHex(16), nowMs: env.now() });
  const evaluated = JSON.parse(Buffer.from(input).toString()) as EvaluatedInput;
  const subject: Subject = {
    input: evaluated,
    told: readContext(proposal.contextJson === '' ? {} : parseJsonText(proposal.contextJson, 'context')),
    characters: charactersOf(proposal),
    read: (told) => admit({ ...proposal, contextJson: JSON.stringify(told) }, call, deps),
  };
  const judgeInput = judgeOf(admitted, gathered, policy, env.now());
  const supposed = await inTime(whatWouldChange(subject, verdict.route, judgeInput));
  return create(pb.ExplainResponseSchema, {
    route: routeToProto(verdict.route),
    reasons: verdict.reasons.map((reason) => ({ ...reason })),
    obligations: verdict.obligations.map(obligationToProto),
    fingerprint: admitted.fingerprint,
    summary: admitted.summary,
    ...understood(evaluated, supposed),
    facts: factsOf(gathered),
    policyDigest: policy.digest,
    policyRevision: policy.revision,
  });
}

/** The same beat with another input: what holds whatever a policy says holds there too. */
function judgeOf(admitted: Admitted, gathered: Gathered, policy: PolicySnapshot, nowMs: number): JudgeInput {
  return ({ identity, action, externality, findings, context, facts }) =>
    judge(
      { ...admitted, provenance: identity.client_provenance, action, externality, findings, context },
      { ...gathered, facts },
      policy,
      { salt: '', nowMs },
    ).verdict;
}

/** Others are served between two judgements; what takes too long is left out. */
async function inTime(found: Generator<Suggestion, Suggestion>): Promise<Suggestion> {
  const ends = performance.now() + SUPPOSING_MS;
  for (;;) {
    const { value, done } = found.next();
    if (done) return value;
    if (performance.now() >= ends) return { ...value, complete: false };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Of all texts together, as far as a reader cares; admitting has refused what is larger. */
function charactersOf({ actions }: pb.Proposal): number {
  const size = JSON.stringify(actions, (_, value) => (typeof value === 'bigint' ? 0 : value)).length;
  return Math.min(size, MAX_TOTAL_CHARACTERS);
}

function factsOf({ facts, missing }: Gathered) {
  return {
    score: facts.score,
    validReceipts: BigInt(facts.valid_receipts),
    level: levelToProto(facts.level),
    approved: facts.approval !== null,
    missing: [...missing],
  };
}
