// Scores, revocations, tokens.

import { create } from '@bufbuild/protobuf';
import { requireName } from '../../core/ids.ts';
import {
  ListRevocationsRequestSchema,
  ReinstateRequestSchema,
  RevokeRequestSchema,
} from '../../gen/beacon/v1/kill_switch_service_pb.js';
import {
  EmitScoreRequestSchema,
  GetScoreRequestSchema,
  ListScoresRequestSchema,
} from '../../gen/beacon/v1/scoring_service_pb.js';
import type { Minted } from '../access.ts';
import { given } from './given.ts';
import { readAgentToken, readRevocation, readStaffToken, readSubject } from './read-bodies.ts';
import { readPageQuery, readScoreQuery } from './read-query.ts';
import type { Route, RouteDependencies } from './types.ts';
import { writeRevocation, writeScore } from './write.ts';

const LONGEST_LEASE_MS = 10 * 60_000;

export function scoreRoutes({ services: { scoring } }: RouteDependencies<'scoring'>): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/scalar',
      operation: 'list_scores',
      async handle(call) {
        const page = readPageQuery(call.query);
        const { scores } = await scoring.listScores(create(ListScoresRequestSchema, page), call.context);
        const next = scores.length < page.limit ? null : (scores.at(-1)?.agentId ?? null);
        return { json: { scores: scores.map(writeScore), next } };
      },
    },
    {
      method: 'GET',
      path: '/api/scalar/:agent_id',
      operation: 'get_score',
      async handle(call) {
        const agentId = requireName('agent_id', call.params.agent_id);
        const request = create(GetScoreRequestSchema, { agentId, ...readScoreQuery(call.query) });
        return { json: writeScore(given((await scoring.getScore(request, call.context)).score)) };
      },
    },
    {
      method: 'POST',
      path: '/api/scalar/emit',
      operation: 'emit_score',
      async handle(call) {
        const request = create(EmitScoreRequestSchema, readSubject(call.json()));
        const { score, receiptId } = await scoring.emitScore(request, call.context);
        return { json: { event: 'SCALAR_SCORE', billable: false, ...writeScore(given(score)), receipt_id: receiptId } };
      },
    },
  ];
}

export function revocationRoutes({ services: { killSwitch } }: RouteDependencies): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/revocations',
      operation: 'list_revocations',
      async handle(call) {
        const request = create(ListRevocationsRequestSchema);
        const { revocations, epoch } = await killSwitch.listRevocations(request, call.context);
        return { json: { revocations: revocations.map(writeRevocation), epoch: Number(epoch) } };
      },
    },
    {
      method: 'POST',
      path: '/api/revocations',
      operation: 'revoke',
      // The barrier may have to wait for the end of a signer's lease.
      patienceMs: LONGEST_LEASE_MS,
      async handle(call) {
        const { operation, ...change } = readRevocation(call.json());
        const { revocation } =
          operation === 'revoke'
            ? await killSwitch.revoke(create(RevokeRequestSchema, change), call.context)
            : await killSwitch.reinstate(create(ReinstateRequestSchema, change), call.context);
        return { json: writeRevocation(given(revocation)) };
      },
    },
  ];
}

export function tokenRoutes({ access }: RouteDependencies): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/agents/:agent_id/tokens',
      operation: 'mint_agent_token',
      async handle(call) {
        const agentId = requireName('agent_id', call.params.agent_id);
        const minted = await access.mint({ role: 'agent', agentId, ...readAgentToken(call.json()) });
        return { status: 201, json: { ...writeMinted(minted), agent_id: agentId, tenant_id: minted.record.tenantId } };
      },
    },
    {
      method: 'POST',
      path: '/api/tokens',
      operation: 'mint_token',
      async handle(call) {
        const minted = await access.mint(readStaffToken(call.json()));
        return { status: 201, json: { ...writeMinted(minted), role: minted.record.role } };
      },
    },
    {
      method: 'DELETE',
      path: '/api/tokens/:token_id',
      operation: 'revoke_token',
      async handle(call) {
        const { tokenId, role, tenantId, agentId } = await access.revokeToken(call.params.token_id ?? '');
        return { json: { token_id: tokenId, role, tenant_id: tenantId, agent_id: agentId, revoked: true } };
      },
    },
  ];
}

function writeMinted({ token, record }: Minted) {
  return { token, token_id: record.tokenId, expires_at: new Date(record.expiresAtMs).toISOString() };
}
