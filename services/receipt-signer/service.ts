// Signs receipts and keeps one log. No answer leaves before its receipts are on disk; no ALLOW is signed without a
// lease or behind a fence.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { sha256Hex } from '../../core/canonical-json.ts';
import { asBeaconError, BeaconError } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import { buildJwks } from '../../core/jwk.ts';
import type { CallContext } from '../../core/principal.ts';
import { CLOCK_BOUND_MS, requireScope } from '../../core/revocation.ts';
import { Durability } from '../../gen/beacon/v1/common_pb.js';
import * as pb from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { LedgerStore } from '../../ports/ledger-store/port.ts';
import type { SigningKeys } from '../../ports/signing-key/port.ts';
import type { Service } from '../../runtime/rpc.ts';
import { CheckpointPublisher } from './checkpoints.ts';
import { Fences } from './fences.ts';
import { FollowedLeader } from './leader.ts';
import { listReceipts, proofOf, readById, tileOf } from './read.ts';
import { LogWriter, type Sealed } from './writer.ts';

/** How long growth goes untold, so that those who follow the log take many leaves at once. */
const TELL_MS = 200;

export type ReceiptSignerDeps = {
  readonly store: LedgerStore;
  readonly keys: SigningKeys;
  /** The log's checkpoint key in C2SP signed-note form, and the function that signs with it. */
  readonly note: { readonly vkey: string; readonly sign: (body: string) => Uint8Array };
  readonly bus: EventBus;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
  /** Told when a fence is durable, before it is answered. */
  readonly fenced?: (() => void) | undefined;
};

export class ReceiptSigner implements Omit<Service<typeof pb.ReceiptSignerService, CallContext>, 'sealStream'> {
  readonly #deps: ReceiptSignerDeps;
  readonly #fences = new Fences();
  readonly #writer: LogWriter;
  readonly #checkpoints: CheckpointPublisher;
  #telling: NodeJS.Timeout | undefined;
  readonly #leader: FollowedLeader;

  constructor(deps: ReceiptSignerDeps, leader = new FollowedLeader()) {
    this.#deps = deps;
    this.#leader = leader;
    const { store, keys, now, note, failed } = deps;
    this.#checkpoints = new CheckpointPublisher({ store, signNote: note.sign, failed });
    const grown = () => {
      this.#checkpoints.grown();
      this.#telling ??= setTimeout(() => this.#tell(), TELL_MS).unref();
    };
    this.#writer = new LogWriter({ store, keys, fences: this.#fences, now, grown });
  }

  async seal(request: pb.SealRequest): Promise<pb.SealResponse> {
    return this.#answer(await this.#writer.seal(request.drafts));
  }

  async fence(request: pb.FenceRequest): Promise<pb.FenceResponse> {
    const scope = requireScope(request.scope);
    const epoch = Number(request.epoch);
    await this.#leader.follow(request.leader);
    const draft = create(pb.DraftSchema, {
      kind: 'revocation',
      actionId: request.revocationId,
      fingerprint: sha256Hex(scope),
      predicateJson: Buffer.from(
        JSON.stringify({
          form: 'fence',
          revocation_id: request.revocationId,
          scope,
          operation: request.operation,
          epoch,
        }),
      ),
    });
    const sealed = await this.#writer.seal([draft], { scope, operation: request.operation, epoch });
    const leaf = sealed.leaves[0];
    if (!leaf) throw new BeaconError('internal', 'a fence was not written');
    this.#deps.fenced?.();
    return create(pb.FenceResponseSchema, {
      origin: this.#deps.store.origin,
      fenceIndex: BigInt(leaf.index),
      receiptId: leaf.receiptId,
    });
  }

