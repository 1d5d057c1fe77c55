// An agent's calls, handed on to a gateway: proposals over the long stream, byte for byte, and their answers only when they
// can be believed and came in time; everything else as it is. No answer is UNAVAILABLE, never an ALLOW.

import { BeaconError } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import { unrecordedParent, writeTraceparent } from '../../core/trace-context.ts';
import { Decision as Verdict } from '../../gen/beacon/v1/common_pb.js';
import {
  type DecisionAnswer,
  type DecisionService,
  type Proposal,
  ReceivedForm,
} from '../../gen/beacon/v1/decision_service_pb.js';
import type { ScoringService } from '../../gen/beacon/v1/scoring_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import { type Believer, Disbelief } from './believe.ts';
import type { Gateways } from './gateways.ts';

/** What an agent sent, as it sent it; set by the transport that received it. */
export type Received = { readonly bytes: Uint8Array; readonly form: ReceivedForm };
export type SidecarContext = CallContext & { readonly received?: Received };

export type Decision = Omit<Service<typeof DecisionService, CallContext>, 'decide'>;
export type Scoring = Service<typeof ScoringService, CallContext>;
/** A gateway's services, for calls that are not proposals. */
export type Behind = { readonly decision: Decision; readonly scoring: Pick<Scoring, 'getScore'> };

export type Outcome = 'allow' | 'deny' | 'no_decision' | 'disbelieved';

export type SidecarDeps = {
  readonly gateways: Pick<Gateways<Behind>, 'ask' | 'unary'>;
  readonly believer: Believer;
  readonly now: () => number;
  readonly ended: (outcome: Outcome, seconds: number, error?: unknown) => void;
};

export function createSidecar(deps: SidecarDeps): {
  readonly decision: Decision;
  readonly getScore: Scoring['getScore'];
} {
  const behind = <T>(call: (services: Behind) => Promise<T>) => handOn(deps, call);
  return {
    decision: {
      guard: async ({ proposal }, context) => ({
        $typeName: 'beacon.v1.GuardResponse',
        answer: await propose(deps, proposal, false, context),
      }),
      execute: async ({ proposal }, context) => ({
        $typeName: 'beacon.v1.ExecuteResponse',
        answer: await propose(deps, proposal, true, context),
      }),
      explain: (request, context) => behind(({ decision }) => decision.explain(request, context)),
      openAction: (request, context) => behind(({ decision }) => decision.openAction(request, context)),
      getAction: (request, context) => behind(({ decision }) => decision.getAction(request, context)),
      recordAssumption: (request, context) => behind(({ decision }) => decision.recordAssumption(request, context)),
      waitForApproval: (request, context) => behind(({ decision }) => decision.waitForApproval(request, context)),
      updateOutcome: (request, context) => behind(({ decision }) => decision.updateOutcome(request, context)),
      resolveApproval: notHere,
      listApprovals: notHere,
      getPolicy: notHere,
      activatePolicy: notHere,
    },
    getScore: (request, context) => behind(({ scoring }) => scoring.getScore(request, context)),
  };
}

async function propose(
  { gateways, believer, now, ended }: SidecarDeps,
  proposal: Proposal | undefined,
  open: boolean,
  context: SidecarContext,
): Promise<DecisionAnswer> {
  const { received, deadlineMs, traceId, span } = context;
  if (!received) throw new BeaconError('internal', 'a proposal without the bytes it was received as');
  const askedAtMs = performance.now();
  const untilMs = askedAtMs + (deadlineMs - now());
  const traceparent = (span ? writeTraceparent(span) : unrecordedParent(traceId)) ?? '';
  const ask = { received: received.bytes, receivedForm: received.form, open, traceparent };
  const seconds = () => (performance.now() - askedAtMs) / 1000;
  try {
    const answer = believer.believe(await gateways.ask(ask, untilMs), {
      received: received.bytes,
      repeatable: (proposal?.idempotencyKey ?? '') !== '',
      tookMs: performance.now() - askedAtMs,
    });
    if (performance.now() >= untilMs) throw new BeaconError('deadline_exceeded', 'the answer came too late');
    ended(answer.decision === Verdict.ALLOW ? 'allow' : 'deny', seconds());
    return answer;
  } catch (thrown) {
    ended(thrown instanceof Disbelief ? 'disbelieved' : 'no_decision', seconds(), thrown);
    throw ours(thrown);
  }
}

async function handOn<T>({ gateways }: SidecarDeps, call: (services: Behind) => Promise<T>): Promise<T> {
  try {
    return await call(gateways.unary());
  } catch (thrown) {
    throw ours(thrown);
  }
}

/** A gateway that refuses the sidecar's own credential has not judged the agent's request. */
function ours(thrown: unknown): unknown {
  if (!(thrown instanceof BeaconError) || thrown.code !== 'unauthenticated') return thrown;
  return new BeaconError('unavailable', `the gateway refuses the sidecar's credential: ${thrown.message}`, {
    cause: thrown,
  });
}

async function notHere(): Promise<never> {
  throw new BeaconError('permission_denied', 'this is not for agents, and not handed on');
}

/** Over gRPC: the request's own bytes. */
export function receivedUnary(bytes: Uint8Array): Received {
  return { bytes, form: ReceivedForm.UNARY };
}
