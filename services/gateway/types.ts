// What the gateway is given: services by their interfaces alone, and what it needs of the machine.

import type { CallContext } from '../../core/principal.ts';
import type { DecisionService } from '../../gen/beacon/v1/decision_service_pb.js';
import type { KillSwitchService } from '../../gen/beacon/v1/kill_switch_service_pb.js';
import type { ReceiptSignerService } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { ScoringService } from '../../gen/beacon/v1/scoring_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import type { Access, Operation } from '../access.ts';
import type { RequestTrace } from './trace.ts';

/** Streams are the gateway's own (`stream.ts`), over the same unary calls. */
export type Decision = Omit<Service<typeof DecisionService, CallContext>, 'decide'>;
export type Scoring = Service<typeof ScoringService, CallContext>;
export type KillSwitch = Service<typeof KillSwitchService, CallContext>;
/** The reading side of one log, whoever writes it. */
export type LogReader = Pick<
  Service<typeof ReceiptSignerService, CallContext>,
  'getStatus' | 'getReceipt' | 'getProof' | 'listReceipts' | 'getTile' | 'getCheckpoint' | 'getKeys' | 'rotateKey'
>;

export type Readiness = { readonly ready: boolean; readonly reasons: readonly string[] };

export type GatewayServices = {
  readonly decision: Decision;
  readonly scoring: Scoring;
  readonly killSwitch: KillSwitch;
  /** Every log there is; the first is where decisions are. */
  readonly logs: readonly LogReader[];
  /** Asked for each /readyz. */
  readonly ready: () => Promise<Readiness>;
  /** The exposition for /metrics. */
  readonly exposeMetrics: (accept?: string) => Promise<{ contentType: string; text: string }>;
};

/** What a route's handler is given and gives, free of the HTTP library. */
export type Call = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly context: CallContext;
  /** May be told of the caller's trace until `context` is read, and of what is learnt until the answer is sent. */
  readonly trace: Pick<RequestTrace, 'adopt' | 'note' | 'ofTenant'>;
  /** The Accept header; '' without one. */
  readonly accept: string;
  /** The body's bytes as received. */
  readonly bytes: Uint8Array;
  /** The body as strict JSON; throws `invalid_argument`. */
  json(): unknown;
};
export type Answer = {
  readonly status?: number;
  readonly json?: unknown;
  readonly bytes?: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Route = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly operation: Operation;
  /** Added to the deadline of what takes long by its nature. */
  readonly patienceMs?: number;
  handle(call: Call): Promise<Answer>;
};

/** `N`: the services a table of routes needs. */
export type RouteDependencies<N extends keyof GatewayServices = keyof GatewayServices> = {
  readonly services: Pick<GatewayServices, N>;
  readonly access: Access;
};
