// The smaller bodies: checkpoints, approvals, revocations, tokens, imports.

import { invalidArgument } from '../../core/errors.ts';
import type { Role } from '../../core/principal.ts';
import { OutcomeStatus } from '../../gen/beacon/v1/decision_service_pb.js';
import {
  at,
  choice,
  flag,
  has,
  integer,
  list,
  objectJson,
  openObject,
  optionalName,
  raw,
  requiredName,
  text,
} from './fields.ts';

const SHA256 = /^[0-9a-f]{64}$/;
const PERMIT = /^pmt_[0-9a-f]{32}$/;
const REQUEST_ID = /^[0-9A-Za-z_-]+$/;
const MAX_DETAILS_BYTES = 65_536;
export const MAX_RECEIPT_BYTES = 65_535;
const MAX_IMPORTED = 256;
const MAX_TOKEN_LIFE_S = 3650 * 86_400;
/** What a caller may say; lost_confirmation is Beacon's own word for hearing nothing. */
const OUTCOMES = {
  succeeded: OutcomeStatus.SUCCEEDED,
  failed: OutcomeStatus.FAILED,
  partial: OutcomeStatus.PARTIAL,
  aborted: OutcomeStatus.ABORTED,
  not_executed: OutcomeStatus.NOT_EXECUTED,
} as const;

/** `{permit}`: its id, or the permit as it was answered. */
export function readOpenAction(body: unknown): { permitId: string } {
  const fields = openObject(body, '', ['permit']);
  const permit = raw(fields, 'permit');
  if (typeof permit === 'object' && permit !== null) {
    const inner = openObject(permit, 'permit', ['id', 'not_after', 'term']);
    return { permitId: text(inner, 'id', { required: true, pattern: PERMIT }) };
  }
  return { permitId: text(fields, 'permit', { required: true, pattern: PERMIT }) };
}

/** `{statement, observed_digests?, status?}` */
export function readAssumption(body: unknown) {
  const fields = openObject(body, '', ['statement', 'observed_digests', 'status']);
  const observedDigests = list(fields, 'observed_digests', 64).map((digest, index) => {
    if (typeof digest === 'string' && SHA256.test(digest)) return digest;
    throw invalidArgument(`observed_digests.${index}`, 'must be a SHA-256 digest in 64 hex digits');
  });
  return {
    statement: text(fields, 'statement', { required: true, max: 2000 }),
    observedDigests,
    status: choice(fields, 'status', ['unverified', 'confirmed', 'refuted'], 'unverified'),
  };
}

/** `{approve, reason?}` */
export function readApproval(body: unknown): { approve: boolean; reason: string } {
  const fields = openObject(body, '', ['approve', 'reason']);
  return { approve: flag(fields, 'approve', true) === true, reason: text(fields, 'reason', { max: 500 }) };
}

/** `{status, details?}` */
export function readOutcome(body: unknown): { status: OutcomeStatus; detailsJson: string } {
  const fields = openObject(body, '', ['status', 'details']);
  const status = choice(fields, 'status', Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[]);
  return { status: OUTCOMES[status], detailsJson: objectJson(fields, 'details', MAX_DETAILS_BYTES) };
}

/** `{scope, operation, reason?, request_id?}`; the same id again gives the first change's answer again. */
export function readRevocation(body: unknown) {
  const fields = openObject(body, '', ['scope', 'operation', 'reason', 'request_id']);
  return {
    scope: text(fields, 'scope', { required: true, max: 300 }),
    operation: choice(fields, 'operation', ['revoke', 'reinstate'] as const),
    reason: text(fields, 'reason', { max: 500 }),
    requestId: text(fields, 'request_id', { max: 64, pattern: REQUEST_ID }),
  };
}

/** `{tenant_id, agent_id}` */
export function readSubject(body: unknown): { tenantId: string; agentId: string } {
  const fields = openObject(body, '', ['tenant_id', 'agent_id']);
  return { tenantId: requiredName(fields, 'tenant_id'), agentId: requiredName(fields, 'agent_id') };
}

/** `{tenant_id, expires_in_s?}` */
export function readAgentToken(body: unknown): { tenantId: string; expiresInMs: number | undefined } {
  const fields = openObject(body, '', ['tenant_id', 'expires_in_s']);
  const seconds = integer(fields, 'expires_in_s', 1, MAX_TOKEN_LIFE_S);
  return {
    tenantId: requiredName(fields, 'tenant_id'),
    expiresInMs: seconds === undefined ? undefined : seconds * 1000,
  };
}

/** `{role, expires_in_s?}` for people. */
export function readStaffToken(body: unknown): { role: Role; expiresInMs: number | undefined } {
  const fields = openObject(body, '', ['role', 'expires_in_s']);
  const seconds = integer(fields, 'expires_in_s', 1, MAX_TOKEN_LIFE_S);
  return {
    role: choice(fields, 'role', ['auditor', 'operator', 'admin'] as const),
    expiresInMs: seconds === undefined ? undefined : seconds * 1000,
  };
}

/** One DSSE envelope as the whole body (its bytes as received), or `{tenant_id?, agent_id?, receipts: […]}`. */
export function readImport(body: unknown, bytes: Uint8Array) {
  const any = openObject(body, '');
  if (has(any, 'payloadType') || has(any, 'payload')) {
    if (bytes.length > MAX_RECEIPT_BYTES)
      throw invalidArgument('body', `a receipt has at most ${MAX_RECEIPT_BYTES} bytes`);
    return { tenantId: '', agentId: '', receipts: [bytes] };
  }
  const fields = openObject(body, '', ['tenant_id', 'agent_id', 'receipts']);
  if (!has(fields, 'receipts')) throw invalidArgument('receipts', 'is required');
  const receipts = list(fields, 'receipts', MAX_IMPORTED).map((receipt, index) => {
    const path = `${at(fields, 'receipts')}.${index}`;
    const claimed = typeof receipt === 'string' ? receipt : JSON.stringify(openObject(receipt, path).values);
    const claimedBytes = Buffer.from(claimed);
    if (claimedBytes.length > MAX_RECEIPT_BYTES)
      throw invalidArgument(path, `must be at most ${MAX_RECEIPT_BYTES} bytes`);
    return claimedBytes;
  });
  if (receipts.length === 0) throw invalidArgument('receipts', 'must not be empty');
  return { tenantId: optionalName(fields, 'tenant_id'), agentId: optionalName(fields, 'agent_id'), receipts };
}
