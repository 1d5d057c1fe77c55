// The services as strangers may call them: the same shapes, with the table of roles and the binding of agents in front.
// Every transport gets these objects, so a rule cannot hold on one and be missing on another.

import { BeaconError, invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import type { Action, Proposal } from '../../gen/beacon/v1/decision_service_pb.js';
import { type Access, authorize, type Operation, type SubjectFields } from '../access.ts';
import type { Decision, KillSwitch, Scoring } from './types.ts';

const ACTION_FIELDS: SubjectFields = { tenant: 'action_id', agent: 'action_id' };

export function protectDecision(decision: Decision, access: Access): Decision {
  const propose = async (operation: Operation, proposal: Proposal | undefined, context: CallContext) => {
    authorize(context.principal, operation);
    if (proposal === undefined) throw invalidArgument('proposal', 'is required');
    await access.authorizeSubject(context.principal, proposal.tenantId, proposal.agentId);
  };
  // An action's tenant and agent never change, so what is checked here still holds when the call is made.
  const follow = async (operation: Operation, actionId: string, context: CallContext) => {
    authorize(context.principal, operation);
    if (context.principal.role !== 'agent') return;
    const { action } = await decision.getAction({ $typeName: 'beacon.v1.GetActionRequest', actionId }, context);
    await requireFollower(access, action, context);
  };
  return {
    async guard(request, context) {
      await propose('guard', request.proposal, context);
      return decision.guard(request, context);
    },
    async execute(request, context) {
      await propose('execute', request.proposal, context);
      return decision.execute(request, context);
    },
    async openAction(request, context) {
      // Whose permit it is only the decision service knows; it holds the principal against the action.
      authorize(context.principal, 'open_action');
      return decision.openAction(request, context);
    },
    async getAction(request, context) {
      authorize(context.principal, 'get_action');
      const response = await decision.getAction(request, context);
      await requireFollower(access, response.action, context);
      return response;
    },
    async recordAssumption(request, context) {
      await follow('record_assumption', request.actionId, context);
      return decision.recordAssumption(request, context);
    },
    async waitForApproval(request, context) {
      await follow('wait_for_approval', request.actionId, context);
      return decision.waitForApproval(request, context);
    },
    async updateOutcome(request, context) {
      await follow('update_outcome', request.actionId, context);
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
  };
}

async function requireFollower(access: Access, action: Action | undefined, context: CallContext): Promise<void> {
  if (action === undefined) throw new BeaconError('not_found', 'there is no such action', { field: 'action_id' });
  await access.authorizeSubject(context.principal, action.tenantId, action.agentId, ACTION_FIELDS);
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
