// Puts a table of routes on an HTTP server: who asks is settled before the body is read, what was received is hashed
// before it is parsed, and a path answers every method.

import { sha256Hex } from '../../core/canonical-json.ts';
import { BeaconError } from '../../core/errors.ts';
import { refuseNul } from '../../core/nul.ts';
import type { CallContext, Principal } from '../../core/principal.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { HttpReply, HttpRequest, HttpServer } from '../../runtime/http.ts';
import { countBodyFor } from '../../runtime/http-bodies.ts';
import { type Access, authorize, isPublic, type Operation, type ShownCertificate } from '../access.ts';
import { isLocalHttp } from './peer.ts';
import { shareOf } from './share.ts';
import { RequestTrace, type TraceOptions } from './trace.ts';
import type { Answer, Call, Route } from './types.ts';

export type MountOptions = {
  readonly access: Access;
  readonly now: () => number;
  readonly trace: TraceOptions;
  readonly timeoutMs: number;
  /** Whether this listener is one that callers without a token may use. */
  readonly loopback: () => boolean;
  /** Throws when nothing more of this can be taken on now. */
  readonly requireRoom: (operation: Operation) => void;
  /** What the client behind a socket showed in the TLS handshake. */
  readonly certificateOf: (socket: object) => ShownCertificate | undefined;
  readonly refuseOtherMethods: (app: HttpServer, path: string, methods: readonly string[]) => void;
};

/** Whoever asks for what is open to all. */
const ANYONE: Principal = { role: 'agent', provenance: 'asserted', subject: 'anyone' };
const NO_BYTES = new Uint8Array();

export function mount(app: HttpServer, routes: readonly Route[], options: MountOptions): void {
  const principals = new WeakMap<object, Principal>();
  const traces = new WeakMap<object, RequestTrace>();
  const ending = options.trace.tracing
    ? {
        onResponse: async (request: HttpRequest, reply: HttpReply) => traces.get(request)?.end(reply.statusCode),
      }
    : {};
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path,
      ...ending,
      onRequest: async (request) => {
        traces.set(request, new RequestTrace(route, (name) => request.headers[name], options.trace));
        options.requireRoom(route.operation);
        const principal = await whoAsks(request, route, options);
        principals.set(request, principal);
        if (principal !== ANYONE) countBodyFor(request, shareOf(principal));
      },
      handler: async (request, reply) => {
        const trace = traces.get(request) as RequestTrace;
        const call = callOf(request, { principal: principals.get(request) ?? ANYONE, trace, options, route });
        return send(reply, await route.handle(call));
      },
    });
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => covers(route.path, path)).map((route) => route.method);
    options.refuseOtherMethods(app, path, [...new Set(methods)]);
  }
}

async function whoAsks(request: HttpRequest, route: Route, options: MountOptions): Promise<Principal> {
  if (isPublic(route.operation)) return ANYONE;
  const principal = await options.access.authenticate({
    authorization: request.headers.authorization,
    local: options.loopback() && isLocalHttp(request.socket, request.headers),
    certificate: options.certificateOf(request.socket),
  });
  authorize(principal, route.operation);
  return principal;
}

type Asked = {
  readonly principal: Principal;
  readonly trace: RequestTrace;
  readonly options: MountOptions;
  readonly route: Route;
};

function callOf(request: HttpRequest, { principal, trace, options, route }: Asked): Call {
  const bytes = Buffer.isBuffer(request.body) ? request.body : NO_BYTES;
  const deadlineMs = options.now() + options.timeoutMs + (route.patienceMs ?? 0);
  let context: CallContext | undefined;
  return {
    params: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
    get context() {
      context ??= {
        principal,
        deadlineMs,
        requestDigest: bytes.length === 0 ? '' : sha256Hex(bytes),
        ...trace.fields(),
      };
      return context;
    },
    trace,
    accept: request.headers.accept ?? '',
    bytes,
    json() {
      if (bytes.length === 0) throw new BeaconError('invalid_argument', 'body: is empty', { field: 'body' });
      const value = parseStrictJson(bytes);
      refuseNul(value);
      return value;
    },
  };
}

function send(reply: HttpReply, answer: Answer): HttpReply {
  reply.code(answer.status ?? 200);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  if (answer.bytes === undefined) {
    return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(answer.json)));
  }
  // As bytes, or the framework would add a charset to the type.
  return reply.send(typeof answer.bytes === 'string' ? Buffer.from(answer.bytes) : Buffer.from(answer.bytes));
}

/** Whether a route's pattern also answers another route's path, such as `/a/:id` for `/a/emit`. */
function covers(pattern: string, path: string): boolean {
  const [a, b] = [pattern.split('/'), path.split('/')];
  return a.length === b.length && a.every((part, index) => part === b[index] || part.startsWith(':'));
}
