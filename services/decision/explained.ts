// How an explanation is written: parts, X(a) with its sources, findings, and what was supposed. Pure.

import type { EvaluatedInput } from '../../core/envelope.ts';
import { type Derived, derivePart, deriveWhole, externalityOfPart } from '../../core/explain/derive.ts';
import type { Suggestion } from '../../core/explain/suppose.ts';
import type { Change } from '../../core/explain/supposition.ts';
import type { Externality } from '../../core/externality.ts';
import { Route } from '../../gen/beacon/v1/common_pb.js';
import { routeToProto } from './answer.ts';

export function understood(input: EvaluatedInput, { alone, tried, complete }: Suggestion) {
  return {
    parts: input.action.parts.map(({ tool, operation, effect, targets, systems, scope, reversible, flags }, index) => ({
      ...{ tool, operation, effect, scope, reversible },
      ...{ targets: [...targets], systems: [...systems], flags: [...flags] },
      externality: externalityToProto(externalityOfPart(input, index)),
      derivedFrom: derivePart(input, index).map(sourceToProto),
      route: alone[index] === undefined ? Route.UNSPECIFIED : routeToProto(alone[index]),
    })),
    externality: externalityToProto(input.externality),
    derivedFrom: deriveWhole(input).map(sourceToProto),
    // The digest of what was found stays here: it would tell a guess from a hit.
    findings: input.findings.map(({ kind, class: of, where, confidence }) => ({ kind, class: of, where, confidence })),
    changes: tried.map(changeToProto),
    changesComplete: complete,
  };
}

function externalityToProto(of: Externality) {
  return {
    destinationType: of.destination_type,
    destinationVisibility: of.destination_visibility,
    destinationOwnership: of.destination_ownership,
    tenantProvenance: of.tenant_provenance,
    accountProvenance: of.account_provenance,
    clientProvenance: of.client_provenance,
    externalWrite: String(of.external_write),
    sensitivePayload: of.sensitive_payload,
    reversibility: of.reversibility,
    enforceability: of.enforceability,
  };
}

function sourceToProto({ field, source, detail, part }: Derived) {
  return { field, source, detail, part };
}

function changeToProto({ kind, fact, suppose, parts, route, reason }: Change) {
  return {
    kind,
    fact,
    suppose,
    parts: [...parts],
    route: routeToProto(route),
    ...(reason && { reason: { ...reason } }),
  };
}
