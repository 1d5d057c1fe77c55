// Decides, and follows an action from its proposal to its end.

import { create } from '@bufbuild/protobuf';
import { asBeaconError, BeaconError, invalidArgument } from '../../core/errors.ts';
import type { CallContext } from '../../core/principal.ts';
import * as pb from '../../gen/beacon/v1/decision_service_pb.js';
import { GetStatusRequestSchema } from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { Service } from '../../runtime/rpc.ts';
import { openAction, recordAssumption, updateOutcome } from './actions.ts';
import { admitCaller, type IdempotencyClaimKey, readIdempotency } from './admit.ts';
import { listApprovals, resolveApproval, waitForApproval } from './approvals.ts';
import { type Asked, decide } from './decide.ts';
import type { DecisionDeps } from './deps.ts';
import { explain } from './explain.ts';
import { actionToProto, findAction } from './follow.ts';
import { EpochMemory } from './gather.ts';
import { activatePolicy, getPolicy } from './policy-answers.ts';
import { type ReceiptSource, Recorder } from './recorder.ts';
import { repeatAnswer } from './repeat.ts';
import { Sweep } from './sweep.ts';

const SWEEP_MS = 1_000;
const SWEEP_LIMIT = 256;
/** Explanations at once: each judges many times, and decisions come between. */
const MAX_EXPLAINING = 4;
/** How long a claim of another process is waited for, in steps. */
const PENDING_POLL_MS = 10;

type InFlight = { readonly proposalDigest: string; readonly answer: Promise<pb.DecisionAnswer> };

export class DecisionMaker implements Omit<Service<typeof pb.DecisionService, CallContext>, 'decide'> {
  readonly #deps: DecisionDeps;
  readonly #recorder: Recorder;
  readonly #epochs = new EpochMemory();
  readonly #byKey = new Map<string, InFlight>();
  readonly #systemCall: () => CallContext;
  #underWay = 0;
  #explaining = 0;
  #sweeper: NodeJS.Timeout | undefined;
  readonly #sweep = new Sweep();
  #sweeping: Promise<void> | undefined;

  constructor(deps: DecisionDeps, source: ReceiptSource | undefined, systemCall: () => CallContext) {
    this.#deps = deps;
    this.#recorder = new Recorder(deps, source);
    this.#systemCall = systemCall;
  }

