// The services as strangers may call them: the same shapes, with the table of roles and the binding of agents in front.
// Every transport gets these objects, so a rule cannot hold on one and be missing on another.

import { invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import type { Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import { type Access, authorize, type Operation } from '../access.ts';
import type { Decision, KillSwitch, Scoring } from './types.ts';

/** Whose an existing action or permit is only the decision service knows; it holds the principal against it itself. */
export function protectDecision(decision: Decision, access: Access): Decision {
  const propose = async (operation: Operation, proposal: Proposal | undefined, context: CallContext) => {
    authorize(context.principal, operation);
    if (proposal === undefined) throw invalidArgument('proposal', 'is required');
    if (proposal.actionId !== '') throw invalidArgument('action_id', 'is given by Beacon');
    await access.authorizeSubject(context.principal, proposal.tenantId, proposal.agentId);
  };
  return {
    async guard(request, context) {
      await propose('guard', request.proposal, context);
      return decision.guard(request, context);
    },
    async explain(request, context) {
      await propose('explain', request.proposal, context);
      return decision.explain(request, context);
    },
    async execute(request, context) {
      await propose('execute', request.proposal, context);
      return decision.execute(request, context);
    },
    async openAction(request, context) {
      authorize(context.principal, 'open_action');
      return decision.openAction(request, context);
    },
    async getAction(request, context) {
      authorize(context.principal, 'get_action');
      return decision.getAction(request, context);
    },
    async recordAssumption(request, context) {
      authorize(context.principal, 'record_assumption');
      return decision.recordAssumption(request, context);
    },
    async waitForApproval(request, context) {
      authorize(context.principal, 'wait_for_approval');
      return decision.waitForApproval(request, context);
    },
    async updateOutcome(request, context) {
      authorize(context.principal, 'update_outcome');
      return decision.updateOutcome(request, context);
    },
    async resolveApproval(request, context) {
      authorize(context.principal, 'resolve_approval');
      return decision.resolveApproval(request, context);
    },
    async listApprovals(request, context) {
      authorize(context.principal, 'list_approvals');
      return decision.listApprovals(request, context);
    },
    async getPolicy(request, context) {
      authorize(context.principal, 'get_policy');
      return decision.getPolicy(request, context);
    },
    async activatePolicy(request, context) {
      authorize(context.principal, 'activate_policy');
      return decision.activatePolicy(request, context);
    },
  };
}

export function protectScoring(scoring: Scoring, access: Access): Scoring {
  return {
    async getScore(request, context) {
      authorize(context.principal, 'get_score');
      // An agent need not name the tenant its token is bound to.
      const tenantId = request.tenantId || (context.principal.tenantId ?? '');
      await access.authorizeSubject(context.principal, tenantId, request.agentId);
      return scoring.getScore({ ...request, tenantId }, context);
    },
    async listScores(request, context) {
      authorize(context.principal, 'list_scores');
      return scoring.listScores(request, context);
    },
    async emitScore(request, context) {
      authorize(context.principal, 'emit_score');
      return scoring.emitScore(request, context);
    },
    async importReceipts(request, context) {
      authorize(context.principal, 'import_receipts');
      return scoring.importReceipts(request, context);
    },
  };
}

export function protectKillSwitch(killSwitch: KillSwitch): KillSwitch {
  return {
    async revoke(request, context) {
      authorize(context.principal, 'revoke');
      return killSwitch.revoke(request, context);
    },
    async reinstate(request, context) {
      authorize(context.principal, 'reinstate');
      return killSwitch.reinstate(request, context);
    },
    async listRevocations(request, context) {
      authorize(context.principal, 'list_revocations');
      return killSwitch.listRevocations(request, context);
    },
  };
}
