// What was understood and would be decided, as JSON. There is no `decision` in it: nobody may run anything on it by mistake.

import { runs } from '../../core/route.ts';
import { Route, TrustLevel } from '../../gen/beacon/v1/common_pb.js';
import type { ExplainedExternality, ExplainedFacts, ExplainResponse } from '../../gen/beacon/v1/decision_service_pb.js';
import { writeObligation } from './write.ts';

type Json = Record<string, unknown>;

export function writeExplanation(explained: ExplainResponse): Json {
  const route = writeRoute(explained.route);
  return {
    route,
    would_run: runs(route),
    summary: explained.summary,
    reasons: explained.reasons.map(({ rule, code, message }) => ({ rule, code, message })),
    constraints: explained.obligations.map(writeObligation),
    fingerprint: explained.fingerprint,
    parts: explained.parts.map(({ tool, operation, effect, targets, systems, scope, reversible, flags }) => {
      return { tool, operation, effect, targets, systems, scope, reversible, flags };
    }),
    externality: explained.externality ? writeExternality(explained.externality) : null,
    findings: explained.findings.map(({ kind, class: of, where, confidence }) => {
      return { kind, class: of, where, confidence };
    }),
    facts: explained.facts ? writeFacts(explained.facts) : null,
    policy_digest: explained.policyDigest,
    policy_revision: explained.policyRevision,
  };
}

/** What cannot be read as a route is DENY. */
function writeRoute(route: Route) {
  return route === Route.UNSPECIFIED
    ? 'DENY'
    : ((Route[route] ?? 'DENY') as Exclude<keyof typeof Route, 'UNSPECIFIED'>);
}

function writeExternality(of: ExplainedExternality): Json {
  const booleans: Record<string, boolean> = { true: true, false: false };
  return {
    destination_type: of.destinationType,
    destination_visibility: of.destinationVisibility,
    destination_ownership: of.destinationOwnership,
    tenant_provenance: of.tenantProvenance,
    account_provenance: of.accountProvenance,
    client_provenance: of.clientProvenance,
    external_write: booleans[of.externalWrite] ?? 'unknown',
    sensitive_payload: of.sensitivePayload,
    reversibility: of.reversibility,
    enforceability: of.enforceability,
  };
}

function writeFacts({ score, validReceipts, level, approved, missing }: ExplainedFacts): Json {
  return { score, valid_receipts: Number(validReceipts), level: TrustLevel[level] ?? 'UNSPECIFIED', approved, missing };
}
