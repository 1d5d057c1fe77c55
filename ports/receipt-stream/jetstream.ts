// The stream on NATS JetStream: one subject for each log, file storage, full means refuse the new. One durable pull
// consumer for each name and log, pinned by the server to one client at a time.

import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { BeaconError } from '../../core/errors.ts';
import { parseReceiptId } from '../../core/ids.ts';
import { PinnedConsumption } from './jetstream-consumption.ts';
import { type Outgoing, StreamPublisher } from './jetstream-publisher.ts';
import { type Consumption, MAX_PUBLISH_BATCH, type Reach, type ReceiptStream, type StreamedReceipt } from './port.ts';

export const STREAM = 'BEACON_RECEIPTS';
export const SUBJECT_PREFIX = 'beacon.receipts.';

/** A region has a stream of its own, which its operator may place there. Subjects of no two streams overlap. */
export function streamOf(region: string): { readonly stream: string; readonly prefix: string } {
  if (region === '') return { stream: STREAM, prefix: SUBJECT_PREFIX };
  return { stream: `${STREAM}_${region.toUpperCase()}`, prefix: `${SUBJECT_PREFIX}${region}.` };
}

/**
 * How long the server remembers receipt ids. It is memory of the server's (about 100 bytes a receipt); a repeat that
 * comes later is stored again, and consumers, who count by place in the log, do not mind.
 */
export const DEDUPLICATION_MS = 120_000;
const PUBLISH_TIMEOUT_MS = 5_000;
const MAX_MESSAGE_BYTES = 131_072;
const SHARE_INTERVAL_MS = 30_000;
const STREAM_NAME_IN_USE = 10_058;

/** A kept connection, as runtime/nats.ts opens it. */
export type Door = {
  connection(): NatsConnection | undefined;
  connected(timeoutMs: number): Promise<boolean>;
  whenUp(listener: () => void): () => void;
};

export type JetStreamOptions = {
  readonly nats: Door;
  /** Receipts older than `maxAgeMs` leave the stream; beyond `maxBytes` new ones are refused until then. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** Copies in a NATS cluster: 1, 3 or 5. */
  readonly replicas?: number;
  /** The stream of this region; without it the one where there are no regions. */
  readonly region?: string;
  readonly failed?: (error: unknown) => void;
};

export class JetStreamReceiptStream implements ReceiptStream {
  readonly #options: JetStreamOptions;
  readonly #consumptions = new Set<PinnedConsumption>();
  readonly #sharing: ReturnType<typeof setInterval>;
  readonly #stream: string;
  readonly #prefix: string;
  #ensuredOn: NatsConnection | undefined;
  #publisher: StreamPublisher | undefined;