  /** Replays the ledger's tail, takes the lowest acceptable epoch from the signer, and begins to close what is overdue. */
  async start(progress: (done: number, total: number) => void): Promise<void> {
    await this.#recorder.replay(progress);
    const status = await this.#deps.signer.getStatus(create(GetStatusRequestSchema), this.#systemCall());
    this.#epochs.see(Number(status.epoch));
    this.#sweeper = setInterval(() => {
      this.sweep().catch((error) => this.#deps.env.failed('decision.sweep', error));
    }, SWEEP_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper);
    const { stores, env } = this.#deps;
    await stores.budgets.sweep(env.now(), SWEEP_LIMIT).catch((error) => env.failed('decision.sweep', error));
    await this.#recorder.finish();
  }

  /** Resolves when what has been sealed by now is recorded. */
  settled(): Promise<void> {
    return this.#recorder.settled();
  }

  async guard(request: pb.GuardRequest, call: CallContext): Promise<pb.GuardResponse> {
    return create(pb.GuardResponseSchema, { answer: await this.#decide(request.proposal, false, call) });
  }

  async execute(request: pb.ExecuteRequest, call: CallContext): Promise<pb.ExecuteResponse> {
    return create(pb.ExecuteResponseSchema, { answer: await this.#decide(request.proposal, true, call) });
  }

  /** Counts as a decision while it is worked on, and leaves nothing behind. */
  async explain(request: pb.ExplainRequest, call: CallContext): Promise<pb.ExplainResponse> {
    if (this.#explaining >= MAX_EXPLAINING) {
      throw new BeaconError('resource_exhausted', 'too many explanations are under way', { retryAfterMs: 1_000 });
    }
    this.#takePlace();
    this.#explaining += 1;
    try {
      return await explain(request, call, { deps: this.#deps, epochs: this.#epochs });
    } finally {
      this.#explaining -= 1;
      this.#underWay -= 1;
    }
  }

  openAction(request: pb.OpenActionRequest, call: CallContext): Promise<pb.OpenActionResponse> {
    return this.#follow(() => openAction(request, call, this.#actionDeps()));
  }

  recordAssumption(request: pb.RecordAssumptionRequest, call: CallContext): Promise<pb.RecordAssumptionResponse> {
    return this.#follow(() => recordAssumption(request, call, this.#actionDeps()));
  }

  waitForApproval(request: pb.WaitForApprovalRequest, call: CallContext): Promise<pb.WaitForApprovalResponse> {
    this.#recorder.catchUp();
    return waitForApproval(request, call, this.#actionDeps());
  }

  resolveApproval(request: pb.ResolveApprovalRequest, call: CallContext): Promise<pb.ResolveApprovalResponse> {
    return this.#follow(() => resolveApproval(request, call, this.#actionDeps()));
  }

  updateOutcome(request: pb.UpdateOutcomeRequest, call: CallContext): Promise<pb.UpdateOutcomeResponse> {
    return this.#follow(() => updateOutcome(request, call, this.#actionDeps()));
  }

  async getAction(request: pb.GetActionRequest, call: CallContext): Promise<pb.GetActionResponse> {
    this.#recorder.catchUp();
    const action = await findAction(this.#deps, request.actionId, call);
    return create(pb.GetActionResponseSchema, { action: actionToProto(action) });
  }

  async listApprovals(request: pb.ListApprovalsRequest): Promise<pb.ListApprovalsResponse> {
    this.#recorder.catchUp();
    return listApprovals(request, this.#actionDeps());
  }

  async getPolicy(): Promise<pb.GetPolicyResponse> {
    return getPolicy(this.#deps);
  }

  activatePolicy(request: pb.ActivatePolicyRequest, call: CallContext): Promise<pb.ActivatePolicyResponse> {
    return this.#recorder.track(() => activatePolicy(request, call, this.#deps));
  }

  /** Closes overdue actions, forgets idempotency keys past their retention, and moves the stores' position. One at a time. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep
      .once(this.#actionDeps(), this.#systemCall)
      .then(() => this.#recorder.settle())
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  async #decide(proposal: pb.Proposal | undefined, open: boolean, call: CallContext): Promise<pb.DecisionAnswer> {
    if (!proposal) throw invalidArgument('proposal', 'is missing');
    const { env, stores } = this.#deps;
    if (!stores.writable()) throw new BeaconError('unavailable', 'the state files cannot be written');
    this.#takePlace();
    try {
      admitCaller(proposal, call);
      const key = readIdempotency(proposal, open, call, this.#deps);
      return await this.#recorder.track(async () => {
        if (key) return this.#decideOnce(proposal, open, key, call);
        return (await this.#decideNow({ proposal, open }, call)) as pb.DecisionAnswer;
      });
    } catch (error) {
      env.meter.unsealed(asBeaconError(error).code);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** What follows a decision builds on its record. */
  #follow<T>(work: () => Promise<T>): Promise<T> {
    this.#recorder.catchUp();
    return this.#recorder.track(work);
  }

  #takePlace(): void {
    if (this.#underWay >= this.#deps.settings.maxInFlight) {
      throw new BeaconError('resource_exhausted', 'too many decisions are under way', { retryAfterMs: 1_000 });
    }
    this.#underWay += 1;
  }

  #decideNow(asked: Asked, call: CallContext): Promise<pb.DecisionAnswer | undefined> {
    return decide(asked, call, { deps: this.#deps, epochs: this.#epochs, recorder: this.#recorder });
  }

  /** One key, one decision, however many copies arrive and however the first one fares. */
  async #decideOnce(proposal: pb.Proposal, open: boolean, key: IdempotencyClaimKey, call: CallContext) {
    const same = (digest: string) => {
      if (digest === key.proposalDigest) return;
      throw new BeaconError('conflict', 'idempotency_key: was used with another body', { field: 'idempotency_key' });
    };
    const name = `${key.tenantId}\n${key.agentId}\n${key.key}`;
    const first = this.#byKey.get(name);
    if (first) {
      same(first.proposalDigest);
      const answer = { ...(await first.answer), repeatedAnswer: true };
      if (this.#deps.env.now() <= call.deadlineMs) return answer;
      throw new BeaconError('deadline_exceeded', 'the first copy of this request was decided too late for this one');
    }
    const decided = this.#claimAndDecide(proposal, open, key, same, call);
    this.#byKey.set(name, { proposalDigest: key.proposalDigest, answer: decided });
    try {
      return await decided;
    } finally {
      this.#byKey.delete(name);
    }
  }

  async #claimAndDecide(
    proposal: pb.Proposal,
    open: boolean,
    key: IdempotencyClaimKey,
    same: (digest: string) => void,
    call: CallContext,
  ): Promise<pb.DecisionAnswer> {
    const { stores, env } = this.#deps;
    for (let first = true; ; first = false) {
      const claiming = stores.idempotency.claim(key, key.proposalDigest, env.now());
      const isFresh = claiming.then(({ kind }) => kind === 'fresh');
      isFresh.catch(() => undefined);
      // The first time it is not waited for here: the proposal is read meanwhile, and facts and claim are one round trip.
      if (first || (await isFresh)) {
        const idempotency = { key, claimed: isFresh };
        const answer = await this.#decideNow({ proposal, open, idempotency }, call).catch(async (error) => {
          if (await isFresh.catch(() => false)) await stores.idempotency.abandon(key);
          throw error;
        });
        if (answer) return answer;
      }
      const claim = await claiming;
      if (claim.kind === 'fresh') throw new BeaconError('internal', 'a claimed key was not decided');
      same(claim.kind === 'done' ? claim.record.proposalDigest : claim.proposalDigest);
      if (claim.kind === 'done') return repeatAnswer(claim.record, call, this.#deps, this.#epochs);
      if (env.now() >= call.deadlineMs) {
        throw new BeaconError('deadline_exceeded', 'another copy of this request is still being decided');
      }
      await new Promise((resolve) => setTimeout(resolve, PENDING_POLL_MS));
    }
  }

  #actionDeps() {
    return { deps: this.#deps, recorder: this.#recorder, epochs: this.#epochs };
  }
}