  async grantLease(request: pb.GrantLeaseRequest): Promise<pb.GrantLeaseResponse> {
    if (!request.notAfter) throw new BeaconError('invalid_argument', 'not_after: is missing', { field: 'not_after' });
    const lease = { term: Number(request.term), notAfterMs: timestampMs(request.notAfter) };
    const aheadMs = request.countedFrom ? timestampMs(request.countedFrom) - this.#deps.now() : 0;
    if (aheadMs > CLOCK_BOUND_MS) {
      throw new BeaconError(
        'failed_precondition',
        `the kill switch’s clock is at least ${aheadMs} ms ahead of this signer’s`,
      );
    }
    const continues = await this.#leader.grantedBy(request);
    const scopes = request.complete ? request.revokedScopes : undefined;
    if (continues) this.#fences.grant(lease, Number(request.epoch), scopes);
    return create(pb.GrantLeaseResponseSchema, {
      origin: this.#deps.store.origin,
      epoch: BigInt(continues ? this.#fences.epoch : 0),
      knownEpoch: BigInt(this.#leader.knownEpoch),
    });
  }

  async getStatus(): Promise<pb.GetStatusResponse> {
    const { store } = this.#deps;
    const { term, notAfterMs } = this.#fences.lease;
    return create(pb.GetStatusResponseSchema, {
      origin: store.origin,
      size: BigInt(store.size()),
      epoch: BigInt(this.#fences.epoch),
      term: BigInt(term),
      leaseNotAfter: timestampFromMs(notAfterMs),
      writable: store.writable(),
      failure: store.writable() ? '' : 'a write or sync of the ledger failed',
      checkpointSize: BigInt(store.checkpoint()?.size ?? 0),
    });
  }

  async getReceipt(request: pb.GetReceiptRequest): Promise<pb.GetReceiptResponse> {
    const record = await readById(this.#deps.store, request.receiptId);
    return create(pb.GetReceiptResponseSchema, {
      envelope: record.leaf,
      ...(record.evidence ? { evidence: record.evidence } : {}),
    });
  }

  async getProof(request: pb.GetProofRequest): Promise<pb.GetProofResponse> {
    return create(pb.GetProofResponseSchema, { proof: await proofOf(this.#deps.store, this.#checkpoints, request) });
  }

  async listReceipts(request: pb.ListReceiptsRequest): Promise<pb.ListReceiptsResponse> {
    return listReceipts(this.#deps.store, request);
  }

  async getTile(request: pb.GetTileRequest): Promise<pb.GetTileResponse> {
    return create(pb.GetTileResponseSchema, { tile: await tileOf(this.#deps.store, request) });
  }

  async getCheckpoint(): Promise<pb.GetCheckpointResponse> {
    const checkpoint = this.#deps.store.checkpoint();
    if (!checkpoint) throw new BeaconError('not_found', 'no checkpoint has been published yet');
    return create(pb.GetCheckpointResponseSchema, { checkpoint: checkpoint.note });
  }

  async getKeys(): Promise<pb.GetKeysResponse> {
    const { keys, note, store } = this.#deps;
    return create(pb.GetKeysResponseSchema, {
      jwksJson: buildJwks(keys.all()),
      vkey: note.vkey,
      origin: store.origin,
    });
  }

  async rotateKey(_request: pb.RotateKeyRequest, context: CallContext): Promise<pb.RotateKeyResponse> {
    if (context.principal.role !== 'admin') throw new BeaconError('permission_denied', 'only an admin rotates keys');
    await this.#deps.keys.rotate();
    const { keyId } = this.#deps.keys.current().publicKey;
    this.#deps.bus.publish({ name: EVENTS.keyRotated, data: { log_id: this.#deps.store.logId, key_id: keyId } });
    return create(pb.RotateKeyResponseSchema, { keyId });
  }

  /** Finishes what was begun and publishes the last checkpoint. */
  async stop(): Promise<void> {
    await this.#writer.drain();
    if (this.#telling) this.#tell();
    if (this.#deps.store.writable()) await this.#checkpoints.publish();
    this.#checkpoints.stop();
  }

  /** Publishes a checkpoint now when durable leaves lack one (start-up). */
  async publishCheckpoint(): Promise<void> {
    await this.#checkpoints.publish();
  }

  /** One request of the stream; compose.ts makes the stream of it. */
  async sealOne({ sequence, request }: pb.SealStreamRequest): Promise<pb.SealStreamResponse> {
    try {
      const response = this.#answer(await this.#writer.seal(request?.drafts ?? []));
      return create(pb.SealStreamResponseSchema, { sequence, response });
    } catch (error) {
      return create(pb.SealStreamResponseSchema, { sequence, failureCode: asBeaconError(error).code });
    }
  }

  #tell(): void {
    const { bus, store } = this.#deps;
    clearTimeout(this.#telling);
    this.#telling = undefined;
    bus.publish({ name: EVENTS.receiptAppended, data: { log_id: store.logId, size: store.size() } });
  }

  #answer(sealed: Sealed): pb.SealResponse {
    return create(pb.SealResponseSchema, {
      receipts: sealed.leaves.map((leaf) =>
        create(pb.SealedReceiptSchema, {
          receiptId: leaf.receiptId,
          index: BigInt(leaf.index),
          envelope: leaf.envelope,
          sealedAt: timestampFromMs(leaf.sealedAtMs),
        }),
      ),
      durability: this.#deps.store.durability === 'fdatasync' ? Durability.FDATASYNC : Durability.MEMORY,
      term: BigInt(sealed.term),
      ...(sealed.permitNotAfterMs > 0 ? { permitNotAfter: timestampFromMs(sealed.permitNotAfterMs) } : {}),
      refused: sealed.refused,
    });
  }
}
