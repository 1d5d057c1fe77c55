// The leaves of the kill-switch's log, as they are written and as they are read back.

import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { readReceipt } from '../../core/receipt.ts';
import { type LogFence, LogFenceSchema } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import type { RevocationLeaf } from './state.ts';

export function readLeaf(envelope: Uint8Array, receiptId: string): RevocationLeaf {
  const { predicate } = readReceipt(envelope);
  return {
    form: String(predicate.form),
    revocationId: String(predicate.revocation_id),
    scope: String(predicate.scope),
    operation: String(predicate.operation),
    epoch: Number(predicate.epoch),
    actor: typeof predicate.actor === 'string' ? predicate.actor : '',
    receiptId,
    atMs: Date.parse(String(predicate.sealed_at)),
    requestId: typeof predicate.request_id === 'string' ? predicate.request_id : '',
    reasonDigest: typeof predicate.reason_digest === 'string' ? predicate.reason_digest : '',
    leaseMs: typeof predicate.lease_ms === 'number' ? predicate.lease_ms : 0,
    signers: Array.isArray(predicate.signers) ? predicate.signers.map(String) : undefined,
    logs: Array.isArray(predicate.logs) ? predicate.logs.map(readEnded) : [],
  };
}

/** In the leaf, so that a stranger knows which logs there were and where to look in each. */
export function endedIn({ origin, ended }: LogFence): Record<string, unknown> {
  if (ended.case === 'fenceIndex') return { origin, fence_index: Number(ended.value) };
  return { origin, lease_end: ended.value ? timestampDate(ended.value).toISOString() : null };
}

function readEnded(said: { origin?: unknown; fence_index?: unknown; lease_end?: unknown }): LogFence {
  const origin = String(said.origin ?? '');
  if (typeof said.fence_index === 'number') {
    return create(LogFenceSchema, { origin, ended: { case: 'fenceIndex', value: BigInt(said.fence_index) } });
  }
  const endMs = Date.parse(String(said.lease_end));
  if (!Number.isFinite(endMs)) return create(LogFenceSchema, { origin });
  return create(LogFenceSchema, { origin, ended: { case: 'leaseEnd', value: timestampFromMs(endMs) } });
}
