// Asks Beacon about one tool call, or what one gave back, and decides what to believe. Only an answer that is whole, fresh, about exactly the
// bytes sent and (with pinned keys) signed can be an allowance; whatever else comes back refuses.

import { createHash } from 'node:crypto';
import type { ActionContext } from '../../core/action/types.ts';
import { BeaconError } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import { type Receipt, readReceipt } from '../../core/receipt.ts';
import { OBLIGATION_KINDS, ROUTES, type Route, runs } from '../../core/route.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { verifyReceipt } from '../../core/verify.ts';
import type { Beacon } from './client-file.ts';
import type { ToolEvent } from './event.ts';
import { MAX_ANSWER_BYTES, post } from './post.ts';

export type Answer = {
  readonly route: Route;
  readonly receiptId: string;
  readonly actionId: string;
  readonly reasons: readonly { readonly rule: string; readonly code: string; readonly message: string }[];
  /** Kinds of obligation that the hook cannot keep; not empty means that the action must not run. */
  readonly unmet: readonly string[];
};

export type Question = {
  readonly beacon: Beacon;
  readonly path: '/api/execute' | '/api/guard';
  /** Holds something unique, so that no earlier answer can fit this request. */
  readonly body: object;
  /** Kinds of obligation that whoever asks keeps. */
  readonly keeps: ReadonlySet<string>;
};

type Told = { readonly beacon: Beacon; readonly event: ToolEvent; readonly surface: string; readonly nonce: string };

/** `elapsedMs` counts from before the request was sent. Throws BeaconError or VerifyError when there is no valid answer. */
export async function ask(question: Question, signal: AbortSignal, elapsedMs: () => number): Promise<Answer> {
  const { beacon, path, keeps } = question;
  const request = Buffer.from(JSON.stringify(question.body));
  const started = elapsedMs();
  const { status, body } = await post(path, beacon, request, signal);
  const answer = requireObject(parse(body), 'the answer');
  if (status !== 200) throw refusal(status, answer);
  const read = readAnswer(answer, keeps);
  if (!runs(read.route)) return read;
  const digest = createHash('sha256').update(request).digest('hex');
  requireProof({ answer, read, beacon, digest, tookMs: elapsedMs() - started });
  return read;
}

/** May this call run? A message to the person is the one obligation that a hook can keep before it. */
export function aboutCall(told: Told, context: ActionContext): Question {
  const { toolName: name, toolInput } = told.event;
  const body = { ...common(told), tools: [{ name, arguments: toolInput }], context };
  return { beacon: told.beacon, path: '/api/execute', body, keeps: new Set(['notify']) };
}

/** May the model read this? It can be told what it reads; to take something out, a hook would have to know where. */
export function aboutOutput(told: Told, text: string): Question {
  const body = { ...common(told), action: { kind: 'output', text, tool: told.event.toolName } };
  return { beacon: told.beacon, path: '/api/guard', body, keeps: new Set(['notify', 'mark_untrusted']) };
}

function common({ beacon, event, surface, nonce }: Told): object {
  return {
    agent_id: beacon.agentId,
    tenant_id: beacon.tenantId,
    session_id: event.sessionId,
    ...(event.turnId !== undefined && { opportunity_id: event.turnId }),
    surface,
    idempotency_key: nonce,
  };
}

function readAnswer(answer: Record<string, unknown>, keeps: ReadonlySet<string>): Answer {
  const { decision, route, receipt_id: receiptId, action_id: actionId, reasons, constraints } = answer;
  if (!(ROUTES as readonly unknown[]).includes(route)) throw unreadable('it names no known route');
  if (decision !== (runs(route as Route) ? 'ALLOW' : 'DENY')) throw unreadable('decision and route disagree');
  if (typeof receiptId !== 'string' || !parseReceiptId(receiptId)) throw unreadable('it names no receipt');
  if (!Array.isArray(reasons) || !Array.isArray(constraints)) throw unreadable('reasons or constraints are missing');
  return {
    route: route as Route,
    receiptId,
    actionId: typeof actionId === 'string' ? actionId : '',
    reasons: reasons.map((reason) => {
      const { rule, code, message } = requireObject(reason, 'a reason');
      return { rule: String(rule ?? ''), code: String(code ?? ''), message: String(message ?? '') };
    }),
    unmet: constraints.flatMap((constraint) => unmetKind(requireObject(constraint, 'a constraint'), keeps)),
  };
}

/** An obligation marked `required: false` holds where the surface can keep it; one of an unknown kind always holds. */
function unmetKind({ kind, required }: Record<string, unknown>, keeps: ReadonlySet<string>): string[] {
  const known = (OBLIGATION_KINDS as readonly unknown[]).includes(kind);
  return known && (keeps.has(kind as string) || required === false) ? [] : [String(kind)];
}

type Allowance = {
  readonly answer: Record<string, unknown>;
  readonly read: Answer;
  readonly beacon: Beacon;
  readonly digest: string;
  readonly tookMs: number;
};

/** The receipt that came with an ALLOW must say the same, about this very request, and still hold. */
function requireProof({ answer, read, beacon, digest, tookMs }: Allowance): void {
  if (answer.request_digest !== digest) throw unreadable('it is about another request');
  const envelope = Buffer.from(JSON.stringify(answer.receipt ?? null));
  const receipt = beacon.receiptKeys ? verifyReceipt(envelope, beacon.receiptKeys) : readReceipt(envelope);
  const { predicate } = receipt;
  const agrees =
    receipt.kind === 'decision' &&
    receipt.receiptId === read.receiptId &&
    receipt.actionId === read.actionId &&
    receipt.route === read.route &&
    receipt.agentId === beacon.agentId &&
    receipt.tenantId === beacon.tenantId &&
    predicate.decision === 'ALLOW' &&
    predicate.request_digest === digest;
  if (!agrees) throw unreadable('its receipt says something else');
  if (obligationsOf(predicate) !== obligationsOf({ obligations: answer.constraints })) {
    throw unreadable('its receipt names other obligations');
  }
  requireFresh(receipt, tookMs);
}

function obligationsOf({ obligations }: Readonly<Record<string, unknown>>): string {
  if (!Array.isArray(obligations)) throw unreadable('obligations are missing');
  return obligations.map((obligation) => String(requireObject(obligation, 'an obligation').kind)).join();
}

// The receipt binds this request's nonce, so it was sealed after we asked: time since then is measured by our own
// monotonic clock, and no agreement between two machines' clocks is needed.
function requireFresh({ lease, permit, sealedAt }: Receipt, tookMs: number): void {
  const end = Math.min(Date.parse(lease?.not_after ?? ''), Date.parse(permit?.not_after ?? ''));
  if (!(end - Date.parse(sealedAt) > tookMs)) throw unreadable('its permit has expired');
}

/** A problem document's own code where it is one of ours. */
function refusal(status: number, { code, detail }: Record<string, unknown>): BeaconError {
  const words = typeof detail === 'string' ? detail : 'no detail';
  return new BeaconError('unavailable', `Beacon answered ${status} ${typeof code === 'string' ? code : ''}: ${words}`);
}

function parse(body: Uint8Array): unknown {
  try {
    return parseStrictJson(body, { maxBytes: MAX_ANSWER_BYTES });
  } catch (cause) {
    throw new BeaconError('unavailable', "Beacon's answer cannot be read: it is not JSON", { cause });
  }
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw unreadable(`${what} is not an object`);
}

function unreadable(why: string): BeaconError {
  return new BeaconError('unavailable', `Beacon's answer cannot be believed: ${why}`);
}
