// Publishes messages to one stream and waits for the server's word on each. One subscription and one timer serve a whole
// batch: the client's own request makes a promise, a timer and two stack traces for every message.

import { createInbox, headers, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';

export type Outgoing = {
  readonly subject: string;
  readonly id: string;
  /** Stored with the message, in this order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly data: Uint8Array;
};

export class StreamPublisher {
  readonly connection: NatsConnection;
  readonly #stream: string;
  readonly #inbox = createInbox();
  readonly #replies: Subscription;
  /** By the last part of the inbox that the server answers to. */
  readonly #waiting = new Map<string, (fault: unknown) => void>();
  #sent = 0;

  constructor(connection: NatsConnection, stream: string) {
    this.connection = connection;
    this.#stream = stream;
    this.#replies = connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => (error ? this.#ended(error) : this.#answered(message)),
    });
    const closed = () => this.#ended(new Error('the connection was closed'));
    this.#replies.closed.then(closed, closed);
  }

  /** Resolves when all are stored, in this order; rejects when it is known of all, or too late, that not every one is. */
  publish(batch: readonly Outgoing[], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const names = batch.map(() => String(this.#sent++));
      const faults: unknown[] = [];
      let left = batch.length;
      const end = () => {
        clearTimeout(timer);
        for (const name of names) this.#waiting.delete(name);
        if (faults.length > 0) reject(faults[0]);
        else resolve();
      };
      const giveUp = (fault: unknown) => {
        faults.push(fault);
        end();
      };
      const timer = setTimeout(() => giveUp(new Error(`${left} were not acknowledged in time`)), timeoutMs);
      const told = (fault: unknown) => {
        if (fault !== undefined) faults.push(fault);
        left -= 1;
        if (left === 0) end();
      };
      try {
        // Written in one go, in order; the server stores them in that order.
        batch.forEach((message, at) => {
          this.#waiting.set(names[at] as string, told);
          this.#send(message, `${this.#inbox}.${names[at]}`);
        });
      } catch (fault) {
        giveUp(fault);
      }
    });
  }

  close(): void {
    this.#replies.unsubscribe();
  }

  #send({ subject, id, headers: own, data }: Outgoing, reply: string): void {
    const all = headers();
    for (const [name, value] of own) all.set(name, value);
    all.set('Nats-Msg-Id', id);
    all.set('Nats-Expected-Stream', this.#stream);
    this.connection.publish(subject, data, { headers: all, reply });
  }

  #answered(message: Msg): void {
    const name = message.subject.slice(this.#inbox.length + 1);
    const told = this.#waiting.get(name);
    this.#waiting.delete(name);
    told?.(this.#faultOf(message));
  }

  /** Undefined for the one answer that says that it is stored, now or before. */
  #faultOf(message: Msg): unknown {
    if (message.data.length === 0) return new Error(`nobody stores it (${message.headers?.code ?? 'an empty answer'})`);
    try {
      const { stream, error } = message.json() as { readonly stream?: unknown; readonly error?: unknown };
      if (error === undefined && stream === this.#stream) return undefined;
      return new Error('the stream refused it', { cause: error });
    } catch (fault) {
      return fault;
    }
  }

  #ended(fault: unknown): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const told of waiting) told(fault);
  }
}
