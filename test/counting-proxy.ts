// A TCP relay that counts what passes: one chunk from the client is one write of the client, while writes are small and
// each waits for its answer.

import { connect, createServer, type Server, type Socket } from 'node:net';

export class CountingProxy {
  requests = 0;
  replies = 0;
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
        this.requests += 1;
        onward.write(chunk);
      });
      onward.on('data', (chunk) => {
        this.replies += 1;
        from.write(chunk);
      });
    });
  }

  listen(): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const { port } = this.#server.address() as { port: number };
        resolve({ host: '127.0.0.1', port });
      });
    });
  }

  async count(work: () => Promise<unknown>): Promise<{ readonly requests: number; readonly replies: number }> {
    const before = { requests: this.requests, replies: this.replies };
    await work();
    return { requests: this.requests - before.requests, replies: this.replies - before.replies };
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
