// What was understood and would be decided, as JSON. There is no `decision` in it: nobody may run anything on it by mistake.

import { ROUTES, type Route as RouteName, runs } from '../../core/route.ts';
import { Route, TrustLevel } from '../../gen/beacon/v1/common_pb.js';
import type {
  ExplainedChange,
  ExplainedExternality,
  ExplainedFacts,
  ExplainedPart,
  ExplainedSource,
  ExplainResponse,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { writeObligation } from './write.ts';

type Json = Record<string, unknown>;

export function writeExplanation(explained: ExplainResponse): Json {
  const route = writeRoute(explained.route);
  const changes = explained.changes.map((change) => writeChange(change, route));
  return {
    route,
    would_run: runs(route),
    summary: explained.summary,
    reasons: explained.reasons.map(({ rule, code, message }) => ({ rule, code, message })),
    constraints: explained.obligations.map(writeObligation),
    fingerprint: explained.fingerprint,
    parts: explained.parts.map(writePart),
    externality: explained.externality ? writeExternality(explained.externality) : null,
    derived_from: writeSources(explained.derivedFrom),
    findings: explained.findings.map(({ kind, class: of, where, confidence }) => {
      return { kind, class: of, where, confidence };
    }),
    facts: explained.facts ? writeFacts(explained.facts) : null,
    changes: changes.filter(({ direction }) => direction !== 'same'),
    unchanged: changes.filter(({ direction }) => direction === 'same'),
    changes_complete: explained.changesComplete,
    policy_digest: explained.policyDigest,
    policy_revision: explained.policyRevision,
  };
}

/** What cannot be read as a route is DENY. */
function writeRoute(route: Route): RouteName {
  const name = Route[route] as RouteName | undefined;
  return name !== undefined && ROUTES.includes(name) ? name : 'DENY';
}

function writePart(part: ExplainedPart): Json {
  const { tool, operation, effect, targets, systems, scope, reversible, flags, externality, derivedFrom } = part;
  return {
    ...{ tool, operation, effect, targets, systems, scope, reversible, flags },
    externality: externality ? writeExternality(externality) : null,
    derived_from: writeSources(derivedFrom),
    route: part.route === Route.UNSPECIFIED ? null : writeRoute(part.route),
  };
}

/** By field; `part` from 1, where one part decides it. */
function writeSources(sources: readonly ExplainedSource[]): Json {
  return Object.fromEntries(
    sources.map(({ field, source, detail, part }) => [field, { source, detail, ...(part > 0 && { part }) }]),
  );
}

function writeChange({ kind, fact, suppose, parts, route: then, reason }: ExplainedChange, now: RouteName) {
  const route = writeRoute(then);
  const by = ROUTES.indexOf(route) - ROUTES.indexOf(now);
  return {
    ...{ kind, fact, suppose, route, would_run: runs(route) },
    direction: by === 0 ? 'same' : by < 0 ? 'milder' : 'stricter',
    ...(parts.length > 0 && { parts }),
    reason: reason ? { rule: reason.rule, code: reason.code, message: reason.message } : null,
  };
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
