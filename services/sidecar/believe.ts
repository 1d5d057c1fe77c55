// What a sidecar passes on as ALLOW: only an answer whose receipt a pinned key signed, about the very bytes the agent sent,
// saying the same, still in force, and not shown before. Whoever sits between can make a sidecar say no, never yes.

import { createHash } from 'node:crypto';
import { BeaconError } from '../../core/errors.ts';
import type { PublicKey } from '../../core/jwk.ts';
import type { Receipt } from '../../core/receipt.ts';
import { verifyReceipt } from '../../core/verify.ts';
import { VerifyError } from '../../core/verify-error.ts';
import { Decision, Route } from '../../gen/beacon/v1/common_pb.js';
import type { DecisionAnswer } from '../../gen/beacon/v1/decision_service_pb.js';

/** Most by which a signer's clock may differ from ours, where a receipt's age is judged by both. */
export const MAX_CLOCK_DIFFERENCE_MS = 30_000;
/** ALLOWs remembered, so that none counts twice; more within the time they are remembered are refused. */
const MAX_REMEMBERED = 100_000;

export type Asked = {
  /** The request as the agent sent it. */
  readonly received: Uint8Array;
  /** Whether it may be answered with an earlier decision: it has an idempotency key. */
  readonly repeatable: boolean;
  /** From before it was sent until now, on a monotonic clock. */
  readonly tookMs: number;
};

export type BelieverDeps = {
  readonly tenantId: string;
  readonly agentId: string;
  /** The keys pinned now. */
  readonly keys: () => readonly PublicKey[];
  readonly now: () => number;
};

export class Believer {
  readonly #deps: BelieverDeps;
  /** Receipt id → when it may be forgotten, in the order they came. */
  readonly #shown = new Map<string, number>();

  constructor(deps: BelieverDeps) {
    this.#deps = deps;
  }

  /** The answer, when it may be passed on; throws `unavailable` when it cannot be believed. */
  believe(answer: DecisionAnswer, asked: Asked): DecisionAnswer {
    const runs = answer.route === Route.ALLOW || answer.route === Route.WARN;
    if ((answer.decision === Decision.ALLOW) !== runs) throw disbelief('decision and route disagree');
    if (!runs) {
      if (answer.permit) throw disbelief('a denial carries a permit');
      return answer;
    }
    const digest = createHash('sha256').update(asked.received).digest('hex');
    if (answer.requestDigest !== digest) throw disbelief('it is about another request');
    const receipt = this.#verified(answer);
    const different = this.#differences(answer, receipt, digest);
    if (different.length > 0) throw disbelief(`its receipt says something else (${different.join(', ')})`);
    this.#requireFresh(receipt, answer, asked);
    return answer;
  }

  #verified({ receipt }: DecisionAnswer): Receipt {
    try {
      return verifyReceipt(receipt, this.#deps.keys());
    } catch (thrown) {
      if (!(thrown instanceof VerifyError)) throw thrown;
      throw disbelief(`its receipt does not verify (${thrown.code})`, thrown);
    }
  }

  #differences(answer: DecisionAnswer, receipt: Receipt, digest: string): string[] {
    const { predicate, permit } = receipt;
    const same: Record<string, boolean> = {
      kind: receipt.kind === 'decision',
      receipt_id: receipt.receiptId === answer.receiptId,
      action_id: receipt.actionId === answer.actionId,
      fingerprint: receipt.fingerprint === answer.fingerprint,
      route: receipt.route === Route[answer.route],
      decision: predicate.decision === 'ALLOW',
      tenant_id: receipt.tenantId === this.#deps.tenantId,
      agent_id: receipt.agentId === this.#deps.agentId,
      request_digest: predicate.request_digest === digest,
      permit: answer.permit === undefined || answer.permit.id === permit?.id,
      obligations: kindsOf(predicate.obligations) === kindsOf(answer.obligations),
    };
    return Object.keys(same).filter((name) => same[name] !== true);
  }

  #requireFresh(receipt: Receipt, { repeatedAnswer }: DecisionAnswer, { repeatable, tookMs }: Asked): void {
    const nowMs = this.#deps.now();
    const sealedAtMs = Date.parse(receipt.sealedAt);
    const endMs = Math.min(Date.parse(receipt.lease?.not_after ?? ''), Date.parse(receipt.permit?.not_after ?? ''));
    // By the signer's own clock alone: sealed after it was asked for, so that no more than this has passed since.
    if (!repeatedAnswer && !(endMs - sealedAtMs > tookMs)) throw disbelief('its permit has expired');
    if (!(endMs > nowMs - MAX_CLOCK_DIFFERENCE_MS)) throw disbelief('its permit has long expired');
    if (!(sealedAtMs < nowMs + MAX_CLOCK_DIFFERENCE_MS)) throw disbelief('it was sealed in the future');
    if (repeatedAnswer && !repeatable) throw disbelief('it repeats what was not asked under a key');
    this.#forget(nowMs);
    if (!repeatedAnswer && this.#shown.has(receipt.receiptId)) throw disbelief('its receipt was shown before');
    if (this.#shown.size >= MAX_REMEMBERED) {
      throw new BeaconError('resource_exhausted', 'too many allowances to keep apart', { retryAfterMs: 1_000 });
    }
    this.#shown.set(receipt.receiptId, endMs + MAX_CLOCK_DIFFERENCE_MS);
  }

  #forget(nowMs: number): void {
    for (const [receiptId, untilMs] of this.#shown) {
      if (untilMs >= nowMs) return;
      this.#shown.delete(receiptId);
    }
  }
}

/** A receipt names the kinds; what they ask in detail is kept as evidence. */
function kindsOf(obligations: unknown): string {
  if (!Array.isArray(obligations)) throw disbelief('obligations are missing');
  return obligations.map((obligation) => String((obligation as { kind?: unknown } | null)?.kind)).join();
}

/** Told apart from a gateway that is merely away: somebody should look. */
export class Disbelief extends BeaconError {}

function disbelief(why: string, cause?: unknown): Disbelief {
  return new Disbelief('unavailable', `the gateway's answer cannot be believed: ${why}`, { cause });
}
