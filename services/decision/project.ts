// What a sealed receipt changes in the derived stores. The same function serves the live path and the replay of a
// ledger's tail, so that rebuilt state and lived state agree. Every write is a repeat-safe put at the receipt's position.

import { scopesOf } from '../../core/revocation.ts';
import { ROUTES, type Route, runs } from '../../core/route.ts';
import type { ActionRecord, ApprovalRecord, OutcomeStatus, Position } from '../../ports/action-store/port.ts';
import type { EarlyReceipts } from '../../ports/early-receipts/port.ts';
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
  /** Where each of several logs is followed by itself: without it, what comes before its decision would be lost. */
  readonly early?: EarlyReceipts;
};

/** Most actions written at once: their commands leave in one write. */
const MAX_TOGETHER = 64;
/** What changes the rows of its own action alone, and builds on nothing another action left. */
const OWN_ROWS = ['decision', 'action'];

/**
 * Views in the order of their log. What stands together about one action is written once, with what follows a decision
 * built on it and not read back; actions that have nothing to do with each other are written at the same time.
 */
export async function project(views: readonly SealedView[], deps: ProjectDeps): Promise<void> {
  let together = new Map<string, readonly SealedView[]>();
  const flush = async () => {
    const groups = [...together.values()];
    together = new Map();
    await Promise.all(groups.map((group) => projectAction(group, deps)));
  };
  for (const group of byAction(views)) {
    const apart = !group.every(({ kind }) => OWN_ROWS.includes(kind));
    const actionId = group[0]?.actionId ?? '';
    if (apart || together.has(actionId) || together.size >= MAX_TOGETHER) await flush();
    together.set(actionId, group);
    if (apart) await flush();
  }
  await flush();
}

/** Neighbours of one action. */
function byAction(views: readonly SealedView[]): readonly (readonly SealedView[])[] {
  const groups: SealedView[][] = [];
  for (const view of views) {
    const group = groups.at(-1);
    if (group && group[0]?.actionId === view.actionId) group.push(view);
    else groups.push([view]);
  }
  return groups;
}

async function projectAction(group: readonly SealedView[], deps: ProjectDeps): Promise<void> {
  const { actions } = deps.stores;
  const [first] = group;
  if (!first) return;
  const decided = first.kind === 'decision' ? decidedAction(first) : undefined;
  let action = decided ?? (await found(first.actionId, (id) => actions.getAction(id), group, deps));
  if (!action) return;
  let at = decided ? first.at : undefined;
  for (const view of decided ? group.slice(1) : group) {
    const next = follow(action, view);
    if (!next) continue;
    action = next;
    at = view.at;
  }
  if (at) await actions.putAction(action, at);
  if (decided) await projectAsked(first, decided, deps);
  for (const view of group) if (view.kind === 'approval') await projectApproval(view, deps);
  if (decided) await completeKey(first, decided, deps);
  if (decided) await projectEarly(first.actionId, deps);
}

/** The record of this id. Without one, `views` are kept for it; and looked for again, since it may have come meanwhile. */
async function found<T>(
  id: string,
  read: (id: string) => Promise<T | undefined>,
  views: readonly SealedView[],
  { early }: ProjectDeps,
): Promise<T | undefined> {
  const record = await read(id);
  if (record || !early) return record;
  await early.keep(id, new Map(views.map((view) => [view.receiptId, JSON.stringify(view)])));
  return read(id);
}

/** What other logs told of this action before. */
async function projectEarly(actionId: string, deps: ProjectDeps): Promise<void> {
  const kept = (await deps.early?.of(actionId)) ?? [];
  if (kept.length === 0) return;
  const views = kept.map((text) => JSON.parse(text) as SealedView);
  await project(
    views.sort((a, b) => a.sealedAtMs - b.sealedAtMs || a.at.index - b.at.index),
    deps,
  );
  await deps.early?.drop(actionId);
}

/** The action after this receipt; undefined when it changes nothing. */
function follow(action: ActionRecord, { kind, receiptId, predicate }: SealedView): ActionRecord | undefined {
  // Told before, by whoever sealed it or by whoever follows its log.
  if (action.receiptIds.includes(receiptId)) return undefined;
  const receiptIds = [...action.receiptIds, receiptId];
  switch (kind) {
    case 'action':
      return {
        ...action,
        receiptIds,
        state: 'open',
        openedAtMs: time(predicate.opened_at),
        deadlineMs: time(predicate.deadline),
      };
    case 'outcome':
      return {
        ...action,
        receiptIds,
        state: 'closed',
        closedAtMs: time(predicate.closed_at),
        outcome: text(predicate.status) as OutcomeStatus,
      };
    case 'assumption':
    case 'approval':
      return { ...action, receiptIds };
    case 'void':
      // Only a voided decision takes its action with it; a voided opening leaves it as it was.
      return predicate.voids === action.receiptIds[0]
        ? { ...action, receiptIds, state: 'refused', permitId: '' }
        : undefined;
    default:
      return undefined;
  }
}

async function projectAsked(view: SealedView, action: ActionRecord, { stores }: ProjectDeps): Promise<void> {
  const approval = view.predicate.approval as { not_after?: unknown } | undefined;
  if (approval) await stores.actions.putApproval(askedApproval(view, action, time(approval.not_after)), view.at);
}

/** Last of all: the key leads to what must be there by then. */
async function completeKey(view: SealedView, action: ActionRecord, { stores, settings }: ProjectDeps): Promise<void> {
  const { predicate } = view;
  if (typeof predicate.idempotency_key_digest !== 'string') return;
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

async function projectApproval(view: SealedView, deps: ProjectDeps): Promise<void> {
  const { actions } = deps.stores;
  const { predicate } = view;
  // A `used` receipt stands with the action that used it and names the one that was approved.
  const approvedId = text(predicate.approved_action_id) || view.actionId;
  const approval = await found(approvedId, (id) => actions.getApproval(id), [view], deps);
  if (!approval) return;
  const status = text(predicate.status) as ApprovalRecord['status'];
  const resolved = status === 'used' ? {} : { approver: text(predicate.approver), receiptId: view.receiptId };
  const notAfterMs = predicate.not_after === undefined ? approval.notAfterMs : time(predicate.not_after);
  await actions.putApproval({ ...approval, ...resolved, status, notAfterMs }, view.at);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function time(value: unknown): number {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) ? ms : 0;
}