  constructor(options: JetStreamOptions) {
    this.#options = options;
    ({ stream: this.#stream, prefix: this.#prefix } = streamOf(options.region ?? ''));
    this.#sharing = setInterval(() => void this.#share(), SHARE_INTERVAL_MS).unref();
  }

  async publish(batch: readonly StreamedReceipt[]): Promise<void> {
    if (batch.length === 0 || batch.length > MAX_PUBLISH_BATCH) {
      throw new BeaconError('invalid_argument', `a batch is 1 to ${MAX_PUBLISH_BATCH} receipts`);
    }
    const connection = this.#connection();
    try {
      if (this.#ensuredOn !== connection) await this.#ensure(connection);
      await this.#publisherOn(connection).publish(
        batch.map((receipt) => this.#outgoing(receipt)),
        PUBLISH_TIMEOUT_MS,
      );
    } catch (error) {
      this.#ensuredOn = undefined;
      throw unavailable('not every receipt was stored', error);
    }
  }

  async reach(logId: string): Promise<Reach> {
    const connection = this.#connection();
    try {
      const { created } = await this.#ensure(connection);
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const message = await manager.streams.getMessage(this.#stream, { last_by_subj: this.#prefix + logId });
      const place = parseReceiptId(message?.header.get('Nats-Msg-Id') ?? '');
      return { identity: created, last: place?.logId === logId ? place.index : undefined };
    } catch (error) {
      throw unavailable('the stream cannot be asked', error);
    }
  }

  consume(durable: string, logId: string, handle: (receipt: StreamedReceipt) => Promise<void>): Consumption {
    if (!/^[A-Za-z0-9_]{1,32}$/.test(durable)) throw new BeaconError('invalid_argument', 'durable: is not a name');
    const { nats, failed = () => {} } = this.#options;
    const consumption = new PinnedConsumption({
      nats,
      stream: this.#stream,
      subject: this.#prefix + logId,
      name: `${durable}-${logId}`,
      ensureStream: (connection) => this.#ensure(connection),
      handle,
      failed,
    });
    this.#consumptions.add(consumption);
    return {
      stop: async () => {
        this.#consumptions.delete(consumption);
        await consumption.stop();
      },
    };
  }

  whenBack(listener: () => void): () => void {
    return this.#options.nats.whenUp(listener);
  }

  /** The connection belongs to whoever opened it. */
  async close(): Promise<void> {
    clearInterval(this.#sharing);
    this.#publisher?.close();
    await Promise.all([...this.#consumptions].map((consumption) => consumption.stop()));
    this.#consumptions.clear();
  }

  #publisherOn(connection: NatsConnection): StreamPublisher {
    if (this.#publisher?.connection !== connection) {
      this.#publisher?.close();
      this.#publisher = new StreamPublisher(connection, this.#stream);
    }
    return this.#publisher;
  }

  #outgoing({ receiptId, logId, envelope, tenantId, traceparent, tracestate }: StreamedReceipt): Outgoing {
    const told: [string, string][] = [['Beacon-Tenant', tenantId]];
    if (traceparent !== undefined) told.push(['traceparent', traceparent]);
    if (tracestate !== undefined) told.push(['tracestate', tracestate]);
    return { subject: this.#prefix + logId, id: receiptId, headers: told, data: envelope };
  }

  #connection(): NatsConnection {
    const connection = this.#options.nats.connection();
    if (!connection) throw new BeaconError('unavailable', 'NATS is not connected', { retryAfterMs: 1_000 });
    return connection;
  }

  async #ensure(connection: NatsConnection): Promise<StreamInfo> {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const info = await this.#findOrMake(manager);
    const { discard, storage } = info.config;
    if (discard !== DiscardPolicy.New || storage !== StorageType.File) {
      throw new BeaconError('failed_precondition', `stream ${this.#stream} must have file storage and discard the new`);
    }
    this.#ensuredOn = connection;
    return info;
  }

  async #findOrMake(manager: JetStreamManager): Promise<StreamInfo> {
    const { maxBytes, maxAgeMs, replicas = 1 } = this.#options;
    try {
      return await manager.streams.add({
        name: this.#stream,
        subjects: [`${this.#prefix}*`],
        description: 'Receipts of every log. The ledgers are the source.',
        storage: StorageType.File,
        discard: DiscardPolicy.New,
        max_bytes: maxBytes,
        max_age: nanos(maxAgeMs),
        max_msg_size: MAX_MESSAGE_BYTES,
        duplicate_window: nanos(Math.min(DEDUPLICATION_MS, maxAgeMs)),
        num_replicas: replicas,
      });
    } catch (error) {
      // There already, with limits of the operator's own: theirs hold.
      if ((error as { code?: unknown }).code !== STREAM_NAME_IN_USE) throw error;
      return await manager.streams.info(this.#stream);
    }
  }

  /**
   * The first client to come is served every log. Whoever is served more than one gives one back now and then, and the
   * server serves whoever asks next; so the logs spread over the clients without any of them knowing of the others.
   */
  async #share(): Promise<void> {
    const held = [...this.#consumptions].filter((consumption) => consumption.pinned);
    const given = held[Math.floor(Math.random() * held.length)];
    if (held.length > 1) await given?.unpin().catch(() => undefined);
  }
}

function unavailable(message: string, cause: unknown): BeaconError {
  if (cause instanceof BeaconError) return cause;
  return new BeaconError('unavailable', message, { cause, retryAfterMs: 1_000 });
}
