// Where a proposal's receipts may lie is settled before anything is looked at: a tenant without a region, or a wish that
// is not its own, gets no decision.

import type { CallContext } from '../../core/principal.ts';
import { chooseRegion, type Residency, wishInContextJson } from '../../core/residency.ts';
import type { Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import type { DecisionMaker } from './service.ts';

/** A wish in the call's own headers goes before one in the proposal's context. */
export function regionOfProposal(residency: Residency, proposal: Proposal, call: CallContext): string {
  return chooseRegion(residency, proposal.tenantId, call.region ?? wishInContextJson(proposal.contextJson));
}

export function residentDecision(maker: DecisionMaker, residency: Residency | undefined): DecisionMaker {
  if (!residency) return maker;
  const settled = (proposal: Proposal | undefined, call: CallContext): CallContext =>
    proposal ? { ...call, region: regionOfProposal(residency, proposal, call) } : call;
  const guard: DecisionMaker['guard'] = async (request, call) => maker.guard(request, settled(request.proposal, call));
  const execute: DecisionMaker['execute'] = async (request, call) =>
    maker.execute(request, settled(request.proposal, call));
  const explain: DecisionMaker['explain'] = async (request, call) =>
    maker.explain(request, settled(request.proposal, call));
  const own = { guard, execute, explain };
  return new Proxy(maker, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
