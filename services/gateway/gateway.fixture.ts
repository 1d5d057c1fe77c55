// A gateway on free loopback ports over small services that keep what they were asked. For tests.

import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { BeaconError } from '../../core/errors.ts';
import { receiptId } from '../../core/ids.ts';
import type { CallContext } from '../../core/principal.ts';
import {
  ClientProvenance,
  Decision as DecisionWord,
  Durability,
  Enforceability,
  Route,
  TrustLevel,
} from '../../gen/beacon/v1/common_pb.js';
import * as decisions from '../../gen/beacon/v1/decision_service_pb.js';
import * as switches from '../../gen/beacon/v1/kill_switch_service_pb.js';
import * as signers from '../../gen/beacon/v1/receipt_signer_service_pb.js';
import * as scores from '../../gen/beacon/v1/scoring_service_pb.js';
import { MemoryTokenStore } from '../../ports/token-store/memory.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createRpcServer, drainRpc, listenRpc } from '../../runtime/rpc-server.ts';
import { createAccess, tokenDigest, tokenText } from '../access.ts';
import { createGateway } from './compose.ts';
import type { Decision, KillSwitch, LogReader, Readiness, Scoring } from './types.ts';

export const ACTION = `act_${'a'.repeat(32)}`;
export const PERMIT = `pmt_${'b'.repeat(32)}`;
export const SIGNER_LOG = '0123456789ab';
export const SWITCH_LOG = 'ba9876543210';

export type Asked = { method: string; request: Record<string, unknown>; context: CallContext };

/** A receipt as the ledger keeps it, of one agent. */
export function envelopeOf(tenantId: string, agentId: string): Buffer {
  const predicate = { tenant_id: tenantId, agent_id: agentId };
  const statement = { _type: 'https://in-toto.io/Statement/v1', subject: [], predicateType: 'urn:beacon:decision:v1' };
  const payload = Buffer.from(JSON.stringify({ ...statement, predicate })).toString('base64');
  const signatures = [{ keyid: 'k', sig: 'AA==' }];
  return Buffer.from(JSON.stringify({ payloadType: 'application/vnd.in-toto+json', payload, signatures }));
}

type Keep = <A, B>(method: string, answer: (request: A) => B) => (request: A, context: CallContext) => Promise<B>;

