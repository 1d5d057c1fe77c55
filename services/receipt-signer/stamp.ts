// Turns a draft into the exact bytes of a receipt: the signer's own fields first, then the draft's predicate, signed.

import { timestampMs } from '@bufbuild/protobuf/wkt';
import { BeaconError } from '../../core/errors.ts';
import { receiptId } from '../../core/ids.ts';
import { buildStatement, isReceiptKind, type ReceiptKind, signEnvelope } from '../../core/receipt.ts';
import { CLOCK_BOUND_MS } from '../../core/revocation.ts';
import { rfc3339 } from '../../core/rfc3339.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { Draft } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { SigningKey } from '../../ports/signing-key/port.ts';
import type { Lease } from './fences.ts';

/** Evidence kept beside one leaf. */
export const MAX_EVIDENCE_BYTES = 1_048_576;

/** The statement around it is one level deeper, and is read back with 64. */
const MAX_PREDICATE_DEPTH = 63;

export type Stamp = {
  readonly logId: string;
  readonly index: number;
  readonly sealedAtMs: number;
  /** Receipt id of the draft before it in the same request; empty for the first. */
  readonly follows: string;
  readonly lease: Lease | undefined;
  readonly permitNotAfterMs: number;
};

export type Stamped = { readonly receiptId: string; readonly envelope: Uint8Array };

/** A draft whose predicate has been read. */
export type CheckedDraft = { readonly draft: Draft; readonly predicate: Readonly<Record<string, unknown>> };

/** Refuses a draft that could not become a receipt, before anything of its request is written. */
export function checkDraft(draft: Draft, field: string): CheckedDraft {
  const bad = (name: string, message: string) =>
    new BeaconError('invalid_argument', `${field}.${name}: ${message}`, { field: `${field}.${name}` });
  if (!isReceiptKind(draft.kind)) throw bad('kind', 'is not a kind of receipt');
  if (draft.evidence.length > MAX_EVIDENCE_BYTES) throw bad('evidence', `must be at most ${MAX_EVIDENCE_BYTES} bytes`);
  let predicate: unknown;
  try {
    // As strictly as it will be read back: a leaf that cannot be read would stop every later start.
    predicate = parseStrictJson(draft.predicateJson, { maxDepth: MAX_PREDICATE_DEPTH });
  } catch (thrown) {
    throw bad('predicate_json', `is not strict JSON (${(thrown as Error).message})`);
  }
  if (predicate === null || typeof predicate !== 'object' || Array.isArray(predicate)) {
    throw bad('predicate_json', 'must be an object');
  }
  return { draft, predicate: predicate as Record<string, unknown> };
}

/** Throws `invalid_argument` for what would not be a receipt, `payload_too_large` for one over 65,535 bytes. */
export function stamp({ draft, predicate }: CheckedDraft, at: Stamp, key: SigningKey): Stamped {
  const id = receiptId(at.logId, at.index);
  const permitId = draft.scopes.find((scope) => scope.startsWith('permit:'))?.slice('permit:'.length);
  const statement = buildStatement({
    kind: draft.kind as ReceiptKind,
    actionId: draft.actionId,
    fingerprint: draft.fingerprint,
    signer: {
      receipt_id: id,
      sealed_at: rfc3339(at.sealedAtMs),
      ...(at.follows === '' ? {} : { follows: at.follows }),
      ...(at.lease ? { lease: { term: at.lease.term, not_after: rfc3339(at.lease.notAfterMs) } } : {}),
      ...(at.lease && permitId ? { permit: { id: permitId, not_after: rfc3339(at.permitNotAfterMs) } } : {}),
    },
    predicate,
  });
  return { receiptId: id, envelope: signEnvelope(statement, key) };
}

/** The permit ends with its wish or when the lease stops being used, whichever comes first. */
export function permitEnd(draft: Draft, lease: Lease): number {
  const used = lease.notAfterMs - CLOCK_BOUND_MS;
  return Math.min(draft.permitNotAfter ? timestampMs(draft.permitNotAfter) : used, used);
}
