// ScoringService: scores as the ledger has them at the moment of asking. Only this file seals for scoring: `score` leaves
// that an admin asked for, and `import` leaves that say what was found about receipts from elsewhere.

import { create } from '@bufbuild/protobuf';
import { canonicalJson, sha256Hex } from '../../core/canonical-json.ts';
import { BeaconError, invalidArgument } from '../../core/errors.ts';
import { requireName } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import { computeScore, type Score as Figures } from '../../core/trust-score/score.ts';
import { emptyTally, readTally } from '../../core/trust-score/tally.ts';
import { dayOf, parseDay } from '../../core/trust-score/view.ts';
import {
  type Draft,
  DraftSchema,
  type SealRequest,
  SealRequestSchema,
  type SealResponse,
} from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import {
  type EmitScoreRequest,
  type EmitScoreResponse,
  EmitScoreResponseSchema,
  type GetScoreRequest,
  type GetScoreResponse,
  GetScoreResponseSchema,
  type ImportReceiptsRequest,
  type ImportReceiptsResponse,
  ImportReceiptsResponseSchema,
  type ListScoresRequest,
  type ListScoresResponse,
  ListScoresResponseSchema,
  type Score,
  ScoreSchema,
} from '../../gen/beacon/v1/scoring_service_pb.js';
import type { AgentKey, ScoreStore } from '../../ports/score-store/port.ts';
import type { ScoreFollower } from './follow.ts';
import { examine, type Finding, MAX_IMPORTED } from './import.ts';
import type { ReceiptSource, TrustedKeys } from './ledger-source.ts';

const CATCH_UP_MS = 2_000;
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1_000;
const MAX_SUBJECT = 128;

/** The part of ReceiptSignerService that scoring calls. */
export type Sealer = { seal(request: SealRequest, context: CallContext): Promise<SealResponse> };

