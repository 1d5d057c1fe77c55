// A fastify server with our limits and manners: bodies arrive as the bytes received, errors leave as problem+json
// (RFC 9457), and a Host or Origin that is not ours is refused before anything else looks at the request.

import { type IncomingMessage, maxHeaderSize as nodeMaxHeaderSize } from 'node:http';
import type { TlsOptions, Server as TlsServer } from 'node:tls';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BeaconError } from '../core/errors.ts';
import { BodiesUnderWay } from './bodies-under-way.ts';
import { receiveBody } from './http-bodies.ts';
import { foreignReason } from './http-origin.ts';
import { type Problem, problemOf, problemText } from './http-problem.ts';

export type HttpServer = FastifyInstance;
export type HttpRequest = FastifyRequest;
export type HttpReply = FastifyReply;

export type HttpServerOptions = {
  /** Largest body. */
  readonly bodyLimitBytes: number;
  /** What all bodies under way hold together, where other doors count with this one. */
  readonly bodies?: BodiesUnderWay;
  /** Names a Host header may carry beside loopback's and the address the request came to. */
  readonly allowedHosts: readonly string[];
  /** Content types whose bodies are accepted; each arrives as a Buffer. */
  readonly contentTypes: readonly string[];
  /** Longest time to receive a whole request. */
  readonly requestTimeoutMs?: number;
  /** Given, the server speaks HTTPS, and nothing else. */
  readonly tls?: HttpTls | undefined;
  /** Told of what is sent as an internal error. */
  onError(error: unknown, request: HttpRequest): void;
};

export type HttpTls = {
  readonly serverOptions: TlsOptions;
  keepCurrent(server: Pick<TlsServer, 'setSecureContext'>): void;
  /** After this a connection is asked to end, so that neither certificates nor authorities grow old with it. */
  readonly maxConnectionAgeMs: number;
};

const MAX_HEADER_BYTES = Math.min(16_384, nodeMaxHeaderSize);
const MAX_PARAM_CHARACTERS = 300;
const SWEEP_MS = 50;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const requestTimeoutMs = options.requestTimeoutMs ?? 15_000;
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: Math.min(requestTimeoutMs, 10_000),
    connectionsCheckingInterval: 2_000,
  };
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: 65_000,
    connectionTimeout: 0,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    ...(options.tls ? { https: { ...limits, ...options.tls.serverOptions } as unknown as null } : { http: limits }),
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply as unknown as HttpReply, error, request as unknown as HttpRequest, options);
    },
    clientErrorHandler: refuseUnreadable,
  });
  if (options.tls) keepYoung(app, options.tls);
  app.removeAllContentTypeParsers();
  const bodyLimits = { largest: options.bodyLimitBytes, underWay: options.bodies ?? new BodiesUnderWay() };
  for (const type of options.contentTypes) {
    app.addContentTypeParser(type, (request: HttpRequest, payload: IncomingMessage) =>
      receiveBody(request, payload, bodyLimits),
    );
  }
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-content-type-options', 'nosniff').header('cache-control', 'no-store');
    const reason = foreignReason(request.headers, request.socket.localAddress, options.allowedHosts);
    if (reason !== undefined) throw new BeaconError('permission_denied', reason);
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new BeaconError('unsupported_media_type', 'send the body without a content encoding');
    }
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(reply, error, request, options));
  app.setNotFoundHandler((_request, reply) => {
    writeProblem(reply, problemOf(new BeaconError('not_found', 'there is nothing at this address')).problem);
  });
  return app;
}

function keepYoung(app: HttpServer, { keepCurrent, maxConnectionAgeMs }: HttpTls): void {
  keepCurrent(app.server as unknown as TlsServer);
  const since = new WeakMap<object, number>();
  app.server.on('secureConnection', (socket: object) => since.set(socket, performance.now()));
  app.addHook('onRequest', async (request, reply) => {
    const age = performance.now() - (since.get(request.raw.socket) ?? performance.now());
    if (age > maxConnectionAgeMs) reply.header('connection', 'close');
  });
}

/** Takes no new requests, lets those under way end, and cuts what is left after `graceMs`. */
export async function drainHttp(app: HttpServer, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), graceMs);
  // A connection that was busy when the closing began is idle afterwards, and would be waited for until then.
  const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
    clearInterval(sweep);
  }
}

/** Answers every method that a path does not have: 204 with Allow for OPTIONS, else 405. */
export function refuseOtherMethods(app: HttpServer, path: string, methods: readonly string[]): void {
  const known = new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']);
  const allow = [...known].join(', ');
  const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !known.has(method));
  app.route({
    method: [...others, 'OPTIONS'],
    url: path,
    // Before the body is read: its type and size do not matter here.
    onRequest: async (request, reply) => {
      reply.header('allow', allow);
      if (request.method === 'OPTIONS') return reply.code(204).send();
      const problem = problemOf(new BeaconError('invalid_argument', `only ${allow} here`)).problem;
      return writeProblem(reply, { ...problem, title: 'The method is not supported', status: 405 });
    },
    handler: async () => undefined,
  });
}

function sendProblem(reply: HttpReply, thrown: unknown, request: HttpRequest, options: HttpServerOptions): void {
  const { problem, headers, internal } = problemOf(thrown);
  if (internal) options.onError(thrown, request);
  reply.headers(headers);
  writeProblem(reply, problem);
}

function writeProblem(reply: HttpReply, problem: Problem): HttpReply {
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(problemText(problem)));
}

/** Bytes that are no HTTP request: there is no request to answer, only a socket. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  const problem = problemOf(new BeaconError('invalid_argument', 'the bytes received are not an HTTP request')).problem;
  const body = problemText({ ...problem, status });
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
