// Checkpoint four: a person's answer, bound to one fingerprint, one tenant and one agent, for one use, until it expires.
// A timeout can only deny.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import type { CallContext } from '../../core/principal.ts';
import { rfc3339 } from '../../core/rfc3339.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import type { ActionRecord, ApprovalRecord, ApprovalStatus } from '../../ports/action-store/port.ts';
import { type ActionDeps, redact } from './actions.ts';
import { findAction, recorded } from './follow.ts';
import { type Claim, once } from './once.ts';
import { laterDraft } from './records.ts';

export const MAX_WAIT_MS = 60_000;
export const MAX_REASON_CHARS = 500;
export const MAX_LISTED = 1_000;
const DEFAULT_LISTED = 100;

const STATUS: Readonly<Record<ApprovalStatus, pb.ApprovalStatus>> = {
  pending: pb.ApprovalStatus.PENDING,
  approved: pb.ApprovalStatus.APPROVED,
  denied: pb.ApprovalStatus.DENIED,
  expired: pb.ApprovalStatus.EXPIRED,
  used: pb.ApprovalStatus.USED,
};

export async function waitForApproval(
  request: pb.WaitForApprovalRequest,
  call: CallContext,
  { deps }: ActionDeps,
): Promise<pb.WaitForApprovalResponse> {
  if (request.waitMs > MAX_WAIT_MS) throw invalidArgument('wait_ms', `must be at most ${MAX_WAIT_MS}`);
  const action = await findAction(deps, request.actionId, call);
  let approval = await askedApproval(action, deps, call);
  if (approval.status === 'pending' && request.waitMs > 0) {
    const untilMs = Math.min(request.waitMs, approval.notAfterMs - deps.env.now());
    await changeOf(request.actionId, untilMs, deps.env.bus);
    approval = await askedApproval(action, deps, call);
  }
  return create(pb.WaitForApprovalResponseSchema, { approval: approvalToProto(approval, deps.env.now()) });
}

/** What was asked of a person; `not_found` when nothing was. */
async function askedApproval(
  { actionId, state }: ActionRecord,
  deps: ActionDeps['deps'],
  call: CallContext,
): Promise<ApprovalRecord> {
  const find = () => deps.stores.actions.getApproval(actionId);
  // The action is written first.
  const approval = await (state === 'awaiting_approval' ? recorded(actionId, find, deps, call) : find());
  if (!approval) throw new BeaconError('not_found', 'no approval was asked for this action', { field: 'action_id' });
  return approval;
}

/** An operator's or admin's answer. The role table keeps agents out; a second answer is a `conflict`. */
export async function resolveApproval(
  request: pb.ResolveApprovalRequest,
  call: CallContext,
  { deps, recorder }: ActionDeps,
): Promise<pb.ResolveApprovalResponse> {
  const { actions } = deps.stores;
  if (call.principal.role === 'agent') throw new BeaconError('permission_denied', 'an agent cannot approve');
  if (request.reason.length > MAX_REASON_CHARS) {
    throw invalidArgument('reason', `must be at most ${MAX_REASON_CHARS} characters`);
  }
  const action = await findAction(deps, request.actionId, call);
  const requirePending = async () => {
    const approval = await askedApproval(action, deps, call);
    const status = statusNow(approval, deps.env.now());
    if (status !== 'pending') throw new BeaconError('conflict', `the approval is ${status}`, { field: 'action_id' });
    return approval;
  };
  await requirePending();
  const claim: Claim = {
    take: () => actions.claimApproval(request.actionId),
    giveBack: () => actions.releaseApproval(request.actionId),
    taken() {
      throw new BeaconError('conflict', 'the approval is being answered by another request', { field: 'action_id' });
    },
  };
  await once(claim, deps, async () => {
    const approval = await requirePending();
    const predicate = {
      status: request.approve ? 'approved' : 'denied',
      approver: call.principal.subject,
      not_after: rfc3339(approval.notAfterMs),
      ...(request.reason === '' ? {} : { reason_digest: deps.privacy.keys.digest(action.tenantId, request.reason) }),
    };
    const evidence =
      request.reason === '' || deps.settings.zeroRetention
        ? undefined
        : Buffer.from(JSON.stringify({ salt: deps.env.randomHex(16), reason: redact(request.reason, deps) }));
    await recorder.seal([laterDraft('approval', action, predicate, evidence)], call);
  });
  const { tenantId, agentId, actionId } = action;
  deps.env.bus.publish({
    name: EVENTS.approvalChanged,
    data: { tenant_id: tenantId, agent_id: agentId, action_id: actionId },
  });
  const resolved = (await actions.getApproval(request.actionId)) as ApprovalRecord;
  return create(pb.ResolveApprovalResponseSchema, { approval: approvalToProto(resolved, deps.env.now()) });
}

export async function listApprovals(
  request: pb.ListApprovalsRequest,
  { deps }: ActionDeps,
): Promise<pb.ListApprovalsResponse> {
  const limit = Math.min(request.limit || DEFAULT_LISTED, MAX_LISTED);
  const nowMs = deps.env.now();
  const pending = await deps.stores.actions.pendingApprovals(request.tenantId, nowMs, limit);
  return create(pb.ListApprovalsResponseSchema, { approvals: pending.map((one) => approvalToProto(one, nowMs)) });
}

function changeOf(actionId: string, waitMs: number, bus: ActionDeps['deps']['env']['bus']): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, waitMs));
    const end = bus.subscribe(EVENTS.approvalChanged, (event) => {
      if (event.data.action_id === actionId) done();
    });
  });
}

function statusNow(approval: ApprovalRecord, nowMs: number): ApprovalStatus {
  const open = approval.status === 'pending' || approval.status === 'approved';
  return open && approval.notAfterMs <= nowMs ? 'expired' : approval.status;
}

function approvalToProto(approval: ApprovalRecord, nowMs: number): pb.Approval {
  return create(pb.ApprovalSchema, {
    actionId: approval.actionId,
    tenantId: approval.tenantId,
    agentId: approval.agentId,
    fingerprint: approval.fingerprint,
    status: STATUS[statusNow(approval, nowMs)],
    requestedAt: timestampFromMs(approval.requestedAtMs),
    notAfter: timestampFromMs(approval.notAfterMs),
    approver: approval.approver,
    reason: approval.reason,
    receiptId: approval.receiptId,
    summary: approval.summary,
  });
}
