// A connection to NATS that is kept for ever: dialled again with backoff until it is closed, drained on close. Whoever
// holds it works without it too: opening does not wait, and `connection()` is undefined while there is none.

import type { NatsConnection } from '@nats-io/nats-core';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';

const DIAL_TIMEOUT_MS = 5_000;
const LEAST_WAIT_MS = 50;
const MOST_WAIT_MS = 5_000;
/** A server that stopped answering without closing is given up after at most (MAX_PINGS_OUT + 1) times this. */
const PING_INTERVAL_MS = 2_000;
const MAX_PINGS_OUT = 2;
const DRAIN_LIMIT_MS = 5_000;

export type NatsOptions = {
  /**
   * `host:port`, `nats://…` or `tls://…`; one is taken at random, others after a failure. With TLS by a DNS name that is
   * in the certificate: the library does not compare IP addresses.
   */
  readonly servers: readonly string[];
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** Files are read again at each dial, so a renewed certificate is taken up by the next connection. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Told of refused dials, lost connections and errors of the server; never of passwords. */
  readonly failed?: (error: unknown) => void;
};

export type Nats = {
  /** The connection while it stands. */
  connection(): NatsConnection | undefined;
  /** True once connected, false if that takes longer than `timeoutMs`. */
  connected(timeoutMs: number): Promise<boolean>;
  /** Called with each connection when it stands, also with the same one after it was lost and found. Returns the end. */
  whenUp(listener: (connection: NatsConnection) => void): () => void;
  /** Sends what waits, then ends the connection; within 5 s. */
  close(): Promise<void>;
};

export function openNats(options: NatsOptions): Nats {
  return new KeptConnection(options);
}

class KeptConnection implements Nats {
  readonly #options: NatsOptions;
  readonly #listeners = new Set<(connection: NatsConnection) => void>();
  readonly #closing = new AbortController();
  readonly #kept: Promise<void>;
  #current: NatsConnection | undefined;
  #up = false;
  #failures = 0;

  constructor(options: NatsOptions) {
    this.#options = options;
    this.#kept = this.#keep();
  }

  connection(): NatsConnection | undefined {
    return this.#up ? this.#current : undefined;
  }

  connected(timeoutMs: number): Promise<boolean> {
    if (this.#up) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (up: boolean) => {
        clearTimeout(timer);
        end();
        resolve(up);
      };
      const end = this.whenUp(() => settle(true));
      const timer = setTimeout(() => settle(false), timeoutMs);
    });
  }

  whenUp(listener: (connection: NatsConnection) => void): () => void {
    const own = (connection: NatsConnection) => listener(connection);
    this.#listeners.add(own);
    if (this.#up && this.#current) own(this.#current);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    const connection = this.#current;
    this.#closing.abort();
    if (connection && !connection.isClosed()) {
      const ended = this.#up ? connection.drain() : connection.close();
      await withinMs(DRAIN_LIMIT_MS, ended);
      // A server that does not read keeps the drain waiting.
      if (!connection.isClosed()) await connection.close();
    }
    this.#up = false;
    await this.#kept;
  }

  /** The library dials again by itself once it was connected; this loop is for the first time and for its giving up. */
  async #keep(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await connect(this.#dialling());
        if (this.#closing.signal.aborted) return await connection.close();
        this.#current = connection;
        this.#arrived(connection);
        await this.#follow(connection);
        if (!this.#closing.signal.aborted) this.#fault(await connection.closed());
      } catch (error) {
        this.#fault(error);
      }
      this.#up = false;
      await this.#pause(this.#nextWaitMs());
    }
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#up = false;
      else if (status.type === 'reconnect') this.#arrived(connection);
      else if (status.type === 'error') this.#fault(status.error);
    }
  }

  #arrived(connection: NatsConnection): void {
    this.#failures = 0;
    this.#up = true;
    for (const listener of [...this.#listeners]) {
      try {
        listener(connection);
      } catch (error) {
        this.#fault(error);
      }
    }
  }

  #dialling(): NodeConnectionOptions {
    const { servers, name, tls, user, password, token } = this.#options;
    return {
      servers: [...servers],
      name,
      ...(tls ? { tls } : {}),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { pass: password }),
      ...(token === undefined ? {} : { token }),
      timeout: DIAL_TIMEOUT_MS,
      maxReconnectAttempts: -1,
      // Credentials are renewed on the server without asking us: refused twice is not refused for ever.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => this.#nextWaitMs(),
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: MAX_PINGS_OUT,
      noAsyncTraces: true,
    };
  }

  #nextWaitMs(): number {
    const mostMs = Math.min(MOST_WAIT_MS, LEAST_WAIT_MS * 2 ** Math.min(this.#failures++, 16));
    return mostMs / 2 + (Math.random() * mostMs) / 2;
  }

  #pause(waitMs: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
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

  #fault(error: unknown): void {
    if (error !== undefined && !this.#closing.signal.aborted) this.#options.failed?.(error);
  }
}

async function withinMs(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}
