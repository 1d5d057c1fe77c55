// The bus between processes: core NATS, one subject for each event name. Listeners of the publishing process are told
// directly and in order, whether NATS is there or not; those of other processes at most once, while it is. What cannot be
// sent waits in a bounded buffer, oldest dropped and counted: the ledger, not the bus, is the record.

import { headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';
import { unrecordedParent, writeTraceparent } from '../../core/trace-context.ts';
import { MemoryEventBus } from './memory.ts';
import type { BusEvent, EventBus } from './port.ts';

export const SUBJECT_PREFIX = 'beacon.event.';
/** Events about a tenant, where there are regions; `*` hears all of them. */
export const regionPrefix = (region: string): string => `beacon.region.${region}.event.`;
/** Most events that wait while NATS is away or slow. */
export const MAX_WAITING = 4_096;
/** Most events handed to the connection of which it is not known that the server has read them. */
export const MAX_UNREAD = 1_024;
/** How long an event waits for others to leave with. */
const SEND_MS = 50;
/** How often the server is asked, while fewer are unread, whether it has read them. */
const CONFIRM_MS = 50;
const MAX_EVENT_BYTES = 65_536;
const SENDER = 'Beacon-Sender';
const NAME = /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/;

/** A kept connection, as runtime/nats.ts opens it. */
type Door = {
  connection(): NatsConnection | undefined;
  whenUp(listener: (connection: NatsConnection) => void): () => void;
};

export type NatsEventBusOptions = {
  readonly nats: Door;
  /** Names this process among the senders; no two alike. */
  readonly sender: string;
  readonly onFault?: (fault: unknown) => void;
  /**
   * Where there are regions: the one an event about a tenant belongs to, undefined when it may go nowhere. Such an event
   * goes out under its region's subject alone.
   */
  readonly regionOf?: ((tenantId: string) => string | undefined) | undefined;
};

type Heard = { readonly listeners: Set<(event: BusEvent) => void>; subscriptions?: readonly Subscription[] };

export class NatsEventBus implements EventBus {
  readonly #nats: Door;
  readonly #sender: string;
  readonly #onFault: (fault: unknown) => void;
  readonly #regionOf: NatsEventBusOptions['regionOf'];
  readonly #local: MemoryEventBus;
  readonly #heard = new Map<string, Heard>();
  readonly #end: () => void;
  #subscribedOn: NatsConnection | undefined;
  #waiting: BusEvent[] = [];
  #unread = 0;
  #flushing = false;
  #sending: NodeJS.Timeout | undefined;
  #confirming: NodeJS.Timeout | undefined;
  #dropped = 0;
  #closed = false;

  constructor({ nats, sender, onFault = () => {}, regionOf }: NatsEventBusOptions) {
    this.#nats = nats;
    this.#regionOf = regionOf;
    this.#sender = sender;
    this.#onFault = onFault;
    this.#local = new MemoryEventBus(onFault);
    this.#end = nats.whenUp((connection) => this.#up(connection));
  }

  /** Events that others were never told, and those that listeners here were too slow for. */
  get dropped(): number {
    return this.#dropped + this.#local.dropped;
  }

  publish(event: BusEvent): void {
    if (this.#closed) return;
    this.#local.publish(event);
    if (!NAME.test(event.name)) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    // What is told at about one time leaves in one write.
    this.#sending ??= setTimeout(() => {
      this.#sending = undefined;
      this.#send();
    }, SEND_MS);
  }

  subscribe(name: string, listener: (event: BusEvent) => void): () => void {
    const own = (event: BusEvent) => listener(event);
    const endLocal = this.#local.subscribe(name, own);
    const heard = this.#heard.get(name) ?? { listeners: new Set() };
    heard.listeners.add(own);
    this.#heard.set(name, heard);
    const connection = this.#nats.connection();
    if (connection && !heard.subscriptions) this.#listen(connection, name, heard);
    return () => {
      endLocal();
      heard.listeners.delete(own);
      if (heard.listeners.size > 0 || this.#heard.get(name) !== heard) return;
      this.#heard.delete(name);
      for (const one of heard.subscriptions ?? []) one.unsubscribe();
    };
  }

  /** Hands what waits to the connection if there is one; the connection itself belongs to whoever opened it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
    clearTimeout(this.#sending);
    clearTimeout(this.#confirming);
    this.#send();
    for (const { subscriptions = [] } of this.#heard.values()) for (const one of subscriptions) one.unsubscribe();
    this.#heard.clear();
    await this.#local.close();
  }

  #up(connection: NatsConnection): void {
    // The library takes its subscriptions along when it dials again; a new connection has none.
    if (connection !== this.#subscribedOn) {
      this.#subscribedOn = connection;
      for (const [name, heard] of this.#heard) this.#listen(connection, name, heard);
    }
    this.#unread = 0;
    this.#send();
  }

  #listen(connection: NatsConnection, name: string, heard: Heard): void {
    if (!NAME.test(name)) return;
    const prefixes = this.#regionOf ? [SUBJECT_PREFIX, regionPrefix('*')] : [SUBJECT_PREFIX];
    heard.subscriptions = prefixes.map((prefix) =>
      connection.subscribe(prefix + name, {
        callback: (error, message) => (error ? this.#onFault(error) : this.#received(name, message)),
      }),
    );
  }

  #received(name: string, message: Msg): void {
    if (message.headers?.get(SENDER) === this.#sender) return;
    const event = readEvent(name, message);
    if (event === undefined) return;
    for (const listener of [...(this.#heard.get(name)?.listeners ?? [])]) {
      try {
        listener(event);
      } catch (fault) {
        this.#onFault(fault);
      }
    }
  }

  #send(): void {
    const connection = this.#nats.connection();
    while (connection && this.#waiting.length > 0 && this.#unread < MAX_UNREAD) {
      const event = this.#waiting.shift() as BusEvent;
      try {
        const data = JSON.stringify(event.data);
        if (data.length > MAX_EVENT_BYTES) throw new RangeError(`an event of ${data.length} characters`);
        const prefix = this.#prefixOf(event);
        if (prefix === undefined) throw new RangeError('an event about a tenant that has no region');
        connection.publish(prefix + event.name, data, { headers: this.#headers(event) });
        this.#unread += 1;
      } catch (fault) {
        this.#dropped += 1;
        this.#onFault(fault);
      }
    }
    if (!connection || this.#unread === 0 || this.#flushing || this.#closed) return;
    if (this.#unread >= MAX_UNREAD) return void this.#confirm(connection);
    this.#confirming ??= setTimeout(() => {
      if (!this.#flushing && !this.#closed) void this.#confirm(connection);
    }, CONFIRM_MS).unref();
  }

  /** The server answers a ping after it has read what came before it: what bounds the connection's own buffer. */
  async #confirm(connection: NatsConnection): Promise<void> {
    const sent = this.#unread;
    this.#flushing = true;
    clearTimeout(this.#confirming);
    this.#confirming = undefined;
    try {
      await connection.flush();
      this.#unread = Math.max(0, this.#unread - sent);
    } catch {
      // Disconnected: whenUp starts the count anew.
    }
    this.#flushing = false;
    if (!this.#closed && this.#nats.connection() === connection) this.#send();
  }

  #prefixOf({ data, region }: BusEvent): string | undefined {
    const tenantId = data.tenant_id;
    if (!this.#regionOf || typeof tenantId !== 'string' || tenantId === '') return SUBJECT_PREFIX;
    const own = region ?? this.#regionOf(tenantId);
    return own === undefined ? undefined : regionPrefix(own);
  }

  #headers(event: BusEvent) {
    const own = headers();
    own.set(SENDER, this.#sender);
    const { span, data } = event;
    const traceparent = span ? writeTraceparent(span) : unrecordedParent(String(data.trace_id));
    if (traceparent !== undefined) own.set('traceparent', traceparent);
    if (span && span.state !== '') own.set('tracestate', span.state);
    return own;
  }
}

/** Whoever may publish on the subject wrote this: anything but an object is no event. */
function readEvent(name: string, message: Msg): BusEvent | undefined {
  if (message.data.length > 4 * MAX_EVENT_BYTES) return undefined;
  try {
    const data: unknown = JSON.parse(message.string());
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
    return { name, data: data as BusEvent['data'] };
  } catch {
    return undefined;
  }
}
