// The sidecar put together: the agents' HTTP and gRPC faces as the gateway has them, without what is not an agent's, over
// one stream to a gateway. No key to sign with, no store, no right but its agent's.

import type { Server } from '@grpc/grpc-js';
import { BeaconError } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import {
  type DecideRequest,
  type DecideResponse,
  DecisionService,
  ReceivedForm,
} from '../../gen/beacon/v1/decision_service_pb.js';
import { ScoringService } from '../../gen/beacon/v1/scoring_service_pb.js';
import { BodiesUnderWay } from '../../runtime/bodies-under-way.ts';
import { createHttpServer, type HttpServer, refuseOtherMethods } from '../../runtime/http.ts';
import type { Log } from '../../runtime/log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { randomHex } from '../../runtime/random.ts';
import { host } from '../../runtime/rpc.ts';
import type { RpcAdmission } from '../../runtime/rpc-admission.ts';
import type { IncomingCall } from '../../runtime/rpc-incoming.ts';
import type { Access, Credentials } from '../access.ts';
import { mount } from '../gateway/mount.ts';
import { isLocalRpc, isLoopback } from '../gateway/peer.ts';
import { protectDecision } from '../gateway/protect.ts';
import { actionRoutes, approvalRoutes, MAX_APPROVAL_WAIT_MS } from '../gateway/routes-actions.ts';
import { scoreRoutes } from '../gateway/routes-admin.ts';
import { healthRoutes } from '../gateway/routes-health.ts';
import { shareOf } from '../gateway/share.ts';
import { readCarried, type TraceOptions, traceFields } from '../gateway/trace.ts';
import type { Route } from '../gateway/types.ts';
import { answerStream } from './answer-stream.ts';
import type { Believer } from './believe.ts';
import type { Gateways } from './gateways.ts';
import { sidecarMeter } from './meter.ts';
import { type Behind, createSidecar, receivedUnary, type SidecarContext } from './service.ts';

const newTraceId = () => randomHex(16);

const BODY_LIMIT_BYTES = 1_048_576;
/** Of a gRPC request; over HTTP it is as long. */
const RECEIVE_TIMEOUT_MS = 15_000;
/** What of the gateway's faces is an agent's own. */
const HANDED_ON = [
  'execute',
  'guard',
  'explain',
  'open_action',
  'get_action',
  'record_assumption',
  'update_outcome',
  'wait_for_approval',
  'get_score',
  'health',
  'metrics',
];
export const SIDECAR_SERVICES = [DecisionService, ScoringService] as const;

export type SidecarOptions = {
  readonly timeoutMs: number;
  readonly allowedHosts: readonly string[];
  readonly now: () => number;
};
export type SidecarParts = {
  readonly gateways: Gateways<Behind>;
  readonly believer: Believer;
  /** Who may call over HTTP and over gRPC: the listeners may differ. */
  readonly callers: { readonly http: Access; readonly grpc: Access };
  readonly metrics: Metrics;
  readonly log: Log;
  readonly options: SidecarOptions;
};
export type Sidecar = {
  readonly http: HttpServer;
  /** For the server that `registerGrpc` is given: who calls is settled before a request is received. */
  readonly admission: RpcAdmission;
  registerGrpc(server: Server): void;
};

