// One durable pull consumer, kept going: made where it is missing, asked again after every loss. The server pins it to one
// client (NATS 2.11, priority groups), so a log's receipts come in order to one of several replicas; a client that stops
// asking loses the pin after PIN_MS.

import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type OverflowOptions,
  type PriorityPolicy,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { parseReceiptId } from '../../core/ids.ts';
import { type Consumption, MAX_UNACKNOWLEDGED, type StreamedReceipt } from './port.ts';

/** What is not acknowledged within this time is handed over again. */
export const ACKNOWLEDGE_WITHIN_MS = 30_000;
/** A replica that went silent is replaced after this time. */
export const PIN_MS = 5_000;
const PULL_EXPIRES_MS = 2_000;
const PULL_MESSAGES = 256;
const GROUP = 'one';
const PINNED_CLIENT: PriorityPolicy = 'pinned_client';
const LEAST_WAIT_MS = 100;
const MOST_WAIT_MS = 10_000;

export type PinnedOptions = {
  readonly nats: { connection(): NatsConnection | undefined; connected(timeoutMs: number): Promise<boolean> };
  readonly stream: string;
  readonly subject: string;
  readonly name: string;
  readonly ensureStream: (connection: NatsConnection) => Promise<unknown>;
  readonly handle: (receipt: StreamedReceipt) => Promise<void>;
  readonly failed: (error: unknown) => void;
};

export class PinnedConsumption implements Consumption {
  readonly #options: PinnedOptions;
  /** What is being handled, as it was handed over last. */
  readonly #unsettled = new Map<string, JsMsg>();
  readonly #stopping = new AbortController();
  readonly #kept: Promise<void>;
  #messages: ConsumerMessages | undefined;
  #pinned = false;
  #failures = 0;

  constructor(options: PinnedOptions) {
    this.#options = options;
    this.#kept = this.#keep();
  }

  /** Whether the server serves this client, as far as it is known here. */
  get pinned(): boolean {
    return this.#pinned;
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#kept;
    const pinned = this.#pinned;
    this.#stopping.abort();
    this.#messages?.stop();
    await this.#kept;
    // Not ours any more: whoever is next gets them at once instead of after ACKNOWLEDGE_WITHIN_MS.
    for (const message of this.#unsettled.values()) settle(() => message.nak());
    this.#unsettled.clear();
    if (pinned) await this.unpin().catch(() => undefined);
  }

  /** Gives the pin back; the server pins whoever asks next, perhaps this client again. */
  async unpin(): Promise<void> {
    const connection = this.#options.nats.connection();
    if (!connection) return;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await manager.consumers.unpin(this.#options.stream, this.#options.name, GROUP);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const connection = this.#options.nats.connection();
        if (connection) await this.#consume(connection);
      } catch (error) {
        if (!signal.aborted) this.#options.failed(error);
      }
      this.#pinned = false;
      await this.#pause();
    }
  }

  /** Resolves when the stream or the consumer is gone, the connection is closed for good, or this is stopped. */
  async #consume(connection: NatsConnection): Promise<void> {
    const { stream, name } = this.#options;
    await this.#options.ensureStream(connection);
    await this.#ensureConsumer(connection);
    if (this.#stopping.signal.aborted) return;
    const consumer = await jetstream(connection).consumers.get(stream, name);
    // The library's types ask for overflow limits beside a group; its code takes a group without any as pinned.
    const pinned = { group: GROUP } as OverflowOptions;
    const messages = await consumer.consume({
      ...pinned,
      max_messages: PULL_MESSAGES,
      expires: PULL_EXPIRES_MS,
      idle_heartbeat: PULL_EXPIRES_MS / 2,
      abort_on_missing_resource: true,
      callback: (message) => this.#take(message),
    });
    this.#messages = messages;
    if (this.#stopping.signal.aborted) messages.stop();
    this.#failures = 0;
    void this.#watch(messages);
    const ended = await messages.closed();
    if (ended && !this.#stopping.signal.aborted) throw ended;
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (type === 'consumer_pinned') this.#pinned = true;
      else if (type === 'consumer_unpinned') this.#pinned = false;
    }
  }

  async #ensureConsumer(connection: NatsConnection): Promise<void> {
    const { stream, subject, name } = this.#options;
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await manager.consumers.add(stream, {
      durable_name: name,
      filter_subject: subject,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACKNOWLEDGE_WITHIN_MS),
      max_ack_pending: MAX_UNACKNOWLEDGED,
      max_deliver: -1,
      priority_groups: [GROUP],
      priority_policy: PINNED_CLIENT,
      priority_timeout: nanos(PIN_MS),
    });
  }

  #take(message: JsMsg): void {
    const receipt = readMessage(message, this.#options.subject);
    if (!receipt) {
      // Whoever may publish here wrote something that is no receipt: it would come back for ever.
      settle(() => message.term('not a receipt'));
      return;
    }
    // A sequence number is given again when the stream is made anew.
    const name = `${message.seq} ${receipt.receiptId}`;
    const known = this.#unsettled.has(name);
    this.#unsettled.set(name, message);
    // Handed over again because handling takes long: held once, or what waits for a lost store grows without end.
    if (known) return;
    this.#options.handle(receipt).then(
      () => this.#settle(name, (last) => last.ack()),
      () => this.#settle(name, (last) => last.nak(waitMs(last.info.deliveryCount))),
    );
  }

  /** After `stop` it is the next one's to settle. */
  #settle(name: string, answer: (last: JsMsg) => void): void {
    const last = this.#unsettled.get(name);
    if (last && this.#unsettled.delete(name)) settle(() => answer(last));
  }

  #pause(): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs(++this.#failures));
      signal.addEventListener(
        'abort',
        () => {
          clearTimeout(timer);
          resolve();
        },
        { once: true },
      );
    });
  }
}

function waitMs(tries: number): number {
  return Math.min(MOST_WAIT_MS, LEAST_WAIT_MS * 2 ** Math.min(Math.max(tries, 1) - 1, 16));
}

/** A lost connection loses an answer, and the message comes again. */
function settle(answer: () => void): void {
  try {
    answer();
  } catch {
    // As above.
  }
}

function readMessage(message: JsMsg, subject: string): StreamedReceipt | undefined {
  const receiptId = message.headers?.get('Nats-Msg-Id') ?? '';
  const place = parseReceiptId(receiptId);
  if (!place || !subject.endsWith(`.${place.logId}`)) return undefined;
  const traceparent = message.headers?.get('traceparent');
  const tracestate = message.headers?.get('tracestate');
  return {
    receiptId,
    ...place,
    tenantId: message.headers?.get('Beacon-Tenant') ?? '',
    envelope: new Uint8Array(message.data),
    ...(traceparent ? { traceparent } : {}),
    ...(tracestate ? { tracestate } : {}),
  };
}
