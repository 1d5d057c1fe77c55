// Receipts: in-toto Statements v1 about one action, in DSSE envelopes. Making and reading are mirrors over the same
// format; what the builder would not write, the reader refuses. Nothing here verifies a signature (verify.ts does).

import { preAuthEncoding, readEnvelope, writeEnvelope } from './dsse.ts';
import { invalidArgument } from './errors.ts';
import { parseReceiptId } from './ids.ts';
import { isRfc3339 } from './rfc3339.ts';
import { ROUTES, type Route, runs } from './route.ts';
import { VerifyError } from './verify-error.ts';
import { requireObject, strictJson } from './verify-json.ts';

export const RECEIPT_KINDS = [
  'decision',
  'action',
  'assumption',
  'approval',
  'outcome',
  'revocation',
  'score',
  'policy',
  'probe',
  'checkpoint',
  'import',
  'void',
] as const;
export type ReceiptKind = (typeof RECEIPT_KINDS)[number];

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const PREDICATE_TYPE = /^urn:beacon:([a-z]+):v1$/;
const FINGERPRINT = /^[0-9a-f]{64}$/;
const SUBJECT_NAME = /^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,127}$/;
const PERMIT_ID = /^pmt_[0-9a-f]{32}$/;

export type Lease = { readonly term: number; readonly not_after: string };
export type PermitClaim = { readonly id: string; readonly not_after: string };

/** What the signer alone knows; it stands first in the predicate. Times are RFC 3339 in UTC with milliseconds. */
export type SignerFields = {
  readonly receipt_id: string;
  readonly sealed_at: string;
  /** Receipt id of the draft before it in the same request. */
  readonly follows?: string;
  readonly lease?: Lease;
  readonly permit?: PermitClaim;
};
const SIGNER_FIELDS = ['receipt_id', 'sealed_at', 'follows', 'lease', 'permit'] as const;

export type StatementInput = {
  readonly kind: ReceiptKind;
  /** The action's id, or for receipts about no action whatever names their subject. */
  readonly actionId: string;
  /** SHA-256, 64 hex digits. */
  readonly fingerprint: string;
  readonly signer: SignerFields;
  readonly predicate: Readonly<Record<string, unknown>>;
};

/** One receipt as its bytes say; trustworthy only when it comes from verifyReceipt(). */
export type Receipt = {
  readonly kind: ReceiptKind;
  readonly receiptId: string;
  readonly logId: string;
  readonly index: number;
  readonly sealedAt: string;
  readonly actionId: string;
  readonly fingerprint: string;
  /** As the envelope names it. */
  readonly keyId: string;
  readonly follows?: string;
  readonly tenantId?: string;
  readonly agentId?: string;
  /** Of decisions alone. */
  readonly route?: Route;
  readonly lease?: Lease;
  readonly permit?: PermitClaim;
  /** The whole predicate, the signer's fields included. */
  readonly predicate: Readonly<Record<string, unknown>>;
  /** The signed bytes. */
  readonly payload: Uint8Array;
  /** The leaf of the ledger. */
  readonly envelope: Uint8Array;
};

export function isReceiptKind(text: string): text is ReceiptKind {
  return (RECEIPT_KINDS as readonly string[]).includes(text);
}

export function predicateType(kind: ReceiptKind): string {
  return `urn:beacon:${kind}:v1`;
}

/**
 * A Statement's bytes, without whitespace. The predicate must be plain JSON; throws `invalid_argument` when it claims a
 * field that only the signer may set, or when the result is one that readReceipt() would refuse.
 */
export function buildStatement(input: StatementInput): Uint8Array {
  for (const field of SIGNER_FIELDS) {
    if (Object.hasOwn(input.predicate, field)) throw invalidArgument(`predicate.${field}`, 'only the signer sets this');
  }
  const { receipt_id, sealed_at, follows, lease, permit } = input.signer;
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: input.actionId, digest: { sha256: input.fingerprint } }],
    predicateType: predicateType(input.kind),
    predicate: { receipt_id, sealed_at, follows, lease, permit, ...input.predicate },
  };
  try {
    checkStatement(statement);
  } catch (thrown) {
    throw invalidArgument('statement', (thrown as Error).message);
  }
  return Buffer.from(JSON.stringify(statement));
}

/** The key's thumbprint becomes the envelope's keyid. Throws `payload_too_large` beyond 65,535 bytes. */
export function signEnvelope(
  payload: Uint8Array,
  key: { readonly publicKey: { readonly keyId: string }; sign(message: Uint8Array): Uint8Array },
): Uint8Array {
  return writeEnvelope({ payload, keyId: key.publicKey.keyId, signature: key.sign(preAuthEncoding(payload)) });
}

/** What an envelope says, unverified. Throws VerifyError `malformed` or `non_canonical`. */
export function readReceipt(bytes: Uint8Array): Receipt {
  const { payload, keyId } = readEnvelope(bytes);
  const statement = requireObject(strictJson(payload, 'the statement'), 'the statement');
  return { ...checkStatement(statement), keyId, payload, envelope: bytes };
}

