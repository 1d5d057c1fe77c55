// Revokes and reinstates: a leaf in its own log, then the list every decision consults, then a fence in every signer's
// log. One change at a time, in epoch order, and only while no other kill switch has taken the log over.

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { sha256Hex } from '../../core/canonical-json.ts';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { EVENTS } from '../../core/events.ts';
import type { CallContext } from '../../core/principal.ts';
import { adviceFor, requireScope, tenantOfScope } from '../../core/revocation.ts';
import type { TraceContext } from '../../core/trace-context.ts';
import { createTurn } from '../../core/turn.ts';
import * as pb from '../../gen/beacon/v1/kill_switch_service_pb.js';
import {
  DraftSchema,
  FenceRequestSchema,
  GetStatusRequestSchema,
  type Leader,
  LeaderSchema,
  ListReceiptsRequestSchema,
  type ReceiptSignerService,
  SealRequestSchema,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import type { ActionStore } from '../../ports/action-store/port.ts';
import type { EventBus } from '../../ports/event-bus/port.ts';
import type { RevocationList } from '../../ports/revocation-list/port.ts';
import type { Service } from '../../runtime/rpc.ts';
import type { Tracing } from '../../runtime/tracing.ts';
import { endedWith } from '../../runtime/tracing-calls.ts';
import { type LeasedSigner, LeaseKeeper } from './lease.ts';
import { endedIn, readLeaf } from './leaves.ts';
import { LostStores } from './lost-stores.ts';
import { type RevocationLeaf, RevocationState } from './state.ts';

export const MAX_REASON_CHARS = 500;
/** Open actions named in an answer. */
export const MAX_LISTED_ACTIONS = 100;
const MORE_OPEN = 'More actions may be open than are listed.';
const NOT_REFLECTED = 'What was allowed just before is not known yet; ask again whether it has ended.';
const REBUILD_PAGE = 1_000;
const REQUEST_ID = /^[0-9A-Za-z_-]{1,64}$/;
/** How often the list is compared with the log: the longest a flushed list stops the world by itself. */
export const WATCH_LIST_MS = 1_000;

type Operation = 'revoke' | 'reinstate';
type Asked = { readonly reason: string; readonly requestId: string };
/** A change that is in force everywhere: its leaf, and the barrier's, which says how each log came to know of it. */
type Changed = { readonly leaf: RevocationLeaf; readonly barrier: RevocationLeaf };

type Log = Pick<Service<typeof ReceiptSignerService, CallContext>, 'seal' | 'listReceipts' | 'getStatus'>;

export type KillSwitchDeps = {
  /** The kill-switch's own log. */
  readonly log: Log;
  readonly list: RevocationList;
  readonly signers: readonly LeasedSigner[];
  /** How each is found, where a later start may be told of others; its log keeps keyed digests. */
  readonly signerNames?: readonly string[];
  readonly actions: Pick<ActionStore, 'liveInScope'>;
  /** Whether `actions` knows by now of all that was sealed before these fences; waited for. */
  readonly reflected: (fences: readonly pb.LogFence[]) => Promise<boolean>;
  /** How far the stores that are lost with the list reflect a log; absent where they cannot be lost. */
  readonly followed?: (logId: string) => Promise<number>;
  readonly bus: EventBus;
  readonly env: {
    readonly now: () => number;
    readonly randomHex: (bytes: number) => string;
    readonly leaseMs: number;
    /** Keyed digest of a free text; nothing a person typed goes into a log in clear. */
    readonly digest: (text: string) => string;
    readonly isMinted: (tenantId: string, agentId: string) => Promise<boolean>;
    readonly failed: (error: unknown) => void;
    /** Whether the log is still this one's alone to write. */
    readonly leads: () => Promise<boolean>;
    readonly context: () => CallContext;
    readonly meter: KillSwitchMeter;
    readonly tracing?: Tracing | undefined;
  };
};

/** Counted by the kill-switch; what it is counted with is compose's choice. */
export type KillSwitchMeter = {
  /** From the request to a level that was reached: to BARRIER, and for what is answered as DRAINED to that too. */
  changed(what: { operation: 'revoke' | 'reinstate'; level: 'BARRIER' | 'DRAINED'; seconds: number }): void;
};

export class KillSwitch implements Service<typeof pb.KillSwitchService, CallContext> {
  readonly #deps: KillSwitchDeps;
  readonly #state = new RevocationState();
  readonly #leases: LeaseKeeper;
  /** Changes of the log and the list, in the order asked for. */
  readonly #serially = createTurn();
  /** Answers: what was under way is read for one at a time. */
  readonly #answering = createTurn();
  #leader: Leader = create(LeaderSchema);
  readonly #lost: LostStores | undefined;
  /** A list with a lower epoch has forgotten something; 0 where there never was one. */
  #listed = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(deps: KillSwitchDeps) {
    this.#deps = deps;
    const { now, leaseMs, context, failed, leads } = deps.env;
    const leader = () => this.#leader;
    const granting = { now, leaseMs, context, failed, leads, leader };
    this.#leases = new LeaseKeeper({ signers: deps.signers, state: this.#state, ...granting });
    const { signers, followed } = deps;
    this.#lost = followed && new LostStores({ signers, followed, context, failed, now });
  }

  /**
   * Reads its log, begins to lead with an epoch of its own, mends the list where it is behind and grants leases. Barriers
   * that a crash cut short are finished before the next change.
   */
  async start(): Promise<void> {
    const { env } = this.#deps;
    await this.#readLog();
    this.#listed = this.#state.epoch;
    const unfenced = this.#state.unfenced();
    await this.#lead();
    await this.#mendList().catch(env.failed);
    await this.#leases.start();
    for (const leaf of unfenced) this.#serially(() => this.#barrier(leaf)).catch(env.failed);
    this.#watch = setInterval(() => {
      this.#serially(() => this.#mendList()).catch(this.#deps.env.failed);
    }, WATCH_LIST_MS).unref();
  }

  stop(): void {
    clearInterval(this.#watch);
    this.#leases.stop();
  }

  async revoke(request: pb.RevokeRequest, context: CallContext): Promise<pb.RevokeResponse> {
    const revocation = await this.#change('revoke', request, context);
    return create(pb.RevokeResponseSchema, { revocation });
  }

  async reinstate(request: pb.ReinstateRequest, context: CallContext): Promise<pb.ReinstateResponse> {
    const revocation = await this.#change('reinstate', request, context);
    return create(pb.ReinstateResponseSchema, { revocation });
  }

  async listRevocations(): Promise<pb.ListRevocationsResponse> {
    const unfenced = new Set(this.#state.unfenced().map((leaf) => leaf.revocationId));
    const revocations = this.#state.inForce().map(({ scope, revocationId, epoch }) => {
      const leaf = this.#state.leaf(revocationId);
      const barrier = this.#state.barrierOf(revocationId);
      return create(pb.RevocationSchema, {
        revocationId,
        scope,
        operation: 'revoke',
        epoch: BigInt(epoch),
        level: unfenced.has(revocationId) ? pb.RevocationLevel.COMMITTED : pb.RevocationLevel.BARRIER,
        receiptId: leaf?.receiptId ?? '',
        actor: leaf?.actor ?? '',
        ...(leaf ? { at: timestampFromMs(leaf.atMs) } : {}),
        ...(barrier ? { barrierAt: timestampFromMs(barrier.atMs) } : {}),
      });
    });
    return create(pb.ListRevocationsResponseSchema, { revocations, epoch: BigInt(this.#state.epoch) });
  }

  /** Serialises changes: each waits for the one before it, whatever became of that one. */
  async #change(operation: Operation, request: pb.RevokeRequest | pb.ReinstateRequest, context: CallContext) {
    const started = performance.now();
    const { reason, requestId } = request;
    const scope = requireScope(request.scope);
    if (requestId !== '' && !REQUEST_ID.test(requestId)) throw invalidArgument('request_id', 'is not a request id');
    if (reason.length > MAX_REASON_CHARS)
      throw invalidArgument('reason', `must be at most ${MAX_REASON_CHARS} characters`);
    const asked = { reason, requestId };
    const changed = await this.#serially(() => this.#changeOnce(operation, scope, asked, context));
    const { env, reflected } = this.#deps;
    const reached = (level: 'BARRIER' | 'DRAINED') =>
      env.meter.changed({ operation, level, seconds: (performance.now() - started) / 1000 });
    reached('BARRIER');
    // The next change does not wait until it is known what was under way.
    const isReflected = operation === 'revoke' && (await reflected(changed.barrier.logs).catch(env.failed)) === true;
    const revocation = await this.#answering(() => this.#answer(changed, isReflected));
    if (operation === 'revoke' && revocation.level === pb.RevocationLevel.DRAINED) reached('DRAINED');
    return revocation;
  }

  /** Asked again because its answer was lost: the change that was made then, and its barrier if that was not reached. */
  async #changeOnce(operation: Operation, scope: string, asked: Asked, context: CallContext): Promise<Changed> {
    const before = asked.requestId === '' ? undefined : this.#state.asked(asked.requestId);
    if (!before) return this.#changeNow(operation, scope, asked, context);
    const conflict = (why: string) => new BeaconError('conflict', `request_id: ${why}`, { field: 'request_id' });
    const reasonDigest = asked.reason === '' ? '' : this.#deps.env.digest(asked.reason);
    if (before.operation !== operation || before.scope !== scope || before.reasonDigest !== reasonDigest) {
      throw conflict('was used for another change');
    }
    // Its old answer would say that something is stopped which runs, or the reverse.
    if (this.#state.isUndone(before)) throw conflict('the scope was changed back since; ask with another one');
    return { leaf: before, barrier: this.#state.barrierOf(before.revocationId) ?? (await this.#barrier(before)) };
  }

  async #changeNow(
    operation: Operation,
    scope: string,
    { reason, requestId }: Asked,
    context: CallContext,
  ): Promise<Changed> {
    const { bus, env } = this.#deps;
    if (operation === 'reinstate' && !this.#state.find(scope)) {
      throw new BeaconError('not_found', 'this scope is not revoked', { field: 'scope' });
    }
    // Says which leases were granted before: those of later terms are granted in knowledge of this change.
    const after = { after_term: this.#leases.term, ...(requestId === '' ? {} : { request_id: requestId }) };
    const what = { form: 'revocation', scope, operation };
    const leaf = await this.#append(what, context.principal.subject, reason, { after });
    // The fence is the guarantee; a list that cannot be reached is mended later and denies until then.
    await this.#tellList(leaf).catch(env.failed);
    const barrier = await this.#tracedBarrier(leaf, context);
    const { revocationId: revocation_id, epoch } = leaf;
    const tenantId = tenantOfScope(scope);
    const data = { revocation_id, scope, operation, epoch, ...(tenantId === undefined ? {} : { tenant_id: tenantId }) };
    bus.publish({ name: EVENTS.revocationCommitted, data });
    return { leaf, barrier };
  }

  async #answer({ leaf, barrier }: Changed, isReflected: boolean): Promise<pb.Revocation> {
    const { actions, env } = this.#deps;
    const { scope, operation } = leaf;
    // What has been stopped stays stopped, though nobody can say what was under way.
    const listed =
      operation === 'revoke'
        ? await actions.liveInScope(scope, env.now(), MAX_LISTED_ACTIONS).catch(env.failed)
        : { live: [], more: false };
    const { live, more } = listed ?? { live: [], more: true };
    // Those with a permit come first, so that none of them is behind the end of the list unless all of it is theirs.
    const permitted = live.some((action) => action.state !== 'open');
    const known = operation === 'reinstate' || (isReflected && listed !== undefined);
    const drained = known && !permitted;
    const [tenantId, agentId] = splitAgent(scope);
    const minted = agentId === '' || (await env.isMinted(tenantId, agentId));
    return create(pb.RevocationSchema, {
      revocationId: leaf.revocationId,
      scope,
      operation,
      epoch: BigInt(leaf.epoch),
      level: drained ? pb.RevocationLevel.DRAINED : pb.RevocationLevel.BARRIER,
      logs: [...barrier.logs],
      at: timestampFromMs(leaf.atMs),
      barrierAt: timestampFromMs(barrier.atMs),
      actor: leaf.actor,
      receiptId: leaf.receiptId,
      advice:
        operation === 'revoke'
          ? [adviceFor(scope, minted), more ? MORE_OPEN : '', isReflected ? '' : NOT_REFLECTED]
              .filter(Boolean)
              .join(' ')
          : '',
      openActions: live.filter((action) => action.state === 'open').map((action) => action.actionId),
    });
  }

  #tracedBarrier(leaf: RevocationLeaf, { span: parent }: CallContext): Promise<RevocationLeaf> {
    const { tracing } = this.#deps.env;
    if (!tracing || !parent) return this.#barrier(leaf, parent);
    const attributes = { 'beacon.revocation_id': leaf.revocationId, 'beacon.epoch': leaf.epoch };
    const span = tracing.start('barrier', { parent, attributes });
    return endedWith(span, () => this.#barrier(leaf, span.place));
  }

  /** One fence leaf in every signer's log; a signer that cannot be reached is fenced by the end of its lease. */
  async #barrier(leaf: RevocationLeaf, span?: TraceContext): Promise<RevocationLeaf> {
    const { signers, env } = this.#deps;
    const { revocationId, scope, operation, epoch } = leaf;
    const leader = this.#leader;
    const request = create(FenceRequestSchema, { revocationId, scope, operation, epoch: BigInt(epoch), leader });
    // Nobody can fence a signer that this leader was not told of; its last lease may still run.
    const left = this.#state.formerLeaseEnds().filter((endMs) => endMs > env.now());
    const logs = await Promise.all([
      ...signers.map(async (signer, i) => {
        try {
          const { origin, fenceIndex } = await signer.fence(request, {
            ...env.context(),
            ...(span ? { traceId: span.traceId, span } : {}),
          });
          return create(pb.LogFenceSchema, { origin, ended: { case: 'fenceIndex', value: fenceIndex } });
        } catch (error) {
          // It can be reached, and follows another: what it may still allow is not this one's to say.
          if (error instanceof BeaconError && error.code === 'failed_precondition') throw error;
          env.failed(error);
          return this.#leaseEnded(this.#leases.originOf(i), this.#leases.endOf(i));
        }
      }),
      ...left.map((endMs) => this.#leaseEnded('', endMs)),
    ]);
    // What was waited for is true as long as no other kill switch granted leases meanwhile: append() asks first.
    const after = { logs: logs.map(endedIn) };
    return this.#append({ form: 'barrier', scope, operation }, '', '', { of: leaf, after });
  }

  async #leaseEnded(origin: string, endMs: number): Promise<pb.LogFence> {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, endMs - this.#deps.env.now())));
    return create(pb.LogFenceSchema, { origin, ended: { case: 'leaseEnd', value: timestampFromMs(endMs) } });
  }

  async #append(
    what: { form: string; scope: string; operation: string },
    actor: string,
    reason: string,
    { of, after = {} }: { of?: RevocationLeaf; after?: Readonly<Record<string, unknown>> } = {},
  ): Promise<RevocationLeaf> {
    const { log, env } = this.#deps;
    // A process that wakes up followed by another must not write where that one has written since.
    await this.#requireLead();
    const revocationId = of?.revocationId ?? `rev_${env.randomHex(16)}`;
    const epoch = of?.epoch ?? this.#state.epoch + 1;
    const predicate = {
      ...what,
      revocation_id: revocationId,
      epoch,
      ...(actor === '' ? {} : { actor }),
      ...(reason === '' ? {} : { reason_digest: env.digest(reason) }),
      ...after,
    };
    const draft = create(DraftSchema, {
      kind: 'revocation',
      actionId: revocationId,
      fingerprint: sha256Hex(what.scope),
      predicateJson: Buffer.from(JSON.stringify(predicate)),
    });
    const sealed = await log.seal(create(SealRequestSchema, { drafts: [draft] }), env.context());
    const receiptId = sealed.receipts[0]?.receiptId ?? '';
    const envelope = sealed.receipts[0]?.envelope ?? new Uint8Array();
    const leaf = readLeaf(envelope, receiptId);
    this.#state.apply(leaf);
    return leaf;
  }

  /** Its first leaf. The epoch in it is what signers tell a later leader by from an earlier one. */
  async #lead(): Promise<void> {
    const { log, env, signerNames } = this.#deps;
    const operation = this.#state.epoch === 0 ? 'initialise' : 'lead';
    if (operation === 'lead') this.#leases.inherit(this.#state.leaseMs);
    const { origin } = await log.getStatus(create(GetStatusRequestSchema), env.context());
    const after = { lease_ms: env.leaseMs, ...(signerNames ? { signers: signerNames.map(env.digest) } : {}) };
    const { epoch } = await this.#append({ form: 'epoch', scope: 'global', operation }, '', '', { after });
    this.#leader = create(LeaderSchema, { origin, epoch: BigInt(epoch) });
  }

  async #requireLead(): Promise<void> {
    if (!(await this.#deps.env.leads())) throw new BeaconError('unavailable', 'another kill switch leads');
  }

  async #readLog(): Promise<void> {
    const { log, env } = this.#deps;
    for (let start = 0n; ; ) {
      const page = await log.listReceipts(
        create(ListReceiptsRequestSchema, { start, limit: REBUILD_PAGE, kind: 'revocation' }),
        env.context(),
      );
      for (const { envelope, receiptId } of page.receipts) this.#state.apply(readLeaf(envelope, receiptId));
      if (page.next >= page.size || page.next === start) return;
      start = page.next;
    }
  }

  /** The fence is the guarantee. A list that forgot something, or missed a change, is rebuilt from the log. */
  async #tellList({ scope, operation, epoch, revocationId }: RevocationLeaf): Promise<void> {
    const change = {
      scope,
      operation: operation === 'reinstate' ? 'reinstate' : 'revoke',
      epoch,
      revocationId,
    } as const;
    try {
      await this.#deps.list.apply(change);
      this.#listed = epoch;
    } catch (error) {
      this.#deps.env.failed(error);
      await this.#mendList();
    }
  }

  /** A list that is empty, flushed or restored from an old copy denies everything until this has run. */
  async #mendList(): Promise<void> {
    const { list, bus } = this.#deps;
    const { epoch } = await list.consult(['global']);
    if (epoch !== undefined && epoch >= this.#state.epoch) return;
    const isLost = this.#listed > 0 && (epoch === undefined || epoch < this.#listed);
    if (isLost && (await this.#lost?.restored()) === false) return;
    await list.rebuild(this.#state.inForce(), this.#state.epoch);
    this.#listed = this.#state.epoch;
    bus.publish({ name: EVENTS.revocationListRebuilt, data: { epoch: this.#state.epoch, found: epoch ?? null } });
  }
}

function splitAgent(scope: string): [tenantId: string, agentId: string] {
  if (!scope.startsWith('agent:')) return ['', ''];
  const parts = scope.slice(6).split('/');
  return parts.length === 2 ? [parts[0] as string, parts[1] as string] : ['', parts[0] as string];
}
