// What a proposal is understood to be and what would be decided on it now, by the very beats of a decision. Nothing is
// sealed, recorded, remembered, taken from a budget or claimed, so nobody may run anything on it.

import { create } from '@bufbuild/protobuf';
import { invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { type Admitted, admit } from './admit.ts';
import { levelToProto, obligationToProto, routeToProto } from './answer.ts';
import type { DecisionDeps } from './deps.ts';
import { type EpochMemory, type Gathered, gather } from './gather.ts';
import { judge } from './judge.ts';

/** A rate says how much may be decided; nothing is decided here. */
const TAKES_NOTHING = async () => ({ allowed: true });

export async function explain(
  { proposal }: pb.ExplainRequest,
  call: CallContext,
  { deps, epochs }: { readonly deps: DecisionDeps; readonly epochs: EpochMemory },
): Promise<pb.ExplainResponse> {
  if (!proposal) throw invalidArgument('proposal', 'is missing');
  const { env } = deps;
  const admitted = admit(proposal, call, deps);
  const policy = (deps.unremembered ?? deps.policy).snapshot();
  const gathered = await gather(admitted, policy.digest, deps, epochs, TAKES_NOTHING);
  const { verdict } = judge(admitted, gathered, policy, { salt: env.randomHex(16), nowMs: env.now() });
  return create(pb.ExplainResponseSchema, {
    route: routeToProto(verdict.route),
    reasons: verdict.reasons.map((reason) => ({ ...reason })),
    obligations: verdict.obligations.map(obligationToProto),
    ...understood(admitted),
    facts: factsOf(gathered),
    policyDigest: policy.digest,
    policyRevision: policy.revision,
  });
}

function understood({ action, externality, findings, fingerprint, summary }: Admitted) {
  return {
    fingerprint,
    summary,
    parts: action.parts.map(({ tool, operation, effect, targets, systems, scope, reversible, flags }) => ({
      ...{ tool, operation, effect, scope, reversible },
      ...{ targets: [...targets], systems: [...systems], flags: [...flags] },
    })),
    externality: {
      destinationType: externality.destination_type,
      destinationVisibility: externality.destination_visibility,
      destinationOwnership: externality.destination_ownership,
      tenantProvenance: externality.tenant_provenance,
      accountProvenance: externality.account_provenance,
      clientProvenance: externality.client_provenance,
      externalWrite: String(externality.external_write),
      sensitivePayload: externality.sensitive_payload,
      reversibility: externality.reversibility,
      enforceability: externality.enforceability,
    },
    // The digest of what was found stays here: it would tell a guess from a hit.
    findings: findings.map(({ kind, class: of, where, confidence }) => ({ kind, class: of, where, confidence })),
  };
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