type Claims = Omit<Receipt, 'keyId' | 'payload' | 'envelope'>;

function checkStatement(statement: Record<string, unknown>): Claims {
  requireKeys(statement, ['_type', 'subject', 'predicateType', 'predicate'], 'the statement');
  if (statement._type !== STATEMENT_TYPE) throw malformed('_type', `is not ${STATEMENT_TYPE}`);
  const { subject } = statement;
  if (!Array.isArray(subject) || subject.length !== 1) throw malformed('subject', 'must be one');
  const { name, digest } = requireKeys(subject[0], ['name', 'digest'], 'subject');
  const { sha256 } = requireKeys(digest, ['sha256'], 'subject.digest');
  const kind = PREDICATE_TYPE.exec(requireText(statement.predicateType, /^/, 'predicateType'))?.[1] ?? '';
  if (!isReceiptKind(kind)) throw malformed('predicateType', 'is not one of ours');
  const predicate = requireObject(statement.predicate, 'predicate');
  return {
    kind,
    actionId: requireText(name, SUBJECT_NAME, 'subject.name'),
    fingerprint: requireText(sha256, FINGERPRINT, 'subject.digest.sha256'),
    ...checkSigner(predicate),
    ...checkParties(predicate),
    ...(kind === 'decision' ? checkDecision(predicate) : {}),
    predicate,
  };
}

function checkSigner(predicate: Record<string, unknown>) {
  const receiptId = requireText(predicate.receipt_id, /^/, 'receipt_id');
  const place = parseReceiptId(receiptId);
  if (!place) throw malformed('receipt_id', 'is no receipt id');
  const { follows } = predicate;
  if (follows !== undefined && !parseReceiptId(requireText(follows, /^/, 'follows'))) {
    throw malformed('follows', 'is no receipt id');
  }
  return {
    receiptId,
    ...place,
    sealedAt: requireTime(predicate.sealed_at, 'sealed_at'),
    ...(follows === undefined ? {} : { follows: follows as string }),
    ...checkPermit(predicate),
  };
}

function checkPermit(predicate: Record<string, unknown>): { lease?: Lease; permit?: PermitClaim } {
  const found: { lease?: Lease; permit?: PermitClaim } = {};
  if (predicate.lease !== undefined) {
    const { term, not_after } = requireKeys(predicate.lease, ['term', 'not_after'], 'lease');
    if (!Number.isSafeInteger(term) || (term as number) < 0) throw malformed('lease.term', 'is not a term');
    found.lease = { term: term as number, not_after: requireTime(not_after, 'lease.not_after') };
  }
  if (predicate.permit !== undefined) {
    const { id, not_after } = requireKeys(predicate.permit, ['id', 'not_after'], 'permit');
    found.permit = {
      id: requireText(id, PERMIT_ID, 'permit.id'),
      not_after: requireTime(not_after, 'permit.not_after'),
    };
  }
  return found;
}

function checkParties(predicate: Record<string, unknown>): { tenantId?: string; agentId?: string } {
  const { tenant_id, agent_id } = predicate;
  return {
    ...(tenant_id === undefined ? {} : { tenantId: requireText(tenant_id, /^/, 'tenant_id') }),
    ...(agent_id === undefined ? {} : { agentId: requireText(agent_id, /^/, 'agent_id') }),
  };
}

function checkDecision(predicate: Record<string, unknown>): { route: Route } {
  const { route, decision, tenant_id, agent_id, lease, permit } = predicate;
  if (!(ROUTES as readonly unknown[]).includes(route)) throw malformed('route', 'is none we know');
  const allowed = runs(route as Route);
  if (decision !== (allowed ? 'ALLOW' : 'DENY')) throw malformed('decision', 'does not agree with the route');
  if (tenant_id === undefined || agent_id === undefined) throw malformed('agent_id', 'is missing');
  // An ALLOW outside a lease term could be signed after a revocation; a DENY carries nothing to run with.
  if ((lease !== undefined) !== allowed || (permit !== undefined) !== allowed) {
    throw malformed('permit', 'lease and permit stand in decisions that run, and in no other');
  }
  return { route: route as Route };
}

function requireKeys(value: unknown, keys: readonly string[], what: string): Record<string, unknown> {
  const object = requireObject(value, what);
  const found = Object.keys(object);
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) {
    throw malformed(what, `holds other members than ${keys.join(', ')}`);
  }
  return object;
}

function requireText(value: unknown, pattern: RegExp, what: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(what, 'is not what it must be');
  return value;
}

function requireTime(value: unknown, what: string): string {
  const text = requireText(value, /^/, what);
  if (!isRfc3339(text)) throw malformed(what, 'is no instant');
  return text;
}

function malformed(what: string, how: string): VerifyError {
  return new VerifyError('malformed', `${what} ${how}`);
}
