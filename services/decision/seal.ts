// Beat four: the decision becomes a receipt on disk, with everything that belongs to it in the same group commit. What
// the signer refuses to allow is sealed as a DENY instead; what cannot be sealed is no decision.

import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { sha256Hex } from '../../core/canonical-json.ts';
import { keyIdOf } from '../../core/dsse.ts';
import { BeaconError } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { rfc3339 } from '../../core/rfc3339.ts';
import { deny, runs, type Verdict } from '../../core/route.ts';
import { Durability } from '../../gen/beacon/v1/common_pb.js';
import { type SealedReceipt, SealRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Admitted, IdempotencyClaimKey } from './admit.ts';
import type { DecisionDeps } from './deps.ts';
import type { Gathered } from './gather.ts';
import { combine, type Judged } from './judge.ts';
import type { SealedView } from './project.ts';
import { actionDraft, type DecisionParts, type DraftValues, decisionDraft, laterDraft, toDraft } from './records.ts';

export type ToSeal = {
  readonly admitted: Admitted;
  readonly gathered: Gathered;
  readonly judged: Judged;
  readonly policy: { readonly digest: string; readonly revision: string; readonly expiresAtMs: number };
  readonly idempotency: IdempotencyClaimKey | undefined;
  readonly open: boolean;
};

export type SealedDecision = {
  readonly verdict: Verdict;
  readonly actionId: string;
  readonly envelope: Uint8Array;
  readonly durability: 'memory' | 'fdatasync';
  readonly term: number;
  /** The decision's own view first, then what was sealed with it. */
  readonly views: readonly SealedView[];
};

export async function seal(what: ToSeal, call: CallContext, deps: DecisionDeps): Promise<SealedDecision> {
  const first = await trySeal(what, what.judged.verdict, call, deps);
  if (typeof first !== 'string') return first;
  // The kill switch was faster than this decision, or holds no lease for this signer: say no, with a receipt.
  const refused =
    first === 'fenced'
      ? deny(
          'revoked',
          'Stopped by the kill switch while this was being decided. Work outside of what was revoked.',
          'beacon.revocation',
        )
      : deny(
          'no_lease',
          'The signer holds no valid lease from the kill switch, so nothing may run. Try again shortly.',
          'beacon.revocation',
        );
  const second = await trySeal(what, combine([refused, what.judged.verdict]), call, deps);
  if (typeof second === 'string') throw new BeaconError('unavailable', 'the decision could not be sealed');
  return second;
}

async function trySeal(
  what: ToSeal,
  verdict: Verdict,
  call: CallContext,
  deps: DecisionDeps,
): Promise<SealedDecision | string> {
  const { env, signer, settings } = deps;
  const nowMs = env.now();
  const evidence = settings.zeroRetention ? undefined : evidenceOf(what, verdict, env.randomHex(16));
  const parts: DecisionParts = {
    ...what,
    actionId: what.admitted.actionId || `act_${env.newId()}`,
    permitId: `pmt_${env.newId()}`,
    verdict,
    requestDigest: call.requestDigest,
    traceId: call.traceId,
    nowMs,
    evidenceDigest: evidence ? sha256Hex(evidence) : '',
    approvalNotAfterMs: verdict.route === 'APPROVAL' ? nowMs + settings.approvalTtlMs : 0,
    // A permit does not outlive the policy that gave it.
    permitNotAfterMs: Math.min(nowMs + settings.permitTtlMs, what.policy.expiresAtMs),
  };
  const drafts = draftsOf(parts, what, evidence, deps);
  const response = await signer.seal(create(SealRequestSchema, { drafts: drafts.map(toDraft) }), call);
  if (response.refused !== '') return response.refused;
  const permitNotAfterMs = response.permitNotAfter ? timestampMs(response.permitNotAfter) : 0;
  const signed = { term: Number(response.term), permitId: parts.permitId, permitNotAfterMs };
  const views = response.receipts.map((receipt, i) =>
    viewOf(receipt, drafts[i] as DraftValues, what.admitted.summary, signed),
  );
  return {
    verdict,
    actionId: parts.actionId,
    envelope: response.receipts[0]?.envelope ?? new Uint8Array(),
    durability: response.durability === Durability.FDATASYNC ? 'fdatasync' : 'memory',
    term: signed.term,
    views,
  };
}

function draftsOf(
  parts: DecisionParts,
  what: ToSeal,
  evidence: Uint8Array | undefined,
  deps: DecisionDeps,
): DraftValues[] {
  const { admitted, gathered } = what;
  const decision = decisionDraft(parts, evidence);
  const drafts: DraftValues[] = [decision];
  if (!runs(parts.verdict.route)) return drafts;
  const action = { ...admitted, actionId: parts.actionId, permitId: parts.permitId };
  const { approval } = gathered.facts;
  if (approval) drafts.push(laterDraft('approval', action, { status: 'used', approved_action_id: approval.action_id }));
  if (what.open) {
    const { scopes = [], permitNotAfterMs = 0 } = decision.allow ?? {};
    const times = { nowMs: parts.nowMs, deadlineMs: parts.nowMs + deps.settings.actionDeadlineMs };
    drafts.push(actionDraft({ ...action, scopes, permitNotAfterMs }, times));
  }
  return drafts;
}

function evidenceOf(what: ToSeal, verdict: Verdict, salt: string): Uint8Array {
  const head = JSON.stringify({
    salt,
    summary: what.admitted.summary,
    reasons: verdict.reasons,
    obligations: verdict.obligations,
  });
  // The evaluated input stands verbatim, so that replay evaluates the very bytes.
  return Buffer.concat([Buffer.from(`${head.slice(0, -1)},"input":`), what.judged.input, Buffer.from('}')]);
}

type Signed = { readonly term: number; readonly permitId: string; readonly permitNotAfterMs: number };

/** A sealed receipt as project() reads it: the draft with what the signer added. */
export function viewOf(
  receipt: SealedReceipt,
  draft: DraftValues,
  summary: string,
  signed: Signed | undefined,
): SealedView {
  const parsed = parseReceiptId(receipt.receiptId);
  // Which of several signers' keys it was is known from the receipt alone; revoking that key stops its permits everywhere.
  const keyId = keyIdOf(receipt.envelope);
  if (!parsed || keyId === undefined)
    throw new BeaconError('internal', 'the signer gave something that is not a receipt id');
  const stamped =
    draft.allow && signed
      ? {
          lease: { term: signed.term },
          permit: { id: signed.permitId, not_after: rfc3339(signed.permitNotAfterMs) },
        }
      : {};
  return {
    kind: draft.kind,
    actionId: draft.actionId,
    fingerprint: draft.fingerprint,
    receiptId: receipt.receiptId,
    keyId,
    at: parsed,
    sealedAtMs: receipt.sealedAt ? timestampMs(receipt.sealedAt) : 0,
    predicate: { ...draft.predicate, ...stamped },
    summary,
  };
}