function decisionOf(keep: Keep, agent: { tenantId: string; agentId: string }): Decision {
  const action = () => create(decisions.ActionSchema, { actionId: ACTION, ...agent, route: Route.ALLOW, state: 3 });
  const approval = () => create(decisions.ApprovalSchema, { actionId: ACTION, ...agent, status: 1 });
  const answer = (proposal: decisions.Proposal | undefined) => {
    if (proposal?.sessionId === 'full') throw new BeaconError('resource_exhausted', 'full', { retryAfterMs: 1500 });
    if (proposal?.sessionId === 'down') throw new BeaconError('unavailable', 'no signer');
    if (proposal?.sessionId === 'broken') throw new Error('the password is hunter2');
    const denied = proposal?.sessionId === 'denied';
    return create(decisions.DecisionAnswerSchema, {
      decision: denied ? DecisionWord.DENY : DecisionWord.ALLOW,
      route: denied ? Route.DENY : Route.WARN,
      receiptId: receiptId(SIGNER_LOG, 7),
      actionId: ACTION,
      fingerprint: 'f'.repeat(64),
      reasons: [{ rule: 'r.one', code: 'one', message: 'Because.' }],
      obligations: [{ kind: 'time_limit', parametersJson: '{"seconds":5}' }],
      permit: { id: PERMIT, notAfter: timestampFromMs(1_700_000_000_123), term: 4n },
      score: 300,
      level: TrustLevel.L1,
      clientProvenance: ClientProvenance.ASSERTED,
      enforceability: Enforceability.DELEGATED_RUNTIME_CONTROL,
      durability: Durability.FDATASYNC,
      receipt: envelopeOf('t', 'a'),
      epoch: 9n,
    });
  };
  return {
    guard: keep('guard', (r: decisions.GuardRequest) =>
      create(decisions.GuardResponseSchema, { answer: answer(r.proposal) }),
    ),
    execute: keep('execute', (r: decisions.ExecuteRequest) =>
      create(decisions.ExecuteResponseSchema, { answer: answer(r.proposal) }),
    ),
    explain: keep('explain', () =>
      create(decisions.ExplainResponseSchema, {
        route: Route.APPROVAL,
        reasons: [{ rule: 'r.one', code: 'one', message: 'Because.' }],
        obligations: [{ kind: 'time_limit', parametersJson: '{"seconds":5}' }],
        fingerprint: 'f'.repeat(64),
        summary: 'rm a',
        parts: [
          {
            ...{ tool: 'rm', operation: 'rm', effect: 'delete', targets: ['file:/w/a'], systems: ['filesystem'] },
            externality: { destinationType: 'file', externalWrite: 'unknown' },
            derivedFrom: [{ field: 'destination_type', source: 'effect', detail: 'delete', part: 1 }],
            route: Route.WARN,
          },
        ],
        externality: { destinationType: 'file', externalWrite: 'false', reversibility: 'unknown' },
        derivedFrom: [{ field: 'tenant_provenance', source: 'caller', detail: 'no credential', part: 0 }],
        changes: [
          {
            kind: 'level',
            fact: 'L0',
            suppose: 'L0',
            route: Route.DENY,
            reason: { rule: 'r', code: 'c', message: 'm' },
          },
          { kind: 'form', fact: 'dry_run', suppose: 'it were a dry run', route: Route.ALLOW, parts: [1] },
          { kind: 'told', fact: 'attended', suppose: 'nobody', route: Route.APPROVAL },
        ],
        changesComplete: true,
        findings: [{ kind: 'email', class: 'pii', where: 'actions.0.command', confidence: 'high' }],
        facts: { score: 300, validReceipts: 2n, level: TrustLevel.L1 },
        policyDigest: 'e'.repeat(64),
        policyRevision: '7',
      }),
    ),
    openAction: keep('openAction', () => create(decisions.OpenActionResponseSchema, { action: action() })),
    getAction: keep('getAction', () => create(decisions.GetActionResponseSchema, { action: action() })),
    recordAssumption: keep('recordAssumption', () =>
      create(decisions.RecordAssumptionResponseSchema, { receiptId: receiptId(SIGNER_LOG, 8) }),
    ),
    waitForApproval: keep('waitForApproval', () =>
      create(decisions.WaitForApprovalResponseSchema, { approval: approval() }),
    ),
    resolveApproval: keep('resolveApproval', () =>
      create(decisions.ResolveApprovalResponseSchema, { approval: approval() }),
    ),
    updateOutcome: keep('updateOutcome', () =>
      create(decisions.UpdateOutcomeResponseSchema, { action: action(), receiptId: receiptId(SIGNER_LOG, 9) }),
    ),
    listApprovals: keep('listApprovals', () =>
      create(decisions.ListApprovalsResponseSchema, { approvals: [approval()] }),
    ),
    getPolicy: keep('getPolicy', () => create(decisions.GetPolicyResponseSchema, { policy: {} })),
    activatePolicy: keep('activatePolicy', () => create(decisions.ActivatePolicyResponseSchema, { policy: {} })),
  };
}

function scoringOf(keep: Keep): Scoring {
  const score = (agentId: string, tenantId: string) =>
    create(scores.ScoreSchema, { agentId, tenantId, score: 300, band: 'poor', totalReceipts: 2n, asOf: '2026-01-01' });
  return {
    getScore: keep('getScore', (r: scores.GetScoreRequest) =>
      create(scores.GetScoreResponseSchema, { score: score(r.agentId, r.tenantId) }),
    ),
    listScores: keep('listScores', () => create(scores.ListScoresResponseSchema, { scores: [score('a', 't')] })),
    emitScore: keep('emitScore', (r: scores.EmitScoreRequest) =>
      create(scores.EmitScoreResponseSchema, {
        score: score(r.agentId, r.tenantId),
        receiptId: receiptId(SIGNER_LOG, 1),
      }),
    ),
    importReceipts: keep('importReceipts', (r: scores.ImportReceiptsRequest) =>
      create(scores.ImportReceiptsResponseSchema, {
        findings: r.receipts.map(() => ({ qualified: false, reason: 'unsigned', receiptId: receiptId(SIGNER_LOG, 2) })),
      }),
    ),
  };
}

function killSwitchOf(keep: Keep): KillSwitch {
  const revocation = (scope: string, operation: string) =>
    create(switches.RevocationSchema, {
      revocationId: `rev_${'c'.repeat(32)}`,
      scope,
      operation,
      epoch: 3n,
      level: switches.RevocationLevel.BARRIER,
      barrierAt: timestampFromMs(1_700_000_000_250),
      logs: [
        { origin: 'o1', ended: { case: 'fenceIndex', value: 12n } },
        { origin: 'o2', ended: { case: 'leaseEnd', value: timestampFromMs(1_700_000_000_000) } },
      ],
    });
  return {
    revoke: keep('revoke', (r: switches.RevokeRequest) =>
      create(switches.RevokeResponseSchema, { revocation: revocation(r.scope, 'revoke') }),
    ),
    reinstate: keep('reinstate', (r: switches.ReinstateRequest) =>
      create(switches.ReinstateResponseSchema, { revocation: revocation(r.scope, 'reinstate') }),
    ),
    listRevocations: keep('listRevocations', () =>
      create(switches.ListRevocationsResponseSchema, { revocations: [revocation('global', 'revoke')], epoch: 3n }),
    ),
  };
}

