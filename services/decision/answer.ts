// The decision as answered, made from what was sealed, or from what was sealed long ago.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { TrustLevel } from '../../core/envelope.ts';
import type { Enforceability } from '../../core/externality.ts';
import type { Provenance } from '../../core/principal.ts';
import type { Obligation, Reason, Route } from '../../core/route.ts';
import { runs } from '../../core/route.ts';
import * as common from '../../gen/beacon/v1/common_pb.js';
import { type DecisionAnswer, DecisionAnswerSchema } from '../../gen/beacon/v1/decision_service_pb.js';

const ROUTE: Readonly<Record<Route, common.Route>> = {
  ALLOW: common.Route.ALLOW,
  WARN: common.Route.WARN,
  SIMULATE: common.Route.SIMULATE,
  APPROVAL: common.Route.APPROVAL,
  DENY: common.Route.DENY,
};
const LEVEL: Readonly<Record<TrustLevel, common.TrustLevel>> = {
  L0: common.TrustLevel.L0,
  L1: common.TrustLevel.L1,
  L2: common.TrustLevel.L2,
  L3: common.TrustLevel.L3,
};
const PROVENANCE: Readonly<Record<Provenance, common.ClientProvenance>> = {
  asserted: common.ClientProvenance.ASSERTED,
  authenticated: common.ClientProvenance.AUTHENTICATED,
  attested: common.ClientProvenance.ATTESTED,
};
const ENFORCEABILITY: Readonly<Record<Enforceability, common.Enforceability>> = {
  unknown: common.Enforceability.UNSPECIFIED,
  observe_only: common.Enforceability.OBSERVE_ONLY,
  runtime_controlled: common.Enforceability.RUNTIME_CONTROLLED,
  delegated_runtime_control: common.Enforceability.DELEGATED_RUNTIME_CONTROL,
  pre_execution_gate: common.Enforceability.PRE_EXECUTION_GATE,
};

export type Answered = {
  readonly route: Route;
  readonly reasons: readonly Reason[];
  readonly obligations: readonly Obligation[];
  readonly receiptId: string;
  readonly actionId: string;
  readonly fingerprint: string;
  /** Undefined when nothing may be opened with it any more. */
  readonly permit: { readonly id: string; readonly notAfterMs: number; readonly term: number } | undefined;
  readonly score: number;
  readonly level: TrustLevel;
  readonly provenance: Provenance;
  readonly enforceability: Enforceability;
  readonly durability: 'memory' | 'fdatasync';
  readonly receipt: Uint8Array;
  readonly requestDigest: string;
  readonly epoch: number;
  readonly actionReceiptId: string;
  readonly approvalNotAfterMs: number;
  readonly traceId: string;
  readonly policyRevision: string;
  readonly repeated: boolean;
};

export function toAnswer(answered: Answered): DecisionAnswer {
  const { permit } = answered;
  return create(DecisionAnswerSchema, {
    decision: runs(answered.route) ? common.Decision.ALLOW : common.Decision.DENY,
    route: ROUTE[answered.route],
    receiptId: answered.receiptId,
    actionId: answered.actionId,
    fingerprint: answered.fingerprint,
    reasons: answered.reasons.map((reason) => ({ ...reason })),
    obligations: answered.obligations.map(obligationToProto),
    ...(permit
      ? { permit: { id: permit.id, notAfter: timestampFromMs(permit.notAfterMs), term: BigInt(permit.term) } }
      : {}),
    score: answered.score,
    level: LEVEL[answered.level],
    clientProvenance: PROVENANCE[answered.provenance],
    enforceability: ENFORCEABILITY[answered.enforceability],
    durability: answered.durability === 'fdatasync' ? common.Durability.FDATASYNC : common.Durability.MEMORY,
    receipt: answered.receipt,
    requestDigest: answered.requestDigest,
    epoch: BigInt(answered.epoch),
    actionReceiptId: answered.actionReceiptId,
    ...(answered.approvalNotAfterMs > 0 ? { approvalNotAfter: timestampFromMs(answered.approvalNotAfterMs) } : {}),
    traceId: answered.traceId,
    policyRevision: answered.policyRevision,
    repeatedAnswer: answered.repeated,
  });
}

export function routeToProto(route: Route): common.Route {
  return ROUTE[route];
}

export function levelToProto(level: TrustLevel): common.TrustLevel {
  return LEVEL[level];
}

export function obligationToProto({ kind, ...parameters }: Obligation) {
  return { kind, parametersJson: Object.keys(parameters).length === 0 ? '' : JSON.stringify(parameters) };
}
