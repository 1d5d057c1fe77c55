// The five checkpoints over HTTP, and what the first of them would say.

import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  type Action,
  type DecisionAnswer,
  ExecuteRequestSchema,
  ExplainRequestSchema,
  GetActionRequestSchema,
  GuardRequestSchema,
  ListApprovalsRequestSchema,
  OpenActionRequestSchema,
  RecordAssumptionRequestSchema,
  ResolveApprovalRequestSchema,
  UpdateOutcomeRequestSchema,
  WaitForApprovalRequestSchema,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { optionalName } from './fields.ts';
import { given } from './given.ts';
import { readApproval, readAssumption, readOpenAction, readOutcome } from './read-bodies.ts';
import { readExecute, readExplain, readGuard } from './read-proposal.ts';
import { openQuery, queryInteger, queryWaitMs } from './read-query.ts';
import { answerIds, carriedInContext } from './trace.ts';
import type { Call, Route, RouteDependencies } from './types.ts';
import { writeAction, writeAnswer, writeApproval } from './write.ts';
import { writeExplanation } from './write-explanation.ts';

export const MAX_APPROVAL_WAIT_MS = 60_000;
const ACTION_ID = /^act_[0-9a-f]{32}$/;

export function actionRoutes({ services: { decision } }: RouteDependencies<'decision'>): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/execute',
      operation: 'execute',
      async handle(call) {
        const body = call.json();
        const request = create(ExecuteRequestSchema, { proposal: readExecute(body) });
        return { json: answered(call, given((await decision.execute(request, underTrace(call, body))).answer)) };
      },
    },
    {
      method: 'POST',
      path: '/api/guard',
      operation: 'guard',
      async handle(call) {
        const body = call.json();
        const request = create(GuardRequestSchema, { proposal: readGuard(body) });
        return { json: answered(call, given((await decision.guard(request, underTrace(call, body))).answer)) };
      },
    },
    {
      method: 'POST',
      path: '/api/explain',
      operation: 'explain',
      async handle(call) {
        const body = call.json();
        const request = create(ExplainRequestSchema, { proposal: readExplain(body) });
        return { json: writeExplanation(await decision.explain(request, underTrace(call, body))) };
      },
    },
    {
      method: 'POST',
      path: '/api/actions',
      operation: 'open_action',
      async handle(call) {
        const request = create(OpenActionRequestSchema, readOpenAction(call.json()));
        return { json: writeTheir(call, given((await decision.openAction(request, call.context)).action)) };
      },
    },
    {
      method: 'GET',
      path: '/api/actions/:action_id',
      operation: 'get_action',
      async handle(call) {
        const request = withId(GetActionRequestSchema, call, {});
        return { json: writeTheir(call, given((await decision.getAction(request, call.context)).action)) };
      },
    },
    {
      method: 'POST',
      path: '/api/actions/:action_id/assumptions',
      operation: 'record_assumption',
      async handle(call) {
        const request = withId(RecordAssumptionRequestSchema, call, readAssumption(call.json()));
        return { json: { receipt_id: (await decision.recordAssumption(request, call.context)).receiptId } };
      },
    },
    {
      method: 'POST',
      path: '/api/actions/:action_id/outcome',
      operation: 'update_outcome',
      async handle(call) {
        const request = withId(UpdateOutcomeRequestSchema, call, readOutcome(call.json()));
        const { action, receiptId } = await decision.updateOutcome(request, call.context);
        return { json: { ...writeTheir(call, given(action)), receipt_id: receiptId } };
      },
    },
  ];
}

export function approvalRoutes({ services: { decision } }: RouteDependencies<'decision'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/actions/:action_id/approval',
      operation: 'wait_for_approval',
      patienceMs: MAX_APPROVAL_WAIT_MS,
      async handle(call) {
        const waitMs = queryWaitMs(openQuery(call.query, ['wait']), MAX_APPROVAL_WAIT_MS);
        const request = withId(WaitForApprovalRequestSchema, call, { waitMs });
        return { json: writeApproval(given((await decision.waitForApproval(request, call.context)).approval)) };
      },
    },
    {
      method: 'POST',
      path: '/api/actions/:action_id/approval',
      operation: 'resolve_approval',
      async handle(call) {
        const request = withId(ResolveApprovalRequestSchema, call, readApproval(call.json()));
        return { json: writeApproval(given((await decision.resolveApproval(request, call.context)).approval)) };
      },
    },
    {
      method: 'GET',
      path: '/api/approvals',
      operation: 'list_approvals',
      async handle(call) {
        const fields = openQuery(call.query, ['tenant_id', 'limit']);
        const limit = queryInteger(fields, 'limit', 1000) ?? 100;
        const request = create(ListApprovalsRequestSchema, { tenantId: optionalName(fields, 'tenant_id'), limit });
        const { approvals } = await decision.listApprovals(request, call.context);
        return { json: { approvals: approvals.map(writeApproval) } };
      },
    },
  ];
}

/** The trace is the header's, else the one an adapter put into the context. */
function underTrace(call: Call, body: unknown): CallContext {
  const { context, tenant_id: tenantId } = body as { context?: unknown; tenant_id?: unknown };
  call.trace.adopt(carriedInContext(context));
  call.trace.ofTenant(tenantId, context);
  return call.context;
}

function writeTheir(call: Call, action: Action): object {
  call.trace.ofTenant(action.tenantId);
  return writeAction(action);
}

function answered(call: Call, answer: DecisionAnswer): object {
  const json = writeAnswer(answer);
  call.trace.note(answerIds(answer));
  return json;
}

/** A request about the action in the path. What cannot be an id names no action. */
function withId<D extends DescMessage>(schema: D, call: Call, rest: object): MessageShape<D> {
  const actionId = call.params.action_id ?? '';
  if (!ACTION_ID.test(actionId)) throw new BeaconError('not_found', 'there is no such action', { field: 'action_id' });
  return create(schema, { ...rest, actionId } as unknown as MessageInitShape<D>);
}
