// Messages as the JSON of model.md §7 and §8: snake_case, enums as words, times in RFC 3339, numbers within 2^53.

import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import {
  ClientProvenance,
  Decision,
  Durability,
  Enforceability,
  type Obligation,
  type Permit,
  Route,
  TrustLevel,
} from '../../gen/beacon/v1/common_pb.js';
import {
  type Action,
  ActionState,
  type Approval,
  ApprovalStatus,
  type DecisionAnswer,
  OutcomeStatus,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { type LogFence, type Revocation, RevocationLevel } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import type { Score } from '../../gen/beacon/v1/scoring_service_pb.js';

type Json = Record<string, unknown>;

/** What cannot be read as an allowance is written as DENY. */
export function writeAnswer(answer: DecisionAnswer): Json {
  const route = answer.route === Route.UNSPECIFIED ? 'DENY' : (Route[answer.route] ?? 'DENY');
  return {
    decision: answer.decision === Decision.ALLOW ? 'ALLOW' : 'DENY',
    route,
    receipt_id: answer.receiptId,
    reason: answer.reasons[0]?.message ?? '',
    reasons: answer.reasons.map(({ rule, code, message }) => ({ rule, code, message })),
    constraints: answer.obligations.map(writeObligation),
    action_id: answer.actionId,
    permit: answer.permit === undefined ? null : writePermit(answer.permit),
    score: answer.score,
    level: TrustLevel[answer.level] ?? 'UNSPECIFIED',
    fingerprint: answer.fingerprint,
    enforceability: word(Enforceability, answer.enforceability),
    client_provenance: word(ClientProvenance, answer.clientProvenance),
    durability: word(Durability, answer.durability),
    epoch: Number(answer.epoch),
    policy_revision: answer.policyRevision,
    trace_id: answer.traceId,
    request_digest: answer.requestDigest,
    receipt: answer.receipt.length === 0 ? null : JSON.parse(Buffer.from(answer.receipt).toString()),
    ...(answer.actionReceiptId === '' ? {} : { action_receipt_id: answer.actionReceiptId }),
    ...(answer.approvalNotAfter === undefined ? {} : { approval_not_after: time(answer.approvalNotAfter) }),
    ...(answer.repeatedAnswer ? { repeated_answer: true } : {}),
  };
}

export function writeObligation(obligation: Obligation): Json {
  const parameters = obligation.parametersJson === '' ? {} : (JSON.parse(obligation.parametersJson) as Json);
  return { ...parameters, kind: obligation.kind };
}

function writePermit(permit: Permit): Json {
  return { id: permit.id, not_after: time(permit.notAfter), term: Number(permit.term) };
}

export function writeAction(action: Action): Json {
  return {
    action_id: action.actionId,
    tenant_id: action.tenantId,
    agent_id: action.agentId,
    session_id: action.sessionId,
    fingerprint: action.fingerprint,
    route: Route[action.route] ?? 'DENY',
    state: word(ActionState, action.state),
    outcome: action.outcome === OutcomeStatus.UNSPECIFIED ? null : word(OutcomeStatus, action.outcome),
    receipt_ids: action.receiptIds,
    opened_at: time(action.openedAt),
    deadline: time(action.deadline),
    closed_at: time(action.closedAt),
  };
}

export function writeApproval(approval: Approval): Json {
  return {
    action_id: approval.actionId,
    tenant_id: approval.tenantId,
    agent_id: approval.agentId,
    fingerprint: approval.fingerprint,
    status: word(ApprovalStatus, approval.status),
    requested_at: time(approval.requestedAt),
    not_after: time(approval.notAfter),
    approver: approval.approver,
    reason: approval.reason,
    receipt_id: approval.receiptId,
    summary: approval.summary,
  };
}

export function writeRevocation(revocation: Revocation): Json {
  return {
    revocation_id: revocation.revocationId,
    scope: revocation.scope,
    operation: revocation.operation,
    epoch: Number(revocation.epoch),
    level: RevocationLevel[revocation.level] ?? 'UNSPECIFIED',
    logs: revocation.logs.map(writeFence),
    at: time(revocation.at),
    barrier_at: time(revocation.barrierAt),
    actor: revocation.actor,
    receipt_id: revocation.receiptId,
    advice: revocation.advice,
    open_actions: revocation.openActions,
  };
}

function writeFence({ origin, ended }: LogFence): Json {
  if (ended.case === 'fenceIndex') return { origin, fence_index: Number(ended.value) };
  return { origin, lease_end: ended.case === 'leaseEnd' ? time(ended.value) : null };
}

export function writeScore(score: Score): Json {
  return {
    agent_id: score.agentId,
    tenant_id: score.tenantId,
    score: score.score,
    band: score.band,
    total_receipts: Number(score.totalReceipts),
    valid_receipts: Number(score.validReceipts),
    factors: score.factors.map(({ name, points, explanation, receipts }) => ({
      name,
      points,
      explanation,
      receipts: Number(receipts),
    })),
    unqualified: score.unqualified.map(({ reason, count }) => ({ reason, count: Number(count) })),
    as_of: score.asOf,
    version: score.version,
  };
}

/** RFC 3339 in UTC with milliseconds; null when there is none. */
export function time(timestamp: Timestamp | undefined): string | null {
  return timestamp === undefined ? null : timestampDate(timestamp).toISOString();
}

function word(names: Readonly<Record<number, string | number>>, value: number): string {
  return String(names[value] ?? 'unspecified').toLowerCase();
}