function logOf(keep: Keep, role: string, logId: string, envelope: Buffer): LogReader {
  const origin = `beacon.local/${role}/${logId}`;
  const jwk = { kty: 'OKP', crv: 'Ed25519', kid: `key-${role}`, x: 'x' };
  const found = (id: string) => {
    if (id !== receiptId(logId, 7)) throw new BeaconError('not_found', 'there is no such receipt');
  };
  return {
    getStatus: keep('getStatus', () => create(signers.GetStatusResponseSchema, { origin, size: 8n })),
    getKeys: keep('getKeys', () =>
      create(signers.GetKeysResponseSchema, {
        origin,
        vkey: `vkey-${role}`,
        jwksJson: JSON.stringify({ keys: [jwk] }),
      }),
    ),
    rotateKey: keep('rotateKey', () => create(signers.RotateKeyResponseSchema, { keyId: 'new' })),
    getReceipt: keep('getReceipt', (r: signers.GetReceiptRequest) => {
      found(r.receiptId);
      // Of the kill-switch's leaves none is kept.
      const evidence = role === 'receipt-signer' ? Buffer.from('{"salt":"00"}') : Buffer.alloc(0);
      return create(signers.GetReceiptResponseSchema, { envelope, evidence });
    }),
    getProof: keep('getProof', (r: signers.GetProofRequest) => {
      if (r.waitMs === 0) throw new BeaconError('unavailable', 'no checkpoint covers it yet');
      return create(signers.GetProofResponseSchema, { proof: Buffer.from('c2sp.org/tlog-proof@v1\n') });
    }),
    listReceipts: keep('listReceipts', () =>
      create(signers.ListReceiptsResponseSchema, {
        receipts: [{ receiptId: receiptId(logId, 7), index: 7n, envelope }],
        next: 8n,
        size: 8n,
      }),
    ),
    getTile: keep('getTile', () => create(signers.GetTileResponseSchema, { tile: new Uint8Array([1, 2, 3]) })),
    getCheckpoint: keep('getCheckpoint', () =>
      create(signers.GetCheckpointResponseSchema, { checkpoint: Buffer.from(`${origin}\n8\n`) }),
    ),
  };
}

/** `agent` owns every action; the receipt is of `envelopeOf(agent)`. */
export async function startGateway(settings: { allowAsserted?: boolean; ready?: Readiness } = {}) {
  const asked: Asked[] = [];
  const logged: string[] = [];
  const keep: Keep = (method, answer) => async (request, context) => {
    asked.push({ method, request: request as Record<string, unknown>, context });
    return answer(request);
  };
  const clock = { nowMs: 1_700_000_000_000 };
  const now = () => clock.nowMs;
  const adminToken = tokenText('admin', randomBytes(32));
  const access = createAccess({
    tokens: new MemoryTokenStore(),
    adminTokenDigest: tokenDigest(adminToken),
    allowAsserted: settings.allowAsserted ?? true,
    now,
    randomBytes,
  });
  const agent = { tenantId: 't', agentId: 'a' };
  const gateway = createGateway({
    services: {
      decision: decisionOf(keep, agent),
      scoring: scoringOf(keep),
      killSwitch: killSwitchOf(keep),
      logs: [
        logOf(keep, 'receipt-signer', SIGNER_LOG, envelopeOf('t', 'a')),
        logOf(keep, 'kill-switch', SWITCH_LOG, envelopeOf('', '')),
      ],
      ready: async () => settings.ready ?? { ready: true, reasons: [] },
    },
    access,
    metrics: createMetrics('beacon_', { processMetrics: false }),
    log: createLog('debug', (line) => logged.push(line)),
    options: {
      decisionTimeoutMs: 5000,
      limit: { maxInFlight: 10_000, latencyTargetMs: 60_000 },
      allowedHosts: ['beacon.example'],
      grpcOnLoopback: true,
      now,
    },
  });
  const server = createRpcServer({ admission: gateway.admission });
  gateway.registerGrpc(server);
  const grpc = await listenRpc(server, '127.0.0.1:0');
  const url = await gateway.http.listen({ host: '127.0.0.1', port: 0 });
  const close = async () => {
    await gateway.http.close();
    await drainRpc(server, 50);
  };
  return { url, grpc, asked, logged, access, adminToken, clock, close };
}

export type Reply = { status: number; headers: Headers; text: string; json: Record<string, unknown> };

/** One request over HTTP. */
export async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
  more: object = {},
): Promise<Reply> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...more,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : {},
  };
}
