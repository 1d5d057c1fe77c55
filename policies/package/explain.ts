// POST /api/explain by a bundle that decides nothing: the service's own explaining, with the facts as they are stated.

import { create } from '@bufbuild/protobuf';
import type { Standing } from '../../clients/cli/policy-tools.ts';
import { ExplainRequestSchema } from '../../gen/beacon/v1/decision_service_pb.js';
import type { PolicySnapshot } from '../../ports/policy-engine/port.ts';
import { admit } from '../../services/decision/admit.ts';
import type { DecisionDeps } from '../../services/decision/deps.ts';
import { explain } from '../../services/decision/explain.ts';
import { EpochMemory, SCORE_FLOOR } from '../../services/decision/gather.ts';
import { writeExplanation } from '../../services/gateway/write-explanation.ts';
import { caseDeps, readAsked } from './cases.ts';

const GATHER_TIMEOUT_MS = 1_000;

/** Level and provenance go together, as they do in a Beacon: the level follows from provenance and score. */
export async function explainBy(
  policy: PolicySnapshot,
  body: object,
  { provenance = 'authenticated', score = SCORE_FLOOR, valid_receipts = 0, approved = false }: Standing,
): Promise<Readonly<Record<string, unknown>>> {
  const { proposal, call } = readAsked(body, provenance);
  const row = { score, validReceipts: valid_receipts, assertedScore: score, assertedValidReceipts: valid_receipts };
  const { fingerprint } = admit(proposal, call, caseDeps);
  const approval = {
    actionId: `act_${'0'.repeat(32)}`,
    receiptId: '000000000000-0',
    fingerprint,
    notAfterMs: Number.POSITIVE_INFINITY,
  };
  const stores = {
    revocations: { survey: async () => ({ epoch: 1, revoked: [], tools: [] }) },
    scores: { read: async () => row },
    actions: { approvedFor: async () => (approved ? [approval] : []) },
  };
  const deps = {
    ...{ stores, policy: { snapshot: () => policy }, privacy: caseDeps.privacy },
    settings: { ...caseDeps.settings, gatherTimeoutMs: GATHER_TIMEOUT_MS, keyId: () => '' },
    env: { now: Date.now, randomHex: (bytes: number) => '0'.repeat(2 * bytes), failed: () => {} },
  } as unknown as DecisionDeps;
  const request = create(ExplainRequestSchema, { proposal });
  return writeExplanation(await explain(request, call, { deps, epochs: new EpochMemory() }));
}
