// Decisions as spans: one for each call, a part for each beat, one for what is asked of the signer. What stands in them is
// what a receipt says in clear; nothing of a proposal does before it was admitted.

import type { CallContext } from '../../core/principal.ts';
import { chooseRegion, type Residency } from '../../core/residency.ts';
import { writeTraceparent } from '../../core/trace-context.ts';
import { Route } from '../../gen/beacon/v1/common_pb.js';
import type { DecisionAnswer, Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import type { SealRequest, SealResponse } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { SpanAttributes, SpanKind, Tracing } from '../../runtime/tracing.ts';
import { REGION_ATTRIBUTE } from '../../runtime/tracing-attributes.ts';
import { endedWith, type TracedMethod, tracedMethods } from '../../runtime/tracing-calls.ts';
import type { Signer } from './deps.ts';
import { regionOfProposal } from './resident.ts';
import type { DecisionMaker } from './service.ts';

type Deciding = { readonly proposal?: Proposal };

export type TraceOptions = {
  readonly tracing: Tracing | undefined;
  /** Server where calls come over the wire. */
  readonly kind: SpanKind;
  readonly residency: Residency | undefined;
};

export function tracedDecision(maker: DecisionMaker, { tracing, kind, residency }: TraceOptions): DecisionMaker {
  const decide: TracedMethod = {
    name: 'decide',
    kind,
    before: ({ proposal }: Deciding, call: CallContext): SpanAttributes =>
      proposal && residency ? regionAttribute(() => regionOfProposal(residency, proposal, call)) : {},
    after: ({ answer }: { readonly answer?: DecisionAnswer }, { proposal }: Deciding): SpanAttributes =>
      answer && proposal ? describe(answer, proposal) : {},
  };
  const named = (name: string): TracedMethod => ({ name, kind });
  return tracedMethods(maker, tracing, {
    guard: decide,
    execute: decide,
    explain: named('explain'),
    openAction: named('open_action'),
    recordAssumption: named('record_assumption'),
    resolveApproval: named('resolve_approval'),
    updateOutcome: named('update_outcome'),
    activatePolicy: named('activate_policy'),
  });
}

/** An answer means that its proposal was admitted: its names were looked at, and stand in the receipt. */
function describe(answer: DecisionAnswer, { tenantId, agentId }: Proposal): SpanAttributes {
  return {
    'beacon.receipt_id': answer.receiptId,
    'beacon.action_id': answer.actionId,
    'beacon.route': Route[answer.route] ?? 'DENY',
    'beacon.tenant_id': tenantId,
    'beacon.agent_id': agentId,
    'beacon.policy_revision': answer.policyRevision,
    ...(answer.repeatedAnswer ? { 'beacon.repeated': true } : {}),
  };
}

/** Where there is none, nothing will be sealed either, and the span names no tenant. */
function regionAttribute(region: () => string): SpanAttributes {
  try {
    return { [REGION_ATTRIBUTE]: region() };
  } catch {
    return {};
  }
}

/**
 * What is to be sealed says which span it comes from: the one that is made of the call here, without tracing the caller's
 * own. A call without a span costs one comparison.
 */
export function carryingTrace(signer: Signer, { tracing, residency }: Omit<TraceOptions, 'kind'>): Signer {
  const seal = (request: SealRequest, call: CallContext): Promise<SealResponse> => {
    if (call.span === undefined) return signer.seal(request, call);
    if (!tracing) return signer.seal(carrying(request, call.span), call);
    const tenantId = request.drafts[0]?.tenantId;
    const attributes =
      residency && tenantId ? regionAttribute(() => chooseRegion(residency, tenantId, call.region)) : {};
    // Whose receipt it is was not known before to every call that has one sealed.
    call.traced?.set(attributes);
    const span = tracing.start('seal', { kind: 'client', parent: call.span, attributes });
    return endedWith(span, async () => {
      const response = await signer.seal(carrying(request, span.place), call);
      const receiptId = response.receipts[0]?.receiptId;
      if (receiptId !== undefined) span.set({ 'beacon.receipt_id': receiptId });
      if (response.refused !== '') span.set({ 'beacon.refused': response.refused });
      return response;
    });
  };
  return {
    seal,
    getReceipt: (request, call) => signer.getReceipt(request, call),
    getStatus: (request, call) => signer.getStatus(request, call),
  };
}

function carrying(request: SealRequest, span: NonNullable<CallContext['span']>): SealRequest {
  request.traceparent = writeTraceparent(span);
  request.tracestate = span.state;
  return request;
}