export type ScoringDependencies = {
  readonly store: ScoreStore;
  readonly follower: Pick<ScoreFollower, 'upToDate'>;
  /** Undefined for a log that is not one of ours. */
  sourceOf(logId: string): ReceiptSource | undefined;
  readonly keys: TrustedKeys;
  readonly signer: Sealer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

export class ScoringService {
  readonly #d: ScoringDependencies;

  constructor(dependencies: ScoringDependencies) {
    this.#d = dependencies;
  }

  /** Waits up to 2 s for the receipts there are at the time of the call; an agent without any is at the floor. */
  async getScore(request: GetScoreRequest, _context: CallContext): Promise<GetScoreResponse> {
    const agentId = requireName('agent_id', request.agentId);
    const day = this.#dayOf(request.asOf);
    await this.#catchUp();
    const key = request.tenantId === '' ? await this.#onlyTenantOf(agentId) : requireAgent(request);
    return create(GetScoreResponseSchema, { score: scoreOf(key, await this.#figures(key, day)) });
  }

  /** For staff who name no tenant: the one tenant that has an agent of this name, or none. */
  async #onlyTenantOf(agentId: string): Promise<AgentKey> {
    const rows = await this.#d.store.list('', `/${agentId}`, 2);
    const tenants = rows.filter((row) => row.agentId === agentId).map((row) => row.tenantId);
    if (tenants.length > 1) throw invalidArgument('tenant_id', 'several tenants have an agent of this name; name one');
    return { tenantId: tenants[0] ?? '', agentId };
  }

  async listScores(request: ListScoresRequest, _context: CallContext): Promise<ListScoresResponse> {
    if (request.tenantId !== '') requireName('tenant_id', request.tenantId);
    if (request.limit > MAX_PAGE) throw invalidArgument('limit', `must be at most ${MAX_PAGE}`);
    await this.#catchUp();
    const rows = await this.#d.store.list(request.tenantId, request.after, request.limit || DEFAULT_PAGE);
    const day = this.#dayOf('');
    const scores = rows.map((row) => scoreOf(row, computeScore(readTally(row.tally), day)));
    return create(ListScoresResponseSchema, { scores });
  }

  /** Admin only. The leaf is evidence of a figure; it counts towards none. */
  async emitScore(request: EmitScoreRequest, context: CallContext): Promise<EmitScoreResponse> {
    requireAdmin(context);
    const key = requireAgent(request);
    await this.#catchUp();
    const figures = await this.#figures(key, this.#dayOf(''));
    const { score, band, asOf, version } = figures;
    const predicate = {
      tenant_id: key.tenantId,
      agent_id: key.agentId,
      event: 'SCALAR_SCORE',
      billable: false,
      score,
      band,
      as_of: asOf,
      version,
    };
    const fingerprint = sha256Hex(canonicalJson(predicate));
    const [receiptId = ''] = await this.#seal(
      [draft('score', key, agentSubject(key), fingerprint, predicate)],
      context,
    );
    return create(EmitScoreResponseSchema, { score: scoreOf(key, figures), receiptId });
  }

  /** Admin only. Findings are in the order of the receipts; each stands in the ledger before this resolves. */
  async importReceipts(request: ImportReceiptsRequest, context: CallContext): Promise<ImportReceiptsResponse> {
    requireAdmin(context);
    const key = requireAgent(request);
    const { receipts } = request;
    if (receipts.length < 1 || receipts.length > MAX_IMPORTED) {
      throw invalidArgument('receipts', `must be 1 to ${MAX_IMPORTED}`);
    }
    const findings: Finding[] = [];
    for (const bytes of receipts) findings.push(await examine(bytes, this.#d));
    const drafts = findings.map(({ qualified, reason, digest }) =>
      draft('import', key, `receipt:${digest}`, digest, {
        tenant_id: key.tenantId,
        agent_id: key.agentId,
        qualified,
        reason,
        receipt_digest: digest,
      }),
    );
    const sealed = await this.#seal(drafts, context);
    return create(ImportReceiptsResponseSchema, {
      findings: findings.map(({ qualified, reason }, at) => ({ qualified, reason, receiptId: sealed[at] ?? '' })),
    });
  }

  async #catchUp(): Promise<void> {
    await this.#d.follower.upToDate(CATCH_UP_MS);
  }

  async #figures(key: AgentKey, day: number): Promise<Figures> {
    const row = await this.#d.store.read(key);
    return computeScore(row ? readTally(row.tally) : emptyTally(), day);
  }

  #dayOf(asOf: string): number {
    const today = dayOf(this.#d.now());
    if (asOf === '') return today;
    const day = parseDay(asOf);
    if (day === undefined) throw invalidArgument('as_of', 'must be a date, YYYY-MM-DD');
    if (day > today) throw invalidArgument('as_of', 'must not lie in the future');
    return day;
  }

  async #seal(drafts: Draft[], context: CallContext): Promise<string[]> {
    const principal = { role: 'admin', provenance: 'authenticated', subject: 'service:scoring' } as const;
    const answer = await this.#d.signer.seal(create(SealRequestSchema, { drafts }), { ...context, principal });
    if (answer.refused !== '' || answer.receipts.length !== drafts.length) {
      throw new BeaconError('unavailable', 'the signer did not seal what was found');
    }
    return answer.receipts.map((receipt) => receipt.receiptId);
  }
}

function draft(kind: string, key: AgentKey, subject: string, fingerprint: string, predicate: object): Draft {
  const predicateJson = Buffer.from(JSON.stringify(predicate));
  return create(DraftSchema, { kind, actionId: subject, fingerprint, predicateJson, tenantId: key.tenantId });
}

/** A receipt's subject name has at most 128 characters; two long names do not fit and are digested. */
function agentSubject({ tenantId, agentId }: AgentKey): string {
  const name = `agent:${tenantId}/${agentId}`;
  return name.length <= MAX_SUBJECT ? name : `agent:${sha256Hex(name)}`;
}

function requireAgent(request: { readonly tenantId: string; readonly agentId: string }): AgentKey {
  const agentId = requireName('agent_id', request.agentId);
  return { tenantId: requireName('tenant_id', request.tenantId), agentId };
}

/** The table of who may call what stands before this; an agent must not get here even if that is wrong. */
function requireAdmin(context: CallContext): void {
  if (context.principal.role !== 'admin') throw new BeaconError('permission_denied', 'only an admin may do this');
}

function scoreOf({ tenantId, agentId }: AgentKey, figures: Figures): Score {
  return create(ScoreSchema, {
    tenantId,
    agentId,
    score: figures.score,
    band: figures.band,
    totalReceipts: BigInt(figures.totalReceipts),
    validReceipts: BigInt(figures.validReceipts),
    factors: figures.factors.map(({ name, points, explanation, receipts }) => ({
      name,
      points,
      explanation,
      receipts: BigInt(receipts),
    })),
    unqualified: figures.unqualified.map(({ reason, count }) => ({ reason, count: BigInt(count) })),
    asOf: figures.asOf,
    version: figures.version,
  });
}
