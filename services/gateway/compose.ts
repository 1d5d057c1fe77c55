// The gateway put together: one HTTP server, and the services that agents may reach over gRPC.

import type { Server } from '@grpc/grpc-js';
import { EVENTS } from '../../core/events.ts';
import type { CallContext, Principal } from '../../core/principal.ts';
import { type Residency, wishInBaggage, wishInContextJson } from '../../core/residency.ts';
import {
  type Action,
  type DecisionAnswer,
  DecisionService,
  type Proposal,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { ScoringService } from '../../gen/beacon/v1/scoring_service_pb.js';
import { secretsDetector } from '../../ports/detectors/secrets.ts';
import type { BodiesUnderWay } from '../../runtime/bodies-under-way.ts';
import { createHttpServer, type HttpServer, type HttpTls, refuseOtherMethods } from '../../runtime/http.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { randomHex } from '../../runtime/random.ts';
import { host, type Service } from '../../runtime/rpc.ts';
import type { RpcAdmission } from '../../runtime/rpc-admission.ts';
import type { IncomingCall } from '../../runtime/rpc-incoming.ts';
import { receivedDigest } from '../../runtime/rpc-stream.ts';
import type { Tracing } from '../../runtime/tracing.ts';
import { type TracedMethod, tracedMethods } from '../../runtime/tracing-calls.ts';
import type { Access, Credentials, ShownCertificate } from '../access.ts';
import { createLimit, type LimitOptions, limited, requireRoom } from './limit.ts';
import { createLogs } from './logs.ts';
import { mount } from './mount.ts';
import { isLocalRpc, isLoopback } from './peer.ts';
import { protectDecision, protectKillSwitch, protectScoring } from './protect.ts';
import { actionRoutes, approvalRoutes, MAX_APPROVAL_WAIT_MS } from './routes-actions.ts';
import { revocationRoutes, scoreRoutes, tokenRoutes } from './routes-admin.ts';
import { healthRoutes } from './routes-health.ts';
import { logRoutes } from './routes-logs.ts';
import { policyRoutes } from './routes-policy.ts';
import { receiptRoutes } from './routes-receipts.ts';
import { shareOf } from './share.ts';
import { decideStream } from './stream.ts';
import {
  answerIds,
  carriedInContextJson,
  readCarried,
  regionAttribute,
  type TraceOptions,
  traceFields,
} from './trace.ts';
import type { Decision, GatewayServices, RouteDependencies } from './types.ts';

export const BODY_LIMIT_BYTES = 1_048_576;
/** Of a gRPC request; over HTTP it is as long. */
const RECEIVE_TIMEOUT_MS = 15_000;

const DECISION_METHODS = [
  'guard',
  'explain',
  'execute',
  'openAction',
  'getAction',
  'recordAssumption',
  'waitForApproval',
  'updateOutcome',
  'resolveApproval',
  'listApprovals',
  'getPolicy',
  'activatePolicy',
] as const;
/** Their request holds a proposal. */
const PROPOSING: readonly string[] = ['guard', 'explain', 'execute'];
const server = (name: string): TracedMethod => ({ name, kind: 'server' });
const deciding = (name: string, { residency }: TraceOptions): TracedMethod => ({
  ...server(name),
  before: ({ proposal }: { proposal?: Proposal }, { region }: CallContext) => {
    if (!residency || !proposal) return {};
    return regionAttribute(residency, proposal.tenantId, region ?? wishInContextJson(proposal.contextJson));
  },
  after: ({ answer }: { answer?: DecisionAnswer }) => (answer ? answerIds(answer) : {}),
});
const following = (name: string, { residency }: TraceOptions): TracedMethod => ({
  ...server(name),
  after: ({ action }: { action?: Action }) =>
    residency && action ? regionAttribute(residency, action.tenantId, undefined) : {},
});
const rpc = (method: { readonly name: string; readonly parent: { readonly typeName: string } }) =>
  `${method.parent.typeName}/${method.name}`;
const decisionSpans = (trace: TraceOptions) =>
  Object.fromEntries(
    DECISION_METHODS.map((name) => {
      const method = rpc(DecisionService.method[name]);
      return [name, (PROPOSING.includes(name) ? deciding : following)(method, trace)];
    }),
  );
const SCORING_SPANS = {
  getScore: server(rpc(ScoringService.method.getScore)),
  listScores: server(rpc(ScoringService.method.listScores)),
};

export type GatewayOptions = {
  readonly decisionTimeoutMs: number;
  readonly limit: LimitOptions;
  readonly allowedHosts: readonly string[];
  /** Whether the agents' gRPC listener can be reached from this machine alone. */
  readonly grpcOnLoopback: boolean;
  /** Of the HTTP listener; undefined: plain text. */
  readonly httpTls?: HttpTls | undefined;
  /** What a connection's client showed in the handshake. Without it nobody shows anything. */
  readonly certificates?: GatewayCertificates | undefined;
  readonly now: () => number;
};
export type GatewayCertificates = {
  ofSocket(socket: object): ShownCertificate | undefined;
  ofCall(call: IncomingCall): ShownCertificate | undefined;
};
export type GatewayDependencies = {
  readonly services: Omit<GatewayServices, 'exposeMetrics'>;
  readonly access: Access;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly tracing?: Tracing | undefined;
  readonly residency?: Residency | undefined;
  readonly options: GatewayOptions;
};
export type Gateway = {
  /** Not yet listening: `await http.listen({host, port})`. */
  readonly http: HttpServer;
  /** For the server that `registerGrpc` is given: who calls is settled before a request is received. */
  readonly admission: RpcAdmission;
  /** Hosts DecisionService and the reading half of ScoringService; nothing else of Beacon is on an agents' listener. */
  registerGrpc(server: Server): void;
};
/** What an agents' gRPC listener serves, for health and reflection. */
export const AGENT_SERVICES = [DecisionService, ScoringService] as const;

export function createGateway(deps: GatewayDependencies): Gateway {
  const { access, options } = deps;
  const limit = createLimit(options.limit, deps.metrics);
  const secrets = secretsDetector();
  const trace: TraceOptions = {
    tracing: deps.tracing,
    newTraceId: () => randomHex(16),
    looksSecret: (text) => secrets.detect(text).length > 0,
    residency: deps.residency,
  };
  const services: GatewayServices = {
    ...deps.services,
    // Who may not ask learns that first.
    decision: protectDecision(limited(deps.services.decision, limit), access),
    scoring: protectScoring(deps.services.scoring, access),
    killSwitch: protectKillSwitch(deps.services.killSwitch),
    exposeMetrics: (accept) => deps.metrics.expose(accept),
  };
  const door = openRpcDoor(deps, limit.bodies);
  return {
    http: createHttp(deps, services),
    admission: door.admission,
    registerGrpc: (server) => registerGrpc(server, deps, services, { trace, door }),
  };

  function createHttp({ log, metrics }: GatewayDependencies, protectedServices: GatewayServices): HttpServer {
    const http = createHttpServer({
      bodyLimitBytes: BODY_LIMIT_BYTES,
      bodies: limit.bodies,
      allowedHosts: options.allowedHosts,
      contentTypes: ['application/json'],
      tls: options.httpTls,
      onError: (error, request) => log.error(EVENTS.requestFailed, { error, route: request.routeOptions.url }),
    });
    measure(http, metrics);
    const logs = createLogs(protectedServices.logs, () => ownContext(options));
    const routeDeps: RouteDependencies = { services: protectedServices, access: loggedMinting(access, log) };
    const routes = [
      ...actionRoutes(routeDeps),
      ...approvalRoutes(routeDeps),
      ...receiptRoutes(routeDeps, logs),
      ...scoreRoutes(routeDeps),
      ...revocationRoutes(routeDeps),
      ...tokenRoutes(routeDeps),
      ...policyRoutes(routeDeps),
      ...logRoutes(logs),
      ...healthRoutes(routeDeps),
    ];
    mount(http, routes, {
      access,
      now: options.now,
      trace,
      timeoutMs: options.decisionTimeoutMs,
      loopback: () => listensOnLoopback(http),
      requireRoom: (operation) => requireRoom(limit, operation),
      certificateOf: (socket) => options.certificates?.ofSocket(socket),
      refuseOtherMethods,
    });
    return http;
  }
}

/** How the caller of a stream is asked for again: what let it in may have been revoked since. */
type Again = WeakMap<CallContext, () => Promise<Principal>>;
type RpcDoor = ReturnType<typeof openRpcDoor>;
type Registered = { readonly trace: TraceOptions; readonly door: RpcDoor };

/** Calls of the agents' services are let in, counted and reported alike, whether their request is received or not. */
function openRpcDoor({ access, log, metrics, options }: GatewayDependencies, bodies: BodiesUnderWay) {
  const requests = metrics.counter('rpc_requests_total', 'gRPC calls answered.', ['method', 'status']);
  const seconds = metrics.histogram('rpc_request_duration_seconds', 'Time to answer a gRPC call.', ['method']);
  const reported = {
    onError: (error: unknown, method: string) => log.error(EVENTS.requestFailed, { error, method }),
    onEnd(method: string, status: number, duration: number) {
      requests.inc({ method, status: String(status) });
      seconds.observe({ method }, duration);
    },
  };
  const callers = new WeakMap<object, Principal>();
  const credentialsOf = (call: IncomingCall): Credentials => ({
    authorization: call.metadata('authorization'),
    local: options.grpcOnLoopback && isLocalRpc(call.peer, (name) => call.metadata(name)),
    certificate: options.certificates?.ofCall(call),
  });
  const admission: RpcAdmission = {
    ...reported,
    receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
    bodies,
    async admit(call) {
      // Health and reflection are anybody's.
      if (!AGENT_SERVICES.some(({ typeName }) => call.method.startsWith(`${typeName}/`))) return undefined;
      const principal = await access.authenticate(credentialsOf(call));
      callers.set(call.key, principal);
      return shareOf(principal);
    },
  };
  /** Asked here where the server had no `admission`. */
  const callerOf = async (call: IncomingCall) =>
    callers.get(call.key) ?? (await access.authenticate(credentialsOf(call)));
  return { admission, reported, credentialsOf, callerOf };
}

function registerGrpc(
  server: Server,
  deps: GatewayDependencies,
  services: GatewayServices,
  { trace, door }: Registered,
): void {
  const { log, options, tracing } = deps;
  const decision = tracedMethods(services.decision, tracing, decisionSpans(trace), { roots: true });
  const scoring = tracedMethods(services.scoring, tracing, SCORING_SPANS, { roots: true });
  const again: Again = new WeakMap();
  const hostOptions = {
    ...door.reported,
    authenticate: (call: IncomingCall) => authenticateRpc(call, deps, { trace, door }, again),
  };
  const decide: Service<typeof DecisionService, CallContext>['decide'] = (incoming, context) =>
    decideStream(
      {
        decision,
        authenticate: again.get(context) ?? (async () => context.principal),
        region: context.region,
        now: options.now,
        defaultTimeoutMs: options.decisionTimeoutMs,
        traceOf: (carried, proposal) =>
          traceFields(carried ?? carriedInContextJson(proposal?.contextJson ?? ''), trace.newTraceId),
        digestOf: receivedDigest,
        onInternal: (error) => log.error(EVENTS.requestFailed, { error, method: 'Decide' }),
      },
      incoming,
    );
  const unary = Object.fromEntries(DECISION_METHODS.map((name) => [name, decision[name]])) as Decision;
  host(server, DecisionService, { ...unary, decide }, hostOptions);
  const { getScore, listScores } = scoring;
  host(server, ScoringService, { getScore, listScores }, hostOptions);
}

async function authenticateRpc(
  call: IncomingCall,
  { access, options }: GatewayDependencies,
  { trace, door }: Registered,
  again: Again,
): Promise<CallContext> {
  const principal = await door.callerOf(call);
  const wish = wishInBaggage(call.metadata('baggage'));
  const waitMs = call.method.endsWith('/WaitForApproval') ? MAX_APPROVAL_WAIT_MS : 0;
  const context = {
    principal,
    deadlineMs: Math.min(call.deadlineMs, options.now() + waitMs + options.decisionTimeoutMs),
    requestDigest: call.requestBytes.length === 0 ? '' : call.requestDigest(),
    ...traceFields(readCarried(call.metadata, trace), trace.newTraceId),
    ...(trace.residency && wish !== undefined ? { region: wish } : {}),
  };
  if (call.method.endsWith('/Decide')) {
    const credentials = door.credentialsOf(call);
    again.set(context, () => access.authenticate(credentials));
  }
  return context;
}

/** Who was given a credential, or lost one, is told to the operators; the credential is not. */
function loggedMinting(access: Access, log: Log): Access {
  return {
    ...access,
    async mint(request) {
      const minted = await access.mint(request);
      const { tokenId, role, tenantId, agentId } = minted.record;
      log.info(EVENTS.tokenMinted, { token_id: tokenId, role, tenant_id: tenantId, agent_id: agentId });
      return minted;
    },
    async revokeToken(id) {
      const record = await access.revokeToken(id);
      const { tokenId, role, tenantId, agentId } = record;
      log.info(EVENTS.tokenRevoked, { token_id: tokenId, role, tenant_id: tenantId, agent_id: agentId });
      return record;
    },
  };
}

function measure(http: HttpServer, metrics: Metrics): void {
  const requests = metrics.counter('http_requests_total', 'HTTP requests answered.', ['method', 'route', 'status']);
  const seconds = metrics.histogram('http_request_duration_seconds', 'Time to answer an HTTP request.', ['route']);
  http.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    requests.inc({ method: request.method, route, status: String(reply.statusCode) });
    seconds.observe({ route }, reply.elapsedTime / 1000);
  });
}

function listensOnLoopback(http: HttpServer): boolean {
  const addresses = http.addresses();
  return addresses.length > 0 && addresses.every((at) => typeof at === 'object' && isLoopback(at.address));
}

function ownContext(options: GatewayOptions): CallContext {
  return {
    principal: { role: 'auditor', provenance: 'authenticated', subject: 'service:gateway' },
    deadlineMs: options.now() + options.decisionTimeoutMs,
    requestDigest: '',
    traceId: randomHex(16),
  };
}
