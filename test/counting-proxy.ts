// A TCP relay that counts: the writes of this process to it, and the chunks that pass it either way. One write, one chunk
// and one chunk back are one round trip.

import { connect, createServer, type Server, Socket } from 'node:net';

export type Counted = { readonly writes: number; readonly requests: number; readonly replies: number };
export const ONE_ROUND_TRIP: Counted = { writes: 1, requests: 1, replies: 1 };

export class CountingProxy {
  #requests = 0;
  #replies = 0;
  #port = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(to: { readonly host: string; readonly port: number }) {
    this.#server = createServer((from) => {
      const onward = connect(to);
      for (const socket of [from, onward]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          from.destroy();
          onward.destroy();
        });
      }
      from.on('data', (chunk) => {
        this.#requests += 1;
        onward.write(chunk);
      });
      onward.on('data', (chunk) => {
        this.#replies += 1;
        from.write(chunk);
      });
    });
  }

  listen(): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        this.#port = (this.#server.address() as { port: number }).port;
        resolve({ host: '127.0.0.1', port: this.#port });
      });
    });
  }

  /** Writes are counted where they are handed to the system: several of one moment may pass as one chunk. */
  async count(work: () => Promise<unknown>): Promise<Counted> {
    const before = { requests: this.#requests, replies: this.#replies };
    const port = this.#port;
    const sockets = Socket.prototype;
    const { _write: one, _writev: many } = sockets;
    let writes = 0;
    const counting = (write: unknown) =>
      function (this: Socket, ...args: unknown[]) {
        if (this.remotePort === port) writes += 1;
        return Reflect.apply(write as () => unknown, this, args);
      };
    Object.assign(sockets, { _write: counting(one), _writev: counting(many) });
    try {
      await work();
    } finally {
      Object.assign(sockets, { _write: one, _writev: many });
    }
    return { writes, requests: this.#requests - before.requests, replies: this.#replies - before.replies };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