export function composeSidecar(parts: SidecarParts): Sidecar {
  const { gateways, believer, metrics, log, options } = parts;
  const meter = sidecarMeter(metrics, () => gateways.reasons().length === 0);
  const { decision, getScore } = createSidecar({
    gateways,
    believer,
    now: options.now,
    ended(outcome, seconds, error) {
      meter(outcome, seconds);
      if (outcome === 'disbelieved') log.error(EVENTS.sidecarDisbelieved, { error });
    },
  });
  const sheds = metrics.counter('sheds_total', 'Requests refused because more was sent than can be held.', ['reason']);
  const bodies = new BodiesUnderWay({ refused: () => sheds.inc({ reason: 'bodies' }) });
  const failed = (method: string, error: unknown) => log.error(EVENTS.requestFailed, { method, error });
  /** Passed on unread: whoever answers looks whether it holds a secret. */
  const trace: TraceOptions = {
    tracing: undefined,
    newTraceId,
    looksSecret: () => false,
    residency: undefined,
  };
  const admission: RpcAdmission = {
    receiveTimeoutMs: RECEIVE_TIMEOUT_MS,
    onError: (error, method) => failed(method, error),
    bodies,
    async admit(call) {
      // Health and reflection are anybody's.
      if (!SIDECAR_SERVICES.some(({ typeName }) => call.method.startsWith(`${typeName}/`))) return undefined;
      return shareOf(await parts.callers.grpc.authenticate(credentialsOf(call)));
    },
  };
  return { http: createHttp(), admission, registerGrpc };

  function createHttp(): HttpServer {
    const access = parts.callers.http;
    const http = createHttpServer({
      bodyLimitBytes: BODY_LIMIT_BYTES,
      bodies,
      allowedHosts: options.allowedHosts,
      contentTypes: ['application/json'],
      onError: (error, request) => failed(String(request.routeOptions.url), error),
    });
    const services = {
      decision: protectDecision(decision, access),
      scoring: { getScore: scored(access), listScores: refuse, emitScore: refuse, importReceipts: refuse },
      ready: async () => ({ ready: gateways.reasons().length === 0, reasons: gateways.reasons() }),
      exposeMetrics: () => metrics.expose(),
    };
    const deps = { services, access };
    const routes = [...actionRoutes(deps), ...approvalRoutes(deps), ...scoreRoutes(deps), ...healthRoutes(deps)];
    mount(http, routes.filter(({ operation }) => HANDED_ON.includes(operation)).map(withBytes), {
      access,
      now: options.now,
      trace,
      timeoutMs: options.timeoutMs,
      certificateOf: () => undefined,
      // What is too much is refused by the stream's own bound, and by the gateway behind it.
      requireRoom: () => {},
      loopback: () => http.addresses().every((at) => typeof at === 'object' && isLoopback(at.address)),
      refuseOtherMethods,
    });
    return http;
  }

  function registerGrpc(server: Server): void {
    const access = parts.callers.grpc;
    const own = protectDecision(decision, access);
    const { guard, explain, execute, openAction, getAction, recordAssumption, waitForApproval, updateOutcome } = own;
    const decide = (requests: AsyncIterable<DecideRequest>, context: SidecarContext): AsyncIterable<DecideResponse> =>
      answerStream({ decision: own, now: options.now, timeoutMs: options.timeoutMs, newTraceId, failed }, [
        requests,
        context,
      ]);
    const hostOptions = {
      authenticate: (call: IncomingCall) => contextOf(call, access),
      onError: (error: unknown, method: string) => failed(method, error),
    };
    const answered = {
      guard,
      explain,
      execute,
      openAction,
      getAction,
      recordAssumption,
      waitForApproval,
      updateOutcome,
      decide,
    };
    host(server, DecisionService, answered, hostOptions);
    host(server, ScoringService, { getScore: scored(access) }, hostOptions);
  }

  function scored(access: Access): typeof getScore {
    return async (request, context) => {
      const { tenantId = '' } = context.principal;
      await access.authorizeSubject(context.principal, request.tenantId || tenantId, request.agentId);
      return getScore({ ...request, tenantId }, context);
    };
  }

  async function contextOf(call: IncomingCall, access: Access): Promise<SidecarContext> {
    const principal = await access.authenticate(credentialsOf(call));
    const waitMs = call.method.endsWith('/WaitForApproval') ? MAX_APPROVAL_WAIT_MS : 0;
    return {
      principal,
      deadlineMs: Math.min(call.deadlineMs, options.now() + waitMs + options.timeoutMs),
      requestDigest: '',
      ...traceFields(readCarried(call.metadata, trace), newTraceId),
      received: receivedUnary(call.requestBytes),
    };
  }
}

function credentialsOf(call: IncomingCall): Credentials {
  return {
    authorization: call.metadata('authorization'),
    local: isLocalRpc(call.peer, (name) => call.metadata(name)),
  };
}

/** The same route, told the body's bytes beside what it reads in them. */
function withBytes(route: Route): Route {
  return {
    ...route,
    handle(call) {
      const context: SidecarContext = { ...call.context, received: { bytes: call.bytes, form: ReceivedForm.JSON } };
      return route.handle({ ...call, context });
    },
  };
}

async function refuse(): Promise<never> {
  throw new BeaconError('permission_denied', 'this is not for agents, and not handed on');
}
