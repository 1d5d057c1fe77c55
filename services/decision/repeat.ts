// The first answer again, for a request that was already decided. Never a way around a stop: what has been revoked,
// closed or has expired since is answered with DENY and that code, and the first receipt's id.

import { create } from '@bufbuild/protobuf';
import type { TrustLevel } from '../../core/envelope.ts';
import { BeaconError } from '../../core/errors.ts';
import type { Enforceability, Externality } from '../../core/externality.ts';
import type { CallContext, Provenance } from '../../core/principal.ts';
import { readReceipt } from '../../core/receipt.ts';
import { type Obligation, type Reason, type Route, runs } from '../../core/route.ts';
import type { DecisionAnswer } from '../../gen/beacon/v1/decision_service_pb.js';
import { GetReceiptRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { ActionRecord } from '../../ports/action-store/port.ts';
import type { IdempotencyRecord } from '../../ports/idempotency/port.ts';
import { toAnswer } from './answer.ts';
import type { DecisionDeps } from './deps.ts';
import type { EpochMemory } from './gather.ts';
import { PERMIT_EXPIRED, type Stop, stopOf } from './stop.ts';

export async function repeatAnswer(
  record: IdempotencyRecord,
  call: CallContext,
  deps: DecisionDeps,
  epochs: EpochMemory,
): Promise<DecisionAnswer> {
  const stored = await deps.signer.getReceipt(create(GetReceiptRequestSchema, { receiptId: record.receiptId }), call);
  const receipt = readReceipt(stored.envelope);
  const { predicate, fingerprint, actionId, permit, lease } = receipt;
  if (await deps.suspected?.(receipt)) {
    const why = 'what was sealed under this key was answered to nobody and is being closed';
    throw new BeaconError('unavailable', why, { retryAfterMs: 1_000 });
  }
  const action = await deps.stores.actions.getAction(record.actionId);
  const told = readEvidence(stored.evidence, predicate.reasons, predicate.obligations);
  const route = predicate.route as Route;
  const stop = runs(route) ? await repeatStop(action, permit?.not_after, deps, epochs) : undefined;
  const approval = predicate.approval as { not_after?: string } | undefined;
  return toAnswer({
    route: stop ? 'DENY' : route,
    reasons: stop ? [{ rule: 'beacon.repeat', ...stop }, ...told.reasons] : told.reasons,
    obligations: told.obligations,
    receiptId: record.receiptId,
    actionId,
    fingerprint,
    permit:
      permit && lease && !stop
        ? { id: permit.id, notAfterMs: Date.parse(permit.not_after), term: lease.term }
        : undefined,
    score: Number(predicate.score ?? 0),
    level: predicate.level as TrustLevel,
    provenance: predicate.client_provenance as Provenance,
    enforceability: ((predicate.externality as Externality | undefined)?.enforceability ?? 'unknown') as Enforceability,
    durability: 'fdatasync',
    receipt: stored.envelope,
    requestDigest: String(predicate.request_digest ?? ''),
    epoch: Number(predicate.epoch ?? 0),
    actionReceiptId: action && action.openedAtMs > 0 ? (action.receiptIds[1] ?? '') : '',
    approvalNotAfterMs: approval?.not_after ? Date.parse(approval.not_after) : 0,
    traceId: call.traceId,
    policyRevision: String((predicate.policy as { revision?: unknown } | undefined)?.revision ?? ''),
    repeated: true,
  });
}

/** What stops an action stops its repeated answer; so does the end of its permit, though it was redeemed at once. */
async function repeatStop(
  action: ActionRecord | undefined,
  permitNotAfter: string | undefined,
  deps: DecisionDeps,
  epochs: EpochMemory,
): Promise<Stop | undefined> {
  if (!action) return { code: 'action_unknown', message: 'The action is not known any more.' };
  const stop = await stopOf(action, deps, epochs);
  if (stop || Date.parse(permitNotAfter ?? '') > deps.env.now()) return stop;
  return PERMIT_EXPIRED;
}

/** The words of the first answer are in the evidence; where none is kept, the codes of the receipt stand for them. */
function readEvidence(
  evidence: Uint8Array,
  reasons: unknown,
  obligations: unknown,
): { readonly reasons: readonly Reason[]; readonly obligations: readonly Obligation[] } {
  if (evidence.length > 0) {
    const kept = JSON.parse(Buffer.from(evidence).toString('utf8'));
    return { reasons: kept.reasons, obligations: kept.obligations };
  }
  const named = (reasons ?? []) as { rule: string; code: string }[];
  return {
    reasons: named.map(({ rule, code }) => ({ rule, code, message: code })),
    obligations: (obligations ?? []) as Obligation[],
  };
}
