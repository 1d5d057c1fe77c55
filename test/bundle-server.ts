// A real HTTP server that hands out a policy bundle as an archive, as a well-behaved one does or as a test wants it.

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class BundleServer {
  /** What was asked: status answered is the handler's affair. */
  readonly asked: IncomingMessage[] = [];
  readonly #tls: { readonly cert: string; readonly key: string } | undefined;
  readonly #token: string | undefined;
  #server: Server | undefined;
  #port = 0;
  #archive: Uint8Array | undefined;
  #handler: Handler | undefined;

  constructor(options: { tls?: { readonly cert: string; readonly key: string }; token?: string } = {}) {
    this.#tls = options.tls;
    this.#token = options.token;
  }

  get url(): string {
    return `${this.#tls ? 'https://localhost' : 'http://127.0.0.1'}:${this.#port}/bundles/beacon.tar.gz`;
  }

  /** On the same port again, once it had one. */
  async start(): Promise<void> {
    const listener: Handler = (request, response) => {
      this.asked.push(request);
      (this.#handler ?? this.#serve)(request, response);
    };
    const server = this.#tls ? createTlsServer(this.#tls, listener) : createServer(listener);
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, this.#tls ? 'localhost' : '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** From now on. Without `handler` again as one expects of a server. */
  behave(handler?: Handler): void {
    this.#handler = handler;
  }

  /** 404 when undefined. */
  hold(archive: Uint8Array | undefined): void {
    this.#archive = archive;
  }

  readonly #serve: Handler = (request, response) => {
    const archive = this.#archive;
    if (this.#token && request.headers.authorization !== `Bearer ${this.#token}`) response.writeHead(401).end();
    else if (!archive) response.writeHead(404).end();
    else {
      const etag = `"${createHash('sha256').update(archive).digest('hex')}"`;
      if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
      else response.writeHead(200, { etag, 'content-type': 'application/gzip' }).end(archive);
    }
  };
}

type Entry = { readonly name: string; readonly bytes?: Uint8Array; readonly type?: 'file' | 'directory' | 'symlink' };

export async function pack(files: ReadonlyMap<string, Uint8Array> | readonly Entry[]): Promise<Uint8Array> {
  const entries = files instanceof Map ? [...files].map(([name, bytes]) => ({ name, bytes })) : files;
  const tar = await packTar(
    (entries as readonly Entry[]).map(({ name, bytes = new Uint8Array(), type = 'file' }) => {
      const linked = type === 'symlink' ? { linkname: '/etc/passwd' } : {};
      return { header: { name, size: bytes.length, type, mtime: new Date(0), ...linked }, body: bytes };
    }),
  );
  return gzipSync(tar);
}
