// What a sealed receipt changes in the derived stores. The same function serves the live path and the replay of a
// ledger's tail, so that rebuilt state and lived state agree. Every write is a repeat-safe put at the receipt's position.

import { scopesOf } from '../../core/revocation.ts';
import { ROUTES, type Route, runs } from '../../core/route.ts';
import type { ActionRecord, ApprovalRecord, OutcomeStatus, Position } from '../../ports/action-store/port.ts';
import type { DecisionSettings, Stores } from './deps.ts';

/** A receipt as it was sealed or as it was read back from the ledger. */
export type SealedView = {
  readonly kind: string;
  readonly actionId: string;
  readonly fingerprint: string;
  readonly receiptId: string;
  readonly keyId: string;
  readonly at: Position;
  readonly sealedAtMs: number;
  readonly predicate: Readonly<Record<string, unknown>>;
  /** One line for people, from the evidence; empty when none was kept. */
  readonly summary: string;
};

export type ProjectDeps = {
  readonly stores: Pick<Stores, 'actions' | 'idempotency'>;
  readonly settings: Pick<DecisionSettings, 'idempotencyTtlMs'>;
};

export async function project(view: SealedView, deps: ProjectDeps): Promise<void> {
  if (view.kind === 'decision') return projectDecision(view, deps);
  const action = await deps.stores.actions.getAction(view.actionId);
  if (!action) return;
  const receiptIds = [...action.receiptIds, view.receiptId];
  const { predicate } = view;
  switch (view.kind) {
    case 'action':
      return deps.stores.actions.putAction(
        {
          ...action,
          receiptIds,
          state: 'open',
          openedAtMs: time(predicate.opened_at),
          deadlineMs: time(predicate.deadline),
        },
        view.at,
      );
    case 'outcome':
      return deps.stores.actions.putAction(
        {
          ...action,
          receiptIds,
          state: 'closed',
          closedAtMs: time(predicate.closed_at),
          outcome: text(predicate.status) as OutcomeStatus,
        },
        view.at,
      );
    case 'assumption':
      return deps.stores.actions.putAction({ ...action, receiptIds }, view.at);
    case 'approval':
      await deps.stores.actions.putAction({ ...action, receiptIds }, view.at);
      return projectApproval(view, deps);
    case 'void':
      // Only a voided decision takes its action with it; a voided opening leaves it as it was.
      if (predicate.voids !== action.receiptIds[0]) return;
      return deps.stores.actions.putAction({ ...action, receiptIds, state: 'refused', permitId: '' }, view.at);
    default:
      return;
  }
}

async function projectDecision(view: SealedView, { stores, settings }: ProjectDeps): Promise<void> {
  const { predicate } = view;
  const action = decidedAction(view);
  await stores.actions.putAction(action, view.at);
  const approval = predicate.approval as { not_after?: unknown } | undefined;
  if (approval) await stores.actions.putApproval(askedApproval(view, action, time(approval.not_after)), view.at);
  if (typeof predicate.idempotency_key_digest === 'string') {
    const { tenantId, agentId, actionId } = action;
    await stores.idempotency.complete(
      { tenantId, agentId, key: predicate.idempotency_key_digest },
      {
        proposalDigest: text(predicate.proposal_digest),
        receiptId: view.receiptId,
        actionId,
        expiresAtMs: view.sealedAtMs + settings.idempotencyTtlMs,
      },
      view.at,
    );
  }
}

function decidedAction(view: SealedView): ActionRecord {
  const { predicate } = view;
  const route = (ROUTES as readonly string[]).includes(text(predicate.route)) ? (predicate.route as Route) : 'DENY';
  const permit = predicate.permit as { id?: unknown; not_after?: unknown } | undefined;
  const facts = {
    tenantId: text(predicate.tenant_id),
    agentId: text(predicate.agent_id),
    sessionId: text(predicate.session_id),
    provenance: (text(predicate.client_provenance) || 'asserted') as ActionRecord['provenance'],
  };
  const tools = Array.isArray(predicate.tools) ? predicate.tools.map(text) : [];
  return {
    ...facts,
    actionId: view.actionId,
    fingerprint: view.fingerprint,
    route,
    state: runs(route) ? 'guarded' : route === 'APPROVAL' ? 'awaiting_approval' : 'refused',
    surface: text(predicate.surface),
    permitId: text(permit?.id),
    permitNotAfterMs: time(permit?.not_after),
    term: Number((predicate.lease as { term?: unknown } | undefined)?.term ?? 0),
    scopes: scopesOf({
      ...facts,
      tools,
      policyDigest: text((predicate.policy as { digest?: unknown } | undefined)?.digest),
      keyId: view.keyId,
      permitId: text(permit?.id),
    }),
    receiptIds: [view.receiptId],
    decidedAtMs: view.sealedAtMs,
    openedAtMs: 0,
    deadlineMs: 0,
    closedAtMs: 0,
    outcome: '',
  };
}

function askedApproval(view: SealedView, action: ActionRecord, notAfterMs: number): ApprovalRecord {
  const { actionId, tenantId, agentId, fingerprint } = action;
  return {
    actionId,
    tenantId,
    agentId,
    fingerprint,
    status: 'pending',
    requestedAtMs: view.sealedAtMs,
    notAfterMs,
    approver: '',
    reason: '',
    receiptId: view.receiptId,
    summary: view.summary,
  };
}

async function projectApproval(view: SealedView, { stores }: ProjectDeps): Promise<void> {
  const { predicate } = view;
  // A `used` receipt stands with the action that used it and names the one that was approved.
  const approvedId = text(predicate.approved_action_id) || view.actionId;
  const approval = await stores.actions.getApproval(approvedId);
  if (!approval) return;
  const status = text(predicate.status) as ApprovalRecord['status'];
  const resolved = status === 'used' ? {} : { approver: text(predicate.approver), receiptId: view.receiptId };
  const notAfterMs = predicate.not_after === undefined ? approval.notAfterMs : time(predicate.not_after);
  await stores.actions.putApproval({ ...approval, ...resolved, status, notAfterMs }, view.at);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function time(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : 0;
}
