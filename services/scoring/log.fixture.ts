// A log in memory with a signer in front of it, small but real: its leaves are signed receipts.

import { generateKeyPairSync } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { receiptId } from '../../core/ids.ts';
import { signerOf } from '../../core/jwk.ts';
import { buildStatement, type ReceiptKind, signEnvelope } from '../../core/receipt.ts';
import {
  SealedReceiptSchema,
  type SealRequest,
  type SealResponse,
  SealResponseSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';

export const LOG = 'aaaaaaaaaaaa';
export const NOW = Date.parse('2025-06-01T12:00:00.000Z');

type Signer = ReturnType<typeof signerOf>;
export const newSigner = (): Signer => signerOf(generateKeyPairSync('ed25519').privateKey);

export class TestLog {
  readonly logId = LOG;
  readonly leaves: Uint8Array[] = [];
  readonly signer = newSigner();
  readonly keys = { all: () => [this.signer.publicKey] };
  nowMs = NOW;

  size(): number {
    return this.leaves.length;
  }

  async scan(start: number, limit: number) {
    return this.leaves.slice(start, start + limit).map((leaf, at) => ({ index: start + at, leaf }));
  }

  /** Signs a receipt for a place without appending it. */
  sign(
    kind: ReceiptKind,
    predicate: Record<string, unknown>,
    index = this.leaves.length,
    by = this.signer,
  ): Uint8Array {
    const time = new Date(this.nowMs).toISOString();
    const runs = predicate.decision === 'ALLOW';
    const permit = { id: `pmt_${'0'.repeat(32)}`, not_after: time };
    const payload = buildStatement({
      kind,
      actionId: 'act_1',
      fingerprint: '0'.repeat(64),
      signer: {
        receipt_id: receiptId(LOG, index),
        sealed_at: time,
        ...(runs ? { lease: { term: 1, not_after: time }, permit } : {}),
      },
      predicate,
    });
    return signEnvelope(payload, by);
  }

  append(kind: ReceiptKind, predicate: Record<string, unknown>): string {
    const id = receiptId(LOG, this.leaves.length);
    this.leaves.push(this.sign(kind, predicate));
    return id;
  }

  /** One allowed, opened and reported action of agent t/a. */
  work(over: Record<string, unknown> = {}): void {
    const who = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated', ...over };
    this.append('decision', { ...who, decision: 'ALLOW', route: 'ALLOW', reasons: [], parts: [], externality: {} });
    this.append('action', who);
    this.append('outcome', { ...who, status: 'succeeded' });
  }

  deny(over: Record<string, unknown> = {}): string {
    const who = { tenant_id: 't', agent_id: 'a', client_provenance: 'authenticated', ...over };
    const reasons = [{ rule: 'beacon.effects.delete_many', code: 'x' }];
    return this.append('decision', { ...who, decision: 'DENY', route: 'DENY', reasons, parts: [], externality: {} });
  }

  /** As ReceiptSignerService.Seal. */
  async seal(request: SealRequest): Promise<SealResponse> {
    const receipts = request.drafts.map((draft) => {
      const index = this.leaves.length;
      const predicate = JSON.parse(Buffer.from(draft.predicateJson).toString()) as Record<string, unknown>;
      const id = this.append(draft.kind as ReceiptKind, predicate);
      return create(SealedReceiptSchema, { receiptId: id, index: BigInt(index), envelope: this.leaves[index] });
    });
    return create(SealResponseSchema, { receipts });
  }
}
