// What the decision service writes about an action: the predicates and drafts of its receipts. Pure.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ActionPart } from '../../core/action/types.ts';
import { sha256Hex } from '../../core/canonical-json.ts';
import { rfc3339 } from '../../core/rfc3339.ts';
import type { Verdict } from '../../core/route.ts';
import { runs } from '../../core/route.ts';
import { SEVERE_EFFECTS } from '../../core/trust-score/weights.ts';
import { type Draft, DraftSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { ActionRecord } from '../../ports/action-store/port.ts';
import type { Admitted, IdempotencyClaimKey } from './admit.ts';
import type { Gathered } from './gather.ts';
import { type Judged, MAX_TOOLS } from './judge.ts';

/** Parts named in clear in a receipt; more are counted. */
export const MAX_NAMED_PARTS = 32;
/** Reasons named in a receipt. */
export const MAX_NAMED_REASONS = 32;

export type Predicate = Readonly<Record<string, unknown>>;

/** A draft as values, before it becomes a message; kept so that nothing has to be parsed back. */
export type DraftValues = {
  readonly kind: 'decision' | 'action' | 'assumption' | 'approval' | 'outcome' | 'void';
  readonly actionId: string;
  readonly fingerprint: string;
  readonly tenantId: string;
  readonly predicate: Predicate;
  readonly evidence?: Uint8Array;
  readonly allow?: { readonly scopes: readonly string[]; readonly permitNotAfterMs: number };
};

export type DecisionParts = {
  readonly actionId: string;
  readonly permitId: string;
  readonly admitted: Admitted;
  readonly gathered: Gathered;
  readonly judged: Judged;
  readonly verdict: Verdict;
  readonly policy: { readonly digest: string; readonly revision: string };
  readonly idempotency: IdempotencyClaimKey | undefined;
  readonly requestDigest: string;
  readonly traceId: string;
  readonly nowMs: number;
  /** Digest of the evidence kept beside the receipt; empty in zero-retention mode. */
  readonly evidenceDigest: string;
  readonly approvalNotAfterMs: number;
  readonly permitNotAfterMs: number;
};

export function decisionPredicate(parts: DecisionParts): Predicate {
  const { admitted, gathered, judged, verdict, idempotency } = parts;
  const { action } = admitted;
  return {
    decision: runs(verdict.route) ? 'ALLOW' : 'DENY',
    route: verdict.route,
    reasons: verdict.reasons.slice(0, MAX_NAMED_REASONS).map(({ rule, code }) => ({ rule, code })),
    obligations: verdict.obligations.map(({ kind }) => ({ kind })),
    tenant_id: admitted.tenantId,
    agent_id: admitted.agentId,
    ...(admitted.sessionId === '' ? {} : { session_id: admitted.sessionId }),
    ...(admitted.opportunityId === '' ? {} : { opportunity_id: admitted.opportunityId }),
    surface: admitted.surface,
    runtime_family: admitted.family,
    parts: namedParts(action.parts),
    part_count: action.parts.length,
    tools: admitted.tools.slice(0, MAX_TOOLS),
    externality: admitted.externality,
    findings: admitted.findings.length,
    score: gathered.facts.score,
    level: gathered.facts.level,
    client_provenance: admitted.provenance,
    enforceability: admitted.externality.enforceability,
    ...(gathered.facts.revocation_epoch === null ? {} : { epoch: gathered.facts.revocation_epoch }),
    policy: { digest: parts.policy.digest, revision: parts.policy.revision },
    envelope_digest: judged.envelopeDigest,
    ...(parts.evidenceDigest === ''
      ? { evidence: 'none', replay: 'impossible' }
      : { evidence_digest: parts.evidenceDigest }),
    request_digest: parts.requestDigest,
    ...(idempotency ? { idempotency_key_digest: idempotency.key, proposal_digest: idempotency.proposalDigest } : {}),
    trace_id: parts.traceId,
    ...(gathered.facts.approval && runs(verdict.route)
      ? { approval_receipt_id: gathered.facts.approval.receipt_id }
      : {}),
    ...(parts.approvalNotAfterMs > 0 ? { approval: { not_after: rfc3339(parts.approvalNotAfterMs) } } : {}),
  };
}

/** The severe first: a score reads them here, so none may hide behind harmless ones. Otherwise in the order proposed. */
export function namedParts(parts: readonly ActionPart[]): readonly Pick<ActionPart, 'tool' | 'operation' | 'effect'>[] {
  const isSevere = (part: ActionPart) => SEVERE_EFFECTS.has(part.effect);
  const ordered =
    parts.length > MAX_NAMED_PARTS
      ? [...parts.filter(isSevere), ...parts.filter((part) => !isSevere(part))].slice(0, MAX_NAMED_PARTS)
      : parts;
  return ordered.map(({ tool, operation, effect }) => ({ tool, operation, effect }));
}

/** The scopes by which an ALLOW can be stopped: those gathered, and its own permit. */
export function decisionDraft(parts: DecisionParts, evidence: Uint8Array | undefined): DraftValues {
  const { admitted, gathered, verdict } = parts;
  return {
    kind: 'decision',
    actionId: parts.actionId,
    fingerprint: admitted.fingerprint,
    tenantId: admitted.tenantId,
    predicate: decisionPredicate(parts),
    ...(evidence ? { evidence } : {}),
    ...(runs(verdict.route)
      ? {
          allow: {
            scopes: [...gathered.scopes, `permit:${parts.permitId}`],
            permitNotAfterMs: parts.permitNotAfterMs,
          },
        }
      : {}),
  };
}

type Acting = Pick<ActionRecord, 'tenantId' | 'agentId' | 'sessionId' | 'provenance'>;

export type OpenedAction = Pick<
  ActionRecord,
  | 'actionId'
  | 'tenantId'
  | 'agentId'
  | 'sessionId'
  | 'provenance'
  | 'fingerprint'
  | 'permitId'
  | 'scopes'
  | 'permitNotAfterMs'
>;

export function actionDraft(
  action: OpenedAction,
  times: { readonly nowMs: number; readonly deadlineMs: number },
  decisionReceiptId?: string,
): DraftValues {
  return {
    kind: 'action',
    actionId: action.actionId,
    fingerprint: action.fingerprint,
    tenantId: action.tenantId,
    predicate: {
      action_id: action.actionId,
      ...parties(action),
      ...(decisionReceiptId ? { decision_receipt_id: decisionReceiptId } : {}),
      permit_id: action.permitId,
      opened_at: rfc3339(times.nowMs),
      deadline: rfc3339(times.deadlineMs),
    },
    allow: { scopes: action.scopes, permitNotAfterMs: action.permitNotAfterMs },
  };
}

/** A later receipt about an action: outcome, assumption, approval or void. */
export function laterDraft(
  kind: 'assumption' | 'approval' | 'outcome' | 'void',
  action: Acting & Pick<ActionRecord, 'actionId' | 'fingerprint'>,
  predicate: Predicate,
  evidence?: Uint8Array,
): DraftValues {
  return {
    kind,
    actionId: action.actionId,
    fingerprint: action.fingerprint,
    tenantId: action.tenantId,
    predicate: { ...parties(action), ...predicate, ...(evidence ? { evidence_digest: sha256Hex(evidence) } : {}) },
    ...(evidence ? { evidence } : {}),
  };
}

export function toDraft(values: DraftValues): Draft {
  return create(DraftSchema, {
    kind: values.kind,
    actionId: values.actionId,
    fingerprint: values.fingerprint,
    tenantId: values.tenantId,
    predicateJson: Buffer.from(JSON.stringify(values.predicate)),
    ...(values.evidence ? { evidence: values.evidence } : {}),
    ...(values.allow
      ? {
          allow: true,
          scopes: [...values.allow.scopes],
          permitNotAfter: timestampFromMs(values.allow.permitNotAfterMs),
        }
      : {}),
  });
}

/** Provenance stands in every receipt: what a caller only asserted moves no minted agent's score. */
function parties({ tenantId, agentId, sessionId, provenance }: Acting): Predicate {
  return {
    tenant_id: tenantId,
    agent_id: agentId,
    ...(sessionId === '' ? {} : { session_id: sessionId }),
    client_provenance: provenance,
  };
}
